// The refresh token beyond the browser's end, in IndexedDB beside the key that it is bound to. Only an app that asks for it, and
// whose tokens are bound, loads this.
import { done, inDatabase } from './dpop.js';

export class Store {
  #key;

  constructor(name) {
    this.#key = `${name} session`;
  }

  /** The session as it was, with an access token that has expired; nothing if there is none. */
  async load() {
    const found = await inDatabase((items) => done(items().get(this.#key)));
    return found && { ...found, accessToken: '', expiresIn: 0 };
  }

  /** Keeps the session of these tokens, unless there is a newer one. The other tokens are not bound to a key, or soon expire. */
  put({ id, since, generation, scope, requestedAt, refreshToken }) {
    return this.#change((found) => (found && (found.since - since || found.generation - generation) > 0 ? found
      : refreshToken && { id, since, generation, scope, requestedAt, refreshToken }));
  }

  /** Forgets the session with this id. */
  drop(id) {
    return this.#change((found) => (found?.id === id ? undefined : found));
  }

  #change(work) {
    return inDatabase(async (items) => {
      const store = items();
      const found = work(await done(store.get(this.#key)));
      await done(found ? store.put(found, this.#key) : store.delete(this.#key));
    });
  }
}
