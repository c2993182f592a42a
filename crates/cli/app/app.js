import { Proofkey } from '/proofkey/index.js';
import { api, clientId, issuer, redirectUri } from '/config.js';

// Before anything else: this removes the code from the address bar.
const app = new Proofkey({ issuer, clientId, redirectUri, scope: 'itwin-platform offline_access', origins: [api] });

const element = (id) => document.getElementById(id);

/** Does some work with all buttons disabled, and shows the error if it fails. */
async function attempt(doing, work) {
  const buttons = document.querySelectorAll('button');
  const { activeElement: focused } = document;
  buttons.forEach((button) => { button.disabled = true; });
  element('problem').hidden = true;
  element('status').textContent = doing;
  try {
    await work();
  } catch (error) {
    element('problem').textContent = inWords(error);
    element('problem').hidden = false;
  }
  buttons.forEach((button) => { button.disabled = false; });
  show();
  // A button loses the focus when it is disabled.
  if (document.activeElement === document.body) focused.focus();
}

function inWords(error) {
  if (error.serverCode === 'access_denied') return 'You did not allow this app to see your iTwins.';
  if (error.code === 'popup_closed') return 'The sign-in window was closed before you were signed in.';
  if (error.code === 'popup_blocked') return 'Your browser blocked the sign-in window. Use “Sign in” instead.';
  if (error.advice === 'reauthorize') return `Please sign in again (${error.message}).`;
  if (error.advice === 'retry') return `The server is busy. Try again in ${error.retryAfter ?? 'a few'} seconds.`;
  return `This did not work: ${error.message}`;
}

async function load() {
  const [user, itwins] = await Promise.all(['/api/me', '/api/itwins'].map(async (path) => {
    const response = await app.fetch(api + path);
    if (!response.ok) throw new Error(`the API answered with ${response.status}`);
    return response.json();
  }));
  element('itwins').replaceChildren(...itwins.iTwins.map(({ displayName }) => {
    const item = document.createElement('li');
    item.textContent = displayName;
    return item;
  }));
  element('signed-in').dataset.user = user.user.displayName;
}

function show() {
  const { signedIn } = app;
  const changed = element(signedIn ? 'signed-in' : 'signed-out').hidden;
  element('signed-in').hidden = !signedIn;
  element('signed-out').hidden = signedIn;
  element('status').textContent = signedIn ? `Signed in as ${element('signed-in').dataset.user ?? '…'}.` : 'You are not signed in.';
  // The focused element is hidden now. Keyboards and screen readers continue from the title.
  if (changed) element('title').focus();
}

element('sign-in').addEventListener('click', () => attempt('Going to the sign-in page …', () => app.signIn()));
element('sign-in-popup').addEventListener('click', () => attempt('Waiting for the sign-in window …', () => app.signInPopup()));
element('sign-out').addEventListener('click', () => attempt('Signing out …', () => app.signOut()));
element('load').addEventListener('click', () => attempt('Loading …', load));

/** Called when someone signed in or out: here, in a sign-in window, or in another tab. */
async function welcome() {
  delete element('signed-in').dataset.user;
  element('itwins').replaceChildren();
  if (app.signedIn) await load();
}

await attempt('One moment …', async () => {
  await app.handleRedirect();
  await welcome();
});
app.addEventListener('change', () => attempt('One moment …', welcome));
