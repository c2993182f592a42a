/**
 * A drop-in for `BrowserAuthorizationClient` of `@itwin/browser-authorization`, for apps of iTwin.js. It needs
 * `@itwin/core-bentley`, which such an app has.
 *
 * ```js
 * import { ProofkeyAuthorizationClient } from 'proofkey-browser/itwin';
 *
 * const client = new ProofkeyAuthorizationClient({
 *   clientId: 'my-app',
 *   redirectUri: 'https://app.example/signin-callback',
 *   scope: 'itwin-platform offline_access',
 * });
 * await client.handleSigninCallback();
 * await client.signIn();
 * await IModelApp.startup({ authorizationClient: client });
 * ```
 */
import type { AccessToken, BeEvent } from '@itwin/core-bentley';
import type { ClientOptions, Proofkey } from './index.js';

/** The settings of a {@link ProofkeyAuthorizationClient}, named as in `@itwin/browser-authorization`. */
export interface ProofkeyAuthorizationClientConfiguration extends ProofkeyAuthorizationClientRequestOptions {
  /**
   * The issuer identifier of the authorization server, exactly as the server writes it. Default: the iTwin platform, whose
   * endpoints are known. Any other server is asked for its metadata.
   */
  readonly authority?: string;
  /** The client id. */
  readonly clientId: string;
  /** The redirect URI, exactly as it is registered. It must have this page's origin, and a path of its own. */
  readonly redirectUri: string;
  /** The scopes to request, separated by spaces. Without `offline_access` a sign-in ends with its access token. */
  readonly scope: string;
  /** Where the server sends the user after a sign-out. It must be registered. By default the user stays at the server's page. */
  readonly postSignoutRedirectUri?: string;
  /** Not used: tokens are renewed with the refresh token, not in a hidden frame. */
  readonly silentRedirectUri?: string;
  /** Nothing else is there. Anything but `code` throws a `ProofkeyError` `config`. */
  readonly responseType?: 'code';
  /** Whether the client leaves the session of other tabs alone until it is asked to sign in. Default: false. */
  readonly noSilentSignInOnAppStartup?: boolean;
  /** The origins that `client.proofkey.fetch` sends the access token to. Default: `https://api.bentley.com`. */
  readonly apiOrigins?: readonly string[];
  /** See {@link ClientOptions.keep}. */
  readonly keep?: ClientOptions['keep'];
  /** See {@link ClientOptions.worker}. */
  readonly worker?: ClientOptions['worker'];
}

/** What a single sign-in may ask for. */
export interface ProofkeyAuthorizationClientRequestOptions {
  /** What the server has to ask the user, such as `login`. With anything but `none`, a sign-in always asks. */
  readonly prompt?: string;
}

/** An `AuthorizationClient` of `@itwin/core-common`. Make one for the page, outside of any component. */
export class ProofkeyAuthorizationClient {
  /** Throws a `ProofkeyError` `config` or `unsupported`. */
  constructor(configuration: ProofkeyAuthorizationClientConfiguration);

  /** What signs the user in: for `fetch`, `state` and the events of every tab. */
  readonly proofkey: Proofkey;

  /**
   * Raised with `Bearer …` after a sign-in and after each renewal, and with an empty text after a sign-out or when the token has
   * expired. It tells of what other tabs do as well.
   */
  readonly onAccessTokenChanged: BeEvent<(token: AccessToken) => void>;

  /** The same as {@link hasSignedIn}. */
  get isAuthorized(): boolean;

  /** Whether there are tokens. The access token may be due for a renewal. */
  get hasSignedIn(): boolean;

  /** Whether the access token has less than a minute left, or there is none. {@link getAccessToken} renews it. */
  get hasExpired(): boolean;

  /** The issuer identifier of the authorization server. */
  get authorityUrl(): string;

  /** The same as {@link signInRedirect}. */
  signIn(): Promise<void>;

  /**
   * Returns if someone is signed in; otherwise goes to the sign-in page. {@link handleSigninCallback} then brings the user back to
   * `successRedirectUrl`, or to the address of this page. Rejects with a `ProofkeyError`.
   */
  signInRedirect(successRedirectUrl?: string, args?: ProofkeyAuthorizationClientRequestOptions): Promise<void>;

  /** Returns if someone is signed in; otherwise signs in in a window. Call it in a click handler. Rejects with a `ProofkeyError`. */
  signInPopup(args?: ProofkeyAuthorizationClientRequestOptions): Promise<void>;

  /**
   * Signs in without a question: with the session of this page, of other tabs, or of this page before a reload. If there is none,
   * or a prompt is configured, it rejects with an `Error` whose `cause` says why.
   */
  signInSilent(): Promise<void>;

  /** The same as {@link signOutRedirect}. */
  signOut(): Promise<void>;

  /**
   * Signs out in all tabs, revokes the tokens, and goes to the server's sign-out page. Some servers want the scope `openid` for it.
   * Rejects with a `ProofkeyError`: with `config` if the server has no such page, and the tokens are revoked all the same.
   */
  signOutRedirect(): Promise<void>;

  /**
   * Returns `Bearer …` with an access token that is valid as far as can be known; it is renewed first if it is due. Rejects with an
   * `Error` if no one is signed in (its `cause` says why), and with a `ProofkeyError` if a renewal failed and can be tried again.
   */
  getAccessToken(): Promise<AccessToken>;

  /** Whether there is a usable access token, renewed first if it is due. The server's own session is not asked for. */
  checkSessionStatus(): Promise<boolean>;

  /**
   * Finishes a sign-in if this page is at the redirect URI, and brings the user back to where they were: it writes the address and
   * fires `popstate`, as Back would, and does not load another page. A failure goes to `UnexpectedErrors.handle`, with the
   * `ProofkeyError` as its `cause`. In a sign-in window it does not return.
   */
  handleSigninCallback(): Promise<void>;

  /** The same for a page that does not know the configuration. Rejects if no sign-in was started in this tab. */
  static handleSignInCallback(): Promise<void>;

  /** Frees the client. The session goes on in other tabs; this client is signed out, and raises no more events. */
  dispose(): void;
}
