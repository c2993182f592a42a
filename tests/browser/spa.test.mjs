// The single-page app in a real Chromium: the adapter for browsers against the development server.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from '../../examples/spa/serve.mjs';
import { openBrowser, signIn, startDevServer } from './tools.mjs';

let browser;
let server;
let site;
const timeout = 60_000;

before(async () => {
  [browser, server] = await Promise.all([openBrowser(), startDevServer()]);
  site = await serve({ port: 0, issuer: server.issuer });
});
after(async () => {
  await Promise.all([browser?.close(), server?.stop(), site?.stop()]);
});

test('redirect: sign in, call the API, sign out', { timeout }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('console', (m) => console.log('console', m.text()));
  page.on('pageerror', (m) => console.log('pageerror', m));
  await page.goto(site.origin);
  await page.click('#sign-in');
  await signIn(page);
  await page.click('#allow');
  await page.waitForSelector('#signed-in:not([hidden])');
  assert.equal(page.url(), site.config.redirectUri);
  await page.waitForSelector('text=Signed in as alice.');
  assert.equal(await page.locator('#itwins li').count(), 2);
  await page.click('#sign-out');
  await page.waitForSelector('text=You are not signed in.');
  await context.close();
});
