// The browser adapter on its own in a real Chromium: refreshes, tabs, the token in use.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  CORS, FAILED, READY, allow, failure, hostile, openBare, setUp, signInBare, tabs, tokenAnswers, until, withProfile,
} from './spa.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);
const token = (page) => page.evaluate(() => app.accessToken());
const later = (context, seconds) => context.clock.setFixedTime(Date.now() + seconds * 1000);

test('a token is refreshed when it is due, once for all that ask', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await signInBare(page);
  const first = await token(page);
  assert.equal(await token(page), first);
  await later(context, 3530);
  assert.equal(await token(page), first);
  assert.equal(sent.length, 1);
  await later(context, 3545);
  const tokens = await page.evaluate(() => Promise.all(Array.from({ length: 20 }, () => app.accessToken())));
  assert.equal(new Set(tokens).size, 1);
  assert.notEqual(tokens[0], first);
  assert.equal(sent.length, 2);
}));

test('tabs refresh one at a time, and all get what one of them got', { timeout }, () => withTabs(async (context, sent) => {
  const pages = await tabs(context, all);
  for (let round = 1; round <= 3; round += 1) {
    await later(context, round * 3600);
    const tokens = await Promise.all(pages.map(token));
    assert.equal(new Set(tokens).size, 1);
    assert.equal(sent.length, 1 + round);
  }
  assert.equal(new Set(sent.slice(1).map((form) => form.refresh_token)).size, 3, 'each refresh token is sent once');
}));

test('a tab that has not heard of a refresh does not send the old refresh token', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await tabs(context, all);
  await later(context, 3600);
  // It hears nothing while it is busy, and asks for a token before it can listen.
  const busy = two.evaluate(() => {
    for (let begun = performance.now(); performance.now() - begun < 1500;);
    return app.accessToken();
  });
  assert.equal(await token(one), await busy);
  assert.deepEqual(sent.map((form) => form.grant_type), ['authorization_code', 'refresh_token']);
}));

test('a tab that closed has taken its newer tokens along', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await tabs(context, all);
  await one.close();
  await later(context, 3600);
  await token(two);
  assert.equal(sent.length, 2);
}));

test('a refused refresh token signs all tabs out', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await tabs(context, all);
  const answers = await tokenAnswers(context);
  await later(context, 3600);
  await token(one);
  const [{ refresh_token: refreshToken }] = answers;
  const form = new URLSearchParams({ token: refreshToken, client_id: 'demo-native' });
  assert.equal((await fetch(`${all.server.issuer}/connect/revocation`, { method: 'POST', body: form })).status, 200);
  await later(context, 7200);
  const error = await failure(two, () => app.accessToken());
  assert.deepEqual([error.ours, error.code, error.serverCode, error.advice], [true, 'server', 'invalid_grant', 'reauthorize']);
  for (const page of [one, two]) {
    await until(page, () => !app.signedIn);
    assert.equal((await failure(page, () => app.accessToken())).code, 'signed_out');
  }
  assert.equal(sent.length, 3);
}, { complaints: FAILED }));

/** The token endpoint answers every refresh with this status. */
function refuseRefresh(context, status) {
  return context.route(/connect.token$/, (route) => {
    if (!route.request().postData().startsWith('grant_type=refresh_token')) return route.continue();
    return route.fulfill({ status, headers: CORS });
  });
}

test('a refresh that fails: a token that still works bridges it, and nothing is sent twice', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await signInBare(page);
  const first = await token(page);
  await refuseRefresh(context, 503);
  await later(context, 3545);
  const all20 = await page.evaluate(() => Promise.all(Array.from({ length: 20 }, () => app.accessToken())));
  assert.deepEqual(new Set(all20), new Set([first]));
  assert.equal(await token(page), first);
  assert.equal(sent.length, 2);
  await later(context, 3545 + 31);
  assert.equal(await token(page), first);
  assert.equal(sent.length, 3);
  await later(context, 3600);
  const { code, advice } = await failure(page, () => app.accessToken());
  assert.deepEqual([code, advice], ['status', 'retry']);
  assert.equal(await page.evaluate(() => app.signedIn), true);
}, { complaints: FAILED }));

test('a sign-in while another tab refreshes: the sign-in stays', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await tabs(context, all);
  const held = new Promise((resolve) => {
    context.route(/connect.token$/, async (route) => {
      if (route.request().postData().startsWith('grant_type=refresh_token')) await new Promise((go) => { resolve(go); });
      await route.continue();
    });
  });
  await later(context, 3600);
  const refresh = token(one);
  const go = await held;
  await two.evaluate(() => { app.signIn({ extra: { prompt: 'login' } }); });
  await allow(two, 'bob');
  await two.waitForSelector(READY);
  await two.evaluate(() => app.handleRedirect());
  go();
  assert.equal(await refresh, await token(two));
  assert.equal(await token(one), await token(two));
  const me = await one.evaluate(async (api) => (await app.fetch(`${api}/api/me`)).json(), all.server.issuer);
  assert.equal(me.user.id, 'bob');
  assert.equal(sent.length, 3);
}));

test('a tab that hangs in its refresh holds the others up for a minute', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await tabs(context, all);
  await one.evaluate(async () => {
    const { held } = await navigator.locks.query();
    const [name] = held[0].name.split(/(?<=]) /);
    await new Promise((taken) => { navigator.locks.request(`${name} alone`, () => { taken(); return new Promise(() => {}); }); });
  });
  await two.clock.install({ time: Date.now() + 3600_000 });
  // Its patience begins when it waits.
  const waits = () => until(two, async () => (await navigator.locks.query()).pending.some(({ name }) => name.endsWith(' alone')));
  const refused = failure(two, () => app.accessToken());
  await waits();
  await two.clock.runFor(61_000);
  const { code, advice } = await refused;
  assert.deepEqual([code, advice, sent.length], ['deadline', 'retry', 1]);
  const done = two.evaluate(() => app.signOut());
  await waits();
  await two.clock.runFor(61_000);
  assert.equal(await done, true);
  await until(one, () => !app.signedIn);
}));

test('an access token without a refresh token ends, and asks for a sign-in', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await page.evaluate(() => { globalThis.app = make({ scope: 'itwin-platform' }); });
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup(); })]);
  // The window's page is of the other scope: which app hands the redirect over makes no difference.
  await allow(popup);
  await page.evaluate(() => done);
  assert.equal(await page.evaluate(() => app.scope), 'itwin-platform');
  await later(context, 3590);
  assert.equal((await token(page)).length, 43);
  await later(context, 3601);
  assert.equal((await failure(page, () => app.accessToken())).code, 'signed_out');
  assert.equal(await page.evaluate(() => app.signedIn), false);
  assert.equal(sent.length, 1);
}));

test('data comes back, and a second call gives the same answer', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await page.evaluate(() => { app.signIn({ data: { place: '/things/7' }, extra: { prompt: 'login' } }); });
  await page.waitForSelector('#username');
  assert.equal(new URL(page.url()).searchParams.get('prompt'), 'login');
  await allow(page);
  await page.waitForSelector(READY);
  const found = await page.evaluate(() => Promise.all([app.handleRedirect(), app.handleRedirect()]));
  assert.deepEqual(found, [{ data: { place: '/things/7' } }, { data: { place: '/things/7' } }]);
  assert.equal(sent.length, 1);
}));

test('two instances at the redirect: both are signed in, and the code is sent once', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  // React's StrictMode makes two, and uses one or both of them.
  const ways = [
    () => Promise.all([first.handleRedirect(), second.handleRedirect()]),
    async () => [await second.handleRedirect()],
    async () => {
      const done = first.handleRedirect();
      first.close();
      return [await second.handleRedirect(), await done];
    },
  ];
  for (const [at, use] of ways.entries()) {
    // The page of the round before is at the same address: what is ready then is the next one.
    await page.evaluate((data) => {
      delete document.documentElement.dataset.ready;
      app.signIn({ data });
    }, at);
    if (at === 0) await allow(page);
    await page.waitForSelector(READY);
    await page.evaluate(() => Object.assign(globalThis, { first: app, second: make(), other: make({ scope: 'itwin-platform' }) }));
    const found = await page.evaluate(use);
    assert.deepEqual(found, found.map(() => ({ data: at })));
    assert.equal(await page.evaluate(() => other.handleRedirect()), null);
    assert.equal(await page.evaluate(() => second.signedIn), true);
    assert.equal(sent.length, at + 1);
    // It was handled: an instance that is made later joins the session, and nothing else.
    const late = await page.evaluate(async () => {
      globalThis.app = make();
      return [await app.handleRedirect(), app.signedIn, await app.accessToken() === await second.accessToken()];
    });
    assert.deepEqual(late, [null, true, true]);
    await page.evaluate(() => second.signOut());
    sent.length = at + 1;
  }
}));

test('two instances at a redirect that fails: both say the same', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await page.goto(`${all.bare.config.redirectUri}?code=C&state=S`);
  await page.waitForSelector(READY);
  const errors = await page.evaluate(() => Promise.all([app, make()].map((one) => failure(() => one.handleRedirect()))));
  assert.deepEqual(errors.map(({ ours, code }) => [ours, code]), [[true, 'no_login'], [true, 'no_login']]);
  assert.deepEqual(sent, []);
}));

test('close: an instance leaves the session, and the others keep it', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await signInBare(page);
  await page.evaluate(() => { globalThis.second = make(); return second.handleRedirect(); });
  await later(context, 3600);
  // Its refresh is finished first, for the others.
  const asked = new Promise((resolve) => { context.route(/connect.token$/, resolve, { times: 1 }); });
  const refreshed = token(page);
  const route = await asked;
  await page.evaluate(() => app.close());
  await route.continue();
  const other = await page.evaluate(() => second.accessToken());
  assert.equal(await refreshed, other);
  assert.equal(sent.length, 2);
  await until(page, () => !app.signedIn);
  const state = await page.evaluate(async () => [
    second.signedIn, (await navigator.locks.query()).held.filter(({ name }) => name.startsWith('proofkey/1 page')).length,
  ]);
  assert.deepEqual(state, [true, 1]);
  for (const work of [() => app.signIn(), () => app.signInPopup()]) assert.equal((await failure(page, work)).code, 'config');
  assert.equal((await failure(page, () => app.accessToken())).code, 'signed_out');
  // One that is closed leaves a redirect, too.
  await page.evaluate(() => {
    // The next page is at the same address: what is ready then is that one.
    delete document.documentElement.dataset.ready;
    globalThis.app = make();
    app.signIn();
  });
  await page.waitForSelector(READY);
  const found = await page.evaluate(async () => {
    app.close();
    const one = make();
    return [await app.handleRedirect(), await one.handleRedirect(), one.signedIn];
  });
  assert.deepEqual(found, [null, { data: undefined }, true]);
}));

test('a 401 is answered with one refresh and one more try', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await page.evaluate((origin) => { globalThis.app = make({ origins: [origin] }); }, hostile.origin);
  await signInBare(page);
  await page.evaluate((origin) => {
    globalThis.app = make({ origins: [origin] });
    return app.handleRedirect();
  }, hostile.origin);
  const get = (path, init) => page.evaluate(async ([url, options]) => {
    const response = await app.fetch(url, options);
    return [response.status, await response.text()];
  }, [hostile.origin + path, init]);

  await later(context, 61);
  const first = await token(page);
  hostile.answers((request, response) => {
    if (request.headers.authorization === `Bearer ${first}`) {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
    } else response.end('welcome');
  });
  assert.deepEqual(await get('/', { method: 'POST', body: 'one' }), [200, 'welcome']);
  assert.deepEqual(hostile.seen.map(({ body }) => body), ['one', 'one']);
  assert.equal(sent.length, 2);

  // Another token does not help.
  hostile.answers((request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end());
  assert.deepEqual(await get('/'), [401, '']);
  assert.deepEqual([hostile.seen.length, sent.length], [1, 2]);

  hostile.answers((request, response) => response.writeHead(401).end('no'));
  // The token is new: another one would be refused, too.
  assert.deepEqual(await get('/'), [401, 'no']);
  assert.deepEqual([hostile.seen.length, sent.length], [1, 2]);
  hostile.answers((request, response) => response.writeHead(401).end('no'));
  await later(context, 122);
  assert.deepEqual(await get('/'), [401, 'no']);
  assert.deepEqual([hostile.seen.length, sent.length], [2, 3]);
  for (const count of [3, 4]) {
    assert.deepEqual(await get('/'), [401, 'no']);
    assert.deepEqual([hostile.seen.length, sent.length], [count, 3]);
  }
  await later(context, 183);
  assert.deepEqual(await get('/'), [401, 'no']);
  assert.deepEqual([hostile.seen.length, sent.length], [6, 4]);

  hostile.answers((request, response) => response.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope"' }).end());
  assert.deepEqual(await get('/'), [403, '']);
  assert.deepEqual([hostile.seen.length, sent.length], [1, 4]);
}, { bypassCSP: true, complaints: FAILED }));

test('the token goes to the named origins only, and follows no redirect', { timeout }, () => withTabs(async (context) => {
  const page = await openBare(context, all);
  await signInBare(page);
  hostile.answers((request, response) => response.end());
  const error = await failure(page, (url) => app.fetch(url), hostile.origin);
  assert.deepEqual([error.ours, error.code, error.advice], [true, 'origin', 'fix']);
  assert.match(error.message, new RegExp(hostile.origin));

  await page.evaluate((origin) => { globalThis.app = make({ origins: [origin] }); return app.handleRedirect(); }, hostile.origin);
  for (const status of [301, 302, 303, 307, 308]) {
    hostile.answers((request, response) => response.writeHead(status, { location: '/elsewhere' }).end());
    const { ours } = await failure(page, (url) => app.fetch(url, { redirect: 'follow' }), `${hostile.origin}/${status}`);
    assert.equal(ours, false);
    assert.deepEqual(hostile.seen.map(({ url }) => url), [`/${status}`]);
  }
  for (const origin of ['http://api.example', 'ftp://127.0.0.1', 'http://localhost.evil.example', 'nonsense', 'http://127.0.0.1.evil.example']) {
    assert.equal((await failure(page, (url) => make({ origins: [url] }), origin)).code, 'config', origin);
  }
}, { bypassCSP: true, complaints: FAILED }));

test('an origin that looks like a named one gets nothing', { timeout }, () => withTabs(async (context) => {
  const page = await openBare(context, all);
  await signInBare(page);
  await page.evaluate(() => { globalThis.app = make({ origins: ['https://api.example', 'http://127.0.0.1:7'] }); return app.handleRedirect(); });
  const seen = [];
  await context.route(/./, async (route) => {
    seen.push([route.request().url(), await route.request().headerValue('authorization')]);
    await route.fulfill({ headers: CORS });
  });
  const alike = [
    'https://api.example.evil.example/', 'https://evil-api.example/', 'https://evil.api.example/', 'https://api.example./',
    'https://api.exampl/', 'https://api.example:8443/', 'http://api.example/', 'http://api.example:443/', 'https://evil.example/https://api.example/',
    'https://evil.example?https://api.example/', 'https://evil.example#https://api.example/', 'https://evil.example\\@api.example/',
    'https://\u0430pi.example/', 'http://127.0.0.1:70/', 'http://127.0.0.1/', 'http://localhost:7/', 'https://127.0.0.1:7/', 'http://[::1]:7/',
    '/', '//api.example/', '//evil.example/', 'data:,https://api.example/', 'about:blank', 'wss://api.example/',
  ];
  for (const url of alike) {
    assert.equal((await failure(page, (one) => app.fetch(one), url))?.code, 'origin', url);
    assert.equal((await failure(page, (one) => app.fetch(new Request(one)), url))?.code, 'origin', url);
  }
  // A name and password before the host: `Request` itself takes none of them.
  for (const url of ['https://api.example@evil.example/', 'https://api.example:443@evil.example/', 'https://evil@api.example/']) {
    assert.match((await failure(page, (one) => app.fetch(one), url))?.message, /credentials/, url);
  }
  assert.deepEqual(seen, []);
  const bearer = `Bearer ${await token(page)}`;
  for (const url of ['https://api.example/a', 'HTTPS://API.EXAMPLE:443/a', 'https:\\\\api.example/a', 'https://api.exa\tmple/a']) {
    await page.evaluate(async (one) => { await app.fetch(one); }, url);
  }
  assert.deepEqual(seen, Array(4).fill(['https://api.example/a', bearer]));
}, { bypassCSP: true, complaints: FAILED }));

test('sign-out is done here whatever the server does', { timeout }, () => withTabs(async (context) => {
  const [one, two] = await tabs(context, all);
  await context.route(/connect.revocation/, (route) => route.fulfill({ status: 503, headers: {
    'access-control-allow-origin': '*', 'retry-after': '7', 'access-control-expose-headers': 'retry-after',
  } }));
  const error = await failure(one, () => app.signOut());
  assert.deepEqual([error.code, error.advice, error.retryAfter], ['status', 'retry', 7]);
  assert.equal(await one.evaluate(() => app.signedIn), false);
  await until(two, () => !app.signedIn);
  assert.equal(await two.evaluate(() => app.signOut()), false);
}, { complaints: FAILED }));

