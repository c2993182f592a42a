// Pushed authorization requests (RFC 9126): the parameters of a login go to the server before the browser does. Only an app that
// asks for it, or whose server requires it, loads this.
import { ProofkeyError } from './error.js';
import { run } from './http.js';

/** Pushes the parameters that the URL of a login has. Returns the address that has a reference to them instead. */
export function push(url, client, named, deadline, proofs) {
  const endpoint = named.pushed_authorization_request_endpoint;
  if (!endpoint) throw new ProofkeyError('config', 'the server has no pushed_authorization_request_endpoint', 'fix');
  // The authorization endpoint can have a query of its own, which is not part of the login.
  const body = url.slice(named.authorization_endpoint.length).replace(/^[?&]/, '');
  const before = url.slice(0, url.length - body.length);
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
  // A refusal reads as at the token endpoint (section 2.3).
  const refusal = client.refresh('-');
  return run({
    step: () => ({ request: { method: 'POST', url: endpoint, headers, body } }),
    hear: () => true,
    unanswered: () => false,
    read: (response) => `${before}${new URLSearchParams({ client_id: named.client_id, request_uri: reference(response, refusal) })}`,
    free: () => refusal.free(),
  }, deadline, proofs);
}

/** The reference in an answer (section 2.2). Servers on frameworks whose default is 200 answer that. */
function reference(response, refusal) {
  const { status, bytes } = response;
  const { request_uri: uri, expires_in: expiresIn, error } = status === 200 || status === 201 ? parsed(bytes) : {};
  if (typeof uri === 'string' && /^[!-~]{1,2048}$/.test(uri) && Number.isInteger(expiresIn) && expiresIn > 0 && !error) return uri;
  if (error || ![200, 201].includes(status)) throw refusal.read(response).error;
  throw new ProofkeyError('response', 'the answer to a pushed login has no request_uri, or no expires_in, that can be used', 'fix');
}

function parsed(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return {};
  }
}
