// The app on another site than its server, on localhost, in a frame, and in browsers that keep no data, in a real Chromium.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, FAILED, READY, allow, failure, hostile, openBare, signInBare, signedIn, until, withProfile, within } from './spa.mjs';
import { openWholeBrowser, openProfile, signIn, startDevServer } from './tools.mjs';

const all = {};
const timeout = 60_000;

before(async () => {
  all.server = await startDevServer();
  // Two addresses are two sites. Frames are allowed here, to see what they may not do.
  const more = { 'content-security-policy': 'frame-ancestors *' };
  all.bare = await serve({ host: '::1', port: 0, issuer: all.server.issuer, pages: BARE, more });
});
after(() => Promise.all([all.server?.stop(), all.bare?.stop()]));

/** A profile of its own with these settings: `cookies` 2 blocks all data, `cookie_controls_mode` 1 that of third parties. */
async function withSettings(profile, work) {
  const home = mkdtempSync(join(tmpdir(), 'proofkey-'));
  mkdirSync(join(home, 'Default'));
  writeFileSync(join(home, 'Default/Preferences'), JSON.stringify({ profile }));
  try {
    await within(await openProfile(home), work);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const BLOCKED = { block_third_party_cookies: true, cookie_controls_mode: 1 };

test('third-party storage is blocked: sign-in, refresh and sign-out need none', { timeout }, () => withSettings(BLOCKED, async (context, sent) => {
  const [one, two] = [await openBare(context, all), await openBare(context, all)];
  // That it is blocked: a frame of the server's site has no cookies.
  hostile.answers((request, response) => response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'a=1; SameSite=None' })
    .end('<script>document.cookie = "b=1"; parent.postMessage(document.cookie, "*")</script>'));
  assert.equal(await one.evaluate((src) => new Promise((resolve) => {
    addEventListener('message', ({ data }) => resolve(data), { once: true });
    document.body.append(Object.assign(document.createElement('iframe'), { src }));
  }), hostile.origin), '');

  await one.evaluate(() => { app.signIn(); });
  await allow(one);
  await one.waitForURL(/\[::1\].*callback/);
  await one.waitForSelector(READY);
  await signedIn([one, two]);
  await context.clock.setFixedTime(Date.now() + 3600_000);
  const tokens = await Promise.all([one, two].map((page) => page.evaluate(() => app.accessToken())));
  assert.equal(tokens[0], tokens[1]);
  assert.equal(await two.evaluate(() => app.signOut()), true);
  await until(one, () => !app.signedIn);

  // The server remembers who it was, in a cookie of its own: the window comes back without a question.
  await one.evaluate(() => app.signInPopup());
  await until(two, () => app.signedIn);
  assert.deepEqual(sent.map((form) => form.grant_type ?? form.token_type_hint),
    ['authorization_code', 'refresh_token', 'refresh_token', 'access_token', 'authorization_code']);
}));

test('all storage is blocked: told before anybody signs in', { timeout }, () => withSettings({ default_content_setting_values: { cookies: 2 } }, async (context, sent) => {
  const page = await openBare(context, all);
  assert.equal(await page.evaluate(() => { try { return sessionStorage.length; } catch (error) { return error.name; } }), 'SecurityError');
  for (const work of [() => app.signIn(), () => app.signInPopup()]) {
    const error = await failure(page, work);
    assert.deepEqual([error.ours, error.code, error.advice], [true, 'unsupported', 'fix']);
  }
  assert.equal(await page.evaluate(() => app.handleRedirect()), null);
  assert.equal(await page.evaluate(() => app.signOut()), false);
  await page.goto(`${all.bare.config.redirectUri}?code=x&state=y`);
  await page.waitForSelector(READY);
  assert.equal((await failure(page, () => app.handleRedirect())).code, 'storage');
  assert.deepEqual(sent, []);
}));

/** Runs this in a browser of its own, without those of Playwright's arguments. */
async function inBrowser(work, { without = [], ...options } = {}) {
  const browser = await openWholeBrowser({ ignoreDefaultArgs: without });
  try {
    await withProfile(browser, work, options);
  } finally {
    await browser.close();
  }
}

test('http://localhost: sign-in on the whole page and in a window, the API, a refresh, sign-out', { timeout }, async () => {
  const bare = await serve({ host: 'localhost', port: 0, pages: BARE });
  const { config } = bare;
  assert.match(config.redirectUri, /^http:\/\/localhost:\d+\/callback$/);
  const server = await startDevServer('--redirect-uri', config.redirectUri);
  config.issuer = server.issuer;
  // The API is at localhost, too.
  config.api = server.issuer.replace('127.0.0.1', 'localhost');
  try {
    await inBrowser(async (context, sent) => {
      const page = await openBare(context, { bare });
      const me = () => page.evaluate(async (api) => (await (await app.fetch(`${api}/api/me`)).json()).user.id, config.api);
      await signInBare(page);
      assert.equal(page.url(), config.redirectUri);
      assert.equal(await me(), 'alice');
      await context.clock.setFixedTime(Date.now() + 3600_000);
      assert.equal(await me(), 'alice');
      assert.equal(await page.evaluate(() => app.signOut()), true);
      const [popup] = await Promise.all([
        page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup({ extra: { prompt: 'login' } }); }),
      ]);
      await allow(popup, 'bob');
      await page.evaluate(() => done);
      assert.equal(await me(), 'bob');
      assert.deepEqual(sent.map((form) => form.grant_type ?? form.token_type_hint),
        ['authorization_code', 'refresh_token', 'refresh_token', 'access_token', 'authorization_code']);
      // The literals are other origins.
      const { code, message } = await failure(page, (redirectUri) => make({ redirectUri }), config.redirectUri.replace('localhost', '127.0.0.1'));
      assert.equal(code, 'config');
      assert.match(message, /^redirect URI: .*http:\/\/localhost:\d+, not http:\/\/127\.0\.0\.1:\d+$/);
    }, { bypassCSP: true, complaints: FAILED });
  } finally {
    await Promise.all([server.stop(), bare.stop()]);
  }
});

/** Playwright's list of features to turn off. One of them gives a frame storage of its own, which a browser has by default. */
async function disabledFeatures() {
  const browser = await openWholeBrowser();
  const page = await browser.newPage();
  await page.goto('chrome://version');
  const line = await page.textContent('#command_line');
  await browser.close();
  return line.match(/--disable-features=\S*ThirdPartyStoragePartitioning\S*/g);
}

test("in another site's frame: a window, although its page has other locks and channels", { timeout }, async () => {
  const without = await disabledFeatures();
  assert.equal(without.length, 1);
  await inBrowser(async (context, sent) => {
    hostile.answers((request, response) => response.writeHead(200, { 'content-type': 'text/html' })
      .end(`<!doctype html><link rel="icon" href="data:,"><iframe src="${all.bare.origin}/"></iframe>`));
    const page = await context.newPage();
    await page.goto(hostile.origin);
    const frame = page.frames()[1];
    await frame.waitForSelector(READY);
    const begin = () => Promise.all([page.waitForEvent('popup'), frame.evaluate(() => { globalThis.done = failure(() => app.signInPopup({ extra: { prompt: 'login' } })); })]);
    const [popup] = await begin();
    await popup.waitForSelector('#username');
    assert.doesNotMatch(await (await openBare(context, all)).evaluate(async () => JSON.stringify(await navigator.locks.query())), /window/);
    const closed = popup.waitForEvent('close');
    await allow(popup);
    assert.equal(await frame.evaluate(() => done), undefined);
    await closed;
    assert.deepEqual([await frame.evaluate(() => app.signedIn), sent.length], [true, 1]);
    // The frame is gone: nobody answers.
    const [late] = await begin();
    await late.waitForSelector('#username');
    await page.goto('about:blank');
    await signIn(late);
    await late.waitForSelector(READY);
    assert.deepEqual([(await failure(late, () => app.handleRedirect())).code, sent.length], ['no_login', 1]);
  }, { without });
});
