/**
 * OAuth 2.0 for single-page apps: the Authorization Code flow with PKCE (RFC 6749, 7636, 9207, 9700, 10017).
 *
 * ```js
 * import { Proofkey } from 'proofkey-browser';
 *
 * const app = new Proofkey({
 *   issuer: 'https://as.example',
 *   clientId: 'my-app',
 *   redirectUri: 'https://app.example/callback',
 *   scope: 'itwin-platform offline_access',
 *   origins: ['https://api.example'],
 * });
 * await app.handleRedirect();
 * if (!app.signedIn) await app.signIn();
 * const response = await app.fetch('https://api.example/things');
 * ```
 */

/** The settings of a {@link Proofkey}: a registered client and its server. */
export type Options = ClientOptions & (IssuerOptions | EndpointOptions);

export interface ClientOptions {
  /** The client id. There is no client secret: a page cannot keep one. */
  clientId: string;
  /**
   * The redirect URI, exactly as it is registered. It must have this page's origin: https, or http with `127.0.0.1`, `[::1]` or
   * `localhost`. (RFC 8252 section 8.3 advises against `localhost`: use it only if the server accepts nothing else.) Give it a
   * path of its own: a page load at this path counts as a redirect if its URL has a `code`, `error` or `state`.
   */
  redirectUri: string;
  /** The scopes to request: words separated by spaces, or an array. By default the server decides. */
  scope?: string | readonly string[];
  /** The origins that {@link Proofkey.fetch} sends the access token to: https, or plain http on this machine. */
  origins?: readonly string[];
  /**
   * Whether the tokens are bound to a key of this browser (DPoP, RFC 9449), so that they are of no use to anyone else. The key is
   * kept in IndexedDB, and no script can read it. {@link Proofkey.fetch} proves with it whose the token is; with any other way to
   * send the token, the API refuses it. A server that grants a token without the binding is refused. Default: false.
   */
  dpop?: boolean;
  /**
   * Whether a reload, and closing the last tab for less than ten seconds, leaves the user signed in. A shared worker has the tokens
   * in its memory meanwhile. Without effect in a browser that does not let a worker outlive its pages. Default: true.
   */
  keep?: boolean;
  /**
   * For `keep`: the URL of this package's `worker.js` at this page's origin, or a function that makes the worker with these
   * options, for a bundler that does not find the file by itself.
   */
  worker?: string | URL | ((options: WorkerOptions & { extendedLifetime: true }) => SharedWorker);
  /**
   * Whether a page load without a session asks the server for one, without the user (`prompt=none`), if someone was signed in and
   * has not signed out. `redirect` leaves the page and comes back to the same address, so the redirect URI must serve this app; a
   * router that has read it is told by `popstate`.
   * `frame` does it in a hidden frame, if the server is of the same site; it also replaces a token that has expired if there is no
   * refresh token. Without an answer, or if the server knows no one, it is not tried again before the next sign-in. `state` is
   * `loading` meanwhile. Default: nothing is asked.
   */
  restore?: 'redirect' | 'frame';
  /**
   * Whether the refresh token is stored, in IndexedDB, so that the user is still signed in when the browser is opened again. Only
   * tokens that are bound to this browser are stored: it needs `dpop: true`. A sign-out in any tab deletes it. Default: no.
   */
  store?: 'dpop';
  /**
   * Whether the parameters of a sign-in are first sent to the server itself, so that the address of the sign-in page has a reference
   * in their place (pushed authorization requests, RFC 9126). A server whose metadata requires it gets it without this option. It
   * needs the server's `pushed_authorization_request_endpoint`, and CORS there. Default: only if it is required.
   */
  push?: boolean;
  /** How long to wait for the authorization server's metadata, and for each other response, in milliseconds. Default: 30,000. */
  deadline?: number;
}

/** A server that publishes where its endpoints are (RFC 8414, OpenID Connect Discovery). */
export interface IssuerOptions {
  /** The issuer identifier, exactly as the server writes it. */
  issuer: string;
  /**
   * The address of its metadata: https, or plain http on this machine. Only this address is asked then. By default those that the
   * specifications name are asked in turn: first `/.well-known/openid-configuration` behind the issuer. The browser's console shows
   * each one that does not answer with it.
   */
  metadata?: string;
  authorizationEndpoint?: undefined;
}

/** A server whose endpoints are known. */
export interface EndpointOptions {
  /** The address of the sign-in page. */
  authorizationEndpoint: string;
  /** The address that exchanges a code or a refresh token for tokens. */
  tokenEndpoint: string;
  /** The address that takes the parameters of a sign-in beforehand (RFC 9126), for `push`. */
  pushedAuthorizationRequestEndpoint?: string;
  /** The address that revokes tokens (RFC 7009). */
  revocationEndpoint?: string;
  /** The address that signs the user out at the server (OpenID Connect RP-Initiated Logout). */
  endSessionEndpoint?: string;
  /** The issuer identifier. If it is given, a redirect's `iss` is compared with it. */
  issuer?: string;
  /** Whether the server promises an `iss` in every redirect (RFC 9207). A redirect without one is then refused. */
  issParameter?: boolean;
}

/** Extra parameters for the sign-in page, such as `{ prompt: 'login' }`. Only `resource` may have several values. */
export type Extra = Readonly<Record<string, string | readonly string[]>>;

/**
 * A client at a server, with one session for all tabs. Make it before anything else on the page: it removes a redirect's code
 * from the address bar and the history at once. If the page makes two with the same settings, as React's StrictMode does, both
 * see the same redirect and the same session.
 *
 * The event `change` is fired when someone has signed in or out, in this tab or in another one, and whenever `state` is another.
 * The event `token` is fired when there is another access token: after a sign-in or a refresh, in this tab or in another one.
 *
 * Without a `window`, as on a server that renders the page, one can be made all the same: its `state` is `loading`, and all its
 * promises reject with `unsupported`. The same is true in a page or a browser that cannot be used.
 */
export class Proofkey extends EventTarget {
  /** Throws a {@link ProofkeyError} `config`. The endpoints are checked when they are first used. */
  constructor(options: Options);

  /**
   * What to show: `loading` until {@link handleRedirect} has said who is signed in, then `signed_in` or `signed_out`. A page that
   * a server rendered starts with `loading`, too.
   */
  readonly state: 'loading' | 'signed_in' | 'signed_out';

  /** Whether there are tokens. The access token may be due for a refresh. */
  readonly signedIn: boolean;

  /** The granted scope as the server wrote it; empty if it wrote something that is not a scope; null if no one is signed in. */
  readonly scope: string | null;

  /** When the access token expires, in milliseconds since 1970; null if no one is signed in or the server did not say. */
  readonly expiresAt: number | null;

  /**
   * Finishes a sign-in. Call it once on every page load, before other calls. If this page load is the redirect of a sign-in, it
   * returns the `data` that {@link signIn} was given; otherwise it returns null. It also joins the session of other tabs.
   *
   * In a window of {@link signInPopup} it hands the redirect to the page that opened the window, closes the window, and does not
   * return. If the browser does not let the window close, it returns null when the sign-in is done, and the window is one more
   * tab of the session. If the page that opened the window is gone, it fails, usually with `no_login`.
   *
   * A second call returns the same result.
   *
   * Some routers write the redirect into the address bar again. When this is done, it has been removed again.
   *
   * If a sign-in fails, the error's `data` is what {@link signIn} was given.
   *
   * Errors: `server` (such as the user's refusal), `state`, `callback`, `no_login`, `expired`, and those of the code exchange.
   */
  handleRedirect(): Promise<{ data: unknown } | null>;

  /**
   * Goes to the server's sign-in page. The promise settles only with an error: `aborted` if the user stays on this page or comes
   * back to it. `data`, such as the place to return to, is kept in `sessionStorage` as JSON and returned by
   * {@link handleRedirect}.
   */
  signIn(options?: { data?: unknown; extra?: Extra }): Promise<never>;

  /**
   * Signs in in a separate window. Call it in a click handler, before any `await`. While the window is open, a second call brings
   * it to the front and returns the same result.
   *
   * `signal` cancels the sign-in with `aborted`, until the window has come back with a redirect.
   *
   * A page sent with `Cross-Origin-Opener-Policy` can make an open window look closed. So `popup_closed` is only reported when
   * the window has looked closed for 1.5 seconds while this page had the focus. If the user finishes in the window after all,
   * within ten minutes and before another sign-in starts, they are signed in and `change` is fired.
   *
   * Errors: `popup_blocked`, `popup_closed`, `aborted`, and those of {@link handleRedirect}.
   */
  signInPopup(options?: { extra?: Extra; signal?: AbortSignal }): Promise<void>;

  /**
   * Returns an access token that is valid as far as can be known. If it is due, it is refreshed first: once, no matter how many
   * callers and tabs ask. If that fails and the token still works, it is returned. Do not keep it: ask again for each request.
   *
   * Errors: `signed_out`, `server` (with `invalid_grant` no one is signed in any more), and those of the refresh.
   */
  accessToken(): Promise<string>;

  /**
   * Calls `fetch` with the access token in the `Authorization` header. It calls only the named origins, follows no redirect, and
   * sends no cookies unless `credentials` says so. If a 401 does not ask for another kind of authentication, it refreshes and tries
   * again, once, but not if the token is less than a minute old, nor if someone else has signed in meanwhile. It returns every
   * other response as it is.
   *
   * Errors: `origin`, those of {@link accessToken}, and those of `fetch`.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;

  /**
   * Forgets the tokens in all tabs, and revokes them at the server. Returns true if the server confirms it, and false if the
   * server has no revocation endpoint or no one was signed in. The tokens are forgotten even if it fails.
   *
   * With `redirect` the page then goes to the server's `end_session_endpoint`, which signs the user out there (OpenID Connect
   * RP-Initiated Logout 1.0) and sends them to that address. It must be registered as a `post_logout_redirect_uri`, exactly so. With
   * `true` they stay at the server's page. The promise settles only with an error: `config` if the server has no such endpoint, or
   * `aborted` if the user stays on this page.
   *
   * With the scope `openid` the server knows whom to sign out by the ID token. Without it many ask the user, and some refuse.
   */
  signOut(options?: { redirect?: undefined }): Promise<boolean>;
  signOut(options: { redirect: string | URL | true }): Promise<never>;

  /**
   * Frees this instance, and cancels its sign-in window. The session goes on in other instances and tabs. Afterwards this one is
   * signed out and fires no events; a sign-in fails with `config`.
   */
  close(): void;

  addEventListener(type: 'change' | 'token', listener: (event: Event) => void, options?: boolean | AddEventListenerOptions): void;
  removeEventListener(type: 'change' | 'token', listener: (event: Event) => void, options?: boolean | EventListenerOptions): void;
}

/**
 * Loads the WebAssembly module from another place than next to this one: a URL, a response, its bytes, or the compiled module.
 * Call it first. Without it the module is loaded by `handleRedirect`, or when it is first needed.
 */
export function init(source?: string | URL | Request | Response | Promise<Response> | BufferSource | WebAssembly.Module): Promise<void>;

/** What happened. New codes may be added; these stay. */
export type Code =
  /** The app cancelled the sign-in, or the user stopped loading the sign-in page or came back from it. */
  | 'aborted'
  /** The redirect cannot finish a login: it is malformed, or comes from another server. */
  | 'callback'
  /** An option cannot be used. */
  | 'config'
  /** The server, or another tab, did not answer in time. */
  | 'deadline'
  /** The sign-in was not finished within ten minutes. */
  | 'expired'
  /** The WebAssembly module cannot be loaded. */
  | 'init'
  /**
   * No response: offline, no CORS, blocked by the Content-Security-Policy, a redirect, or a response that broke off. Or a file of
   * this package that only some apps need cannot be loaded.
   */
  | 'network'
  /** No sign-in waits for this redirect: it was used, replaced by a newer one, or started in another tab or window. */
  | 'no_login'
  /** The server wants a nonce in DPoP proofs, but does not let the page read it (`Access-Control-Expose-Headers`). */
  | 'nonce'
  /** The URL's origin is not one that gets the access token. */
  | 'origin'
  /** The browser blocked the sign-in window. */
  | 'popup_blocked'
  /** The sign-in window was closed, or replaced by a newer sign-in. */
  | 'popup_closed'
  /** The browser's random generator does not work. */
  | 'random'
  /** The server's response cannot be used. */
  | 'response'
  /** The server refused; see `serverCode`. */
  | 'server'
  /** No one is signed in. */
  | 'signed_out'
  /** The redirect's `state` is not that of the sign-in that waits. That sign-in goes on waiting. */
  | 'state'
  /** The server responded neither with success nor with an OAuth error. */
  | 'status'
  /** `sessionStorage` cannot be used, or its content cannot be read; with `dpop` also if IndexedDB cannot. */
  | 'storage'
  /** The response is longer than 1 MiB. */
  | 'too_big'
  /** There is no page, or it is not https, or the browser has no Web Locks or denies them to this page because it stores no data for it. */
  | 'unsupported';

/** Every error of this module. It contains no secret, and none of the server's text except its error, shortened and cleaned. */
export class ProofkeyError extends Error {
  private constructor();
  readonly name: 'ProofkeyError';
  readonly code: Code;
  /**
   * What to do now. `fix`: a setting or the program is wrong, and trying again does not help. `reauthorize`: sign in again.
   * `retry`: try again after `retryAfter` seconds, or after a pause of your choice. Undefined if it is not known whether the
   * request arrived.
   */
  readonly advice: 'fix' | 'reauthorize' | 'retry' | undefined;
  /** Seconds to wait, if the server says so and lets the page read it, or if a refresh failed and another try is too early. */
  readonly retryAfter: number | undefined;
  /** The server's error code, such as `access_denied` or `invalid_grant`, if `code` is `server`. */
  readonly serverCode: string | undefined;
  /** The `data` of the sign-in that failed, from {@link Proofkey.handleRedirect}: such as the place to go back to. */
  readonly data: unknown;
}
