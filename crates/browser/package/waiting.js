// The login of this tab that waits for its redirect. It is in sessionStorage, which survives a reload and the way to the server
// and back, and which no other tab sees. (A duplicated tab starts with a copy, but the server accepts a code only once.)
import { ProofkeyError } from './error.js';

const MINUTES = 60_000;
export const WAIT_MAX = 10 * MINUTES;

export class Waiting {
  #key;

  constructor(name) {
    this.#key = `${name} login`;
  }

  /** Keeps a login in place of any earlier one: a redirect must belong to the newest one. */
  put(login) {
    stored(() => sessionStorage.setItem(this.#key, JSON.stringify({ ...login, until: Date.now() + WAIT_MAX })));
  }

  /** The login that waits. It stays until it is dropped. */
  peek() {
    const text = stored(() => sessionStorage.getItem(this.#key));
    let login;
    try {
      login = JSON.parse(text);
    } catch {
      this.drop();
    }
    if (!login) {
      throw new ProofkeyError('no_login', 'no sign-in waits for this redirect: it was already used, replaced by a newer one, or '
        + 'started in another tab or window', 'reauthorize');
    }
    if (!(Date.now() < login.until)) {
      this.drop();
      throw Object.assign(expired(), { data: login.data });
    }
    return login;
  }

  drop() {
    sessionStorage.removeItem(this.#key);
  }
}

export function expired() {
  return new ProofkeyError('expired', 'the sign-in was not finished within ten minutes', 'reauthorize');
}

function stored(work) {
  try {
    return work();
  } catch {
    throw new ProofkeyError('storage', 'sessionStorage cannot be used: it is blocked or full, or `data` is not JSON', 'fix');
  }
}

/** Redirects that no one has finished handling yet, by redirect URI. Every instance on this page sees the same one. */
const arrivals = new Map();

/** The redirect that loaded this page, taken out of the address bar; undefined if none did. */
export function arrival(redirectUri) {
  const redirect = clean(redirectUri);
  // There is one for each page load: what comes later is the same one, written again.
  if (redirect && !arrivals.has(redirectUri)) arrivals.set(redirectUri, { redirect });
  return arrivals.get(redirectUri);
}

/** Takes a redirect out of the address bar and the history. Returns it, if there is one. */
export function clean(redirectUri) {
  const here = new URL(location.href);
  const { origin, pathname } = new URL(redirectUri);
  const names = [...here.searchParams.keys(), ...new URLSearchParams(here.hash.slice(1)).keys()];
  if (here.origin !== origin || here.pathname !== pathname || !names.some((name) => PARAMETERS.has(name))) return undefined;
  history.replaceState(history.state, '', redirectUri);
  return here.href;
}

const PARAMETERS = new Set(['access_token', 'code', 'error', 'id_token', 'response', 'state']);

/** The outcome of a redirect. `handle` is called once, even if several instances ask. One for another client gets nothing. */
export function handled(arrived, by, redirectUri, handle) {
  arrived.by ??= by;
  if (arrived.by !== by) return undefined;
  arrived.outcome ??= handle(arrived.redirect).finally(() => arrivals.delete(redirectUri));
  return arrived.outcome;
}
