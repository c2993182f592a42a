// A real authorization server on loopback: npm's certified `oidc-provider`, with its own development pages for sign-in
// and consent. Prints READY and its issuer.   node server.mjs PORT
import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  scopes: ['openid', 'offline_access', 'profile', 'email', 'itwin-platform'],
  claims: { profile: ['name'], email: ['email'] },
  clients: [{
    client_id: 'cli-public',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }],
  // Its pages are on loopback; so are the apps that may call it.
  clientBasedCORS: (_context, origin) => /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/.test(origin),
  cookies: { keys: ['loopback only'] },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, name: 'Alice', email: `${sub}@example.test` }) }),
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
});

const server = provider.listen(port, '127.0.0.1', () => console.log(`READY ${issuer}`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => { server.close(); server.closeAllConnections(); });
}
