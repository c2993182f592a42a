import { Proofkey, init } from '../../../crates/browser/package/index.js';

export function open({ issuer, clientId, redirectUri, scope, server }) {
  const endpoints = server && {
    authorizationEndpoint: server.authorization_endpoint,
    tokenEndpoint: server.token_endpoint,
    issParameter: server.authorization_response_iss_parameter_supported,
  };
  const app = new Proofkey({ issuer, clientId, redirectUri, scope, ...endpoints });
  return {
    prepare: () => init(),
    begin: () => app.handleRedirect(),
    signIn: () => app.signIn(),
    finish: () => app.handleRedirect(),
    accessToken: () => app.accessToken(),
  };
}
