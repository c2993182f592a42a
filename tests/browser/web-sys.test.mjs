// The page in Rust of examples/web-sys, built here, in a real Chromium.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { serve } from '../../examples/spa/serve.mjs';
import { CORS, FAILED, allow, hostile, leftovers, open, tokenAnswers, withProfile } from './spa.mjs';
import { openBrowser, signIn, startDevServer } from './tools.mjs';

const root = new URL('../..', import.meta.url).pathname;
const example = `${root}examples/web-sys`;
const all = {};
const timeout = 60_000;
const sites = [];

/** Builds the page with the compiler and the tools that crates/browser/build builds the package with. */
function build() {
  execFileSync(`${root}crates/browser/cargo`, ['build'], { cwd: example, stdio: 'inherit' });
  const module = `${root}target/web/wasm32-unknown-unknown/release/proofkey_web_sys.wasm`;
  execFileSync(`${root}target/web-tools/bin/wasm-bindgen`, ['--target', 'web', '--no-typescript', '--out-dir', `${root}target/web/pkg`, module]);
}

/** Serves the page for an issuer, whose API is its own. */
async function serveFor(issuer) {
  const page = readFileSync(`${example}/index.html`, 'utf8').replaceAll('http://127.0.0.1:9400', issuer);
  const files = ['proofkey_web_sys.js', 'proofkey_web_sys_bg.wasm'];
  const pages = {
    '/index.html': page,
    '/start.js': readFileSync(`${example}/start.js`),
    ...Object.fromEntries(files.map((name) => [`/pkg/${name}`, readFileSync(`${root}target/web/pkg/${name}`)])),
  };
  const site = await serve({ port: 0, issuer, pages });
  sites.push(site);
  return site;
}

before(async () => {
  build();
  [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer()]);
  all.page = await serveFor(all.server.issuer);
}, { timeout: 900_000 });
after(() => Promise.all([all.browser?.close(), all.server?.stop(), ...sites.map((site) => site.stop())]));

const says = (page, text) => page.locator('#status', { hasText: text }).waitFor();
const withPage = (work, options) => withProfile(all.browser, async (context, sent) => {
  const page = await open(context, all.page);
  await says(page, 'You are not signed in.');
  await work(page, sent, context);
}, options);

test('sign in, ask the API, and forget all of it', { timeout }, () => withPage(async (page, sent, context) => {
  const answers = await tokenAnswers(context);
  await page.click('#go');
  await allow(page);
  await says(page, /^200 \{.*"alice"/);
  assert.equal(page.url(), `${all.page.origin}/`);
  const [{ access_token: accessToken }] = answers;
  assert.equal(sent.length, 1);
  const { code, code_verifier: verifier, ...form } = sent[0];
  assert.deepEqual(form, { grant_type: 'authorization_code', client_id: 'demo-native', redirect_uri: `${all.page.origin}/callback` });
  const text = await leftovers(page);
  const left = JSON.parse(text);
  assert.deepEqual([left.session, left.local, left.history], [{}, {}, null]);
  for (const secret of [code, verifier, accessToken]) {
    assert.ok(secret.length >= 43);
    assert.ok(!text.includes(secret));
  }

  const [request] = await Promise.all([page.waitForRequest(/api.me$/), page.click('text=Ask again')]);
  const { authorization, cookie, referer } = await request.allHeaders();
  assert.deepEqual([authorization, cookie, referer], [`Bearer ${accessToken}`, undefined, undefined]);
  await says(page, /^200/);
  await page.reload();
  await says(page, 'You are not signed in.');
  assert.equal(sent.length, 1);
}));

test('deny', { timeout }, () => withPage(async (page, sent) => {
  await page.click('#go');
  await signIn(page);
  await page.click('#deny');
  await says(page, /refused: access_denied/);
  assert.deepEqual(sent, []);
  assert.equal(page.url(), `${all.page.origin}/`);
}));

test('the redirect of a stranger ends nothing', { timeout }, () => withPage(async (page, sent) => {
  await page.click('#go');
  await page.waitForSelector('#username');
  const login = page.url();
  await page.goto(`${all.page.origin}/callback?code=EVIL&state=x`);
  await says(page, 'You are not signed in.');
  assert.deepEqual([sent, page.url()], [[], `${all.page.origin}/`]);
  await page.goto(login);
  await allow(page);
  await says(page, /^200/);
  assert.equal(sent.length, 1);
}));

test('a login that took too long', { timeout }, () => withPage(async (page, sent) => {
  await page.click('#go');
  await signIn(page);
  await page.waitForSelector('#allow');
  await page.clock.setFixedTime(Date.now() + 11 * 60_000);
  await page.click('#allow');
  await says(page, 'not finished in time');
  assert.deepEqual(sent, []);
  assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), {});
}));

const JSON_TYPE = { 'content-type': 'application/json' };
const TOKENS = '{"access_token":"AT","token_type":"Bearer"}';
for (const [name, status, headers, body, words] of [
  ['tokens of just 1 MiB', 200, JSON_TYPE, TOKENS.padEnd(1024 * 1024), '200 me'],
  ['more than 1 MiB', 200, JSON_TYPE, TOKENS.padEnd(1024 * 1024 + 1), 'too long'],
  ['a redirect', 307, { location: '/api/me' }, '', 'Failed to fetch'],
  ['a refusal', 400, JSON_TYPE, '{"error":"invalid_grant"}', 'refused (400): invalid_grant'],
  ['a page', 200, { 'content-type': 'text/html' }, TOKENS, 'not JSON'],
]) {
  test(`the token endpoint answers with ${name}`, { timeout }, () => withProfile(all.browser, async (context) => {
    hostile.answers((request, response) => {
      const { pathname, searchParams } = new URL(request.url, hostile.origin);
      if (pathname === '/api/me') return response.end('me');
      if (pathname === '/connect/token') return response.writeHead(status, { ...CORS, ...headers }).end(body);
      const back = new URL(searchParams.get('redirect_uri'));
      back.search = new URLSearchParams({ code: 'C', state: searchParams.get('state'), iss: hostile.origin });
      return response.writeHead(303, { location: back.href }).end();
    });
    const page = await open(context, await serveFor(hostile.origin));
    await page.click('#go');
    await says(page, words);
    const asked = hostile.seen.map(({ url }) => url.split('?')[0]);
    assert.deepEqual(asked, ['/connect/authorize', '/connect/token', ...(words === '200 me' ? ['/api/me'] : [])]);
    assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), {});
  }, { complaints: FAILED }));
}
