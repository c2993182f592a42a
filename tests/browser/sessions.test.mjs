// What comes of a session that the browser adapter ends, loses or replaces, in a real Chromium.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { CORS, FAILED, READY, allow, failure, hostile, openBare, setUp, signInBare, tabs, until, withProfile } from './spa.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);
const token = (page) => page.evaluate(() => app.accessToken());
const later = (context, seconds) => context.clock.setFixedTime(Date.now() + seconds * 1000);
const JSON_TYPE = { ...CORS, 'content-type': 'application/json' };
const refuse = (route) => route.fulfill({ status: 400, headers: JSON_TYPE, body: '{"error":"invalid_grant"}' });

/** From now on this is what becomes of requests with such a body. */
function answer(context, body, work) {
  return context.route(/connect.(token|revocation)$/, (route) => (body.test(route.request().postData()) ? work(route) : route.fallback()));
}

/** Holds the next refresh up: this gives a function that lets it go on to its answer. */
function hold(context, work) {
  return new Promise((resolve) => {
    answer(context, /^grant_type=refresh_token/, async (route) => {
      await new Promise((go) => { resolve(go); });
      await work(route);
    });
  });
}

async function signInAs(page, user) {
  await page.evaluate(() => { app.signIn({ extra: { prompt: 'login' } }); });
  await allow(page, user);
  await page.waitForSelector(READY);
  await page.evaluate(() => app.handleRedirect());
}

test('a refusal ends the session that was refused, and no later one', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await tabs(context, all);
  const held = hold(context, refuse);
  await later(context, 3600);
  const refresh = token(one);
  const go = await held;
  await signInAs(two, 'bob');
  go();
  assert.equal(await refresh, await token(two));
  for (const page of [one, two]) {
    const me = await page.evaluate(async (api) => (await app.fetch(`${api}/api/me`)).json(), all.server.issuer);
    assert.equal(me.user.id, 'bob');
  }
  assert.equal(sent.length, 3);
}, { complaints: FAILED }));

test('a sign-in replaces the session of a busy tab, whatever the clock says', { timeout }, () => withTabs(async (context, sent) => {
  await later(context, 3000);
  const [one, two] = await tabs(context, all);
  // The clock has been set back; what the other tab has is newer by its name.
  await later(context, 0);
  await two.evaluate(() => { app.signIn({ extra: { prompt: 'login' } }); });
  await allow(two, 'bob');
  await two.waitForSelector(READY);
  // The others can say nothing until the code has been exchanged.
  const others = context.pages().filter((page) => page !== two);
  const waiting = [];
  const arrived = new Promise((resolve) => {
    hostile.answers((request, response) => { if (waiting.push(response) === others.length) resolve(); });
  });
  const busy = others.map((page, at) => page.evaluate((url) => {
    const request = new XMLHttpRequest();
    request.open('GET', url, false);
    request.send();
  }, `${hostile.origin}/${at}`));
  await arrived;
  const exchanged = two.waitForResponse(/connect.token$/);
  const done = two.evaluate(() => app.handleRedirect());
  await exchanged;
  for (const response of waiting) response.end();
  await Promise.all([...busy, done]);
  assert.equal(await token(one), await token(two));
  for (const page of [one, two]) {
    const me = await page.evaluate(async (api) => (await app.fetch(`${api}/api/me`)).json(), all.server.issuer);
    assert.equal(me.user.id, 'bob');
  }
  assert.equal(sent.length, 2);
}, { bypassCSP: true, complaints: FAILED }));

test('tokens that come after the sign-out are revoked', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await tabs(context, all);
  let fresh;
  const held = hold(context, async (route) => {
    const response = await route.fetch();
    fresh = await response.json();
    await route.fulfill({ response });
  });
  await later(context, 3600);
  const refresh = failure(one, () => app.accessToken());
  const go = await held;
  // What a tab says that signs out without waiting any longer.
  await two.evaluate(async () => {
    const { held: locks } = await navigator.locks.query();
    const [name, version] = locks.find(({ mode }) => mode === 'shared').name.split(/(?<=]) /);
    new BroadcastChannel(name).postMessage({ ended: version.split(' ')[1] });
  });
  await until(one, () => !app.signedIn);
  go();
  assert.equal((await refresh).code, 'signed_out');
  while (sent.length < 4) await one.waitForTimeout(20);
  assert.deepEqual(sent.slice(2).map((form) => form.token), [fresh.refresh_token, fresh.access_token]);
}));

test('a server that gives the same access token again is asked once', { timeout }, () => withTabs(async (context, sent) => {
  const pages = await tabs(context, all);
  const first = await token(pages[0]);
  const body = JSON.stringify({ access_token: first, token_type: 'Bearer', expires_in: 3600 });
  await answer(context, /^grant_type=refresh_token/, async (route) => {
    // So that all of them wait for it.
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
    await route.fulfill({ headers: JSON_TYPE, body });
  });
  await later(context, 3600);
  assert.deepEqual(await Promise.all(pages.map(token)), [first, first, first]);
  assert.equal(sent.length, 2);
}));

test('a tab that closes in its refresh takes the session along', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await tabs(context, all);
  const rotated = new Promise((resolve) => {
    context.route(/connect.token$/, async (route) => resolve(await route.fetch()), { times: 1 });
  });
  await later(context, 3600);
  token(one).catch(() => {});
  assert.equal((await rotated).status(), 200);
  await one.close();
  const { code, serverCode, advice } = await failure(two, () => app.accessToken());
  assert.deepEqual([code, serverCode, advice], ['server', 'invalid_grant', 'reauthorize']);
  assert.equal(await two.evaluate(() => app.signedIn), false);
  assert.equal(sent.length, 3);
}, { complaints: FAILED }));

test('sign-out at a server that revokes refresh tokens only', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await signInBare(page);
  await answer(context, /token_type_hint=access_token/, (route) => route.fulfill({
    status: 400, headers: JSON_TYPE, body: '{"error":"unsupported_token_type"}',
  }));
  assert.equal(await page.evaluate(() => app.signOut()), true);
  assert.deepEqual(sent.slice(1).map((form) => form.token_type_hint), ['refresh_token', 'access_token']);
  // Without a refresh token there is nothing that was revoked.
  await page.evaluate(() => { globalThis.app = make({ scope: 'itwin-platform' }); });
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup(); })]);
  await popup.click('#allow');
  await page.evaluate(() => done);
  const error = await failure(page, () => app.signOut());
  assert.deepEqual([error.code, error.serverCode], ['server', 'unsupported_token_type']);
}, { complaints: FAILED }));

test('reload while the code is exchanged: signed out, and the next sign-in works', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  const exchanged = new Promise((resolve) => {
    context.route(/connect.token$/, async (route) => resolve(await route.fetch()), { times: 1 });
  });
  await page.evaluate(() => { app.signIn(); });
  await allow(page);
  await page.waitForSelector(READY);
  page.evaluate(() => app.handleRedirect()).catch(() => {});
  assert.equal((await exchanged).status(), 200);
  await page.reload();
  await page.waitForSelector(READY);
  assert.equal(await page.evaluate(() => app.handleRedirect()), null);
  assert.equal(await page.evaluate(() => app.signedIn), false);
  assert.equal(page.url(), all.bare.config.redirectUri);
  assert.equal(sent.length, 1);
  const returned = page.waitForURL(/[?&]code=/);
  await page.evaluate(() => { app.signIn(); });
  await returned;
  await page.waitForSelector(READY);
  await page.evaluate(() => app.handleRedirect());
  assert.equal(await page.evaluate(() => app.signedIn), true);
}, { complaints: FAILED }));

test('reload without offline_access: the session of another tab, or none', { timeout }, () => withTabs(async (context, sent) => {
  const pages = await Promise.all([openBare(context, all), openBare(context, all)]);
  const begin = (page) => page.evaluate(() => {
    globalThis.app = make({ scope: 'itwin-platform', keep: false });
    return app.handleRedirect().then(() => app.signedIn);
  });
  const [one, two] = pages;
  for (const page of pages) assert.equal(await begin(page), false);
  const [popup] = await Promise.all([one.waitForEvent('popup'), one.evaluate(() => { globalThis.done = app.signInPopup(); })]);
  await allow(popup);
  await one.evaluate(() => done);
  await until(two, () => app.signedIn);
  await one.reload();
  await one.waitForSelector(READY);
  assert.equal(await begin(one), true);
  await two.close();
  await one.reload();
  await one.waitForSelector(READY);
  assert.equal(await begin(one), false);
  assert.equal(sent.length, 1);
}));

test('the user stops the way to the sign-in page', { timeout }, () => withTabs(async (context) => {
  const page = await openBare(context, all);
  const arrived = new Promise((resolve) => { hostile.answers(resolve); });
  await page.evaluate((origin) => {
    globalThis.left = failure(() => make({ authorizationEndpoint: `${origin}/authorize`, tokenEndpoint: `${origin}/token` }).signIn());
  }, hostile.origin);
  await arrived;
  const devtools = await context.newCDPSession(page);
  await devtools.send('Page.stopLoading');
  assert.equal((await page.evaluate(() => left)).code, 'aborted');
}));
