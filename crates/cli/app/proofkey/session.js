// The one session of all tabs: tokens in memory, shared by messages, refreshed under a lock.
//
// Every tab that has tokens holds a shared lock whose name says how new they are. So a tab that is about to refresh knows for
// certain whether another one has newer tokens, even if the message with them has not arrived yet.
import { ProofkeyError } from './error.js';

const ANSWER_MAX = 5_000;
const ASK_EVERY = 100;
const LOCK_MAX = 60_000;

export class Session {
  #name;
  #changed;
  #channel;
  #tokens = null;
  #release = () => {};
  #ended = new Set();
  #checked = false;
  #closed = new AbortController();

  constructor(name, changed) {
    this.#name = name;
    this.#changed = changed;
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener('message', ({ data }) => this.#hear(data));
    // A page that comes back from the back/forward cache has missed what the other tabs said.
    addEventListener('pageshow', (event) => {
      if (event.persisted) {
        this.#set(null);
        this.catchUp().catch(() => {});
      }
    }, { signal: this.#closed.signal });
  }

  /** The tokens, with the id, age and generation of their session; null if no one is signed in. */
  get tokens() {
    return this.#tokens;
  }

  /** Fails if the browser does not let this page have a session: better before a sign-in than after it. */
  async check() {
    if (!this.#checked) await this.#newest();
  }

  /** Takes the tokens of a new sign-in in place of any others. Another instance on this page may have brought the same ones. */
  async begin(tokens) {
    if (this.#tokens?.id === tokens.id) return;
    const since = Math.max(tokens.since, (this.#tokens?.since ?? 0) + 1);
    await this.#share({ ...tokens, since, generation: 0, issued: 0 });
  }

  /**
   * Takes what a refresh of the `old` tokens brought, unless there is a newer session by now: new tokens, or only a refresh token.
   * `issued` is the generation that brought the access token.
   */
  renew(old, tokens) {
    const generation = old.generation + 1;
    return this.#share({ ...old, ...tokens, generation, issued: tokens.accessToken ? generation : old.issued });
  }

  /** Forgets the tokens of this session, or of the one with that id, in all tabs. Returns them, so that they can be revoked. */
  end(id = this.#tokens?.id) {
    const tokens = this.#tokens?.id === id ? this.#tokens : null;
    if (id) {
      this.#hear({ ended: id });
      this.#post({ ended: id });
    }
    return tokens;
  }

  /** Runs `work` with the newest tokens that any tab has. Only one tab does this at a time. */
  exclusively(work) {
    return new Promise((resolve, reject) => {
      const patience = new AbortController();
      const timer = setTimeout(() => {
        patience.abort();
        reject(new ProofkeyError('deadline', 'another tab has been refreshing the tokens for more than a minute', 'retry'));
      }, LOCK_MAX);
      navigator.locks.request(`${this.#name} alone`, { signal: patience.signal }, async () => {
        clearTimeout(timer);
        await this.catchUp();
        return work(this.#tokens);
      }).catch(denied).then(resolve, reject);
    });
  }

  /** Takes over the tokens of the other tabs if theirs are newer. */
  async catchUp() {
    const until = Date.now() + ANSWER_MAX;
    for (let newest = await this.#newest(); this.#lacks(newest); newest = await this.#newest()) {
      if (Date.now() > until) {
        throw new ProofkeyError('deadline', 'another tab has newer tokens and does not answer', 'retry');
      }
      await new Promise((resolve) => {
        setTimeout(resolve, ASK_EVERY);
        this.#channel.addEventListener('message', resolve, { once: true });
        this.#post({ ask: true });
      });
    }
  }

  /** Leaves the session to the other tabs. */
  close() {
    this.#closed.abort();
    this.#channel.close();
    this.#release();
    this.#tokens = null;
  }

  #post(message) {
    if (!this.#closed.signal.aborted) this.#channel.postMessage(message);
  }

  #lacks(version) {
    return !this.#closed.signal.aborted && isNewer(version, this.#tokens) && !this.#ended.has(version.id);
  }

  async #share(tokens) {
    if (this.#lacks(tokens)) {
      await this.#set(tokens);
      this.#post({ tokens });
    }
    return this.#tokens;
  }

  #hear({ ask, tokens, ended }) {
    if (ask && this.#tokens) this.#post({ tokens: this.#tokens });
    if (tokens && this.#lacks(tokens)) this.#set(tokens).catch(() => {});
    if (ended) {
      this.#ended.add(ended);
      if (this.#tokens?.id === ended) this.#set(null);
    }
  }

  async #set(tokens) {
    const release = this.#release;
    const lock = tokens && hold(`${this.#name} ${tokens.since} ${tokens.id} ${tokens.generation}`);
    const other = this.#tokens?.id !== tokens?.id;
    this.#tokens = tokens;
    this.#release = lock?.release ?? (() => {});
    if (other) this.#changed();
    try {
      await lock?.held;
    } catch (error) {
      if (this.#tokens === tokens) this.#set(null);
      throw error;
    } finally {
      release();
    }
  }

  async #newest() {
    const prefix = `${this.#name} `;
    const { held } = await navigator.locks.query().catch(denied);
    this.#checked = true;
    const versions = held.filter(({ name, mode }) => mode === 'shared' && name.startsWith(prefix)).map(({ name }) => {
      const [since, id, generation] = name.slice(prefix.length).split(' ');
      return { since: Number(since), id, generation: Number(generation) };
    });
    return versions.reduce((newest, version) => (isNewer(version, newest) ? version : newest), null);
  }
}

/** A shared lock, held until it is released. */
export function hold(name) {
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const held = new Promise((resolve, reject) => {
    navigator.locks.request(name, { mode: 'shared' }, () => {
      resolve();
      return released;
    }).catch(denied).catch(reject);
  });
  return { held, release };
}

/** A browser that stores no data for this page denies it locks, too. */
function denied(error) {
  if (!(error instanceof DOMException)) throw error;
  throw new ProofkeyError('unsupported', `the browser denies Web Locks to this page, as it does if all site data is blocked: ${error.message}`, 'fix');
}

/** Whether both have the access token of the same sign-in and the same refresh. */
export function isSame(one, other) {
  return one.id === other.id && one.issued === other.issued;
}

/** The later sign-in is newer, and within one sign-in the later refresh. */
function isNewer(one, other) {
  if (!one || !other) return Boolean(one);
  if (one.since !== other.since) return one.since > other.since;
  if (one.id !== other.id) return one.id > other.id;
  return one.generation > other.generation;
}
