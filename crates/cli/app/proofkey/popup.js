// A sign-in window: its page at the redirect URI hands the redirect to the page that opened it, and closes. They meet under a
// name made from the login's state, because Cross-Origin-Opener-Policy can cut a window off from its opener.
import { ProofkeyError } from './error.js';
import { roomOf } from './handover.js';
import { hold } from './session.js';
import { WAIT_MAX, expired } from './waiting.js';

const LOOK_EVERY = 250;
/** The user closed the window if it looks closed this many times in a row (1.5 seconds) while this page has the focus. */
const LOOKS = 7;

export class Popup {
  #window;
  #over = new AbortController();
  #release = () => {};
  #isTaken = false;
  #leave;

  /** Rejects when the window was closed or the sign-in was cancelled. Only the latter ends the wait for the redirect. */
  left = new Promise((_, reject) => { this.#leave = reject; });

  /** Opens the window. Browsers allow it only while they handle a click, so nothing may be awaited before. */
  constructor(signal) {
    this.#window = window.open('', '_blank', 'popup,width=480,height=720');
    if (!this.#window) {
      throw new ProofkeyError('popup_blocked', 'the browser blocked the sign-in window: call signInPopup directly in a click '
        + 'handler, or use signIn', 'reauthorize');
    }
    this.left.catch(() => {});
    signal?.addEventListener('abort', () => this.cancel(), { signal: this.#over.signal });
  }

  /** Whether the sign-in goes on in this window, as far as this page can see. */
  get isOpen() {
    return this.#isTaken || !this.#window.closed;
  }

  focus() {
    this.#window.focus();
  }

  /** Sends the window to the server and waits for the redirect that `isOurs`. The `url` has the login's state. */
  async redirect(url, isOurs, address = url) {
    const room = await roomOf(url);
    const lock = hold(room);
    this.#release = lock.release;
    await lock.held;
    const { signal } = this.#over;
    const channel = new BroadcastChannel(room);
    const until = Date.now() + WAIT_MAX;
    let timer;
    try {
      return await new Promise((resolve, reject) => {
        signal.throwIfAborted();
        signal.addEventListener('abort', () => reject(signal.reason));
        const hear = (data, reply) => {
          if (typeof data?.redirect !== 'string') return;
          const taken = isOurs(data.redirect);
          reply({ to: data.id, taken });
          if (!taken) return;
          this.#isTaken = true;
          resolve(data.redirect);
        };
        channel.addEventListener('message', ({ data }) => hear(data, (message) => channel.postMessage(message)));
        // A page in another site's frame cannot be reached over the channel.
        addEventListener('message', ({ origin, source, data }) => {
          if (origin === location.origin) hear(data, (message) => source.postMessage(message, origin));
        }, { signal });
        let looks = 0;
        timer = setInterval(() => {
          if (Date.now() > until) reject(expired());
          // A window that was cut off looks closed too, but then this page does not have the focus.
          looks = this.#window.closed && document.hasFocus() ? looks + 1 : 0;
          if (looks === LOOKS) this.#leave(closed());
        }, LOOK_EVERY);
        this.#window.location.replace(address);
      });
    } finally {
      clearInterval(timer);
      channel.close();
    }
  }

  /** Ends the wait, unless the redirect has come. */
  cancel(error = cancelled()) {
    if (this.#isTaken) return;
    this.#leave(error);
    this.#over.abort(error);
  }

  /** Another sign-in takes the place of this one. */
  replace() {
    this.cancel(closed());
  }

  /** The sign-in is over. */
  close() {
    this.#over.abort();
    this.#release();
    this.#window.close();
  }
}

export function cancelled() {
  return new ProofkeyError('aborted', 'the app cancelled the sign-in', 'reauthorize');
}

function closed() {
  return new ProofkeyError('popup_closed', 'the sign-in window was closed', 'reauthorize');
}
