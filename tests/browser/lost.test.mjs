// Refreshes whose answer is lost, late or a refusal: what the tabs do then, and what they no longer do.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { CORS, FAILED, READY, allow, failure, hostile, openBare, setUp, tabs, until, withProfile } from './spa.mjs';

/** One server takes a spent refresh token for a theft, the other one answers it for half a minute. */
const strict = setUp();
const lenient = setUp('--refresh-grace', '30');
const timeout = 60_000;
const withTabs = (all, work, options) => withProfile(all.browser, work, { complaints: FAILED, ...options });
const token = (page) => page.evaluate(() => app.accessToken());
const later = (context, seconds) => context.clock.setFixedTime(Date.now() + seconds * 1000);
const refreshes = (sent) => sent.filter((form) => form.grant_type === 'refresh_token').map((form) => form.refresh_token);

/** From now on this becomes of refreshes. Returns what ends that. */
async function answer(context, work) {
  const handle = (route) => (route.request().postData().startsWith('grant_type=refresh_token') ? work(route) : route.fallback());
  await context.route(/connect.token$/, handle);
  return () => context.unroute(/connect.token$/, handle);
}

/** The answers to the next refreshes are lost; or the requests, if they do not arrive. */
function cut(context, { arrives, times }) {
  let left = times;
  return answer(context, async (route) => {
    left -= 1;
    if (left < 0) return route.fallback();
    if (arrives) await route.fetch();
    return route.abort('connectionreset');
  });
}

test('a refresh that does not arrive is sent once more', { timeout }, () => withTabs(strict, async (context, sent) => {
  const [one, two] = await tabs(context, strict);
  await cut(context, { arrives: false, times: 1 });
  await later(context, 3600);
  assert.equal(await token(one), await token(two));
  const [first, second, ...more] = refreshes(sent);
  assert.deepEqual([second, more], [first, []]);
}));

test('an answer is lost: a server with a grace gives another one', { timeout }, () => withTabs(lenient, async (context, sent) => {
  const [one, two] = await tabs(context, lenient);
  await cut(context, { arrives: true, times: 1 });
  await later(context, 3600);
  assert.equal(await token(one), await token(two));
  assert.equal(new Set(refreshes(sent)).size, 1);
  // What came of it can be refreshed.
  await later(context, 7200);
  await token(two);
  assert.equal(new Set(refreshes(sent)).size, 2);
}));

test('an answer is lost: a server without a grace ends the login, in all tabs', { timeout }, () => withTabs(strict, async (context, sent) => {
  const [one, two] = await tabs(context, strict);
  await cut(context, { arrives: true, times: 1 });
  await later(context, 3600);
  const { code, serverCode, advice } = await failure(one, () => app.accessToken());
  assert.deepEqual([code, serverCode, advice], ['server', 'invalid_grant', 'reauthorize']);
  await until(two, () => !app.signedIn);
  assert.equal(refreshes(sent).length, 2);
}));

test('two lost answers: the next refresh is not held up', { timeout }, () => withTabs(lenient, async (context, sent) => {
  const [one, two] = await tabs(context, lenient);
  await cut(context, { arrives: true, times: 2 });
  await later(context, 3600);
  const { code, advice } = await failure(one, () => app.accessToken());
  assert.deepEqual([code, advice, refreshes(sent).length], ['network', undefined, 2]);
  assert.equal(await token(two), await token(one));
  assert.equal(refreshes(sent).length, 3);
}));

test('a tab closes in its refresh: the others give its request two seconds, and go on', { timeout }, () => withTabs(lenient, async (context, sent) => {
  const [one, two] = await tabs(context, lenient);
  const arrived = new Promise((resolve) => {
    context.route(/connect.token$/, async (route) => resolve(await route.fetch()), { times: 1 });
  });
  await later(context, 3600);
  token(one).catch(() => {});
  await arrived;
  const begun = performance.now();
  await one.close();
  assert.equal((await token(two)).length, 43);
  assert.ok(performance.now() - begun >= 2000);
  assert.equal(new Set(refreshes(sent)).size, 1);
  assert.equal(refreshes(sent).length, 2);
}));

test('a server does not answer: nothing is sent again for half a minute, by no tab', { timeout }, () => withTabs(strict, async (context, sent) => {
  const pages = [await openBare(context, strict), await openBare(context, strict)];
  await Promise.all(pages.map((page) => page.evaluate(() => {
    globalThis.app = make({ deadline: 1000 });
    return app.handleRedirect();
  })));
  const [one, two] = pages;
  const [popup] = await Promise.all([one.waitForEvent('popup'), one.evaluate(() => { globalThis.done = app.signInPopup(); })]);
  await allow(popup);
  await one.evaluate(() => done);
  await until(two, () => app.signedIn);
  const stop = await answer(context, () => {});
  await later(context, 3600);
  assert.deepEqual([(await failure(one, () => app.accessToken())).code, refreshes(sent).length], ['deadline', 1]);
  for (const page of [one, two]) {
    const { ours, code } = await failure(page, () => app.accessToken());
    assert.deepEqual([ours, code, refreshes(sent).length], [true, 'deadline', 1]);
  }
  await stop();
  await later(context, 3631);
  assert.equal(await token(two), await token(one));
  assert.equal(refreshes(sent).length, 2);
}));

for (const [status, wait, fields] of [[503, 120, { 'retry-after': '120' }], [429, 10, {}]]) {
  test(`a server asks for a pause with ${status}: no tab sends anything before it is over`, { timeout }, () => withTabs(strict, async (context, sent) => {
    const [one, two] = await tabs(context, strict);
    const stop = await answer(context, (route) => route.fulfill({ status, headers: { ...CORS, ...fields } }));
    await later(context, 3600);
    const first = await failure(one, () => app.accessToken());
    assert.deepEqual([first.code, first.advice, refreshes(sent).length], ['status', 'retry', 1]);
    for (const page of [one, two]) {
      const { code, advice, retryAfter } = await failure(page, () => app.accessToken());
      assert.deepEqual([code, advice, refreshes(sent).length], ['status', 'retry', 1]);
      assert.ok(retryAfter > wait - 5 && retryAfter <= wait, `${retryAfter} seconds`);
    }
    await stop();
    await later(context, 3600 + wait + 1);
    assert.equal(await token(two), await token(one));
    assert.equal(refreshes(sent).length, 2);
  }));
}

test('a refusal does not displace an access token that still works', { timeout }, () => withTabs(strict, async (context, sent) => {
  const [one, two] = await tabs(context, strict);
  const first = await token(one);
  await answer(context, (route) => route.fulfill({
    status: 400, headers: { ...CORS, 'content-type': 'application/json' }, body: '{"error":"invalid_grant"}',
  }));
  await later(context, 3545);
  for (const page of [one, two, one]) assert.equal(await token(page), first);
  assert.equal(refreshes(sent).length, 1);
  await later(context, 3600);
  const { code, serverCode, advice } = await failure(two, () => app.accessToken());
  assert.deepEqual([code, serverCode, advice], ['server', 'invalid_grant', 'reauthorize']);
  for (const page of [one, two]) await until(page, () => !app.signedIn);
  assert.equal(refreshes(sent).length, 1);
}));

test('offline nothing is sent, so nothing can be lost', { timeout }, () => withTabs(strict, async (context, sent) => {
  const [one, two] = await tabs(context, strict);
  await later(context, 3600);
  await context.setOffline(true);
  const { code } = await failure(one, () => app.accessToken());
  assert.deepEqual([code, refreshes(sent).length], ['network', 1]);
  await context.setOffline(false);
  assert.equal(await token(two), await token(one));
  assert.equal(refreshes(sent).length, 2);
}));

test('a request is not repeated for another user', { timeout }, () => withTabs(strict, async (context, sent) => {
  const [one, two] = await tabs(context, strict);
  await one.evaluate((origin) => {
    app.close();
    globalThis.app = make({ origins: [origin] });
    return app.handleRedirect();
  }, hostile.origin);
  const held = new Promise((resolve) => {
    answer(context, async (route) => {
      await new Promise((go) => { resolve(go); });
      await route.fallback();
    });
  });
  hostile.answers((request, response) => response.writeHead(401).end('no'));
  await later(context, 100);
  const called = one.evaluate(async (url) => (await app.fetch(url)).status, hostile.origin);
  const go = await held;
  await two.evaluate(() => { app.signIn({ extra: { prompt: 'login' } }); });
  await allow(two, 'bob');
  await two.waitForSelector(READY);
  await two.evaluate(() => app.handleRedirect());
  go();
  assert.equal(await called, 401);
  assert.equal(hostile.seen.length, 1);
  assert.equal(refreshes(sent).length, 1);
}, { bypassCSP: true }));
