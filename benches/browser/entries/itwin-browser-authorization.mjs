import { BrowserAuthorizationClient } from '@itwin/browser-authorization';

export function open({ issuer, clientId, redirectUri, scope }) {
  const app = new BrowserAuthorizationClient({ authority: issuer, clientId, redirectUri, scope, responseType: 'code' });
  return {
    signIn: () => app.signInRedirect(),
    finish: () => app.handleSigninCallback(),
    accessToken: () => app.getAccessToken(),
  };
}
