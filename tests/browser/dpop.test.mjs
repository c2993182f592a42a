// Tokens that are bound to a key of the browser (DPoP, RFC 9449).
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { FAILED, allow, failure, hostile, leftovers, openBare, setUp, tokenAnswers, withProfile } from './spa.mjs';

const all = setUp('--dpop', '--dpop-nonce', '--dpop-api-nonce');
const timeout = 60_000;
/** A challenge for a nonce is a 400 or a 401, which Chromium writes to the console. */
const within = (work, more) => withProfile(all.browser, work, { complaints: FAILED, ...more });
const sha256 = (text) => createHash('sha256').update(text).digest('base64url');
const JSON_TYPE = { 'content-type': 'application/json' };

/** What went with each request that had a proof. */
function proofsOf(context) {
  const proofs = [];
  context.on('request', async (request) => {
    const headers = await request.allHeaders().catch(() => request.headers());
    if (headers.dpop) proofs.push({ url: request.url(), method: request.method(), authorization: headers.authorization, ...opened(headers.dpop) });
  });
  return proofs;
}

/** A proof, whose signature is checked. */
function opened(proof) {
  const [head, claims, signature] = proof.split('.');
  const { typ, alg, jwk } = JSON.parse(Buffer.from(head, 'base64url'));
  assert.deepEqual([typ, alg, Object.keys(jwk).sort().join()], ['dpop+jwt', 'ES256', 'crv,kty,x,y']);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  assert.ok(verify('sha256', `${head}.${claims}`, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
  const { crv, kty, x, y } = jwk;
  return { jkt: sha256(JSON.stringify({ crv, kty, x, y })), ...JSON.parse(Buffer.from(claims, 'base64url')) };
}

async function openBound(context, more = {}) {
  const page = await openBare(context, all);
  await page.evaluate((options) => {
    globalThis.app = make({ dpop: true, ...options });
    return app.handleRedirect();
  }, more);
  return page;
}

async function signInBound(page) {
  const [popup] = await Promise.all([
    page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup(); }),
  ]);
  await allow(popup);
  await page.evaluate(() => done);
}

const call = (page) => page.evaluate(async (api) => (await app.fetch(`${api}/api/me?secret=1#x`)).status, all.server.issuer);

test('sign-in, API call, refresh and a second tab, each with a proof and the newest nonce', { timeout }, () => within(async (context) => {
  const proofs = proofsOf(context);
  const authorized = [];
  context.on('request', (request) => { if (request.url().includes('dpop_jkt=')) authorized.push(new URL(request.url()).searchParams.get('dpop_jkt')); });
  const answers = [];
  // The first token is to expire at once. The page's clock cannot be set instead, since the server reads the time of a proof.
  await context.route(/\/token$/, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    answers.push(answer);
    const isFirst = answers.filter((one) => one.access_token).length === 1;
    await route.fulfill({ response, json: isFirst && answer.access_token ? { ...answer, expires_in: 0 } : answer });
  });
  const page = await openBound(context);
  await signInBound(page);
  const other = await openBound(context);
  assert.equal(await other.evaluate(() => app.signedIn), true);
    assert.deepEqual(await Promise.all([call(other), call(page)]), [200, 200]);
  const granted = answers.filter((answer) => answer.access_token);
  assert.deepEqual(granted.map((answer) => answer.token_type.toLowerCase()), ['dpop', 'dpop']);

  assert.equal(new Set([...authorized, ...proofs.map(({ jkt }) => jkt)]).size, 1, 'one key');
  assert.equal(new Set(proofs.map(({ jti }) => jti)).size, proofs.length);
  assert.ok(proofs.every(({ jti }) => jti.length === 43));
  const seen = [];
  for (const { url, method, authorization, htm, htu, ath, nonce } of proofs) {
    assert.deepEqual([htm, htu], [method, url.split('?')[0]]);
    const token = granted.map((answer) => answer.access_token).find((one) => authorization === `DPoP ${one}`);
    assert.equal(ath, token && sha256(token));
    assert.equal(Boolean(authorization), url.includes('/api/'));
    seen.push(`${new URL(url).pathname} ${nonce ? 'nonce' : '-'}`);
  }
  assert.deepEqual([...new Set(seen)].sort(), ['/api/me -', '/api/me nonce', '/connect/token -', '/connect/token nonce']);
  assert.equal(await page.evaluate(() => app.signOut()), true);
}));

test('a sign-in on the whole page is finished with the key with which it began', { timeout }, () => within(async (context) => {
  const page = await openBound(context);
  await page.evaluate(() => { app.signIn({ data: 'place' }); });
  await allow(page);
  await page.waitForSelector('html[data-ready]');
  const back = await page.evaluate(() => { globalThis.app = make({ dpop: true }); return app.handleRedirect(); });
  assert.deepEqual(back, { data: 'place' });
  assert.equal(await call(page), 200);
}));

test('no script can read the key, and nothing else is kept', { timeout }, () => within(async (context, sent, told) => {
  const answers = await tokenAnswers(context);
  const page = await openBound(context);
  await signInBound(page);
  const kept = await page.evaluate(async () => {
    const open = indexedDB.open('proofkey');
    await new Promise((resolve) => { open.onsuccess = resolve; });
    const store = open.result.transaction('keys').objectStore('keys');
    const [keys, values] = await Promise.all([store.getAllKeys(), store.getAll()].map((request) => new Promise((resolve) => {
      request.onsuccess = () => resolve(request.result);
    })));
    const formats = ['jwk', 'pkcs8', 'raw'];
    const exported = await Promise.allSettled(formats.map((format) => crypto.subtle.exportKey(format, values[0].privateKey)));
    open.result.close();
    return {
      keys, names: values.map((value) => Object.keys(value).sort().join()), type: values[0].privateKey.type,
      extractable: values[0].privateKey.extractable, usages: values[0].privateKey.usages, exported: exported.map(({ status }) => status),
    };
  });
  assert.deepEqual(kept.exported, ['rejected', 'rejected', 'rejected']);
  assert.deepEqual([kept.keys.length, kept.names, kept.type, kept.extractable, kept.usages],
    [1, ['privateKey,publicKey'], 'private', false, ['sign']]);
  const secrets = [...answers.flatMap((answer) => [answer.access_token, answer.refresh_token]), ...sent.flatMap(({ code, code_verifier: verifier }) => [code, verifier])].filter(Boolean);
  assert.ok(secrets.length >= 4);
  await page.evaluate(() => new Promise((resolve) => { const gone = indexedDB.deleteDatabase('proofkey'); gone.onsuccess = resolve; }));
  for (const text of [await leftovers(page), told.join('\n')]) assert.deepEqual(secrets.filter((secret) => text.includes(secret)), []);
}));

test('tabs that begin at once have one key', { timeout }, () => within(async (context) => {
  const pages = await Promise.all([1, 2, 3].map(() => openBare(context, all)));
  const thumbprints = await Promise.all(pages.map((page) => page.evaluate(async () => {
    const { proofsOf } = await import('/proofkey/dpop.js');
    return (await proofsOf('x')).thumbprint;
  })));
  assert.equal(new Set(thumbprints).size, 1);
}));

test('an app that does not ask for it does not load it', { timeout }, () => withProfile(all.browser, async (context) => {
  const asked = [];
  context.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const page = await openBare(context, all);
  await page.evaluate(() => app.handleRedirect());
  assert.ok(asked.includes('/proofkey/index.js') && !asked.includes('/proofkey/dpop.js'), asked.join());
}));

/** Signs in at a server whose token endpoint answers like this, and says what came of it. */
async function refusedBy(context, answer) {
  let proofs = 0;
  hostile.answers((request, response) => {
    const { pathname, searchParams } = new URL(request.url, hostile.origin);
    if (pathname === '/authorize') {
      const back = new URL(searchParams.get('redirect_uri'));
      back.search = new URLSearchParams({ code: 'C', state: searchParams.get('state') });
      return response.writeHead(303, { location: back.href }).end();
    }
    proofs += request.headers.dpop ? 1 : 0;
    return answer(response);
  });
  const page = await openBound(context, {
    issuer: undefined, authorizationEndpoint: `${hostile.origin}/authorize`, tokenEndpoint: `${hostile.origin}/token`,
  });
  return [await failure(page, () => app.signInPopup()), proofs];
}

const WANTS = JSON.stringify({ error: 'use_dpop_nonce' });
const EXPOSED = { 'access-control-expose-headers': 'dpop-nonce' };

for (const [name, headers, body, code, requests, says] of [
  ['a nonce that CORS hides', { 'dpop-nonce': 'N' }, WANTS, 'nonce', 1, /Access-Control-Expose-Headers/],
  ['a nonce that is none', { ...EXPOSED, 'dpop-nonce': 'N 1' }, WANTS, 'nonce', 1, /DPoP-Nonce/],
  ['a demand for a nonce that never ends', { ...EXPOSED, 'dpop-nonce': 'N' }, WANTS, 'server', 2, /use_dpop_nonce/],
  ['another refusal beside a nonce', { ...EXPOSED, 'dpop-nonce': 'N' }, '{"error":"invalid_grant"}', 'server', 1, /invalid_grant/],
]) {
  test(`${name} is reported, after ${requests} of 2 requests`, { timeout }, () => within(async (context) => {
    const [error, proofs] = await refusedBy(context, (response) => response.writeHead(400, { ...JSON_TYPE, ...headers }).end(body));
    assert.deepEqual([error.ours, error.code, proofs], [true, code, requests], error.message);
    assert.match(error.message, says);
  }, { bypassCSP: true }));
}

test('a plain Bearer token is refused', { timeout }, () => within(async (context) => {
  const [error, proofs] = await refusedBy(context, (response) => response.writeHead(200, JSON_TYPE)
    .end(JSON.stringify({ access_token: 'AT', token_type: 'Bearer' })));
  assert.deepEqual([error.code, proofs], ['response', 1], error.message);
}, { bypassCSP: true }));

const CHALLENGE = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'API-1' };
const BOTH = { 'access-control-expose-headers': 'dpop-nonce, www-authenticate' };

/** Calls an API that has an origin, and so a nonce, of its own. */
async function calledAt(context, answer) {
  const seen = [];
  hostile.answers((request, response) => {
    seen.push(`${request.method} ${request.headers.authorization.split(' ')[0]} ${opened(request.headers.dpop).nonce} ${hostile.seen.at(-1).body}`);
    return answer(response, seen.length);
  });
  const page = await openBound(context, { origins: [hostile.origin] });
  await signInBound(page);
  const error = await failure(page, async (origin) => {
    globalThis.statuses = [];
    for (const body of ['one', 'two']) statuses.push((await app.fetch(origin, { method: 'POST', body })).status);
  }, hostile.origin);
  return { seen, error, statuses: await page.evaluate(() => statuses) };
}

test('an API gets the nonce that it asks for, and keeps its own apart', { timeout }, () => within(async (context) => {
  const { seen, error, statuses } = await calledAt(context, (response, count) => (count === 1
    ? response.writeHead(401, { ...BOTH, ...CHALLENGE }).end() : response.writeHead(200, { ...BOTH, 'dpop-nonce': `API-${count}` }).end()));
  assert.deepEqual([error, statuses], [undefined, [200, 200]]);
  assert.deepEqual(seen, ['POST DPoP undefined one', 'POST DPoP API-1 one', 'POST DPoP API-2 two']);
}, { bypassCSP: true }));

test('an API whose nonce CORS hides is named', { timeout }, () => within(async (context) => {
  const { seen, error } = await calledAt(context, (response) => response.writeHead(401, CHALLENGE).end());
  assert.deepEqual([seen.length, error.code], [1, 'nonce'], error.message);
  assert.ok(error.message.startsWith(hostile.origin) && error.message.includes('Access-Control-Expose-Headers'), error.message);
}, { bypassCSP: true }));

test('an API that never ends asking gets two requests', { timeout }, () => within(async (context) => {
  const { seen, statuses } = await calledAt(context, (response) => response.writeHead(401, { ...BOTH, ...CHALLENGE }).end());
  assert.deepEqual([seen.length, statuses], [4, [401, 401]], seen.join());
}, { bypassCSP: true }));
