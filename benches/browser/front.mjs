// The endpoints that auth0-spa-js wants, in front of the development server: fixed paths, a token endpoint that takes its own header
// field, and ID tokens that name this server and RS256. (It does not check their signatures.)
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

/** Starts it. `metadata` is that of the server behind it. */
export async function startFront(metadata) {
  const front = createServer((request, response) => {
    answer(request, response, metadata).catch((error) => response.writeHead(502).end(error.message));
  });
  await new Promise((resolve) => { front.listen(0, '127.0.0.1', resolve); });
  return { origin: originOf(front), stop: () => { front.close(); front.closeAllConnections(); } };
}

export const originOf = (server) => `http://127.0.0.1:${server.address().port}`;

async function answer(request, response, metadata) {
  const { pathname, search, origin } = new URL(request.url, `http://${request.headers.host}`);
  if (pathname === '/authorize') {
    response.writeHead(302, { location: metadata.authorization_endpoint + search }).end();
    return;
  }
  const headers = { 'access-control-allow-origin': request.headers.origin, 'access-control-allow-headers': 'auth0-client' };
  if (request.method === 'OPTIONS') {
    response.writeHead(204, headers).end();
    return;
  }
  const body = await text(request);
  const answered = await fetch(metadata.token_endpoint, { method: 'POST', body, headers: { 'content-type': request.headers['content-type'] } });
  const tokens = await answered.json();
  const json = JSON.stringify({ ...tokens, id_token: idToken(tokens.id_token, `${origin}/`) });
  response.writeHead(answered.status, { ...headers, 'content-type': 'application/json' }).end(json);
}

function idToken(token, issuer) {
  const [, claims, signature] = token.split('.');
  const all = JSON.parse(Buffer.from(claims, 'base64url'));
  return [{ alg: 'RS256' }, { ...all, iss: issuer }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat(signature).join('.');
}
