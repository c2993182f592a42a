import { BrowserAuthorizationClient } from '@itwin/browser-authorization';

export function open({ issuer, clientId, redirectUri, scope }) {
  const app = new BrowserAuthorizationClient({ authority: issuer, clientId, redirectUri, scope, responseType: 'code' });
  return {
    // With a prompt it does not first try to sign in in a hidden frame; with a place on this page it does not leave it again.
    signIn: () => app.signInRedirect('#', { prompt: 'select_account' }),
    finish: () => app.handleSigninCallback(),
    restore: () => app.signInSilent(),
    accessToken: () => app.getAccessToken(),
  };
}
