// What apps of iTwin.js expect of an authorization client, over Proofkey. See itwin.d.ts.
import { BeEvent, UnexpectedErrors } from '@itwin/core-bentley';
import { Proofkey, ProofkeyError } from './index.js';

/** The endpoints of the iTwin platform, as `proofkey_core::Provider::ITWIN` has them, and where a sign-out goes. */
const PLATFORM = {
  issuer: 'https://ims.bentley.com',
  authorizationEndpoint: 'https://ims.bentley.com/connect/authorize',
  tokenEndpoint: 'https://ims.bentley.com/connect/token',
  revocationEndpoint: 'https://ims.bentley.com/connect/revocation',
  endSessionEndpoint: 'https://ims.bentley.com/connect/endsession',
};
const API = 'https://api.bentley.com';

/** Under this name sessionStorage has the configuration of the last sign-in, which is not secret. */
const CONFIGURATION = 'proofkey/1 itwin';

/** A token is renewed this long before it expires, in milliseconds; a renewal that failed is tried again after `AGAIN`. */
const EARLY = 60_000;
const AGAIN = 10_000;
const SOONEST = 1_000;
const TIMER_MAX = 2 ** 31 - 1;

export class ProofkeyAuthorizationClient {
  #configuration;
  #started;
  #token = '';
  #timer;
  #isDisposed = false;

  onAccessTokenChanged = new BeEvent();

  constructor(configuration) {
    const { apiOrigins = [API], responseType, noSilentSignInOnAppStartup } = configuration;
    const { clientId, redirectUri, scope, keep, worker } = configuration;
    if ((responseType ?? 'code') !== 'code') {
      throw new ProofkeyError('config', `responseType: it must be 'code', not '${responseType}'`, 'fix');
    }
    this.#configuration = configuration;
    const server = isPlatform(this.authorityUrl) ? PLATFORM : { issuer: this.authorityUrl };
    this.proofkey = new Proofkey({ ...server, clientId, redirectUri, scope, keep, worker, origins: apiOrigins });
    for (const type of ['change', 'token']) this.proofkey.addEventListener(type, () => { this.#tell(); });
    if (!noSilentSignInOnAppStartup) this.#start().catch(() => {});
  }

  get isAuthorized() {
    return this.hasSignedIn;
  }

  get hasSignedIn() {
    return this.proofkey.signedIn;
  }

  get hasExpired() {
    const { expiresAt } = this.proofkey;
    return expiresAt ? expiresAt - Date.now() <= EARLY : !this.hasSignedIn;
  }

  get authorityUrl() {
    return this.#configuration.authority ?? PLATFORM.issuer;
  }

  signIn() {
    return this.signInRedirect();
  }

  async signInRedirect(successRedirectUrl, args) {
    if (await this.#signInQuietly(args) === undefined) return;
    this.#remember();
    await this.proofkey.signIn({ data: { successRedirectUrl: successRedirectUrl || location.href }, extra: this.#extra(args) });
  }

  async signInPopup(args) {
    if (await this.#signInQuietly(args) === undefined) return;
    this.#remember();
    await this.proofkey.signInPopup({ extra: this.#extra(args) });
    await this.#tell(true);
  }

  async signInSilent() {
    const cause = await this.#signInQuietly();
    if (cause) throw new Error('Authorization error: Silent sign-in failed', { cause });
  }

  signOut() {
    return this.signOutRedirect();
  }

  async signOutRedirect() {
    await this.proofkey.signOut({ redirect: this.#configuration.postSignoutRedirectUri ?? true });
  }

  async getAccessToken() {
    try {
      await this.#started?.catch(() => {});
      return `Bearer ${await this.proofkey.accessToken()}`;
    } catch (cause) {
      if (cause.advice !== 'reauthorize') throw cause;
      throw new Error('Authorization error: Not signed in.', { cause });
    }
  }

  async checkSessionStatus() {
    return this.getAccessToken().then(() => true, () => false);
  }

  async handleSigninCallback() {
    if (new URL(this.#configuration.redirectUri).pathname !== location.pathname) return;
    try {
      const back = await this.#start();
      if (!back) return;
      sessionStorage.removeItem(CONFIGURATION);
      await this.#tell(true);
      if (back.data?.successRedirectUrl) goTo(back.data.successRedirectUrl);
    } catch (cause) {
      UnexpectedErrors.handle(new Error(`SigninCallback error - ${cause.message}`, { cause }));
    }
  }

  static async handleSignInCallback() {
    const text = sessionStorage.getItem(CONFIGURATION);
    if (!text) throw new Error('No sign-in was started in this tab');
    const client = new this(JSON.parse(text));
    await client.handleSigninCallback();
  }

  dispose() {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    this.proofkey.close();
  }

  #start() {
    this.#started ??= this.proofkey.handleRedirect();
    return this.#started;
  }

  /** Nothing if someone is signed in now, without a question to anyone; otherwise why not. */
  async #signInQuietly(args) {
    const { prompt = 'none' } = this.#extra(args);
    if (prompt !== 'none') return new ProofkeyError('config', `the prompt is '${prompt}'`, 'fix');
    try {
      await this.#start();
    } catch {
      // A redirect that failed signs nobody out.
    }
    if (!this.hasSignedIn) return new ProofkeyError('signed_out', 'no one is signed in', 'reauthorize');
    try {
      await this.getAccessToken();
      return await this.#tell(true);
    } catch (error) {
      return error;
    }
  }

  #extra({ prompt = this.#configuration.prompt } = {}) {
    return prompt === undefined ? {} : { prompt };
  }

  /** A page at the redirect URI may not know the configuration. */
  #remember() {
    sessionStorage.setItem(CONFIGURATION, JSON.stringify(this.#configuration));
  }

  /** Tells the app of a token that it does not know, or of what it may know, and of a token's end. */
  async #tell(anyway) {
    const token = await this.getAccessToken().catch(() => '');
    this.#renewInTime();
    if (this.#isDisposed || (token === this.#token && !anyway)) return;
    this.#token = token;
    this.onAccessTokenChanged.raiseEvent(token);
  }

  #renewInTime() {
    clearTimeout(this.#timer);
    const { expiresAt } = this.proofkey;
    if (!expiresAt || this.#isDisposed) return;
    const left = expiresAt - Date.now();
    const wait = left > 2 * EARLY ? left - EARLY : left > 0 ? Math.max(left / 2, SOONEST) : AGAIN;
    this.#timer = setTimeout(() => { this.#tell(); }, Math.min(wait, TIMER_MAX));
  }
}

function isPlatform(authority) {
  return authority.replace(/\/$/, '') === PLATFORM.issuer;
}

/** Back to where the user was. The tokens are in this page's memory, so it does not load another one of this origin. */
function goTo(place) {
  const { href, origin, protocol } = new URL(place, location.href);
  if (origin === location.origin) {
    history.replaceState(history.state, '', href);
    dispatchEvent(new PopStateEvent('popstate', { state: history.state }));
  } else if (/^https?:$/.test(protocol)) {
    location.replace(href);
  }
}
