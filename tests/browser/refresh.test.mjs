// Odd answers to a refresh, from a server that rotates refresh tokens and ends the login if a spent one comes back.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { FAILED, failure, hostile, openBare, setUp, until, withProfile } from './spa.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work) => withProfile(all.browser, work, { bypassCSP: true, complaints: FAILED });
const JSON_TYPE = { 'content-type': 'application/json' };
const token = (page) => page.evaluate(() => app.accessToken());

/** What a good answer holds. */
const members = (count) => ({ access_token: `AT${count}`, token_type: 'Bearer', expires_in: 3600, refresh_token: `RT${count}` });
const good = (response, count) => response.writeHead(200, JSON_TYPE).end(JSON.stringify(members(count)));

/** Starts such a server. `answer` writes the answer to the next refreshes. */
function startRotating() {
  const server = { answer: good, spent: [], isEnded: false, revoked: [] };
  let count = 0;
  hostile.answers((request, response) => {
    const { pathname, searchParams } = new URL(request.url, hostile.origin);
    if (pathname === '/authorize') {
      const back = new URL(searchParams.get('redirect_uri'));
      back.search = new URLSearchParams({ code: 'C', state: searchParams.get('state') });
      return response.writeHead(303, { location: back.href }).end();
    }
    const form = new URLSearchParams(hostile.seen.at(-1).body);
    if (pathname === '/read') {
      server.onRead?.();
      return response.end();
    }
    if (pathname === '/revoke') {
      server.revoked.push(form.get('token'));
      return response.end();
    }
    const refreshToken = form.get('refresh_token');
    if (refreshToken) {
      server.isEnded ||= refreshToken !== `RT${count}`;
      if (server.isEnded) return response.writeHead(400, JSON_TYPE).end('{"error":"invalid_grant"}');
      server.spent.push(refreshToken);
    }
    count += 1;
    return refreshToken ? server.answer(response, count, server) : good(response, count);
  });
  return server;
}

/** Two tabs that are signed in at such a server. */
async function signedIn(context) {
  const server = startRotating();
  const pages = [await openBare(context, all), await openBare(context, all)];
  await Promise.all(pages.map((page) => page.evaluate((origin) => {
    const { read } = ReadableStreamDefaultReader.prototype;
    ReadableStreamDefaultReader.prototype.read = async function () {
      const part = await read.call(this);
      if (!part.done) fetch(`${origin}/read`);
      return part;
    };
    globalThis.app = make({
      issuer: undefined, authorizationEndpoint: `${origin}/authorize`, tokenEndpoint: `${origin}/token`, revocationEndpoint: `${origin}/revoke`,
    });
    return app.handleRedirect();
  }, hostile.origin)));
  await pages[0].evaluate(() => app.signInPopup());
  await until(pages[1], () => app.signedIn);
  return [server, ...pages];
}

const later = (context, seconds) => context.clock.setFixedTime(Date.now() + seconds * 1000);
const reply = (status, headers, more) => (response, count) => {
  response.writeHead(status, headers).end(JSON.stringify({ ...members(count), ...more }));
};

/** Sends the start of an answer, and ends the connection when the page has read it: a browser drops what is not read by then. */
function breakOff(server, response, count) {
  server.onRead = () => response.destroy();
  response.writeHead(200, { ...JSON_TYPE, 'content-length': 999 }).write(JSON.stringify(members(count)));
}

for (const [name, answer, code] of [
  ['a token of another type', reply(200, JSON_TYPE, { token_type: 'mac' }), 'response'],
  ['an access token that is a number', reply(200, JSON_TYPE, { access_token: 7 }), 'response'],
  ['no access token', reply(200, JSON_TYPE, { access_token: undefined }), 'response'],
  ['an empty access token', reply(201, JSON_TYPE, { access_token: '' }), 'response'],
  ['JSON called HTML', reply(200, { 'content-type': 'text/html' }), 'response'],
  ['half a document', (response, count) => response.writeHead(200, JSON_TYPE)
    .end(`{"refresh_token":"RT${count}","access_token":"AT`), 'response'],
  ['a broken connection', (response, count, server) => breakOff(server, response, count), 'network'],
  ['more than 1 MiB', (response, count) => {
    response.writeHead(200, JSON_TYPE).write(JSON.stringify(members(count)));
    response.end(''.padEnd(1024 * 1024));
  }, 'too_big'],
]) {
  test(`a refresh answers with ${name}: its refresh token is kept, in all tabs`, { timeout }, () => withTabs(async (context) => {
    const [server, one, two] = await signedIn(context);
    server.answer = answer;
    await later(context, 3700);
    // Two at once: what the second one waits for is not a new access token.
    for (const error of [
      ...await Promise.all([one, two].map((page) => failure(page, () => app.accessToken()))),
      await failure(one, () => app.accessToken()),
    ]) {
      assert.deepEqual([error?.ours, error?.code], [true, code]);
      assert.doesNotMatch(error.message, /[AR]T\d/);
    }
    server.answer = good;
    assert.deepEqual(await Promise.all([one, two].map(token)), ['AT5', 'AT5']);
    assert.deepEqual([server.spent, server.isEnded], [['RT1', 'RT2', 'RT3', 'RT4'], false]);
  }));
}

for (const [name, more, scope] of [
  ['no type', { token_type: undefined }, 'itwin-platform offline_access'],
  ['an empty lifetime', { expires_in: '' }, 'itwin-platform offline_access'],
  ['a scope that is not one', { scope: ['a b'] }, ''],
]) {
  test(`a refresh answers with ${name}: it is read`, { timeout }, () => withTabs(async (context) => {
    const [server, one] = await signedIn(context);
    server.answer = reply(200, JSON_TYPE, more);
    await later(context, 3700);
    assert.deepEqual([await token(one), await one.evaluate(() => app.scope)], ['AT2', scope]);
  }));
}

for (const [name, status, headers, body, ends] of [
  ['invalid_grant', 400, JSON_TYPE, '{"error":"invalid_grant"}', true],
  ['an error with a 200', 200, JSON_TYPE, '{"error":"bad_refresh_token","refresh_token":"RT9"}', true],
  ['invalid_request', 400, JSON_TYPE, '{"error":"invalid_request"}', true],
  ['a 400 without a body', 400, {}, '', true],
  ['a 401', 401, JSON_TYPE, '{"error":"invalid_token"}', true],
  ['invalid_client', 401, JSON_TYPE, '{"error":"invalid_client"}', false],
  ['temporarily_unavailable', 400, JSON_TYPE, '{"error":"temporarily_unavailable"}', false],
  ['a 403', 403, JSON_TYPE, '{"error":"invalid_grant"}', false],
  ['a 404', 404, {}, '', false],
  ['a 503', 503, {}, '', false],
]) {
  test(`a refresh is refused with ${name}: that ${ends ? 'ends' : 'does not end'} the login`, { timeout }, () => withTabs(async (context) => {
    const [server, one, two] = await signedIn(context);
    server.answer = (response) => response.writeHead(status, headers).end(body);
    await later(context, 3700);
    const error = await failure(one, () => app.accessToken());
    assert.equal(error.ours, true);
    assert.equal(await one.evaluate(() => app.signedIn), !ends);
    if (ends) await until(two, () => !app.signedIn);
    else assert.equal(await two.evaluate(() => app.signedIn), true);
  }));
}

test('the old access token still works: a refresh token that came in a broken answer is used for the next refresh', { timeout }, () => withTabs(async (context) => {
  const [server, one, two] = await signedIn(context);
  server.answer = (response, count) => breakOff(server, response, count);
  await later(context, 3545);
  assert.deepEqual([await token(one), await token(one)], ['AT1', 'AT1']);
  assert.deepEqual(server.spent, ['RT1']);
  server.answer = good;
  assert.equal(await token(two), 'AT3');
  await until(one, async () => await app.accessToken() === 'AT3');
  assert.deepEqual([server.spent, server.isEnded], [['RT1', 'RT2'], false]);
}));

test('signed out while such an answer is on its way: its refresh token is revoked', { timeout }, () => withTabs(async (context) => {
  const [server, one, two] = await signedIn(context);
  const waiting = new Promise((resolve) => { server.answer = (response, count) => resolve([response, count]); });
  await later(context, 3700);
  const refused = failure(one, () => app.accessToken());
  const [response, count] = await waiting;
  // What a tab says that signs out without waiting any longer.
  await two.evaluate(async () => {
    const { held } = await navigator.locks.query();
    const [name, version] = held.find(({ mode }) => mode === 'shared').name.split(/(?<=]) /);
    new BroadcastChannel(name).postMessage({ ended: version.split(' ')[1] });
  });
  await until(one, () => !app.signedIn);
  reply(200, JSON_TYPE, { token_type: 'mac' })(response, count);
  assert.equal((await refused).code, 'signed_out');
  while (server.revoked.length < 2) await one.waitForTimeout(20);
  assert.deepEqual(server.revoked, ['RT2', 'AT1']);
}));
