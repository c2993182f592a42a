import * as oauth from 'oauth4webapi';

// The development server has no TLS.
const options = { [oauth.allowInsecureRequests]: true };

export function open({ issuer, clientId, redirectUri, scope, server }) {
  const client = { client_id: clientId };
  const none = oauth.None();
  let connected;
  let tokens;
  let until;

  const discover = async () => {
    const url = new URL(issuer);
    return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { ...options, algorithm: 'oauth2' }));
  };
  const connect = () => (connected ??= server ? Promise.resolve(server) : discover());
  const keep = (answer) => {
    tokens = { ...tokens, ...answer };
    until = Date.now() + tokens.expires_in * 1000;
  };

  return {
    async signIn() {
      const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
      const url = new URL((await connect()).authorization_endpoint);
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        scope,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      sessionStorage.setItem('login', JSON.stringify({ verifier, state }));
      location.assign(url);
    },
    async finish() {
      const { verifier, state } = JSON.parse(sessionStorage.getItem('login'));
      sessionStorage.removeItem('login');
      const as = await connect();
      const callback = oauth.validateAuthResponse(as, client, new URL(location.href), state);
      const answer = await oauth.authorizationCodeGrantRequest(as, client, none, callback, redirectUri, verifier, options);
      keep(await oauth.processAuthorizationCodeResponse(as, client, answer));
    },
    async accessToken() {
      if (Date.now() > until) {
        const as = await connect();
        const answer = await oauth.refreshTokenGrantRequest(as, client, none, tokens.refresh_token, options);
        keep(await oauth.processRefreshTokenResponse(as, client, answer));
      }
      return tokens.access_token;
    },
  };
}
