// The app on another site than its server, and in browsers that keep no data, in a real Chromium.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, READY, allow, failure, hostile, openBare, until, within } from './spa.mjs';
import { openProfile, startDevServer } from './tools.mjs';

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
  await Promise.all([one, two].map((page) => page.evaluate(() => app.handleRedirect())));
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
