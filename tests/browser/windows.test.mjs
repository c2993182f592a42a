// Sign-in windows of the browser adapter in a real Chromium.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { FAILED, allow, failure, hostile, openBare, setUp, withProfile } from './spa.mjs';
import { openBrowser, signIn } from './tools.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);

/** A bare page, and the window that it has opened; `done` is how its sign-in fails. */
async function openWindow(context) {
  const page = await openBare(context, all);
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate(() => { globalThis.done = failure(() => app.signInPopup()); }),
  ]);
  return [page, popup];
}

test('a window: only its own page is listened to', { timeout }, () => withTabs(async (context, sent) => {
  const [page, popup] = await openWindow(context);
  await popup.waitForSelector('#username');
  const login = popup.url();
  const forged = { redirect: `${all.bare.config.redirectUri}?code=EVIL&state=x` };
  // Another origin, then another window of the right one, each with the right name.
  const name = await popup.evaluate((message) => {
    opener.postMessage({ ...message, name: window.name }, '*');
    return window.name;
  }, forged);
  assert.match(name, /^proofkey [\da-f-]{36}$/);
  await page.evaluate((message) => postMessage(message, '*'), { ...forged, name });
  // The right window and origin, with another name, and with no redirect.
  await popup.goto(`${all.bare.origin}/app.css`);
  await popup.evaluate((message) => {
    opener.postMessage({ ...message, name: 'proofkey x' }, '*');
    opener.postMessage({ name: window.name, redirect: 7 }, '*');
    opener.postMessage(null, '*');
  }, forged);
  // The right window and name, of no origin that has a name.
  hostile.answers((request, response) => response.writeHead(200, {
    'content-type': 'text/html', 'content-security-policy': 'sandbox allow-scripts',
  }).end('<!doctype html><link rel="icon" href="data:,"><title>Sandbox</title>'));
  // The page itself goes there: where the browser is told to, the window loses its opener.
  const go = (url) => Promise.all([popup.waitForURL(url), popup.evaluate((to) => { location.assign(to); }, url)]);
  await go(`${hostile.origin}/`);
  assert.equal(await popup.evaluate((message) => {
    opener.postMessage({ ...message, name: window.name }, '*');
    return origin;
  }, forged), 'null');
  await go(login);
  await allow(popup);
  assert.equal(await page.evaluate(() => done), undefined);
  assert.equal(await page.evaluate(() => app.signedIn), true);
  assert.equal(sent.length, 1);
}, { complaints: FAILED }));

test('a window: the second call brings it to the front; a wrong state ends it', { timeout }, () => withTabs(async (context, sent) => {
  const [page, popup] = await openWindow(context);
  await page.evaluate(() => { globalThis.again = failure(() => app.signInPopup()); });
  await popup.waitForSelector('#username');
  assert.equal(context.pages().length, 2);
  await popup.goto(`${all.bare.config.redirectUri}?code=EVIL&state=x`).catch(() => {});
  assert.equal((await page.evaluate(() => done)).code, 'state');
  assert.equal((await page.evaluate(() => again)).code, 'state');
  assert.deepEqual(sent, []);
}));

test('a window: the page that opened it was reloaded', { timeout }, () => withTabs(async (context, sent) => {
  const [page, popup] = await openWindow(context);
  await signIn(popup);
  await page.reload();
  const closed = popup.waitForEvent('close');
  await popup.click('#allow');
  await closed;
  assert.equal(await page.evaluate(() => app.signedIn), false);
  assert.deepEqual(sent, []);
}));

test('a window: blocked', { timeout }, async () => {
  const browser = await openBrowser({ ignoreDefaultArgs: ['--disable-popup-blocking'] });
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
    const state = new URL(popup.url()).searchParams.get('state');
    await popup.goto(`${all.bare.config.redirectUri}?code=EVIL&state=${state}${iss}`).catch(() => {});
    const error = await page.evaluate(() => done);
    assert.deepEqual([error.code, error.advice], ['callback', 'reauthorize']);
    assert.match(error.message, /another authorization server/);
  }
  assert.deepEqual(sent, []);
}));
