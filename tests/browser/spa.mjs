// What the tests of the browser adapter share: its sites, a browser profile for each test, and what went to the server.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before } from 'node:test';
import { serve } from '../../examples/spa/serve.mjs';
import { openBrowser, signIn, startDevServer } from './tools.mjs';

/** A page with the adapter and nothing else: `make(options)` makes an app. */
const BARE = {
  '/index.html': '<!doctype html><title>Bare</title><link rel="icon" href="data:,"><script type="module" src="/bare.js"></script>',
  '/bare.js': `
    import { Proofkey, ProofkeyError, init } from '/proofkey/index.js';
    import { api, clientId, issuer, redirectUri } from '/config.js';
    const options = { issuer, clientId, redirectUri, scope: 'itwin-platform offline_access', origins: [api] };
    globalThis.make = (more) => new Proofkey({ ...options, ...more });
    // What an error says of itself, for what must fail.
    globalThis.failure = async (work) => {
      try {
        await work();
      } catch (error) {
        const { code, advice, retryAfter, serverCode, message } = error;
        return { ours: error instanceof ProofkeyError, code, advice, retryAfter, serverCode, message };
      }
    };
    globalThis.init = init;
    globalThis.app = make();
    if (opener) app.handleRedirect();
    if (location.hash === '#popup') globalThis.popup = failure(() => app.signInPopup());
    document.documentElement.dataset.ready = '';`,
};

export const READY = 'html[data-ready]';

/** Starts what a test file needs: a browser, a development server, and two sites. */
export function setUp(...args) {
  const all = {};
  before(async () => {
    [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer(...args)]);
    const { issuer } = all.server;
    // What must not be stored is not kept in the back/forward cache either.
    const more = { 'cache-control': 'no-cache' };
    [all.spa, all.bare] = await Promise.all([serve({ port: 0, issuer }), serve({ port: 0, issuer, pages: BARE, more })]);
  });
  after(() => Promise.all([all.browser?.close(), all.server?.stop(), all.spa?.stop(), all.bare?.stop()]));
  return all;
}

/** A server that every page may call, and that answers as a test wants. `seen` is what it was sent since. */
export const hostile = {
  answers(answer) {
    this.seen = [];
    this.answer = answer;
  },
};

export const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'authorization',
  'access-control-expose-headers': 'retry-after, www-authenticate',
};

before(async () => {
  const server = createServer((request, response) => {
    if (request.method === 'OPTIONS') return response.writeHead(204, CORS).end();
    for (const [name, value] of Object.entries(CORS)) response.setHeader(name, value);
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    return request.on('end', () => {
      if (request.url === '/favicon.ico') return response.end();
      hostile.seen.push({ url: request.url, body });
      return hostile.answer(request, response);
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  hostile.origin = `http://127.0.0.1:${server.address().port}`;
  hostile.stop = () => { server.close(); server.closeAllConnections(); };
});
after(() => hostile.stop());

/** A browser profile of its own, in which no page may complain. `sent` is what went to the token and revocation endpoints. */
export async function withProfile(browser, work, { complaints = 0, ...options } = {}) {
  const context = await browser.newContext(options);
  const sent = [];
  const errors = [];
  context.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() !== 'POST' || !/^\/connect\/(token|revocation)$/.test(pathname)) return;
    sent.push(Object.fromEntries(new URLSearchParams(request.postData())));
  });
  context.on('weberror', (error) => errors.push(String(error.error())));
  context.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  try {
    await work(context, sent);
    if (complaints === 0) assert.deepEqual(errors, []);
  } finally {
    await context.close();
  }
}

export async function open(context, site, fragment = '') {
  const page = await context.newPage();
  await page.goto(`${site.origin}/${fragment}`);
  return page;
}

/** A page with nothing but the adapter. */
export async function openBare(context, all, fragment) {
  const page = await open(context, all.bare, fragment);
  await page.waitForSelector(READY);
  return page;
}

/** What an error of a page says of itself; nothing where there was none. */
export function failure(page, work, argument) {
  return page.evaluate(`failure(() => (${work})(${JSON.stringify(argument)}))`);
}

/** The user signs in and allows, as whom they like. */
export async function allow(page, user) {
  await signIn(page, user);
  await page.click('#allow');
}

/** Signs a bare page in, on the whole page. */
export async function signInBare(page) {
  await page.evaluate(() => { app.signIn(); });
  await allow(page);
  await page.waitForSelector(READY);
  await page.evaluate(() => app.handleRedirect());
}

/** Everything that a page leaves where other code, or a later page, could read it. */
export function leftovers(page) {
  return page.evaluate(async () => JSON.stringify({
    address: location.href,
    caches: await caches.keys(),
    cookies: document.cookie,
    databases: await indexedDB.databases(),
    history: history.state,
    local: { ...localStorage },
    locks: await navigator.locks.query(),
    name: window.name,
    page: document.documentElement.outerHTML,
    session: { ...sessionStorage },
    timing: performance.getEntriesByType('resource').map(({ name }) => name),
  }));
}

/** The browser's own record of how this page came about: the one place from which a page cannot take the code. */
export function navigation(page) {
  return page.evaluate(() => performance.getEntriesByType('navigation')[0].name);
}
