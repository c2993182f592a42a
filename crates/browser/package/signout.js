// Signing out at the server, too. Only an app that asks for it loads this.
import { ProofkeyError } from './error.js';

/** Where the server signs the user out (OpenID Connect RP-Initiated Logout 1.0 section 2), and sends the browser back from. */
export function endSession({ end_session_endpoint: endpoint, client_id: clientId }, redirect, idToken) {
  if (!endpoint) throw new ProofkeyError('config', 'the server has no end_session_endpoint: call signOut without `redirect`', 'fix');
  const url = new URL(endpoint);
  if (idToken) url.searchParams.set('id_token_hint', idToken);
  url.searchParams.set('client_id', clientId);
  if (redirect !== true) url.searchParams.set('post_logout_redirect_uri', redirect);
  return url;
}
