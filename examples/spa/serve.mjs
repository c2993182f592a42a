// Serves this app on this machine: `node serve.mjs [PORT] [ISSUER]`. A real host needs the same headers.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const TYPES = {
  '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.wasm': 'application/wasm',
};
const HERE = new URL('./', import.meta.url);
const PACKAGE = new URL('../../crates/browser/package/', HERE);

/**
 * Starts a server for an app whose API is at the issuer. `pages` adds pages, from a path to its text; `more` adds headers, and
 * `config` settings. `seen` lists the requests.
 */
export async function serve({
  host = '127.0.0.1', port = 5173, issuer = 'http://127.0.0.1:9400', pages = {}, more = {}, config: settings = {},
} = {}) {
  const seen = [];
  const headers = () => ({
    'content-security-policy': `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; `
      + `connect-src 'self' ${config.issuer}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; `
      + `require-trusted-types-for 'script'; trusted-types proofkey`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...more,
  });
  const server = createServer(async ({ url, headers: fields }, response) => {
    seen.push({ url, fields });
    const { pathname } = new URL(url, 'http://127.0.0.1');
    try {
      const [path, body] = await find(pathname);
      response.writeHead(200, { ...headers(), 'content-type': TYPES[extname(path)] }).end(body);
    } catch {
      response.writeHead(404, headers()).end();
    }
  });
  await new Promise((resolve, reject) => server.on('error', reject).listen(port, host, resolve));
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${server.address().port}`;
  const config = { issuer, clientId: 'demo-native', redirectUri: `${origin}/callback`, api: issuer, ...settings };
  return { origin, config, seen, stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };

  async function find(pathname) {
    // The redirect URI serves the app too.
    const path = ['/', '/callback'].includes(pathname) ? '/index.html' : pathname;
    if (path in pages) return [path, pages[path]];
    if (path === '/config.js') {
      return [path, Object.entries(config).map(([name, value]) => `export const ${name} = '${value}';\n`).join('')];
    }
    const [folder, name] = path.startsWith('/proofkey/') ? [PACKAGE, path.slice(10)] : [HERE, path.slice(1)];
    if (!(extname(name) in TYPES) || name.includes('..')) throw new Error('no such file');
    return [name, await readFile(new URL(name, folder))];
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [port, issuer] = process.argv.slice(2);
  const { origin } = await serve({ port, issuer });
  console.log(`The app is at ${origin}/`);
}
