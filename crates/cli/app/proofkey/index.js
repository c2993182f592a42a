// OAuth 2.0 for single-page apps. The protocol is in the WebAssembly module; the rest needs a page. See index.d.ts.
import { drive, signedOut } from './drive.js';
import { ProofkeyError } from './error.js';
import { handOver } from './handover.js';
import { plain, run, seconds } from './http.js';
import { keep } from './keep.js';
import { Popup, cancelled } from './popup.js';
import { Session, now } from './session.js';
import { Waiting, arrival, clean, handled } from './waiting.js';
import load, { Client, Flow, isReady, wantsRefresh } from './wasm/proofkey_browser.js';

export { ProofkeyError };

let loaded;

export function init(source) {
  loaded ??= load(source).catch(async (error) => {
    loaded = undefined;
    const reason = await import('./why.js').then(({ why }) => why(source, error)).catch(() => error.message);
    throw new ProofkeyError('init', `the WebAssembly module cannot be loaded: ${reason}`, 'fix');
  });
  return loaded.then(() => {});
}

export class Proofkey extends EventTarget {
  #options;
  #name;
  #origins;
  #scope;
  #waiting;
  #session;
  #arrival;
  #restorer;
  #connected;
  #handled;
  #popup;
  #pass;
  #isClosed = false;
  #isReady = false;

  constructor(options) {
    const DEADLINE = 30_000;
    const DEADLINE_MAX = 2 ** 31 - 1;
    super();
    // So that a server that renders a page can make one: what it does is for the browser.
    if (!isSupported()) return;
    const { issuer, authorizationEndpoint, clientId, redirectUri, scope = '', origins = [], deadline = DEADLINE, dpop, metadata, store } = options;
    if (originOf(redirectUri, 'redirect URI') !== location.origin) {
      throw new ProofkeyError('config', `redirect URI: it must have this page's origin, ${location.origin}, not ${originOf(redirectUri)}`, 'fix');
    }
    if (!(deadline > 0 && deadline <= DEADLINE_MAX)) {
      throw new ProofkeyError('config', `deadline: it must be a number of milliseconds from 1 to ${DEADLINE_MAX}, not ${deadline}`, 'fix');
    }
    if (store !== undefined && !(store === 'dpop' && dpop)) {
      throw new ProofkeyError('config', "store: it can only be 'dpop', and needs `dpop: true`: tokens that are not bound are not stored", 'fix');
    }
    this.#options = { ...options, deadline };
    this.#origins = new Set(origins.map((url) => safeOrigin(url, 'origins')));
    if (metadata) safeOrigin(metadata, 'metadata');
    this.#scope = [scope].flat().join(' ');
    this.#name = `proofkey/1 ${JSON.stringify([clientId, issuer ?? authorizationEndpoint, this.#scope, ...dpop ? ['dpop'] : []])}`;
    this.#waiting = new Waiting(this.#name);
    this.#session = new Session(this.#name, (type) => this.#tell(type),
      options.keep === false ? undefined : () => keep(this.#name, options.worker),
      store && import('./store.js').then(({ Store }) => new Store(this.#name)).catch(() => {}));
    this.#arrival = arrival(redirectUri);
    this.#restorer = options.restore && import('./restore.js').then(({ Restore }) => new Restore(this, this.#name, options.restore, this.#parts()))
      .catch(() => {});
  }

  get state() {
    return this.#isReady ? this.signedIn ? 'signed_in' : 'signed_out' : 'loading';
  }

  get signedIn() {
    return Boolean(this.#session?.tokens);
  }

  get scope() {
    return this.#session?.tokens?.scope ?? null;
  }

  get expiresAt() {
    const { requestedAt, expiresIn } = this.#session?.tokens ?? {};
    return 1000 * (requestedAt + expiresIn) || null;
  }

  handleRedirect() {
    this.#handled ??= this.#handleRedirect().finally(() => this.#isReady || this.#tell('change', true));
    return this.#handled;
  }

  async signIn({ data, extra } = {}) {
    this.#popup?.replace();
    const { url, address = url, ...login } = await this.#begin(extra);
    this.#waiting.put({ ...login, data });
    return leave(address);
  }

  async signInPopup({ extra, signal } = {}) {
    checkSupport();
    if (this.#popup?.isOpen) {
      this.#popup.focus();
      return this.#popup.done;
    }
    if (signal?.aborted) throw cancelled();
    this.#popup?.replace();
    const popup = new Popup(signal);
    this.#popup = popup;
    const finished = this.#signInPopup(popup, extra).finally(() => {
      popup.close();
      if (this.#popup === popup) this.#popup = undefined;
    });
    // A window that looks closed may still finish.
    popup.done = Promise.race([finished, popup.left]);
    return popup.done;
  }

  async accessToken() {
    return (await this.#validTokens()).accessToken;
  }

  async fetch(input, options) {
    checkSupport();
    const request = new Request(input, { credentials: 'omit', referrerPolicy: 'no-referrer', ...options, redirect: 'error' });
    const { origin } = new URL(request.url);
    if (!this.#origins.has(origin)) {
      throw new ProofkeyError('origin', `${origin} is not one of the origins that get the access token`, 'fix');
    }
    const again = request.clone();
    const tokens = await this.#validTokens();
    const proofs = await this.#findProofs();
    const response = await call(request, tokens, proofs);
    if (!isStale(response)) return response;
    const newer = await this.#refresh(tokens);
    // It is not for another user.
    if (newer?.id !== tokens.id) return response;
    response.body?.cancel();
    return call(again, newer, proofs);
  }

  close() {
    this.#isClosed = true;
    this.#popup?.cancel();
    // Work that other instances or tabs may depend on is finished first.
    Promise.allSettled([this.#handled, this.#popup?.done, this.#pass?.done]).then(() => this.#session?.close());
  }

  async signOut({ redirect } = {}) {
    checkSupport();
    const session = this.#session;
    let release;
    try {
      release = await session.claim();
      await session.catchUp();
    } catch {
      // It is forgotten all the same.
    }
    const tokens = session.end();
    release?.();
    this.#restorer?.then((restorer) => restorer?.forget());
    await session.stored;
    const revoked = tokens !== null && this.#revoke(tokens);
    if (!redirect) return revoked;
    // The user is to be signed out at the server, too, whatever becomes of the tokens.
    await Promise.allSettled([revoked]);
    const [{ endSession }, { named }] = await Promise.all([part(import('./signout.js')), this.#connect()]);
    return leave(endSession(named, redirect, tokens?.idToken));
  }

  /** What `state` says is known from the first session on, unless `handleRedirect` is about to know better. */
  #tell(type, isReady = !this.#handled) {
    this.#isReady ||= isReady;
    this.dispatchEvent(new Event(type));
  }

  /** Revokes the refresh token first: until then it can get new access tokens. */
  async #revoke({ accessToken, refreshToken }) {
    const { client, named } = await this.#connect();
    if (!named.revocation_endpoint) return false;
    const { deadline } = this.#options;
    if (refreshToken) await run(client.revoke(refreshToken, true), deadline);
    try {
      await run(client.revoke(accessToken, false), deadline);
    } catch (error) {
      // Some servers revoke refresh tokens only (RFC 7009 section 2.2.1), and this one has revoked ours.
      if (!refreshToken || error.code !== 'server') throw error;
    }
    return true;
  }

  async #handleRedirect() {
    checkSupport();
    // A closed instance leaves a redirect to one that can use it.
    const arrived = this.#isClosed ? undefined : this.#arrival;
    // So that neither a click nor a redirect has to wait for it. The server is not asked before that.
    (this.#options.authorizationEndpoint === undefined ? init() : this.#connect()).catch(() => {});
    // The app may leave this page as soon as it has the tokens.
    if (arrived) this.#session.keep();
    // A tab that does not answer must not hold this one up.
    const caughtUp = this.#session.catchUp().catch(() => {});
    try {
      const outcome = arrived && await handled(arrived, this.#name, this.#options.redirectUri, (redirect) => this.#settle(redirect));
      await caughtUp;
      if (!outcome) {
        if (!arrived && !this.signedIn) await (await this.#restorer)?.restore();
        return null;
      }
      if (outcome.tokens) {
        await this.#session.begin(outcome.tokens);
        return outcome.place ? null : { data: outcome.data };
      }
      // This window could not be closed. It goes on as one more tab of the session.
      await this.#session.catchUp().catch(() => {});
      return null;
    } finally {
      await caughtUp;
      // Some routers have written the URL again.
      if (this.#arrival) clean(this.#options.redirectUri);
    }
  }

  /** The tokens for the redirect that loaded this page, and the data of its login; neither if another page takes the redirect. */
  async #settle(redirect) {
    if (await handOver(redirect)) return {};
    const { pending, server, data, place } = this.#waiting.peek();
    const restorer = place && await this.#restorer;
    try {
      const { client } = await this.#connect(server);
      if (client.matches(pending, redirect)) {
        this.#waiting.drop();
        restorer?.back(place);
      }
      return { tokens: await this.#granted(pending, redirect), data, place };
    } catch (error) {
      if (restorer?.refused(error)) return {};
      throw Object.assign(error, { data });
    }
  }

  /** What a sign-in without the user is made of. */
  #parts() {
    return {
      session: this.#session,
      waiting: this.#waiting,
      begin: () => this.#begin({ prompt: 'none' }),
      matches: async (pending, redirect) => (await this.#connect()).client.matches(pending, redirect),
      finish: async (pending, redirect) => this.#session.begin(await this.#granted(pending, redirect)),
    };
  }

  async #signInPopup(popup, extra) {
    const { url, address, pending } = await this.#begin(extra);
    const { client } = await this.#connect();
    const redirect = await popup.redirect(url, (candidate) => client.matches(pending, candidate), address);
    await this.#session.begin(await this.#granted(pending, redirect));
  }

  /** Begins a login: its URL, the `address` to go to if it was pushed, and the secret that its redirect is checked against. */
  async #begin(extra = {}) {
    checkSupport();
    if (this.#isClosed) throw new ProofkeyError('config', 'this Proofkey was closed: make a new one', 'fix');
    const [{ client, server, named, proofs }] = await Promise.all([this.#connect(), this.#session.check()]);
    const parts = Object.entries(extra).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]));
    if (parts.some((part) => `${part}`.includes('\0'))) throw new ProofkeyError('config', 'extra: it has a NUL character', 'fix');
    const login = { ...client.authorize(this.#scope, parts.join('\0'), randomBytes()), server };
    if ('push' in named) login.address = await (await part(import('./push.js'))).push(login.url, client, named, this.#options.deadline, proofs);
    return login;
  }

  /** Checks the redirect and gets its tokens, with the id and the time of the session that they begin. */
  async #granted(pending, redirect) {
    const { client, proofs } = await this.#connect();
    const requestedAt = seconds();
    const tokens = await run(client.accept(pending, redirect), this.#options.deadline, proofs);
    return { ...plain(tokens, requestedAt, { scope: this.#scope }), id: crypto.randomUUID(), since: Date.now() };
  }

  /** Tokens whose access token can be used, as far as can be known. */
  async #validTokens() {
    checkSupport();
    await init();
    const { tokens, quiet } = this.#session;
    if (!tokens) throw signedOut('no one is signed in');
    if (isReady(this.#session.row(), quiet, ...now())) return tokens;
    if (!tokens.refreshToken) await (await this.#restorer)?.renew();
    return this.#refresh();
  }

  /** Gets tokens that can be used, or others than those that an API has `refused`. Who needs the same waits for the same. */
  #refresh(refused) {
    const before = this.#pass;
    if (before && before.refused === refused) return before.done;
    const begin = () => drive(this.#session, refused, this.#options.deadline, () => this.#connect(), (tokens) => this.#revoke(tokens));
    const pass = { refused, done: Promise.resolve(before?.done).then(begin, begin) };
    this.#pass = pass;
    const end = () => { if (this.#pass === pass) this.#pass = undefined; };
    pass.done.then(end, end);
    return pass.done;
  }

  /** The client at its server. A login continues with the server that it started with. */
  #connect(known) {
    this.#connected ??= this.#findClient(known).catch((error) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #findClient(known) {
    const options = this.#options;
    const [proofs] = await Promise.all([this.#findProofs(), init()]);
    const server = options.authorizationEndpoint === undefined
      ? known ?? await run(Flow.discovery(options.issuer), options.deadline, undefined, options.metadata) : '';
    const all = server + settings({ ...options, worker: undefined, dpopJkt: proofs?.thumbprint });
    const named = Object.fromEntries([...all.matchAll(/(.*)\n(.*)\n/g)].map((line) => line.slice(1)));
    return { client: new Client(all), server, named, proofs };
  }

  /** What proves whose the tokens are, if the app asks for it. */
  #findProofs() {
    return this.#options.dpop && part(import('./dpop.js')).then(({ proofsOf }) => proofsOf(this.#name));
  }
}

/** A file of this package that only some apps need. */
function part(loading) {
  return loading.catch(({ message }) => { throw new ProofkeyError('network', message, 'retry'); });
}

function call(request, { accessToken }, proofs) {
  if (proofs) return proofs.fetch(request, accessToken);
  request.headers.set('authorization', `Bearer ${accessToken}`);
  return fetch(request);
}

/** Goes to another page. The promise settles only if the user stays on this one, or comes back to it. */
function leave(url) {
  return new Promise((_, reject) => {
    const stay = () => reject(new ProofkeyError('aborted', 'the user has stayed on this page', 'reauthorize'));
    addEventListener('pageshow', ({ persisted }) => { if (persisted) stay(); });
    location.assign(url);
    // If the browser has it: the user stopped the page that was loading. An earlier navigation has ended by now.
    globalThis.navigation?.addEventListener('navigateerror', stay, { once: true });
  });
}

/** Options as names and values, as `src/client.rs` reads them. It refuses a tab in any of them, as it does a line feed. */
function settings(options) {
  return Object.entries(options).map(([name, value]) => (value || value === ''
    ? `${name.replace(/[A-Z]/g, '_$&').toLowerCase()}\n${`${value}`.replaceAll('\n', '\t')}\n` : '')).join('');
}

function isStale({ status, headers }) {
  return wantsRefresh(status, headers.get('www-authenticate') ?? undefined);
}

function isSupported() {
  return globalThis.window?.isSecureContext && navigator.locks && globalThis.BroadcastChannel;
}

function checkSupport() {
  if (!isSupported()) {
    throw new ProofkeyError('unsupported', 'this needs a page with https (or on localhost or a loopback address) and a '
      + 'browser with Web Locks', 'fix');
  }
}

/** 256 bits for the state and 256 for the code verifier. */
function randomBytes() {
  try {
    return crypto.getRandomValues(new Uint8Array(64));
  } catch (error) {
    throw new ProofkeyError('random', `the random generator failed: ${error.message}`, 'fix');
  }
}

function originOf(url, what) {
  try {
    return new URL(url).origin;
  } catch {
    throw new ProofkeyError('config', `${what}: it is not an absolute URL`, 'fix');
  }
}

/** The origin of a URL that is https, or plain http on this machine. */
function safeOrigin(url, what) {
  const origin = originOf(url, what);
  if (!/^https:|^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/.test(origin)) {
    throw new ProofkeyError('config', `${what}: ${origin} must be https, or http with localhost, 127.0.0.1 or [::1]`, 'fix');
  }
  return origin;
}
