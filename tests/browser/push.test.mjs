// Pushed logins (RFC 9126) in a real Chromium: the address of the sign-in page has a reference and none of the parameters.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { BARE, FAILED, READY, allow, hostile, leftovers, openBare, setUp, until, withProfile } from './spa.mjs';
import { serve } from '../../examples/spa/serve.mjs';

const all = setUp('--require-push');
const timeout = 60_000;

/** What was pushed, and where the browser then went, in a profile of its own. */
function withPushes(work, options) {
  return withProfile(all.browser, async (context, sent) => {
    const seen = { pushed: [], asked: [], sent };
    context.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === '/connect/par' && request.method() === 'POST') {
        seen.pushed.push({ ...Object.fromEntries(new URLSearchParams(request.postData())), proof: request.headers().dpop });
      }
      if (pathname === '/connect/authorize' && request.method() === 'GET') seen.asked.push([...searchParams.keys()].join());
    });
    await work(context, seen);
  }, options);
}

const REFERENCE = 'client_id,request_uri';
const api = (page) => page.evaluate(async (url) => (await app.fetch(url)).status, all.server.api);

test('a server that requires it: the whole page, the API, a reload', { timeout }, () => withPushes(async (context, { pushed, asked, sent }) => {
  const page = await openBare(context, all);
  await page.evaluate(() => { app.signIn({ data: 'place', extra: { prompt: 'consent', note: 'ä & =' } }); });
  await page.waitForSelector('#username');
  assert.deepEqual(asked, [REFERENCE]);
  const [{ client_id: id, redirect_uri: redirectUri, response_type: type, code_challenge_method: method, scope, state, prompt, note }] = pushed;
  assert.deepEqual([pushed.length, id, redirectUri, type, method], [1, 'demo-native', all.bare.config.redirectUri, 'code', 'S256']);
  assert.deepEqual([scope, prompt, note], ['itwin-platform offline_access', 'consent', 'ä & =']);
  assert.ok(!page.url().includes(state));
  await allow(page);
  await page.waitForSelector(READY);
  assert.deepEqual(await page.evaluate(() => app.handleRedirect()), { data: 'place' });
  assert.equal(await api(page), 200);
  assert.deepEqual(sent.map((form) => form.grant_type), ['authorization_code']);
  assert.ok(!(await leftovers(page)).includes(state));
}));

test('a window, whose page finds the one that opened it', { timeout }, () => withPushes(async (context, { pushed, asked }) => {
  const page = await openBare(context, all);
  const [popup] = await Promise.all([
    page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = failure(() => app.signInPopup()); }),
  ]);
  await allow(popup);
  assert.equal(await page.evaluate(() => done), undefined);
  assert.equal(await api(page), 200);
  assert.deepEqual([pushed.length, asked], [1, [REFERENCE]]);
}));

for (const mode of ['redirect', 'frame']) {
  test(`restore in a ${mode}: the login without the user is pushed, too`, { timeout }, () => withPushes(async (context, { pushed, asked }) => {
    const bare = BARE['/bare.js'].replace('globalThis.app = make()', `globalThis.app = make({ keep: false, restore: '${mode}' })`);
    const policy = `default-src 'self' data: 'wasm-unsafe-eval'; connect-src 'self' ${all.server.issuer}; frame-src 'self' ${all.server.issuer}`;
    const site = await serve({
      port: 0, issuer: all.server.issuer, pages: { ...BARE, '/bare.js': bare }, config: { eager: true }, more: { 'content-security-policy': policy },
    });
    try {
      const page = await openBare(context, { bare: site });
      await page.evaluate(() => { app.signIn(); });
      await allow(page);
      await page.waitForSelector(READY);
      await until(page, () => app.signedIn);
      await page.goto(site.origin);
      while (!await page.evaluate(() => globalThis.app?.signedIn).catch(() => false)) await page.waitForTimeout(20);
      assert.deepEqual([pushed.map(({ prompt }) => prompt), asked], [[undefined, 'none'], [REFERENCE, REFERENCE]]);
      await page.close();
    } finally {
      await site.stop();
    }
  }));
}

test('bound to a key, which the pushed login proves', { timeout }, () => withPushes(async (context, { pushed }) => {
  const page = await openBare(context, all);
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => {
    globalThis.app = make({ dpop: true });
    globalThis.done = app.signInPopup();
  })]);
  await allow(popup);
  await page.evaluate(() => done);
  assert.equal(await api(page), 200);
  const [, claims] = pushed[0].proof.split('.');
  assert.equal(JSON.parse(Buffer.from(claims, 'base64url')).htu, `${all.server.issuer}/connect/par`);
}));

/** What comes of a login that is pushed to a server with this answer, whose authorization endpoint has a query of its own. */
async function pushTo(page, status, body, options = {}) {
  const left = new Promise((resolve) => {
    hostile.answers((request, response) => {
      const isPush = request.url === '/par';
      response.writeHead(isPush ? status : 200, { 'content-type': isPush ? 'application/json' : 'text/plain' }).end(isPush ? body : 'sign in');
      if (request.url.startsWith('/authorize')) resolve();
    });
  });
  await page.evaluate(([origin, more]) => {
    globalThis.stop = new AbortController();
    globalThis.done = failure(() => make({
      issuer: undefined,
      authorizationEndpoint: `${origin}/authorize?a=b`,
      tokenEndpoint: `${origin}/token`,
      pushedAuthorizationRequestEndpoint: `${origin}/par`,
      push: true,
      ...more,
    }).signInPopup({ signal: stop.signal }));
  }, [hostile.origin, options]);
  const done = page.evaluate(() => done);
  await Promise.race([done, left.then(() => page.evaluate(() => stop.abort()))]);
  return { error: await done, seen: hostile.seen.map(({ url }) => url) };
}

test('what a server answers to a pushed login', { timeout }, (t) => withPushes(async (context) => {
  const site = await serve({ port: 0, issuer: hostile.origin, pages: BARE });
  t.after(() => site.stop());
  const page = await openBare(context, { bare: site });
  const good = { request_uri: 'urn:example:a&b', expires_in: 60 };
  for (const status of [200, 201]) {
    const { error, seen } = await pushTo(page, status, JSON.stringify(good));
    assert.deepEqual([error.code, seen], ['aborted', ['/par', '/authorize?a=b&client_id=demo-native&request_uri=urn%3Aexample%3Aa%26b']]);
    assert.match(hostile.seen[0].body, /^response_type=code&/);
    assert.doesNotMatch(hostile.seen[0].body, /a=b|dpop_jkt/);
  }
  await pushTo(page, 201, JSON.stringify(good), { dpop: true });
  assert.match(hostile.seen[0].body, /&dpop_jkt=[\w-]{43}$/);
  for (const bad of ['[]', 'null', '<p>', '{}', ...[{ request_uri: 'a b' }, { request_uri: 7 }, { request_uri: 'x'.repeat(2049) },
    { request_uri: '' }, { request_uri: undefined }, { expires_in: 0 }, { expires_in: '60' }, { expires_in: undefined }].map((change) => JSON.stringify({ ...good, ...change }))]) {
    const { error, seen } = await pushTo(page, 201, bad);
    assert.deepEqual([error.ours, error.code, error.advice, seen], [true, 'response', 'fix', ['/par']], bad);
  }
  const refused = await pushTo(page, 400, '{"error":"invalid_request","error_description":"no\\u0007 such thing"}');
  assert.deepEqual([refused.error.ours, refused.error.code, refused.error.serverCode, refused.error.advice], [true, 'server', 'invalid_request', 'fix']);
  assert.ok(!refused.error.message.includes('\u0007'), refused.error.message);
  const inSuccess = await pushTo(page, 200, JSON.stringify({ ...good, error: 'server_error' }));
  assert.deepEqual([inSuccess.error.code, inSuccess.error.serverCode], ['server', 'server_error']);
  const down = await pushTo(page, 503, '<p>busy');
  assert.deepEqual([down.error.code, down.error.advice, down.seen], ['status', 'retry', ['/par']]);
  const nowhere = await pushTo(page, 201, '{}', { pushedAuthorizationRequestEndpoint: undefined });
  assert.deepEqual([nowhere.error.code, nowhere.error.advice, nowhere.seen], ['config', 'fix', []]);
  const unsafe = await pushTo(page, 201, '{}', { pushedAuthorizationRequestEndpoint: 'http://as.example/par' });
  assert.deepEqual([unsafe.error.code, unsafe.seen], ['config', []]);
}, { complaints: FAILED }));
