import { Auth0Client } from '@auth0/auth0-spa-js';

export function open({ issuer, clientId, redirectUri, scope }) {
  const app = new Auth0Client({
    domain: issuer, clientId, useRefreshTokens: true, authorizationParams: { redirect_uri: redirectUri, scope },
  });
  return {
    begin: () => app.checkSession(),
    signIn: () => app.loginWithRedirect(),
    finish: () => app.handleRedirectCallback(),
    accessToken: () => app.getTokenSilently(),
  };
}
