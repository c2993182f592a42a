// Sign-in windows of the browser adapter in a real Chromium.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { FAILED, READY, allow, failure, hostile, openBare, setUp, until, withProfile } from './spa.mjs';
import { openWholeBrowser, signIn } from './tools.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);

/** A bare page, and the window that it has opened; `done` is how its sign-in fails. */
async function openWindow(context) {
  const page = await openBare(context, all);
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate(() => {
      const { open } = window;
      window.open = (...options) => {
        globalThis.popup = open.apply(window, options);
        return globalThis.popup;
      };
      globalThis.done = failure(() => app.signInPopup());
    }),
  ]);
  return [page, popup];
}

/** The state of the sign-in that a window is at. */
const stateOf = (popup) => new URL(popup.url()).searchParams.get('state');
const redirectTo = (query) => `${all.bare.config.redirectUri}?${query}`;

/** Posts messages as a page of the app's origin can: into every window's room, and to the opener if there is one. */
function post(page, messages) {
  return page.evaluate(async (all) => {
    const { held } = await navigator.locks.query();
    const rooms = held.map(({ name }) => name).filter((name) => name.startsWith('proofkey/1 window '));
    for (const message of all) {
      rooms.forEach((room) => new BroadcastChannel(room).postMessage(message));
      globalThis.opener?.postMessage(message, '*');
    }
    return rooms;
  }, messages);
}

test('a window: no message but a redirect with its state ends the sign-in, and only from its own origin', { timeout }, () => withTabs(async (context, sent) => {
  const [page, popup] = await openWindow(context);
  await popup.waitForSelector('#username');
  const login = popup.url();
  const state = stateOf(popup);
  const evil = { id: 'x', redirect: redirectTo(`code=EVIL&state=${state}`) };
  // Another origin knows the state, and the room that is made from it.
  const room = await popup.evaluate(async ([text, message]) => {
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
    const name = `proofkey/1 window ${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    new BroadcastChannel(name).postMessage(message);
    opener.postMessage(message, '*');
    return name;
  }, [state, evil]);
  // The right origin, with another state and with no redirect: from the window, and from another tab.
  await popup.goto(`${all.bare.origin}/app.css`);
  const other = await openBare(context, all);
  for (const stranger of [popup, other]) {
    assert.deepEqual(await post(stranger, [
      { id: 'x', redirect: redirectTo(`code=EVIL&state=${'A'.repeat(43)}`) }, { id: 'x', redirect: redirectTo('error=access_denied') },
      { id: 'x', redirect: redirectTo(`code=EVIL&state=${state}&state=${state}`) },
      { id: 'x', redirect: `${all.bare.origin}/elsewhere?code=EVIL&state=${state}` }, { id: 'x', redirect: 7 }, { id: 'x' }, null,
    ]), [room]);
  }
  // An opaque origin.
  hostile.answers((request, response) => response.writeHead(200, {
    'content-type': 'text/html', 'content-security-policy': 'sandbox allow-scripts',
  }).end('<!doctype html><link rel="icon" href="data:,"><title>Sandbox</title>'));
  // The page itself goes there: if the browser is told to, the window loses its opener.
  const go = (url) => Promise.all([popup.waitForURL(url), popup.evaluate((to) => { location.assign(to); }, url)]);
  await go(`${hostile.origin}/`);
  assert.equal(await popup.evaluate((message) => {
    opener.postMessage(message, '*');
    return origin;
  }, evil), 'null');
  await go(login);
  await allow(popup);
  assert.equal(await page.evaluate(() => done), undefined);
  assert.equal(await page.evaluate(() => app.signedIn), true);
  assert.equal(sent.length, 1);
}, { complaints: FAILED }));

test('a window: what belongs to the sign-in is not where another tab could take it', { timeout }, () => withTabs(async (context) => {
  const [page, popup] = await openWindow(context);
  await popup.waitForSelector('#username');
  const other = await openBare(context, all);
  const locks = await other.evaluate(async () => JSON.stringify(await navigator.locks.query()));
  assert.match(locks, /proofkey\/1 window [\da-f]{64}"/);
  assert.ok(!locks.includes(stateOf(popup)));
  await allow(popup);
  await page.evaluate(() => done);
  assert.doesNotMatch(await other.evaluate(async () => JSON.stringify(await navigator.locks.query())), /window/);
}));

test('a window: the second call brings it to the front; a wrong state ends nothing', { timeout }, () => withTabs(async (context, sent) => {
  const [page, popup] = await openWindow(context);
  await page.evaluate(() => { globalThis.again = failure(() => app.signInPopup()); });
  await popup.waitForSelector('#username');
  assert.equal(context.pages().length, 2);
  const login = popup.url();
  await popup.goto(redirectTo('code=EVIL&state=x'));
  await until(popup, () => globalThis.refused);
  assert.equal(await popup.evaluate(() => refused), 'no_login');
  assert.equal(popup.url(), all.bare.config.redirectUri);
  assert.deepEqual(sent, []);
  await popup.goto(login);
  await allow(popup);
  assert.deepEqual(await page.evaluate(() => Promise.all([done, again])), [undefined, undefined]);
  assert.equal(sent.length, 1);
}));

test('a window: the page that opened it was reloaded, which is known at once', { timeout }, () => withTabs(async (context, sent) => {
  const [page, popup] = await openWindow(context);
  await signIn(popup);
  await popup.waitForSelector('#allow');
  await page.reload();
  await popup.addInitScript(() => {
    const { setTimeout: set } = globalThis;
    globalThis.delays = [];
    globalThis.setTimeout = (work, delay) => {
      delays.push(delay);
      return set(work, delay);
    };
  });
  await popup.click('#allow');
  await popup.waitForURL(all.bare.config.redirectUri);
  await until(popup, () => globalThis.refused);
  assert.deepEqual(await popup.evaluate(() => [refused, delays.filter((delay) => delay >= 1000)]), ['no_login', []]);
  assert.equal(await page.evaluate(() => app.signedIn), false);
  assert.deepEqual(sent, []);
}));

test('a window: closed by the user, and opened again before that is known', { timeout }, () => withTabs(async (context, sent) => {
  const [page, first] = await openWindow(context);
  await first.waitForSelector('#username');
  await first.close();
  await until(page, () => popup.closed);
  const [second] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate(() => { globalThis.again = failure(() => app.signInPopup()); }),
  ]);
  assert.equal((await page.evaluate(() => done)).code, 'popup_closed');
  await allow(second);
  assert.equal(await page.evaluate(() => again), undefined);
  assert.equal(sent.length, 1);
}));

test('a window: cancelled by the app', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  const begin = () => Promise.all([page.waitForEvent('popup'), page.evaluate(() => {
    globalThis.cancel = new AbortController();
    globalThis.done = failure(() => app.signInPopup({ signal: cancel.signal }));
  })]);
  for (const stop of [() => cancel.abort(), () => app.close()]) {
    const [popup] = await begin();
    await popup.waitForSelector('#username');
    const closed = popup.waitForEvent('close');
    await page.evaluate(stop);
    const { ours, code, advice } = await page.evaluate(() => done);
    assert.deepEqual([ours, code, advice], [true, 'aborted', 'reauthorize']);
    await closed;
  }
  assert.equal((await failure(page, () => app.signIn())).code, 'config');
  await page.evaluate(() => { globalThis.app = make(); });
  assert.equal((await failure(page, () => app.signInPopup({ signal: AbortSignal.abort() }))).code, 'aborted');
  assert.equal(context.pages().length, 1);
  // Too late: the redirect has come.
  const [popup] = await begin();
  const exchanged = new Promise((resolve) => {
    context.route(/connect.token$/, (route) => { resolve(route); }, { times: 1 });
  });
  await allow(popup);
  const route = await exchanged;
  await page.evaluate(() => cancel.abort());
  await route.continue();
  assert.equal(await page.evaluate(() => done), undefined);
  assert.equal(sent.length, 1);
}));

test('a window: it cannot be closed, and goes on as one more tab', { timeout }, () => withTabs(async (context, sent) => {
  await context.addInitScript(() => { window.close = () => { globalThis.closing = true; }; });
  const [page, popup] = await openWindow(context);
  await allow(popup);
  assert.equal(await page.evaluate(() => done), undefined);
  await popup.waitForSelector(READY);
  assert.equal(await popup.evaluate(() => app.handleRedirect()), null);
  assert.equal(await popup.evaluate(() => closing && app.signedIn), true);
  assert.equal(await popup.evaluate(() => app.accessToken()), await page.evaluate(() => app.accessToken()));
  assert.equal(popup.url(), all.bare.config.redirectUri);
  assert.equal(sent.length, 1);
}));

test('a window: blocked', { timeout }, async () => {
  const browser = await openWholeBrowser({ ignoreDefaultArgs: ['--disable-popup-blocking'] });
  try {
    await withProfile(browser, async (context) => {
      // Without a click: what a test evaluates counts as one.
      const page = await openBare(context, all, '#popup');
      const error = await page.evaluate(() => popup);
      assert.deepEqual([error.ours, error.code, error.advice], [true, 'popup_blocked', 'reauthorize']);
      assert.equal(context.pages().length, 1);
    });
  } finally {
    await browser.close();
  }
});

test('a window: ten minutes', { timeout }, () => withTabs(async (context, sent) => {
  const [page, popup] = await openWindow(context);
  await popup.waitForSelector('#username');
  const closed = popup.waitForEvent('close');
  await page.clock.setFixedTime(Date.now() + 11 * 60_000);
  const { code, advice } = await page.evaluate(() => done);
  assert.deepEqual([code, advice], ['expired', 'reauthorize']);
  await closed;
  assert.deepEqual(sent, []);
}));

test("a window: another server's redirect", { timeout }, () => withTabs(async (context, sent) => {
  for (const iss of ['&iss=https://evil.example', '']) {
    const [page, popup] = await openWindow(context);
    await popup.waitForSelector('#username');
    const state = stateOf(popup);
    await popup.goto(redirectTo(`code=EVIL&state=${state}${iss}`)).catch(() => {});
    const error = await page.evaluate(() => done);
    assert.deepEqual([error.code, error.advice], ['callback', 'reauthorize']);
    assert.match(error.message, /another authorization server|which authorization server it comes from/);
  }
  assert.deepEqual(sent, []);
}));
