// Each view of the React example, on a phone and a desk, in the light and in the dark: axe finds nothing, and it fits.
import { test } from 'node:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { button, looksWell, open, setUp, titled } from './react.mjs';
import { FAILED, within, withProfile } from './spa.mjs';
import { openProfile, signIn } from './tools.mjs';

const all = setUp();
const timeout = 120_000;
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const DESK = { viewport: { width: 1280, height: 800 } };

for (const [name, size] of [['phone', PHONE], ['desk', DESK]]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`the views on a ${name}, ${colorScheme}`, { timeout }, () => withProfile(all.browser, async (context) => {
      const look = (page, view) => looksWell(page, `${view}-${name}-${colorScheme}`);
      const page = await open(context, all);
      await titled(page, 'Your sites in one place');
      await look(page, 'start');
      await page.getByRole('link', { name: 'Show my iTwins' }).click();
      await titled(page, 'Please sign in');
      await look(page, 'sign-in');
      await page.context().setOffline(true);
      await button(page, 'Sign in').click();
      await page.getByRole('alert').filter({ hasText: 'You are offline' }).waitFor();
      await look(page, 'offline');
      await page.context().setOffline(false);
      await button(page, 'Sign in').click();
      await signIn(page);
      await page.click('#deny');
      await titled(page, 'You are not signed in');
      await look(page, 'refused');
      await button(page, 'Try again').click();
      await page.click('#allow');
      await titled(page, 'My iTwins');
      await page.getByRole('link', { name: 'North tunnel' }).click();
      await look(page, 'itwins');
      let go;
      const held = new Promise((resolve) => { go = resolve; });
      await context.route(/\/api\/me$/, async (route) => {
        await held;
        await route.continue();
      });
      await page.getByRole('link', { name: 'Account' }).click();
      await page.getByText('One moment').evaluate((element) => Promise.all(element.getAnimations().map(({ finished }) => finished)));
      await look(page, 'loading');
      go();
      await page.getByText('alice@example.test').waitFor();
      await look(page, 'account');
      await context.route(/\/api\/itwins$/, (route) => route.fulfill({ status: 503, headers: { 'access-control-allow-origin': '*' } }));
      await page.getByRole('link', { name: 'iTwins', exact: true }).click();
      await page.getByRole('alert').filter({ hasText: 'The service does not work' }).waitFor();
      await look(page, 'broken');
      await page.goto(`${all.origin}/nowhere`);
      await titled(page, 'There is no such page');
      await page.getByRole('link', { name: 'Skip to the content' }).focus();
      await look(page, 'missing');
    }, { ...size, colorScheme, complaints: FAILED }));
  }
}

test('all storage is blocked: the user is told what to do', { timeout }, async () => {
  const home = mkdtempSync(join(tmpdir(), 'proofkey-'));
  mkdirSync(join(home, 'Default'));
  writeFileSync(join(home, 'Default/Preferences'), JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }));
  try {
    await within(await openProfile(home), async (context) => {
      const page = await open(context, all, '/account');
      await button(page, 'Sign in').click();
      await page.getByRole('alert').filter({ hasText: 'A sign-in needs site data. Allow it' }).waitFor();
      await looksWell(page, 'blocked-desk-light');
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
