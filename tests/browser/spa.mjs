// What the tests of the browser adapter share: its sites, a browser profile for each test, and what went to the server.
import assert from 'node:assert/strict';
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
    document.documentElement.dataset.ready = '';`,
};

export const READY = 'html[data-ready]';

/** Starts what a test file needs: a browser, a development server, and two sites. */
export function setUp(...args) {
  const all = {};
  before(async () => {
    [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer(...args)]);
    const { issuer } = all.server;
    [all.spa, all.bare] = await Promise.all([serve({ port: 0, issuer }), serve({ port: 0, issuer, pages: BARE })]);
  });
  after(() => Promise.all([all.browser?.close(), all.server?.stop(), all.spa?.stop(), all.bare?.stop()]));
  return all;
}

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

export async function open(context, site) {
  const page = await context.newPage();
  await page.goto(site.origin);
  return page;
}

/** A page with nothing but the adapter. */
export async function openBare(context, all) {
  const page = await open(context, all.bare);
  await page.waitForSelector(READY);
  return page;
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
