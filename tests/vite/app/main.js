import { Proofkey, init } from 'proofkey-browser';
import wasm from 'proofkey-browser/proofkey.wasm?url';

init(wasm);
const { issuer, clientId } = JSON.parse(import.meta.env.VITE_SERVER);
const app = new Proofkey({
  issuer, clientId, redirectUri: `${location.origin}/callback`, scope: 'itwin-platform offline_access', origins: [issuer],
});
const status = document.querySelector('p');
document.querySelector('button').onclick = () => app.signIn();
try {
  await app.handleRedirect();
  status.textContent = app.signedIn ? await (await app.fetch(`${issuer}/api/me`)).text() : 'signed out';
} catch (error) {
  status.textContent = String(error);
}
