// How the WebAssembly module comes to the page: what is said if it does not, and the package in one file, in a real Chromium.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { bundle } from '../../benches/browser/bundle.mjs';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, FAILED, allow, failure, openBare, withProfile } from './spa.mjs';
import { openBrowser, startDevServer } from './tools.mjs';

const all = {};
const timeout = 60_000;
const PACKAGE = new URL('../../crates/browser/package/', import.meta.url).pathname;
const INLINE = '/proofkey/wasm/inline.js';
const inline = BARE['/bare.js'].replace('/proofkey/index.js', INLINE);
const sites = {};

before(async () => {
  execFileSync(process.execPath, [new URL('../../crates/browser/inline.mjs', import.meta.url).pathname, PACKAGE]);
  const iife = await bundle({
    stdin: { contents: `export * from './wasm/inline.js';`, resolveDir: PACKAGE }, format: 'iife', globalName: 'proofkey', logLevel: 'silent',
  });
  const classic = BARE['/bare.js'].replace(/import \{(.*)\} from '\/proofkey.*;/, 'const {$1} = proofkey;');
  [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer()]);
  const { issuer } = all.server;
  const more = { 'cache-control': 'no-cache' };
  const csp = (connect) => ({ 'content-security-policy': `default-src 'self'; connect-src ${connect}; img-src data:` });
  const make = (options) => serve({ port: 0, issuer, ...options });
  [all.bare, sites.inline, sites.iife, sites.strict, sites.strictInline] = await Promise.all([
    make({ pages: BARE, more }),
    make({ pages: { ...BARE, '/bare.js': inline }, more }),
    make({ pages: {
      ...BARE, '/iife.js': iife, '/bare.js': classic,
      '/index.html': BARE['/index.html'].replace('<script', '<script src="/iife.js"></script><script'),
    }, more }),
    make({ pages: BARE, more: csp(`'self' ${issuer}`) }),
    make({ pages: { ...BARE, '/bare.js': inline }, more: csp(issuer) }),
  ]);
});
after(() => Promise.all([all.browser?.close(), all.server?.stop(), all.bare?.stop(), ...Object.values(sites).map((site) => site.stop())]));

const signInPopup = async (page) => {
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = failure(() => app.signInPopup()); })]);
  await allow(popup);
  assert.equal(await page.evaluate(() => done), undefined);
};

test('the module is not there: 404, a page, no answer, and a policy are told apart', { timeout }, () => withProfile(all.browser, async (context) => {
  const page = await openBare(context, all);
  for (const [answer, words] of [
    [{ status: 404, contentType: 'text/html', body: 'no' }, /bg\.wasm answered 404\. .*call init with its address .*proofkey-browser\/inline/],
    [{ status: 200, contentType: 'text/html', body: '<!doctype html>' }, /bg\.wasm is an HTML page, not the module\. .*proofkey-browser\/inline/],
    [{ status: 200, contentType: 'application/wasm', body: 'junk' }, /bg\.wasm: WebAssembly/],
    [undefined, /bg\.wasm cannot be reached: .*offline.*connect-src/],
  ]) {
    await context.route(/bg\.wasm$/, (route) => (answer ? route.fulfill(answer) : route.abort()));
    const error = await failure(page, () => init());
    assert.deepEqual([error.ours, error.code, error.advice], [true, 'init', 'fix']);
    assert.match(error.message, words);
    // The app was given another address.
    assert.match((await failure(page, () => init(new URL('/elsewhere/x_bg.wasm', location.href)))).message, new RegExp(words.source.replace('bg', 'x_bg')));
    await context.unroute(/bg\.wasm$/);
  }
  assert.match((await failure(page, () => init(new Uint8Array(8)))).message, /WebAssembly/);
  await page.evaluate(() => init());
}, { complaints: FAILED }));

test("a policy without 'wasm-unsafe-eval' is told, also by the package in one file", { timeout }, () => withProfile(all.browser, async (context) => {
  for (const site of [sites.strict, sites.strictInline]) {
    const page = await openBare(context, { bare: site });
    const { code, message } = await failure(page, () => init());
    assert.equal(code, 'init');
    assert.match(message, /Content-Security-Policy forbids it: add 'wasm-unsafe-eval' to its script-src$/);
  }
}, { complaints: /Content Security Policy|Failed to load/ }));

for (const name of ['inline', 'iife']) {
  test(`the package in one file: ${name}`, { timeout }, () => withProfile(all.browser, async (context, sent) => {
    const site = sites[name];
    const page = await openBare(context, { bare: site });
    assert.equal(await page.evaluate(() => app.handleRedirect()), null);
    await signInPopup(page);
    assert.equal(await page.evaluate(async (api) => (await app.fetch(`${api}/api/me`)).status, all.server.issuer), 200);
    assert.equal(await page.evaluate(() => app.signOut()), true);
    const error = await failure(page, () => app.accessToken());
    assert.deepEqual([error.ours, error.code], [true, 'signed_out']);
    assert.deepEqual([...new Set(site.seen.map(({ url }) => url))].filter((url) => /^\/proofkey\/(?!worker)/.test(url)), name === 'inline' ? [INLINE] : []);
    assert.equal(sent.length, 3);
  }));
}

test('the package in one file: bound tokens', { timeout }, () => withProfile(all.browser, async (context) => {
  const page = await openBare(context, { bare: sites.inline });
  await page.evaluate(() => { globalThis.app = make({ dpop: true }); });
  await signInPopup(page);
  assert.equal(await page.evaluate(async (api) => (await app.fetch(`${api}/api/me`)).status, all.server.issuer), 200);
  assert.ok(!sites.inline.seen.some(({ url }) => url.endsWith('/dpop.js')));
}));

test('the package in one file is what the folder has, and no file is named that is not there', () => {
  const text = readFileSync(`${PACKAGE}wasm/inline.js`, 'utf8');
  for (const [, path] of text.matchAll(/new URL\('([^']*)', import\.meta\.url\)/g)) readFileSync(new URL(path, `file://${PACKAGE}wasm/`));
  assert.doesNotMatch(text, /\bimport\(|^import /m);
});

test('a page that was loaded has the module, and has asked the server for nothing', { timeout }, () => withProfile(all.browser, async (context) => {
  const asked = [];
  context.on('request', (request) => asked.push(request.url()));
  const page = await openBare(context, all);
  await page.evaluate(() => app.handleRedirect());
  await page.waitForFunction(() => performance.getEntriesByName(new URL('/proofkey/wasm/proofkey_browser_bg.wasm', location.href).href).length);
  // What would have been asked is on its way by then.
  await page.evaluate(() => init().then(() => new Promise((resolve) => { setTimeout(resolve, 100); })));
  assert.deepEqual(asked.filter((url) => url.startsWith(all.server.issuer)), []);
}));
