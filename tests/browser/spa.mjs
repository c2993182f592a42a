// What the tests of the browser adapter share: its sites, a browser profile for each test, and what went to the server.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before } from 'node:test';
import { serve } from '../../examples/spa/serve.mjs';
import { openBrowser, signIn, startDevServer } from './tools.mjs';

/** A page with the adapter and nothing else: `make(options)` makes an app. */
export const BARE = {
  '/index.html': '<!doctype html><title>Bare</title><link rel="icon" href="data:,"><script type="module" src="/bare.js"></script>',
  '/bare.js': `
    import { Proofkey, ProofkeyError, init } from '/proofkey/index.js';
    import * as config from '/config.js';
    const { api, clientId, issuer, redirectUri, scope = 'itwin-platform offline_access' } = config;
    const options = { issuer, clientId, redirectUri, scope, origins: [api] };
    globalThis.make = (more) => new Proofkey({ ...options, ...more });
    // What an error says of itself, for what must fail.
    globalThis.failure = async (work) => {
      try {
        await work();
      } catch (error) {
        const { code, advice, retryAfter, serverCode, message, data } = error;
        return { ours: error instanceof ProofkeyError, code, advice, retryAfter, serverCode, message, data };
      }
    };
    globalThis.init = init;
    globalThis.app = make();
    // A window that was cut off has no opener.
    if (opener || config.eager) app.handleRedirect().catch((error) => { globalThis.refused = error.code; });
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
  'access-control-allow-headers': 'authorization, dpop',
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

/** What Chromium says of a request that a test lets fail. */
export const FAILED = /^Failed to load resource: |blocked by CORS policy/;

/**
 * A browser profile of its own, in which no page may complain but of `complaints`. `sent` is what went to the token and
 * revocation endpoints; `told` is all that stood in the console.
 */
export async function withProfile(browser, work, { complaints, ...options } = {}) {
  await within(await browser.newContext(options), work, complaints);
}

/** The same for a context that is there. It is closed. */
export async function within(context, work, complaints) {
  const sent = [];
  const told = [];
  const errors = [];
  context.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() !== 'POST' || !/(^\/connect\/token|\/revocation|^\/token)$/.test(pathname)) return;
    sent.push(Object.fromEntries(new URLSearchParams(request.postData())));
  });
  context.on('weberror', (error) => errors.push(String(error.error())));
  context.on('console', (message) => {
    told.push(message.text());
    if (message.type() === 'error') errors.push(message.text());
  });
  try {
    await work(context, sent, told);
    assert.deepEqual(errors.filter((error) => !complaints?.test(error)), []);
  } finally {
    await context.close();
  }
}

/** The answers of the token endpoint, read on their way: the browser itself may have let go of them when it is asked. */
export async function tokenAnswers(context) {
  const answers = [];
  await context.route(/\/token$/, async (route) => {
    const response = await route.fetch();
    answers.push(await response.json());
    await route.fulfill({ response });
  });
  return answers;
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

/** Waits until it is so: Playwright's own way needs an eval, which the page's policy forbids. */
export async function until(page, condition) {
  while (!await page.evaluate(condition)) await page.waitForTimeout(20);
}

/** Waits until each of these pages has the tokens, also those that hear of them from another one. */
export async function signedIn(pages) {
  await Promise.all(pages.map(async (page) => {
    await page.evaluate(() => app.handleRedirect());
    await until(page, () => app.signedIn);
  }));
}

/** The three tabs of one session. */
export async function tabs(context, all) {
  const pages = await Promise.all([1, 2, 3].map(() => openBare(context, all)));
  await signInBare(pages[0]);
  await signedIn(pages);
  return pages;
}

/** Everything that a page leaves where other code, a later page or the next user could read it. Its own origin's only. */
export async function leftovers(page) {
  const context = page.context();
  const { origin } = new URL(page.url());
  const devtools = await context.newCDPSession(page);
  const { entries } = await devtools.send('Page.getNavigationHistory');
  const { origins } = await context.storageState({ indexedDB: true });
  const seen = await page.evaluate(readable);
  return JSON.stringify({
    ...seen,
    cookies: await context.cookies(origin),
    // What the server's own pages had in their address is theirs.
    entries: entries.map(({ url, userTypedURL, title }) => ({ url, userTypedURL, title })).filter(({ url }) => url.startsWith(origin)),
    stored: origins.filter((one) => one.origin === origin),
  });
}

/** What script of the page itself can read. Runs in the page. */
export async function readable() {
  return {
    address: location.href,
    caches: await caches.keys(),
    databases: await indexedDB.databases(),
    globals: Object.values(globalThis).filter((value) => typeof value === 'string'),
    history: history.state,
    local: { ...localStorage },
    locks: await navigator.locks.query(),
    name: window.name,
    page: document.documentElement.outerHTML,
    referrer: document.referrer,
    session: { ...sessionStorage },
    timing: performance.getEntriesByType('resource').map(({ name }) => name),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  };
}

/** The browser's own record of how this page came about: the one place from which a page cannot take the code. */
export function navigation(page) {
  return page.evaluate(() => performance.getEntriesByType('navigation')[0].name);
}
