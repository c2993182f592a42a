// What a page is told of its session, and what becomes of its address, in a real Chromium; and a `Proofkey` without a page.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { FAILED, READY, allow, failure, openBare, setUp, tabs, until, withProfile } from './spa.mjs';
import { signIn } from './tools.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);

/** From now on `seen` is what the events of the page's app were, each with the state then. */
function listen(page) {
  return page.evaluate(() => {
    globalThis.seen = [];
    for (const type of ['change', 'token']) app.addEventListener(type, () => seen.push(`${type} ${app.state}`));
    return app.state;
  });
}
const seen = (page) => page.evaluate(() => seen.splice(0));

test('the state, and an event for each transition', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = [await openBare(context, all), await openBare(context, all)];
  for (const page of [one, two]) {
    assert.equal(await listen(page), 'loading');
    assert.equal(await page.evaluate(() => app.handleRedirect()), null);
    assert.deepEqual(await seen(page), ['change signed_out']);
  }
  await one.evaluate(() => { app.signIn(); });
  await allow(one);
  await one.waitForSelector(READY);
  assert.equal(await listen(one), 'loading');
  await one.evaluate(() => app.handleRedirect());
  assert.deepEqual(await seen(one), ['change loading', 'token loading', 'change signed_in']);
  await until(two, () => app.signedIn);
  assert.deepEqual(await seen(two), ['change signed_in', 'token signed_in']);
  await context.clock.setFixedTime(Date.now() + 3600_000);
  await two.evaluate(() => app.accessToken());
  await until(one, () => seen.length);
  for (const page of [one, two]) assert.deepEqual(await seen(page), ['token signed_in']);
  assert.equal(await two.evaluate(() => app.signOut()), true);
  await until(one, () => !app.signedIn);
  for (const page of [one, two]) assert.deepEqual(await seen(page), ['change signed_out']);
  assert.equal(sent.length, 4);
}));

test('the state without a call of handleRedirect: known as soon as there is a session', { timeout }, () => withTabs(async (context) => {
  const page = await openBare(context, all);
  await listen(page);
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup(); })]);
  await allow(popup);
  await page.evaluate(() => done);
  assert.deepEqual(await seen(page), ['change signed_in', 'token signed_in']);
}));

test('no event carries a token', { timeout }, () => withTabs(async (context) => {
  const [page] = await tabs(context, all);
  await page.evaluate(() => {
    globalThis.events = [];
    for (const type of ['change', 'token']) app.addEventListener(type, (event) => events.push(event));
  });
  await context.clock.setFixedTime(Date.now() + 3600_000);
  const token = await page.evaluate(() => app.accessToken());
  await page.evaluate(() => app.signOut());
  const [types, told] = await page.evaluate(() => [
    events.map(({ type, constructor }) => `${constructor.name} ${type}`),
    JSON.stringify(events.map((event) => Object.fromEntries(Object.keys(Event.prototype).concat('detail', 'data').map((name) => [name, String(event[name])])))),
  ]);
  assert.deepEqual(types, ['Event token', 'Event change']);
  assert.ok(!told.includes(token));
}));

test('a sign-in that fails gives its data back', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  const data = { place: '/things/7' };
  const begin = () => page.evaluate((given) => { app.signIn({ data: given, extra: { prompt: 'consent' } }); }, data);
  const failed = async () => {
    await page.waitForSelector(READY);
    const error = await failure(page, () => app.handleRedirect());
    return [error.code, error.data];
  };
  await begin();
  await signIn(page);
  await page.click('#deny');
  assert.deepEqual(await failed(), ['server', data]);
  assert.equal(await page.evaluate(() => app.state), 'signed_out');
  // A stranger's redirect: the sign-in goes on waiting.
  await begin();
  await page.waitForSelector('#deny');
  await page.goto(`${all.bare.config.redirectUri}?code=C&state=S`);
  assert.deepEqual(await failed(), ['state', data]);
  // The code exchange fails.
  await context.route(/connect.token$/, (route) => route.abort());
  await begin();
  await page.click('#allow');
  assert.deepEqual(await failed(), ['network', data]);
  await begin();
  await page.waitForSelector('#deny');
  await context.clock.setFixedTime(Date.now() + 11 * 60_000);
  await page.click('#deny');
  assert.deepEqual(await failed(), ['expired', data]);
  // There was none.
  await page.goto(`${all.bare.config.redirectUri}?code=C&state=S`);
  assert.deepEqual(await failed(), ['no_login', undefined]);
  assert.equal(sent.length, 1);
}, { complaints: FAILED }));

test('a router writes the redirect into the address bar again: it is removed again, and handled once', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  const { redirectUri } = all.bare.config;
  for (const way of ['signed in', 'refused']) {
    const arrived = page.waitForRequest((request) => request.url().startsWith(`${redirectUri}?`));
    await page.evaluate(() => {
      delete document.documentElement.dataset.ready;
      app.signIn({ data: 7, extra: { prompt: 'consent' } });
    });
    if (way === 'signed in') await signIn(page);
    await page.click(way === 'refused' ? '#deny' : '#allow');
    const redirect = (await arrived).url();
    await page.waitForSelector(READY);
    assert.equal(page.url(), redirectUri);
    const found = await page.evaluate(async (url) => {
      history.replaceState({ router: 1 }, '', url);
      // A component that is made only now.
      const second = make();
      const done = [second, app].map((one) => one.handleRedirect().catch((error) => error.serverCode));
      history.replaceState({ router: 2 }, '', `${url}&seen=`);
      return [...await Promise.all(done), location.href, history.state, second.state, app.state];
    }, redirect);
    assert.deepEqual(found, way === 'refused'
      ? ['access_denied', 'access_denied', redirectUri, { router: 2 }, 'signed_out', 'signed_out']
      : [{ data: 7 }, { data: 7 }, redirectUri, { router: 2 }, 'signed_in', 'signed_in']);
    await page.evaluate(() => app.signOut());
  }
  assert.deepEqual(sent.map((form) => form.grant_type ?? form.token_type_hint), ['authorization_code', 'refresh_token', 'access_token']);
}));

test('an address that the app has gone to meanwhile stays', { timeout }, () => withTabs(async (context) => {
  const page = await openBare(context, all);
  await page.evaluate(() => { app.signIn(); });
  await allow(page);
  await page.waitForSelector(READY);
  assert.equal(await page.evaluate(async () => {
    history.replaceState(null, '', '/things?code=7');
    await app.handleRedirect();
    return location.pathname + location.search;
  }), '/things?code=7');
}));

test('two instances of a component: the first is freed, the second has the session', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await page.evaluate(() => { app.signIn({ data: 7 }); });
  await allow(page);
  await page.waitForSelector(READY);
  const found = await page.evaluate(async () => {
    // The page's own is freed before anyone has handled the redirect.
    app.close();
    const [first, second] = [make({ keep: false }), make({ keep: false })];
    first.close();
    return [await first.handleRedirect(), await second.handleRedirect(), second.state, (await navigator.locks.query()).held.length];
  });
  assert.deepEqual(found, [null, { data: 7 }, 'signed_in', 1]);
  assert.equal(sent.length, 1);
}));

test('without a window: made, and of no use', async () => {
  const { Proofkey, ProofkeyError } = await import('../../crates/browser/package/index.js');
  const app = new Proofkey({ issuer: 'https://as.example', clientId: 'a', redirectUri: 'https://app.example/callback' });
  app.addEventListener('change', () => {});
  assert.deepEqual([app.state, app.signedIn, app.scope], ['loading', false, null]);
  for (const use of ['handleRedirect', 'signIn', 'signInPopup', 'accessToken', 'fetch', 'signOut']) {
    await assert.rejects(app[use](), (error) => error instanceof ProofkeyError && error.code === 'unsupported' && error.advice === 'fix', use);
  }
  app.close();
});
