import { UserManager } from 'oidc-client-ts';

export function open({ issuer, clientId, redirectUri, scope, server }) {
  const app = new UserManager({ authority: issuer, client_id: clientId, redirect_uri: redirectUri, scope, metadata: server });
  return {
    begin: () => app.getUser(),
    signIn: () => app.signinRedirect(),
    finish: () => app.signinCallback(),
    async accessToken() {
      const user = await app.getUser();
      return (user.expired ? await app.signinSilent() : user).access_token;
    },
  };
}
