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

/** What a {@link Proofkey} is made of: a client as it is registered, and its server. */
export type Options = ClientOptions & (IssuerOptions | EndpointOptions);

export interface ClientOptions {
  /** The client id. There is no client secret: a page cannot keep one. */
  clientId: string;
  /**
   * The registered redirect URI, exactly as it is registered, on this page's own origin: https, or http with `127.0.0.1` or
   * `[::1]`. Give it a path of its own: what is at it counts as a redirect where it has a `code`, `error` or `state`.
   */
  redirectUri: string;
  /** What to ask for: words, with a space between them or in an array. Without it the server applies its default. */
  scope?: string | readonly string[];
  /** The origins that get the access token in {@link Proofkey.fetch}: https, or plain http on this machine. */
  origins?: readonly string[];
  /** How long the authorization server may take for its metadata, and for each answer, in milliseconds; 30,000 by default. */
  deadline?: number;
}

/** A server that says itself where its endpoints are (RFC 8414, OpenID Connect Discovery). */
export interface IssuerOptions {
  /** The issuer identifier, exactly as the server writes it. */
  issuer: string;
  authorizationEndpoint?: undefined;
}

/** A server whose endpoints are known. */
export interface EndpointOptions {
  /** Where the browser is sent. */
  authorizationEndpoint: string;
  /** Where a code and a refresh token become tokens. */
  tokenEndpoint: string;
  /** Where tokens are ended (RFC 7009). */
  revocationEndpoint?: string;
  /** The issuer identifier. A redirect's `iss` is then compared with it. */
  issuer?: string;
  /** The server promises an `iss` in every redirect (RFC 9207): one without it is refused. */
  issParameter?: boolean;
}

/** Parameters of an extension or of the server's own, such as `{ prompt: 'login' }`. Only `resource` may have several values. */
export type Extra = Readonly<Record<string, string | readonly string[]>>;

/**
 * One client at one server, and the session of all tabs with it. Make one, before anything else on the page: a redirect's
 * code is taken out of the address bar and the history there and then.
 *
 * `change` is fired when somebody has signed in or out, in this tab or in another one.
 */
export class Proofkey extends EventTarget {
  /** Throws a {@link ProofkeyError} `config` or `unsupported`; the endpoints are checked when they are first used. */
  constructor(options: Options);

  /** Whether there are tokens. The access token may be due for a refresh. */
  readonly signedIn: boolean;

  /** The scope that was granted; null where nobody is signed in. */
  readonly scope: string | null;

  /**
   * Call it once on every page load, first. Finishes the sign-in where this load is its redirect, and gives back the `data`
   * that {@link signIn} was given; null where it is none. Then takes over the session of the other tabs, if there is one.
   * In a sign-in window it hands the redirect over, closes the window, and never comes back.
   *
   * A second call gives the same answer.
   *
   * Errors: `server` (such as the user's refusal), `state`, `callback`, `no_login`, `expired`, and those of the exchange.
   */
  handleRedirect(): Promise<{ data: unknown } | null>;

  /**
   * Leaves for the server's sign-in page. It comes back only with an error: `aborted` where the user stays on this page or goes
   * back to it.
   * `data` is kept in `sessionStorage` meanwhile, as JSON: such as the place to go on at.
   */
  signIn(options?: { data?: unknown; extra?: Extra }): Promise<never>;

  /**
   * Signs in in a window of its own. Call it from a click, with nothing awaited before. While the window is open a second call
   * brings it to the front, and gives the same answer.
   *
   * Errors: `popup_blocked`, `popup_closed`, and those of {@link handleRedirect}.
   */
  signInPopup(options?: { extra?: Extra }): Promise<void>;

  /**
   * An access token that is valid as far as anyone can know. It is refreshed when it is due: once, whoever asks, in whatever
   * tab. Do not keep it: ask again for each request.
   *
   * Errors: `signed_out`, `server` (`invalid_grant`: nobody is signed in any more), and those of the exchange.
   */
  accessToken(): Promise<string>;

  /**
   * `fetch` with the access token in the `Authorization` header. Only the named origins are called, no redirect is followed,
   * and no cookies are sent unless `credentials` says so. A 401 that another token may mend is answered with one refresh and
   * one more try; every other response is given back as it is.
   *
   * Errors: `origin`, those of {@link accessToken}, and those of `fetch`.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;

  /**
   * Forgets the tokens, in all tabs, and ends both of them at the server: true where the server says so, false where it knows no
   * revocation or nobody was signed in. It forgets them even where it fails.
   */
  signOut(): Promise<boolean>;

  addEventListener(type: 'change', listener: (event: Event) => void, options?: boolean | AddEventListenerOptions): void;
  removeEventListener(type: 'change', listener: (event: Event) => void, options?: boolean | EventListenerOptions): void;
}

/**
 * Loads the WebAssembly module from somewhere else than beside this one: a URL, a response, its octets, or the compiled module.
 * Call it before everything else. Without it the module is loaded by `handleRedirect`, or when it is first needed.
 */
export function init(source?: string | URL | Request | Response | Promise<Response> | BufferSource | WebAssembly.Module): Promise<void>;

/** What happened. New codes may come; these stay. */
export type Code =
  /** The user stopped the page's way to the sign-in page, or came back from it. */
  | 'aborted'
  /** The redirect is not one that ends a login well: forged, doubled, from another server. */
  | 'callback'
  /** An option cannot be used. */
  | 'config'
  /** The server, or another tab, did not answer in time. */
  | 'deadline'
  /** The login was not finished in ten minutes. */
  | 'expired'
  /** The WebAssembly module cannot be loaded. */
  | 'init'
  /** There is no answer: offline, no CORS, refused by the Content-Security-Policy, a redirect. */
  | 'network'
  /** No login waits for this redirect: it was used, replaced by a newer one, or begun in another tab. */
  | 'no_login'
  /** The URL is not at an origin that gets the access token. */
  | 'origin'
  /** The browser did not open the sign-in window. */
  | 'popup_blocked'
  /** The sign-in window was closed, or the server's page cut it off (Cross-Origin-Opener-Policy). */
  | 'popup_closed'
  /** The browser's random generator does not work. */
  | 'random'
  /** The answer is not what was asked for. */
  | 'response'
  /** The server refused; see `serverCode`. */
  | 'server'
  /** Nobody is signed in. */
  | 'signed_out'
  /** The redirect's `state` is not this login's: a stranger's redirect. The login goes on waiting. */
  | 'state'
  /** Neither success nor an OAuth error. */
  | 'status'
  /** `sessionStorage` cannot be used, or what is in it cannot be read. */
  | 'storage'
  /** The answer is longer than 1 MiB. */
  | 'too_big'
  /** The page is not https, or the browser has no Web Locks or denies them to this page, as where it keeps no data for it. */
  | 'unsupported';

/** Everything that this module throws. It holds no secret, and no text of the server's but its error, cut and cleaned. */
export class ProofkeyError extends Error {
  private constructor();
  readonly name: 'ProofkeyError';
  readonly code: Code;
  /**
   * What to do now. `fix`: something is configured or programmed wrongly, and trying again changes nothing. `reauthorize`: sign in
   * again. `retry`: try again after `retryAfter` seconds, or after a pause of your own. Undefined where nobody knows whether the
   * request arrived.
   */
  readonly advice: 'fix' | 'reauthorize' | 'retry' | undefined;
  /** Seconds to wait, where the server says it and lets the page read it. */
  readonly retryAfter: number | undefined;
  /** The server's error code, such as `access_denied` or `invalid_grant`, where `code` is `server`. */
  readonly serverCode: string | undefined;
}
