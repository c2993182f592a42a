import * as client from 'openid-client';

export function open({ issuer, clientId, redirectUri, scope, server }) {
  let config;
  let tokens;
  let until;

  const configure = async () => {
    // The development server has no TLS.
    const insecure = client.allowInsecureRequests;
    if (!server) return client.discovery(new URL(issuer), clientId, undefined, client.None(), { execute: [insecure] });
    const known = new client.Configuration(server, clientId, undefined, client.None());
    insecure(known);
    return known;
  };
  const connect = () => (config ??= configure());
  const keep = (answer) => {
    tokens = { ...tokens, ...answer };
    until = Date.now() + tokens.expires_in * 1000;
  };

  return {
    async signIn() {
      const [verifier, state] = [client.randomPKCECodeVerifier(), client.randomState()];
      const url = client.buildAuthorizationUrl(await connect(), {
        redirect_uri: redirectUri,
        scope,
        state,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      sessionStorage.setItem('login', JSON.stringify({ verifier, state }));
      location.assign(url);
    },
    async finish() {
      const { verifier, state } = JSON.parse(sessionStorage.getItem('login'));
      sessionStorage.removeItem('login');
      const checks = { pkceCodeVerifier: verifier, expectedState: state };
      keep(await client.authorizationCodeGrant(await connect(), new URL(location.href), checks));
    },
    async accessToken() {
      if (Date.now() > until) keep(await client.refreshTokenGrant(await connect(), tokens.refresh_token));
      return tokens.access_token;
    },
  };
}
