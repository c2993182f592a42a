// The login of this tab that waits for its redirect: in sessionStorage, which a reload and the way to the server and back
// leave alone, and which no other tab sees. (A duplicated tab begins with a copy: the server takes its code once.)
import { ProofkeyError } from './error.js';

const MINUTES = 60_000;
export const WAIT_MAX = 10 * MINUTES;

export class Waiting {
  #key;

  constructor(name) {
    this.#key = `${name} login`;
  }

  /** Replaces an earlier login: the newest is the one that the redirect has to answer. */
  put(login) {
    stored(() => sessionStorage.setItem(this.#key, JSON.stringify({ ...login, until: Date.now() + WAIT_MAX })));
  }

  /** The login, which goes on waiting. */
  peek() {
    const text = stored(() => sessionStorage.getItem(this.#key));
    let login;
    try {
      login = JSON.parse(text);
    } catch {
      this.drop();
    }
    if (!login) {
      throw new ProofkeyError('no_login', 'no login waits for this redirect: it was used, replaced, or begun elsewhere',
        'reauthorize');
    }
    if (!(Date.now() < login.until)) {
      this.drop();
      throw new ProofkeyError('expired', 'this login was not finished in time', 'reauthorize');
    }
    return login;
  }

  drop() {
    sessionStorage.removeItem(this.#key);
  }
}

function stored(work) {
  try {
    return work();
  } catch {
    throw new ProofkeyError('storage', 'sessionStorage cannot be used: it is blocked, full, or the data is not JSON', 'fix');
  }
}

/** The redirect that this page load is, taken out of the address bar and the history; none where it is no redirect. */
export function arrival(redirectUri) {
  const here = new URL(location.href);
  const { origin, pathname } = new URL(redirectUri);
  if (here.origin !== origin || here.pathname !== pathname) return undefined;
  const names = [...here.searchParams.keys(), ...new URLSearchParams(here.hash.slice(1)).keys()];
  if (!names.some((name) => ANSWERS.has(name))) return undefined;
  history.replaceState(history.state, '', redirectUri);
  return here.href;
}

const ANSWERS = new Set(['access_token', 'code', 'error', 'id_token', 'response', 'state']);
