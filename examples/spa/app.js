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
  if (!navigator.onLine) return 'You are offline. Try again when you are connected.';
  // The latter is what `fetch` itself throws.
  if (error.code === 'network' || error instanceof TypeError) return 'The server cannot be reached. Try again in a moment.';
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
  const views = { signed_in: element('signed-in'), signed_out: element('signed-out') };
  const view = views[app.state];
  const changed = view?.hidden;
  for (const other of Object.values(views)) other.hidden = other !== view;
  element('status').textContent = {
    loading: 'One moment …',
    signed_in: `Signed in as ${element('signed-in').dataset.user ?? '…'}.`,
    signed_out: 'You are not signed in.',
  }[app.state];
  // The focused element is hidden now. Keyboards and screen readers continue from the title.
  if (changed) element('title').focus();
}

element('sign-in').addEventListener('click', () => attempt('Going to the sign-in page …', () => app.signIn({ data: here() })));
element('sign-in-popup').addEventListener('click', () => attempt('Waiting for the sign-in window …', () => app.signInPopup()));
element('sign-out').addEventListener('click', () => attempt('Signing out …', () => app.signOut()));
element('load').addEventListener('click', () => attempt('Loading …', load));

/** Called when someone signed in or out: here, in a sign-in window, or in another tab. */
async function welcome() {
  delete element('signed-in').dataset.user;
  element('itwins').replaceChildren();
  if (app.signedIn) await load();
}

/** Where the user is in this app. */
function here() {
  return location.pathname + location.search + location.hash;
}

/** Goes back to where the user was when a sign-in began; its redirect came to an address that shows nothing of its own. */
function goBack(place = '/') {
  history.replaceState(null, '', place);
}

await attempt('One moment …', async () => {
  try {
    const back = await app.handleRedirect();
    if (back) goBack(back.data);
  } catch (error) {
    goBack(error.data);
    throw error;
  }
  await welcome();
});
app.addEventListener('change', () => attempt('One moment …', welcome));
