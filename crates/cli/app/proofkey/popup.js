// A sign-in window: the page at the redirect URI hands the redirect to the page that opened it, and closes.
import { ProofkeyError } from './error.js';

const PREFIX = 'proofkey ';
const LOOK_EVERY = 250;

/** Opens the window. Browsers allow it only while they handle a click, so nothing may be awaited before. */
export function openPopup() {
  const name = PREFIX + crypto.randomUUID();
  const popup = window.open('', name, 'popup,width=480,height=720');
  if (!popup) {
    throw new ProofkeyError('popup_blocked', 'the browser did not open a window: call this from a click, or sign in on '
      + 'the whole page', 'reauthorize');
  }
  return { window: popup, name };
}

/** The redirect, as the window hands it over. */
export function answerOf({ window: popup, name }, origin, wait) {
  return new Promise((resolve, reject) => {
    const until = Date.now() + wait;
    let closed = false;
    const timer = setInterval(() => {
      // What it said before it closed may still be under way: it gets one more round.
      if (closed) end(reject, new ProofkeyError('popup_closed', 'the sign-in window was closed', 'reauthorize'));
      else if (Date.now() > until) {
        end(reject, new ProofkeyError('expired', 'this login was not finished in time', 'reauthorize'));
      }
      closed = popup.closed;
    }, LOOK_EVERY);
    const hear = ({ source, origin: from, data }) => {
      if (source !== popup || from !== origin || data?.name !== name || typeof data.redirect !== 'string') return;
      end(resolve, data.redirect);
    };
    const end = (settle, value) => {
      clearInterval(timer);
      removeEventListener('message', hear);
      settle(value);
    };
    addEventListener('message', hear);
  });
}

/** Where this page is such a window: hands the redirect over, and closes. */
export function handOver(redirect) {
  if (!window.opener || window.opener.closed || !window.name.startsWith(PREFIX)) return false;
  window.opener.postMessage({ name: window.name, redirect }, location.origin);
  window.close();
  return true;
}
