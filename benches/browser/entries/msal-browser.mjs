import { PublicClientApplication } from '@azure/msal-browser';

export function open({ clientId, redirectUri, scope, server }) {
  const app = new PublicClientApplication({
    auth: {
      clientId,
      // It takes no server without https: this one is never asked, since the metadata is given.
      authority: 'https://as.example/',
      knownAuthorities: ['as.example'],
      authorityMetadata: JSON.stringify(server),
      redirectUri,
      OIDCOptions: { responseMode: 'query' },
    },
    system: { protocolMode: 'OIDC' },
  });
  const scopes = scope.split(' ');
  let ready;
  const begin = () => (ready ??= app.initialize());
  return {
    begin,
    async signIn() {
      await begin();
      await app.loginRedirect({ scopes });
    },
    async finish() {
      await begin();
      await app.handleRedirectPromise({ navigateToLoginRequestUrl: false });
    },
    async accessToken() {
      return (await app.acquireTokenSilent({ scopes, account: app.getAllAccounts()[0] })).accessToken;
    },
  };
}
