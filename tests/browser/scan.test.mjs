// Where secrets go: every request of two sign-ins, a refresh and a sign-out, and everything that is left afterwards.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { READY, leftovers, navigation, openBare, setUp, signInBare, tokenAnswers, withProfile } from './spa.mjs';
import { signIn } from './tools.mjs';

const all = setUp();
const timeout = 60_000;

test('each secret is where it has to be, and nowhere else', { timeout }, () => withProfile(all.browser, async (context, sent, told) => {
  const requests = [];
  // A window may be gone by the time that it is asked for what it has sent.
  context.on('request', (request) => requests.push([request, request.allHeaders().catch(() => request.headers())]));
  const answers = await tokenAnswers(context);
  const page = await openBare(context, all);
  await signInBare(page);
  const redirect = await navigation(page);
  await context.clock.setFixedTime(Date.now() + 3600_000);
  await page.evaluate((api) => app.fetch(`${api}/api/me`), all.server.issuer);
  await page.evaluate(() => app.signOut());
  const [popup] = await Promise.all([
    page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup({ extra: { prompt: 'login' } }); }),
  ]);
  await signIn(popup);
  await page.evaluate(() => done);
  await page.evaluate((api) => app.fetch(`${api}/api/me`), all.server.issuer);
  const left = await leftovers(page);
  await page.reload();
  await page.waitForSelector(READY);
  await page.evaluate(() => app.handleRedirect());
  // The worker had the session meanwhile.
  assert.equal(await page.evaluate(() => app.signedIn), true);
  const after = await leftovers(page);

  const states = requests.map(([request]) => new URL(request.url())).filter(({ pathname }) => pathname === '/connect/authorize')
    .map(({ searchParams }) => searchParams.get('state')).filter(Boolean);
  const pick = (list, name) => list.map((one) => one[name]).filter(Boolean);
  const secrets = {
    access: pick(answers, 'access_token'),
    code: pick(sent, 'code'),
    refresh: pick(answers, 'refresh_token'),
    state: [...new Set(states)],
    verifier: pick(sent, 'code_verifier'),
  };
  assert.deepEqual(Object.entries(secrets).map(([name, values]) => [name, new Set(values).size]),
    [['access', 3], ['code', 2], ['refresh', 3], ['state', 2], ['verifier', 2]]);
  const every = Object.values(secrets).flat();
  assert.ok(every.every((secret) => secret.length === 43));

  // Each place that a secret was seen in, and what it is of.
  const places = new Set();
  const look = (place, text) => Object.entries(secrets).forEach(([name, values]) => {
    if (values.some((value) => text?.includes(value))) places.add(`${name} in ${place}`);
  });
  for (const [request, headers] of requests) {
    const { origin, pathname, search } = new URL(request.url());
    // What the server's pages say to the server is theirs.
    if (/^\/connect\/(login|consent)$/.test(pathname)) continue;
    const who = { [all.bare.origin]: 'app', [all.server.issuer]: 'server' }[origin];
    look(`the query of ${who} ${pathname}`, search);
    look(`the body of ${who} ${pathname}`, request.postData());
    for (const [name, value] of Object.entries(await headers)) look(`the field ${name} of ${who} ${pathname}`, value);
  }
  assert.deepEqual([...places].sort(), [
    'access in the body of server /connect/revocation',
    'access in the field authorization of server /api/me',
    'code in the body of server /connect/token',
    'code in the query of app /callback',
    'refresh in the body of server /connect/revocation',
    'refresh in the body of server /connect/token',
    'state in the query of app /callback',
    'state in the query of server /connect/authorize',
    'verifier in the body of server /connect/token',
  ]);

  // What the app's own server wrote down: the redirect once for each sign-in, and no more.
  const log = all.bare.seen.map(({ url, fields }) => `${url} ${JSON.stringify(fields)}`).filter((line) => every.some((one) => line.includes(one)));
  assert.equal(log.length, 2);
  assert.ok(log.every((line) => line.startsWith('/callback?')), log.join('\n'));

  for (const text of [left, after, told.join('\n')]) assert.deepEqual(every.filter((secret) => text.includes(secret)), [], text);
  for (const text of [left, after]) {
    const { stored, session, local, databases, caches, workers } = JSON.parse(text);
    assert.deepEqual({ stored, session, local, databases, caches, workers },
      { stored: [], session: {}, local: {}, databases: [], caches: [], workers: 0 });
  }
  assert.ok(secrets.code.some((code) => redirect.includes(code)));
}));
