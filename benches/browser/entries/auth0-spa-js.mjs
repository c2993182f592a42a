import { Auth0Client } from '@auth0/auth0-spa-js';

export function open({ front, clientId, redirectUri, scope }) {
  const app = new Auth0Client({
    // Without this a reload asks the server in a hidden frame.
    domain: front, clientId, useRefreshTokens: true, cacheLocation: 'localstorage', authorizationParams: { redirect_uri: redirectUri, scope },
  });
  return {
    begin: () => app.checkSession(),
    signIn: () => app.loginWithRedirect(),
    finish: () => app.handleRedirectCallback(),
    accessToken: () => app.getTokenSilently(),
  };
}
