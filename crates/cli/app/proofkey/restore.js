// A page load without a session asks the server for one, without the user (OpenID Connect Core section 3.1.2.1, `prompt=none`).
// Only an app that asks for it loads this.
import { roomOf } from './handover.js';
import { hold, now } from './session.js';
import { isReady } from './wasm/proofkey_browser.js';

/** How long a frame may take, in milliseconds. */
const FRAME_MAX = 5_000;
/** How long a page in a frame may take to go on. */
const GRACE = 1_000;
/** The server knows no one, or wants to ask the user something: as good as signed out. */
const SIGNED_OUT = new Set(['account_selection_required', 'consent_required', 'interaction_required', 'login_required']);

export class Restore {
  /** That someone was signed in. It is not a secret. */
  #hint;
  /** That this tab has left for the server and was not answered yet. */
  #left;
  #usesFrame;
  #parts;
  #renewal;

  constructor(app, name, mode, parts) {
    this.#parts = parts;
    this.#hint = `${name} was signed in`;
    this.#left = `${name} left`;
    this.#usesFrame = mode === 'frame';
    const remember = () => quietly(() => localStorage.setItem(this.#hint, ''));
    if (app.signedIn) remember();
    app.addEventListener('token', remember);
  }

  /** The user has signed out, or there is nothing to restore. */
  forget() {
    quietly(() => localStorage.removeItem(this.#hint));
  }

  /** Signs in without the user, if someone was signed in and the server still knows them. */
  async restore(mayLeave = true) {
    if (!this.#isWanted()) return;
    const { begin, finish, waiting } = this.#parts;
    try {
      const { url, address = url, ...login } = await begin();
      if (!this.#usesFrame || !isSameSite(new URL(url))) {
        if (mayLeave) await this.#leave(address, (place) => waiting.put({ ...login, place }));
        return;
      }
      const redirect = await this.#frame(url, address, login.pending);
      if (redirect) await finish(login.pending, redirect);
      else this.forget();
    } catch (error) {
      if (error.code === 'server' && !this.refused(error)) throw error;
    }
  }

  /**
   * In a frame, signs in anew when the access token has expired, unless another tab just did: with `prompt=none` a server gives no
   * refresh token. If that fails, the session ends as it would have.
   */
  async renew() {
    if (!this.#usesFrame) return;
    this.#renewal ??= this.#renew().catch(() => {}).finally(() => { this.#renewal = undefined; });
    await this.#renewal;
  }

  async #renew() {
    const { session } = this.#parts;
    const release = await session.claim();
    try {
      await session.catchUp();
      if (!isReady(session.row(), 0, ...now())) await this.restore(false);
    } finally {
      release?.();
    }
  }

  /** Whether to try. A try that was not answered was the last one. */
  #isWanted() {
    return quietly(() => {
      if (sessionStorage.getItem(this.#left) !== null) this.forget();
      sessionStorage.removeItem(this.#left);
      return window === top && localStorage.getItem(this.#hint) !== null;
    });
  }

  /** Leaves for the server without a trace in the history. `keep` keeps the place for the way back. It returns only if the user stays. */
  async #leave(url, keep) {
    keep({ address: location.href, state: history.state });
    sessionStorage.setItem(this.#left, '');
    location.replace(url);
    await new Promise((resolve) => { globalThis.navigation?.addEventListener('navigateerror', resolve, { once: true }); });
    this.#isWanted();
  }

  /** Back from the server: as if the user had never left. A router that has read the redirect URI meanwhile is told. */
  back({ address, state }) {
    sessionStorage.removeItem(this.#left);
    history.replaceState(state, '', address);
    dispatchEvent(new PopStateEvent('popstate', { state }));
  }

  /** The redirect of a login in a hidden frame; nothing if there is none in time. */
  async #frame(url, address, pending) {
    const room = await roomOf(url);
    const lock = hold(room);
    await lock.held;
    const channel = new BroadcastChannel(room);
    const frame = document.createElement('iframe');
    frame.hidden = true;
    frame.sandbox = 'allow-same-origin allow-scripts';
    frame.src = address;
    try {
      return await new Promise((resolve) => {
        setTimeout(resolve, FRAME_MAX);
        // Neither the app nor on the way to it: the server shows a page, or something forbids the frame.
        frame.addEventListener('load', () => { if (!frame.contentDocument) setTimeout(resolve, GRACE); });
        channel.addEventListener('message', async ({ data: { id, redirect } }) => {
          if (!redirect) return;
          const taken = await this.#parts.matches(pending, redirect);
          channel.postMessage({ to: id, taken });
          if (taken) resolve(redirect);
        });
        document.documentElement.append(frame);
      });
    } finally {
      frame.remove();
      channel.close();
      lock.release();
    }
  }

  /** Whether this only means that no one is signed in. Nothing is tried again before the next sign-in. */
  refused({ serverCode }) {
    this.forget();
    return SIGNED_OUT.has(serverCode);
  }
}

/** Whether a server is of this page's site: then they have the same scheme, and a domain in common that can have cookies. */
function isSameSite({ protocol, hostname }) {
  if (protocol !== location.protocol) return false;
  if (hostname === location.hostname) return true;
  const [ours, theirs] = [location.hostname, hostname].map((host) => host.split('.').reverse());
  const differs = ours.findIndex((label, at) => label !== theirs[at]);
  const domain = ours.slice(0, differs < 0 ? undefined : differs).reverse().join('.');
  // The browser takes no cookie for what anyone can register a name in, such as co.uk, nor for a part of an address.
  if (!domain) return false;
  const cookie = `proofkey-site=1; domain=${domain}; path=/; samesite=strict`;
  const before = document.cookie;
  document.cookie = `${cookie}; max-age=9`;
  const isTaken = document.cookie !== before;
  document.cookie = `${cookie}; max-age=0`;
  return isTaken;
}

/** Storage that cannot be used says nothing. */
function quietly(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}
