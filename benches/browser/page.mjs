// The page that is timed: it signs in at a click, gets the token at the redirect URI, and has it again after a reload.

const now = () => performance.now();

export async function run(app, warm) {
  const { pathname } = location;
  if (pathname === '/') {
    // What its documentation calls on every page load; the click does not wait for it.
    app.begin?.();
    if (warm) await app.prepare?.();
    let clicked;
    // This page is gone before anyone can ask it.
    navigation.addEventListener('navigate', () => sessionStorage.setItem('click', now() - clicked));
    document.querySelector('button').addEventListener('click', () => {
      clicked = now();
      app.signIn();
    });
  } else {
    if (pathname === '/callback') await app.finish();
    else await (app.restore ?? app.begin)?.();
    const token = await app.accessToken();
    const { responseStart } = performance.getEntriesByType('navigation')[0];
    globalThis.round = { took: now() - responseStart, click: Number(sessionStorage.getItem('click')), token };
    // A page that can be reloaded.
    history.replaceState(null, '', '/kept');
  }
  document.documentElement.dataset.ready = '';
}
