// The browser adapter against servers, settings and browsers that do wrong.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { CORS, FAILED, READY, allow, failure, hostile, openBare, setUp, withProfile } from './spa.mjs';

const all = setUp();
const timeout = 60_000;
const inPage = (work) => withProfile(all.browser, async (context) => work(await openBare(context, all), context),
  { bypassCSP: true, complaints: FAILED });
const JSON_TYPE = { 'content-type': 'application/json' };
const TOKENS = JSON.stringify({ access_token: 'TOKEN-CANARY', token_type: 'Bearer', expires_in: 60 });

/** The sign-in page comes back at once. */
function comeBack(request, response) {
  const { searchParams } = new URL(request.url, hostile.origin);
  const back = new URL(searchParams.get('redirect_uri'));
  back.search = new URLSearchParams({ code: 'CODE-CANARY', state: searchParams.get('state') });
  return response.writeHead(303, { location: back.href }).end();
}

/** The hostile server, with this answer at all addresses but the one for people. */
function answerAll(answer) {
  hostile.answers((request, response) => (request.url.startsWith('/authorize?') ? comeBack : answer)(request, response));
}

const endpoints = (deadline = 10_000) => ({
  authorizationEndpoint: `${hostile.origin}/authorize`,
  tokenEndpoint: `${hostile.origin}/token`,
  revocationEndpoint: `${hostile.origin}/revoke`,
  deadline,
});

/** A sign-in whose code goes to the hostile server. */
async function signIn(page, answer, deadline) {
  answerAll(answer);
  const error = await failure(page, (options) => {
    globalThis.app = make({ issuer: undefined, ...options });
    return app.signInPopup();
  }, endpoints(deadline));
  return { error, tokenRequests: hostile.seen.filter(({ url }) => url === '/token') };
}

const respond = (status, headers, body) => (request, response) => response.writeHead(status, headers).end(body);

for (const [name, answer, expected] of [
  ['tokens', respond(200, JSON_TYPE, TOKENS), undefined],
  ['1 MiB', respond(200, JSON_TYPE, TOKENS.padEnd(1024 * 1024)), undefined],
  ['more than 1 MiB', respond(200, JSON_TYPE, TOKENS.padEnd(1024 * 1024 + 1)), ['too_big']],
  ['more than 1 MiB in few bytes', respond(200, { ...JSON_TYPE, 'content-encoding': 'gzip' },
    gzipSync(TOKENS.padEnd(64 * 1024 * 1024))), ['too_big']],
  ['a refusal', respond(400, JSON_TYPE, '{"error":"invalid_grant","error_description":"BODY-CANARY"}'),
    ['server', 'reauthorize', undefined, 'invalid_grant']],
  ['a busy server', respond(503, { 'retry-after': '9' }, 'BODY-CANARY'), ['status', 'retry', 9]],
  ['a page', respond(200, { 'content-type': 'text/html' }, TOKENS), ['response', 'fix']],
  ['half a document', respond(200, JSON_TYPE, TOKENS.slice(0, -1)), ['response', 'fix']],
  ['another type of token', respond(200, JSON_TYPE, TOKENS.replace('Bearer', 'mac')), ['response', 'fix']],
  ['nothing', (request, response) => response.destroy(), ['network']],
  ['no permission for this page', (request, response) => {
    response.removeHeader('access-control-allow-origin');
    response.writeHead(200, JSON_TYPE).end(TOKENS);
  }, ['network']],
]) {
  test(`the token endpoint answers with ${name}`, { timeout }, () => inPage(async (page) => {
    const { error, tokenRequests } = await signIn(page, answer);
    if (!expected) assert.equal(error, undefined);
    else {
      const { ours, code, advice, retryAfter, serverCode } = error;
      const [wanted, ...more] = expected;
      assert.deepEqual([ours, code, advice, retryAfter, serverCode], [true, wanted, more[0], more[1], more[2]]);
      assert.doesNotMatch(JSON.stringify({ ...error, message: error.message.replace('invalid_grant: BODY-CANARY', '') }), /CANARY/);
    }
    assert.equal(tokenRequests.length, 1, 'nothing is sent twice');
    assert.match(tokenRequests[0].body, /^grant_type=authorization_code&client_id=demo-native&code=CODE-CANARY&code_verifier=[\w-]{43}&/);
  }));
}

for (const status of [301, 302, 303, 307, 308]) {
  test(`a redirect of the token endpoint is not followed: ${status}`, { timeout }, () => inPage(async (page) => {
    for (const sink of ['/sink', `${hostile.origin.replace('127.0.0.1', 'localhost')}/sink`]) {
      const { error } = await signIn(page, respond(status, { location: sink }));
      assert.deepEqual([error.ours, error.code, error.advice], [true, 'network', undefined]);
      assert.deepEqual(hostile.seen.map(({ url }) => url.split('?')[0]), ['/authorize', '/token']);
    }
  }));
}

test('no redirect is followed, whatever was asked and wherever it leads', { timeout }, () => inPage(async (page, context) => {
  const refreshable = TOKENS.replace('{', '{"refresh_token":"REFRESH-CANARY",');
  // The same server under another name is another site.
  const sinks = [hostile.origin, hostile.origin.replace('127.0.0.1', 'localhost')].map((origin) => `${origin}/sink`);
  for (const [at, status] of [301, 302, 303, 307, 308, 303, 307].entries()) {
    const answer = respond(status, { location: sinks[at % 2] });
    const refused = async (path, work) => {
      answerAll(answer);
      const error = await failure(page, work, hostile.origin);
      assert.deepEqual([error?.ours, error?.code], [true, 'network'], `${path}, ${status}`);
      const asked = new Set(hostile.seen.map(({ url }) => url));
      assert.ok(asked.has(path) && !asked.has('/sink'), `${path}, ${status}: ${[...asked]}`);
    };
    assert.equal((await signIn(page, respond(200, JSON_TYPE, refreshable))).error, undefined);
    await context.clock.setFixedTime(Date.now() + (at + 1) * 3600_000);
    await refused('/token', () => app.accessToken());
    await refused('/revoke', () => app.signOut());
    await refused('/.well-known/openid-configuration', (issuer) => make({ issuer, authorizationEndpoint: undefined }).signInPopup());
  }
}));

for (const [name, answer] of [
  ['nothing', () => {}],
  ['a head', (request, response) => response.writeHead(200, JSON_TYPE).flushHeaders()],
  ['a head and half a body', (request, response) => response.writeHead(200, JSON_TYPE).write(TOKENS.slice(0, 9))],
]) {
  test(`one deadline for it all: ${name} comes`, { timeout }, () => inPage(async (page) => {
    const { error } = await signIn(page, answer, 500);
    assert.deepEqual([error.ours, error.code, error.advice], [true, 'deadline', undefined]);
  }));
}

test('every request is sent as it must be', { timeout }, () => withProfile(all.browser, async (context) => {
  const page = await openBare(context, all);
  await page.evaluate(() => {
    const send = fetch;
    globalThis.sent = [];
    globalThis.fetch = (request, options) => {
      if (request instanceof Request) {
        const { cache, credentials, headers, method, redirect, referrerPolicy, url } = request;
        sent.push([new URL(url).pathname, { cache, credentials, headers: Object.fromEntries(headers), method, redirect, referrerPolicy }]);
      }
      return send(request, options);
    };
  });
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup(); })]);
  await allow(popup);
  const sent = await page.evaluate(async () => { await done; await app.signOut(); return sent; });
  const options = { cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer' };
  const get = { ...options, method: 'GET', headers: { accept: 'application/json' } };
  const post = { ...options, method: 'POST', headers: { ...get.headers, 'content-type': 'application/x-www-form-urlencoded' } };
  assert.deepEqual(sent, [
    ['/.well-known/openid-configuration', get], ['/connect/token', post], ['/connect/revocation', post], ['/connect/revocation', post],
  ]);
}));

test('metadata: each address is asked in turn, and what is found must fit', { timeout }, () => inPage(async (page) => {
  const metadata = (more) => JSON.stringify({
    issuer: `${hostile.origin}/t`, authorization_endpoint: `${hostile.origin}/authorize`, token_endpoint: `${hostile.origin}/token`, ...more,
  });
  const missing = (request, response) => {
    response.removeHeader('access-control-allow-origin');
    response.writeHead(404).end();
  };
  const signInAt = async (found) => {
    hostile.answers((request, response) => {
      const { pathname } = new URL(request.url, hostile.origin);
      if (pathname === '/authorize') respond(200, { 'content-type': 'text/plain' }, 'sign in')(request, response);
      else if (pathname === found.at) respond(200, JSON_TYPE, metadata(found))(request, response);
      else missing(request, response);
    });
    const options = { issuer: `${hostile.origin}/t`, metadata: found.named };
    return failure(page, (more) => make(more).signInPopup(), options);
  };
  const asked = () => hostile.seen.map(({ url }) => url);
  const addresses = [
    '/t/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/t', '/.well-known/openid-configuration/t',
  ];
  for (const [at, address] of addresses.entries()) {
    const opened = page.waitForEvent('popup');
    const done = signInAt({ at: address });
    await (await opened).waitForURL(/authorize/);
    for (const popup of page.context().pages().slice(1)) await popup.close();
    assert.equal((await done).code, 'popup_closed');
    assert.deepEqual(asked().slice(0, -1), addresses.slice(0, at + 1));
  }
  // The app names the address: no other one is asked.
  const named = `${hostile.origin}/elsewhere.json`;
  const opened = page.waitForEvent('popup');
  const done = signInAt({ at: '/elsewhere.json', named });
  await (await opened).waitForURL(/authorize/);
  for (const popup of page.context().pages().slice(1)) await popup.close();
  assert.equal((await done).code, 'popup_closed');
  const missed = await signInAt({ named });
  assert.deepEqual([missed.code, asked()], ['network', ['/elsewhere.json']]);
  const wrong = await signInAt({ at: '/elsewhere.json', named, issuer: hostile.origin });
  assert.deepEqual([wrong.code, wrong.advice, asked()], ['response', 'fix', ['/elsewhere.json']]);
  for (const metadata of ['http://as.example/metadata', 'metadata.json', 'javascript:1']) {
    const error = await failure(page, (more) => make(more), { metadata });
    assert.deepEqual([error.code, error.message.split(':')[0]], ['config', 'metadata']);
  }
  const nowhere = await signInAt({});
  assert.deepEqual([nowhere.code, asked()], ['network', addresses]);
  for (const [wrong, words] of [
    [{ issuer: hostile.origin }, 'another issuer'],
    [{ code_challenge_methods_supported: ['plain'] }, 'S256'],
    [{ token_endpoint: 'http://as.example/token' }, 'token endpoint'],
  ]) {
    const error = await signInAt({ at: addresses[0], ...wrong });
    assert.deepEqual([error.code, error.advice, asked()], ['response', 'fix', addresses.slice(0, 1)]);
    assert.match(error.message, new RegExp(words));
  }
}));

test('settings that cannot be used', { timeout }, () => inPage(async (page) => {
  for (const [options, words] of [
    [{ clientId: '' }, 'client id'],
    [{ redirectUri: 'https://app.example/callback' }, 'origin'],
    [{ redirectUri: 'callback' }, 'absolute'],
    [{ redirectUri: `${all.bare.origin}/callback#x` }, 'fragment'],
    [{ scope: 'a"b' }, 'scope 0'],
    [{ scope: ['a', 'b\\'] }, 'scope 1'],
    [{ issuer: 'http://as.example' }, 'issuer'],
    [{ issuer: 'https://as.example/?x' }, 'issuer'],
    [{ authorizationEndpoint: 'https://as.example/authorize', tokenEndpoint: '' }, 'token endpoint'],
    [{ authorizationEndpoint: 'javascript:alert(1)', tokenEndpoint: 'https://as.example/token' }, 'authorization endpoint'],
  ]) {
    const error = await failure(page, (more) => make(more).signIn(), options);
    assert.deepEqual([error.ours, error.code, error.advice], [true, 'config', 'fix'], words);
    assert.match(error.message, new RegExp(words));
  }
  for (const deadline of [0, -1, 2 ** 31, '"soon"', NaN, 'Infinity']) {
    const error = await page.evaluate(`failure(() => make({ deadline: ${deadline} }))`);
    assert.deepEqual([error?.ours, error?.code], [true, 'config'], String(deadline));
  }
  assert.equal(await page.evaluate('failure(() => make({ deadline: undefined }))'), undefined);
  for (const extra of [{ state: 'x' }, { code_challenge_method: 'plain' }, { '': 'x' }, { x: '' }, { x: ['1', '2'] }, { x: 'a\0b' }]) {
    assert.equal((await failure(page, (more) => app.signIn({ extra: more }), extra)).code, 'config', JSON.stringify(extra));
  }
  assert.equal(page.url(), `${all.bare.origin}/`);
}));

test('browsers that do wrong', { timeout }, () => inPage(async (page) => {
  for (const [code, break_] of [
    ['random', () => { crypto.getRandomValues = () => { throw new Error('no entropy'); }; }],
    ['random', () => { crypto.getRandomValues = (bytes) => bytes; }],
    ['storage', () => { Storage.prototype.setItem = () => { throw new Error('full'); }; }],
  ]) {
    await page.reload();
    await page.evaluate(break_);
    const error = await failure(page, () => app.signIn());
    assert.deepEqual([error?.ours, error?.code], [true, code], String(break_));
    assert.equal(page.url(), `${all.bare.origin}/`);
  }
  await page.reload();
  await page.evaluate(() => Object.defineProperty(globalThis, 'isSecureContext', { value: false }));
  await page.evaluate(() => { globalThis.app = make(); });
  for (const use of ['handleRedirect', 'signIn', 'signInPopup', 'accessToken', 'fetch', 'signOut']) {
    assert.equal((await failure(page, (name) => app[name](), use)).code, 'unsupported', use);
  }
}));

test('the module: from a bad address, then from its bytes', { timeout }, () => inPage(async (page) => {
  const error = await failure(page, () => init('/nowhere.wasm'));
  assert.deepEqual([error.ours, error.code, error.advice], [true, 'init', 'fix']);
  const wasm = await readFile(new URL('../../crates/browser/package/wasm/proofkey_browser_bg.wasm', import.meta.url));
  await page.route('**/*.wasm', (route) => route.abort());
  await page.evaluate((bytes) => init(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt())), wasm.toString('base64'));
  const { error: none } = await signIn(page, respond(200, { ...JSON_TYPE, ...CORS }, TOKENS));
  assert.equal(none, undefined);
}));

test('the module: from a URL, and compiled', { timeout }, () => inPage(async (page) => {
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const path = '/proofkey/wasm/proofkey_browser_bg.wasm';
  for (const load of [(url) => init(new URL(url, location.href)), async (url) => init(await WebAssembly.compileStreaming(fetch(url)))]) {
    await page.reload();
    await page.waitForSelector(READY);
    asked.length = 0;
    assert.equal(await failure(page, load, `${path}?elsewhere`), undefined);
    const { error } = await signIn(page, respond(200, JSON_TYPE, TOKENS));
    assert.equal(error, undefined);
    assert.deepEqual(asked.filter((one) => one.endsWith('.wasm')), [path]);
  }
}));
