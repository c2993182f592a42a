/** The one app of all bundlers. It is given what depends on the bundler. */
export async function start(Proofkey, options, root = document.body) {
  const { issuer, clientId } = globalThis.SETTINGS;
  const app = new Proofkey({
    issuer, clientId, redirectUri: `${location.origin}/callback`, scope: 'itwin-platform offline_access', origins: [issuer], ...options,
  });
  root.innerHTML = '<p role="status"></p><button id="sign-in">Sign in</button>';
  root.querySelector('#sign-in').onclick = () => app.signIn({ data: { place: '/' } });
  await app.handleRedirect();
  root.querySelector('[role=status]').textContent = app.signedIn
    ? (await (await app.fetch(`${issuer}/api/me`)).json()).user.id
    : 'signed out';
}
