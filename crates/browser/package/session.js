// The one session of all tabs: tokens in memory, shared by messages, refreshed under a lock. It is the store of the machine that
// decides about a refresh.
//
// Every tab that has tokens holds a shared lock whose name says how new they are. So a tab that is about to refresh knows for
// certain whether another one has newer tokens, even if the message with them has not arrived yet.
import { ProofkeyError } from './error.js';

const LOCK_MAX = 60_000;

export class Session {
  #name;
  #changed;
  #keep;
  #leave;
  #store;
  #channel;
  #tokens = null;
  #heard;
  #note;
  #release = () => {};
  #ended = new Set();
  #checked = false;
  #closed = new AbortController();

  /** Until when this tab leaves tokens alone that are due for a refresh. */
  quiet = 0;

  /** What the store was told last. It is done then, or cannot be used. */
  stored = Promise.resolve();

  /** `keep` makes the session outlive this page, and returns what undoes that. `store` promises one that outlives the browser. */
  constructor(name, changed, keep, store) {
    this.#name = name;
    this.#changed = changed;
    this.#keep = keep;
    this.#store = store;
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener('message', ({ data }) => this.#hear(data));
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) this.#comeBack().catch(() => this.#set(null));
    }, { signal: this.#closed.signal });
  }

  /** The tokens, with the id, age and generation of their session; null if no one is signed in. */
  get tokens() {
    return this.#tokens;
  }

  /**
   * What all tabs know of the last refresh of the tokens: when it was `sent` without an answer so far, `until` when nobody is to
   * try again, and the `error`.
   */
  get note() {
    return this.#note?.of === versionOf(this.#tokens) ? this.#note : {};
  }

  /** The tokens as numbers for the machine: see `src/pass.rs`. */
  row(tokens = this.#tokens) {
    if (!tokens) return [];
    const { since, id, generation, requestedAt, expiresIn = -1, refreshToken } = tokens;
    const isShared = tokens === this.#tokens;
    const { sent = 0, until = 0 } = isShared ? this.note : {};
    const heard = isShared ? this.#heard : now();
    return [since, parseInt(id, 16), generation, requestedAt, expiresIn, refreshToken ? 1 : 0, ...heard, sent, until];
  }

  /** Fails if the browser does not let this page have a session: better before a sign-in than after it. */
  async check() {
    if (!this.#checked) await this.#newest();
  }

  /** Takes the tokens of a new sign-in in place of any others. Another instance on this page may have brought the same ones. */
  async begin(tokens) {
    if (this.#tokens?.id === tokens.id) return;
    const since = Math.max(tokens.since, (this.#tokens?.since ?? 0) + 1);
    await this.save({ ...tokens, since, generation: 0 });
  }

  /** Takes these tokens for all tabs, unless they have newer ones by now. */
  async save(tokens) {
    if (this.#lacks(versionOf(tokens))) {
      await this.#set(tokens);
      this.#post(this.#said);
      await this.#tellStore((store) => store.put(tokens));
    }
  }

  /** Notes this of the last refresh of these tokens, for all tabs. */
  tell(tokens, what) {
    this.#note = { ...what, of: versionOf(tokens), at: Date.now() };
    this.#post({ note: this.#note });
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

  /** Keeps the other tabs out. Returns what lets them in again; or nothing if one of them does not let go for so long. */
  async claim(patience = LOCK_MAX) {
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), patience);
    const lock = hold(`${this.#name} alone`, patience > 0 ? { signal: waiting.signal } : { ifAvailable: true });
    try {
      return await lock.held ? lock.release : undefined;
    } catch (error) {
      if (waiting.signal.aborted) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes over the tokens of the other tabs if theirs are newer; without any, those in the store. */
  async catchUp() {
    const ANSWER_MAX = 5_000;
    const ASK_EVERY = 100;
    const until = Date.now() + ANSWER_MAX;
    // Who has tokens may answer while the locks are looked at.
    if (!this.#tokens) this.#post({ ask: true });
    let newest = await this.#newest();
    while (this.#lacks(newest)) {
      if (Date.now() > until) {
        throw new ProofkeyError('deadline', 'another tab does not answer', 'retry');
      }
      await new Promise((resolve) => {
        setTimeout(resolve, ASK_EVERY);
        this.#channel.addEventListener('message', resolve, { once: true });
        this.#post({ ask: true });
      });
      // Who had them may be gone.
      if (this.#lacks(newest)) newest = await this.#newest();
    }
    if (this.#tokens) return;
    const tokens = await this.#tellStore((store) => store.load());
    if (tokens && this.#lacks(versionOf(tokens))) await this.#set(tokens);
  }

  /** From now on the session outlives this page. */
  keep() {
    this.#leave ??= this.#keep?.();
  }

  /** Leaves the session to the other tabs. */
  close() {
    this.#closed.abort();
    this.#channel.close();
    this.#release();
    this.#leave?.();
    this.#tokens = null;
  }

  /** What this tab says of its tokens. The worker takes the version as it is. */
  get #said() {
    return { tokens: this.#tokens, version: versionOf(this.#tokens), note: this.#note };
  }

  /**
   * A page that comes back from the back/forward cache has missed what the other tabs said: its session goes on if another tab or
   * the worker still has it.
   */
  async #comeBack() {
    const before = this.#tokens;
    this.#release();
    // Only then this page's own lock is gone.
    await this.#newest();
    const newest = await this.#newest();
    if (this.#tokens === before) await this.#set(newest.includes(before?.id) ? before : null);
    await this.catchUp();
  }

  #post(message) {
    if (!this.#closed.signal.aborted) this.#channel.postMessage(message);
  }

  #lacks(version) {
    return !this.#closed.signal.aborted && version > versionOf(this.#tokens) && !this.#ended.has(version.split(' ')[1]);
  }

  #hear({ ask, tokens, note, ended }) {
    if (ask && this.#tokens) this.#post(this.#said);
    if (tokens && this.#lacks(versionOf(tokens))) this.#set(tokens).catch(() => {});
    // An answer to `ask` may be older than what was heard since.
    if (note && !(note.at < this.#note?.at)) this.#note = note;
    if (ended) {
      this.#ended.add(ended);
      this.#tellStore((store) => store.drop(ended));
      if (this.#tokens?.id === ended) this.#set(null);
    }
  }

  /** A store that cannot be used is none. */
  #tellStore(work) {
    this.stored = Promise.resolve(this.#store).then((store) => store && work(store)).catch(() => {});
    return this.stored;
  }

  async #set(tokens) {
    const release = this.#release;
    const lock = tokens && hold(`${this.#name} ${versionOf(tokens)}`);
    const before = this.#tokens;
    this.#tokens = tokens;
    this.#heard = now();
    this.quiet = 0;
    this.#release = lock?.release ?? (() => {});
    if (tokens) this.keep();
    if (before?.id !== tokens?.id) this.#changed('change');
    if (tokens && before?.accessToken !== tokens.accessToken) this.#changed('token');
    try {
      await lock?.held;
    } catch (error) {
      if (this.#tokens === tokens) this.#set(null);
      throw error;
    } finally {
      release();
    }
  }

  /** The version of the newest tokens that any tab has. */
  async #newest() {
    const prefix = `${this.#name} `;
    const { held } = await navigator.locks.query().catch(denied);
    this.#checked = true;
    const names = held.filter(({ name, mode }) => mode === 'shared' && name.startsWith(prefix)).map(({ name }) => name);
    return names.sort().at(-1)?.slice(prefix.length) ?? '';
  }
}

/** A lock, shared unless `options` say otherwise, held until it is released. */
export function hold(name, options = { mode: 'shared' }) {
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const held = new Promise((resolve, reject) => {
    navigator.locks.request(name, options, (lock) => {
      resolve(lock);
      return lock && released;
    }).catch(denied).catch(reject);
  });
  return { held, release };
}

/** The wall clock, and one that is never set, in milliseconds. */
export function now() {
  return [Date.now(), performance.now()];
}

/** A browser that stores no data for this page denies it locks, too. */
function denied(error) {
  if (!(error instanceof DOMException)) throw error;
  throw new ProofkeyError('unsupported', `the browser denies Web Locks to this page (is all site data blocked?): ${error.message}`, 'fix');
}

/** Of two such texts, that of the later sign-in is greater, and within one sign-in that of the later refresh. */
function versionOf(tokens) {
  if (!tokens) return '';
  const { since, id, generation } = tokens;
  return `${String(since).padStart(16, '0')} ${id} ${String(generation).padStart(10, '0')}`;
}
