import { PublicClientApplication } from '@azure/msal-browser';

export function open({ issuer, clientId, redirectUri, scope }) {
  const app = new PublicClientApplication({
    auth: { clientId, authority: issuer, redirectUri, knownAuthorities: [new URL(issuer).host] },
  });
  const scopes = scope.split(' ');
  const begin = () => app.initialize();
  return {
    begin,
    signIn: () => app.loginRedirect({ scopes }),
    async finish() {
      await begin();
      await app.handleRedirectPromise();
    },
    async accessToken() {
      return (await app.acquireTokenSilent({ scopes, account: app.getAllAccounts()[0] })).accessToken;
    },
  };
}
