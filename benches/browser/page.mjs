// The page that is timed: it signs in at a click, and at the redirect URI it gets the token.

const now = () => performance.now();

export async function run(app, warm) {
  if (location.pathname === '/callback') {
    await app.finish();
    const token = await app.accessToken();
    const { responseStart } = performance.getEntriesByType('navigation')[0];
    globalThis.round = { click: Number(sessionStorage.getItem('click')), callback: now() - responseStart, token };
  } else {
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
  }
  document.documentElement.dataset.ready = '';
}
