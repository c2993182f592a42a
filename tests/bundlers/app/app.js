/** The one app of all bundlers. It is given the class, since it depends on the bundler where that comes from. */
export async function start(Proofkey) {
  const { issuer, clientId } = globalThis.SETTINGS;
  const app = new Proofkey({
    issuer, clientId, redirectUri: `${location.origin}/callback`, scope: 'itwin-platform offline_access', origins: [issuer],
  });
  document.body.innerHTML = '<p role="status"></p><button id="sign-in">Sign in</button>';
  document.querySelector('#sign-in').onclick = () => app.signIn({ data: { place: '/' } });
  await app.handleRedirect();
  document.querySelector('[role=status]').textContent = app.signedIn
    ? (await (await app.fetch(`${issuer}/api/me`)).json()).user.id
    : 'signed out';
}
