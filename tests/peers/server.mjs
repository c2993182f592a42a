// A real authorization server on loopback: npm's certified `oidc-provider`, with its own development pages for sign-in,
// consent and devices. Prints READY and its issuer. Its clients:
//   cli-public  a native app and a device
//   cli-push    has to push its logins
//   cli-dpop    its tokens are bound to a key
//   cli-secret  has an embedded secret, `not-a-secret`; with --secret-in-header it is taken in the header only
// After a sign-out it goes to `https://app.example/signed-out`, or to one address more.
//   node server.mjs [--dpop-nonce] [--secret-in-header] [--signed-out=URL]
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

// Its port is its own from the first moment on.
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
const native = {
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
  post_logout_redirect_uris: ['https://app.example/signed-out', ...process.argv.flatMap((one) => /^--signed-out=(.*)/.exec(one)?.[1] ?? [])],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
};

const secretMethod = process.argv.includes('--secret-in-header') ? 'client_secret_basic' : 'client_secret_post';

const provider = new Provider(issuer, {
  scopes: ['openid', 'offline_access', 'profile', 'email', 'itwin-platform'],
  claims: { profile: ['name'], email: ['email'] },
  clientAuthMethods: ['none', secretMethod],
  clients: [
    { ...native, client_id: 'cli-public' },
    { ...native, client_id: 'cli-push', require_pushed_authorization_requests: true },
    { ...native, client_id: 'cli-dpop', dpop_bound_access_tokens: true },
    { ...native, client_id: 'cli-secret', client_secret: 'not-a-secret', token_endpoint_auth_method: secretMethod },
  ],
  // Its pages are on loopback; so are the apps that may call it.
  clientBasedCORS: (_context, origin) => /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/.test(origin),
  cookies: { keys: ['loopback only'] },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, name: 'Alice', email: `${sub}@example.test` }) }),
  features: {
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    dPoP: {
      enabled: true,
      nonceSecret: createHash('sha256').update('loopback only').digest(),
      requireNonce: () => process.argv.includes('--dpop-nonce'),
    },
    pushedAuthorizationRequests: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
});

server.on('request', provider.callback());
console.log(`READY ${issuer}`);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => { server.close(); server.closeAllConnections(); });
}
