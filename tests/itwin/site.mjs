// A page with an authorization client of iTwin.js: ours, or the one that it takes the place of.
import { after, before } from 'node:test';
import { build } from 'esbuild';
import { serve } from '../../examples/spa/serve.mjs';
import { openBrowser, startDevServer } from '../browser/tools.mjs';

const here = new URL('.', import.meta.url).pathname;

/** One script with what these modules export. Our package stays outside, as the site serves it. */
async function bundle(modules) {
  const { outputFiles: [{ text }] } = await build({
    bundle: true,
    external: ['./index.js'],
    format: 'esm',
    logLevel: 'silent',
    nodePaths: [`${here}node_modules`],
    stdin: { contents: modules.map((name) => `export * from '${name}';`).join('\n'), resolveDir: here },
    write: false,
  });
  return text;
}

const PAGE = {
  '/index.html': '<!doctype html><title>iTwin</title><link rel="icon" href="data:,"><script type="module" src="/app.js"></script>',
  '/app.js': `
    import * as modules from '/proofkey/itwin.js';
    import * as config from '/config.js';
    const { BrowserAuthorizationClient, ProofkeyAuthorizationClient = BrowserAuthorizationClient, UnexpectedErrors } = modules;
    const { api, clientId, issuer, redirectUri } = config;
    globalThis.make = (more) => new ProofkeyAuthorizationClient({
      authority: issuer, clientId, redirectUri, scope: 'openid itwin-platform offline_access', responseType: 'code', apiOrigins: [api],
      postSignoutRedirectUri: redirectUri, ...globalThis.MORE, ...more,
    });
    globalThis.failure = async (work) => {
      try {
        await work();
      } catch ({ name, message, code, cause }) {
        return { name, message, code, cause: cause?.code };
      }
    };
    globalThis.handleLater = () => ProofkeyAuthorizationClient.handleSignInCallback();
    globalThis.raised = [];
    globalThis.popped = [];
    globalThis.unexpected = [];
    addEventListener('popstate', () => popped.push(location.href));
    UnexpectedErrors.setHandler(({ message, cause }) => unexpected.push({ message, code: cause?.code }));
    if (location.hash !== '#later' && !sessionStorage.getItem('later')) {
      globalThis.client = make();
      client.onAccessTokenChanged.addListener((token) => raised.push(token));
      await client.handleSigninCallback();
    }
    document.documentElement.dataset.ready = '';`,
};

/** Starts a browser, a development server, and two sites. */
export function setUp(...args) {
  const all = {};
  before(async () => {
    [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer(...args)]);
    const { issuer } = all.server;
    // As the sample's, but for the frames in which a session is restored.
    const policy = `default-src 'self' data: 'wasm-unsafe-eval'; connect-src 'self' ${issuer}; frame-src 'self' ${issuer}; frame-ancestors 'self'`;
    const ours = `${here}../../crates/browser/package/itwin.js`;
    [all.ours, all.theirs] = await Promise.all([ours, '@itwin/browser-authorization'].map(async (module) => serve({
      port: 0,
      issuer,
      more: { 'content-security-policy': policy },
      pages: { ...PAGE, '/proofkey/itwin.js': await bundle([module, '@itwin/core-bentley']) },
    })));
  });
  after(() => Promise.all([all.browser?.close(), all.server?.stop(), all.ours?.stop(), all.theirs?.stop()]));
  return all;
}
