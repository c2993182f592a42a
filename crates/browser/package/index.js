// OAuth 2.0 for single-page apps. The protocol is WebAssembly; this is what only a page can do. See index.d.ts.
import { ProofkeyError } from './error.js';
import { run } from './http.js';
import { answerOf, handOver, openPopup } from './popup.js';
import { Session, isSame } from './session.js';
import { WAIT_MAX, Waiting, arrival } from './waiting.js';
import load, { Client, Discovery, isDue, isExpired, wantsRefresh } from './wasm/proofkey_browser.js';

export { ProofkeyError };

const DEADLINE = 30_000;
const DEADLINE_MAX = 2 ** 31 - 1;
/** After a refresh that failed, in seconds: half of the time that a token is due before it ends. */
const PAUSE = 30;

let loaded;

export function init(source) {
  loaded ??= load({ module_or_path: source }).catch((error) => {
    loaded = undefined;
    throw new ProofkeyError('init', `the WebAssembly module cannot be loaded (a Content-Security-Policy needs `
      + `'wasm-unsafe-eval'): ${error.message}`, 'fix');
  });
  return loaded.then(() => {});
}

export class Proofkey extends EventTarget {
  #options;
  #origins;
  #scope;
  #waiting;
  #session;
  #arrival;
  #connected;
  #handled;
  #popup;
  #refreshing;
  #paused;

  constructor(options) {
    super();
    checkSupport();
    const { issuer, authorizationEndpoint, clientId, redirectUri, scope = '', origins = [], deadline = DEADLINE } = options;
    if (originOf(redirectUri, 'redirect URI') !== location.origin) {
      throw new ProofkeyError('config', `redirect URI: it must be on this page's origin, ${location.origin}`, 'fix');
    }
    if (!(deadline > 0 && deadline <= DEADLINE_MAX)) {
      throw new ProofkeyError('config', `deadline: it must be from 1 to ${DEADLINE_MAX} milliseconds`, 'fix');
    }
    this.#options = { ...options, deadline };
    this.#origins = new Set(origins.map(apiOrigin));
    this.#scope = [scope].flat().join(' ');
    const name = `proofkey/1 ${JSON.stringify([clientId, issuer ?? authorizationEndpoint, this.#scope])}`;
    this.#waiting = new Waiting(name);
    this.#session = new Session(name, () => this.dispatchEvent(new Event('change')));
    this.#arrival = arrival(redirectUri);
  }

  get signedIn() {
    return this.#session.tokens !== null;
  }

  get scope() {
    return this.#session.tokens?.scope ?? null;
  }

  handleRedirect() {
    this.#handled ??= this.#handleRedirect();
    return this.#handled;
  }

  async signIn({ data, extra } = {}) {
    const { url, ...login } = await this.#begin(extra);
    this.#waiting.put({ ...login, data });
    return new Promise((_, reject) => {
      const stay = () => reject(new ProofkeyError('aborted', 'the user stayed, or came back without signing in', 'reauthorize'));
      addEventListener('pageshow', ({ persisted }) => { if (persisted) stay(); });
      location.assign(url);
      // Where the browser has it: the user stopped the page that was loading. An earlier sign-in has ended by now.
      globalThis.navigation?.addEventListener('navigateerror', stay, { once: true });
    });
  }

  async signInPopup({ extra } = {}) {
    if (this.#popup) {
      this.#popup.window.focus();
      return this.#popup.done;
    }
    const popup = openPopup();
    popup.done = this.#signInPopup(popup, extra).finally(() => {
      this.#popup = undefined;
      popup.window.close();
    });
    this.#popup = popup;
    return popup.done;
  }

  async accessToken() {
    return (await this.#validTokens()).accessToken;
  }

  async fetch(input, options) {
    const request = new Request(input, { credentials: 'omit', referrerPolicy: 'no-referrer', ...options, redirect: 'error' });
    const { origin } = new URL(request.url);
    if (!this.#origins.has(origin)) {
      throw new ProofkeyError('origin', `${origin} is not one of the origins that get the access token`, 'fix');
    }
    const again = request.clone();
    const tokens = await this.#validTokens();
    const response = await call(request, tokens);
    const challenge = response.headers.get('www-authenticate') ?? undefined;
    if (!tokens.refreshToken || !wantsRefresh(response.status, challenge)) return response;
    response.body?.cancel();
    return call(again, await this.#refresh(tokens));
  }

  async signOut() {
    const end = () => this.#session.end();
    const tokens = await this.#session.exclusively(end).catch(end);
    return tokens !== null && this.#revoke(tokens);
  }

  /** The refresh token first: while it lives, it makes new access tokens. */
  async #revoke({ accessToken, refreshToken }) {
    const { client, server } = await this.#connect();
    if (!server.revocationEndpoint) return false;
    const { deadline } = this.#options;
    if (refreshToken) await run(client.revoke(refreshToken, true), deadline);
    try {
      await run(client.revoke(accessToken, false), deadline);
    } catch (error) {
      // Some servers revoke refresh tokens only (RFC 7009 section 2.2.1), and this one is done with ours.
      if (!refreshToken || error.code !== 'server') throw error;
    }
    return true;
  }

  async #handleRedirect() {
    const redirect = this.#arrival;
    // The window closes; there is nothing to go on with.
    if (redirect && handOver(redirect)) return new Promise(() => {});
    // Whatever comes next needs it: the redirect now, or a click later.
    init().catch(() => {});
    // A tab that does not answer must not hold this one up.
    const caughtUp = this.#session.catchUp().catch(() => {});
    try {
      if (!redirect) return null;
      const { pending, server, data } = this.#waiting.peek();
      const { client } = await this.#connect(server);
      if (client.matches(pending, redirect)) this.#waiting.drop();
      await this.#finish(client, pending, redirect, caughtUp);
      return { data };
    } finally {
      await caughtUp;
    }
  }

  async #signInPopup(popup, extra) {
    const { url, pending } = await this.#begin(extra);
    popup.window.location.replace(url);
    const redirect = await answerOf(popup, location.origin, WAIT_MAX);
    const { client } = await this.#connect();
    await this.#finish(client, pending, redirect);
  }

  /** Begins a login: where to send the browser, and what its redirect is checked against. */
  async #begin(extra = {}) {
    const [{ client, server }] = await Promise.all([this.#connect(), this.#session.check()]);
    const pairs = Object.entries(extra).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]));
    const login = client.authorize(this.#scope, pairs, randomOctets());
    const { url, pending } = login;
    login.free();
    return { url, pending, server };
  }

  /** Checks the redirect, and gets the tokens of it: newer ones than those of the other tabs. */
  async #finish(client, pending, redirect, caughtUp) {
    const tokens = await this.#exchange(client.accept(pending, redirect));
    await caughtUp;
    await this.#session.begin({ ...tokens, scope: tokens.scope ?? this.#scope });
  }

  /** Tokens whose access token is not due for a refresh, as far as anyone can know. */
  async #validTokens() {
    await init();
    const { tokens } = this.#session;
    if (!tokens) throw signedOut('nobody is signed in');
    const times = [tokens.requestedAt, tokens.expiresIn, seconds()];
    if (!tokens.refreshToken && isExpired(...times)) {
      this.#session.end();
      throw signedOut('the access token has ended, and there is no refresh token');
    }
    if (!tokens.refreshToken || !isDue(...times)) return tokens;
    const { failed, until } = this.#paused ?? {};
    if (failed === tokens && seconds() < until && !isExpired(...times)) return tokens;
    try {
      return await this.#refresh(tokens);
    } catch (error) {
      // Due is a little early: a token that still works bridges a server that does not answer.
      if (isExpired(...times) || ['fix', 'reauthorize'].includes(error.advice)) throw error;
      this.#paused = { failed: tokens, until: seconds() + (error.retryAfter ?? PAUSE) };
      return tokens;
    }
  }

  /** Newer tokens than `old` ones: one refresh at a time, in this tab and in all. */
  #refresh(old) {
    this.#refreshing ??= this.#session.exclusively((newest) => this.#renew(old, newest)).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #renew(old, newest) {
    if (!newest) throw signedOut('signed out in the meantime');
    if (!isSame(newest, old)) return newest;
    const { client } = await this.#connect();
    let tokens;
    try {
      tokens = await this.#exchange(client.refresh(newest.refreshToken));
    } catch (error) {
      if (error.serverCode === 'invalid_grant') this.#session.end(newest.id);
      // Somebody has signed in meanwhile.
      if (this.#session.tokens && this.#session.tokens.id !== newest.id) return this.#session.tokens;
      throw error;
    }
    const renewed = await this.#session.renew(newest, { ...tokens, scope: tokens.scope ?? newest.scope });
    if (renewed) return renewed;
    this.#revoke({ ...newest, ...tokens }).catch(() => {});
    throw signedOut('signed out in the meantime');
  }

  async #exchange(request) {
    const requestedAt = seconds();
    const tokens = await run(request, this.#options.deadline);
    const { accessToken, refreshToken, expiresIn, scope } = tokens;
    tokens.free();
    return { accessToken, refreshToken, expiresIn, scope, requestedAt };
  }

  /** The client at its server. A login goes on with the server that it began with. */
  #connect(known) {
    this.#connected ??= this.#findServer(known).then((server) => {
      const { clientId, redirectUri, issuer } = this.#options;
      const { authorizationEndpoint, tokenEndpoint, revocationEndpoint, issParameter = false } = server;
      const client = new Client(clientId, redirectUri, authorizationEndpoint, tokenEndpoint, revocationEndpoint, issuer,
        issParameter);
      return { client, server: { authorizationEndpoint, tokenEndpoint, revocationEndpoint, issParameter } };
    }).catch((error) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #findServer(known) {
    await init();
    const { issuer, authorizationEndpoint, deadline } = this.#options;
    const until = performance.now() + deadline;
    if (authorizationEndpoint !== undefined) return this.#options;
    if (known) return known;
    let failure = new ProofkeyError('response', `${issuer} has no metadata at any well-known address`, 'fix');
    for (let at = 0, step; (step = Discovery.at(issuer, at)); at += 1) {
      try {
        const server = await run(step, until - performance.now());
        if (server) return server;
      } catch (error) {
        // Where there is nothing, many servers answer without CORS headers: the browser calls that a network error.
        if (error.code !== 'network') throw error;
        failure = error;
      }
    }
    throw failure;
  }
}

function call(request, { accessToken }) {
  request.headers.set('authorization', `Bearer ${accessToken}`);
  return fetch(request);
}

function checkSupport() {
  if (!isSecureContext || !navigator.locks || !globalThis.BroadcastChannel) {
    throw new ProofkeyError('unsupported', 'this needs https (or a loopback address) and a browser with Web Locks', 'fix');
  }
}

/** Two times 256 bits: for the state and the code verifier. */
function randomOctets() {
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
    throw new ProofkeyError('config', `${what}: it is not an absolute URI`, 'fix');
  }
}

/** An origin that may get the access token: https, or plain http on this machine. */
function apiOrigin(url) {
  const origin = originOf(url, 'origins');
  if (!/^https:|^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/.test(origin)) {
    throw new ProofkeyError('config', `origins: ${origin} is neither https nor on this machine`, 'fix');
  }
  return origin;
}

function signedOut(why) {
  return new ProofkeyError('signed_out', why, 'reauthorize');
}

/** Now, as the protocol counts it. */
function seconds() {
  return Math.floor(Date.now() / 1000);
}
