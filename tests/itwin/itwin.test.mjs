// The drop-in for iTwin.js in a real Chromium, against the development server.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { READY, allow, until, withProfile } from '../browser/spa.mjs';
import { signIn } from '../browser/tools.mjs';
import { setUp } from './site.mjs';

const all = setUp('--access-token-ttl', '3');
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);

async function open(context, site = all.ours, path = '/') {
  const page = await context.newPage();
  await page.goto(site.origin + path);
  await page.waitForSelector(READY);
  return page;
}

/** What an app can see of its client. */
const look = (page) => page.evaluate(async () => ({
  answers: [client.isAuthorized, client.hasSignedIn, client.hasExpired, client.authorityUrl],
  token: (await client.getAccessToken().catch(({ name, message }) => `${name}: ${message}`)).replace(/^Bearer [\w-]{43}$/, 'Bearer …'),
  raised: raised.splice(0).map((token) => token.replace(/^Bearer [\w-]{43}$/, 'Bearer …')),
  place: location.href.replace(location.origin, ''),
  unexpected,
}));

async function signInHere(page) {
  await page.evaluate(() => { client.signIn(); });
  await allow(page);
  await page.waitForURL(/^(?!.*callback)/);
  await page.waitForSelector(READY);
  await until(page, () => client.hasSignedIn);
}

test('an app sees the same as with the client of @itwin/browser-authorization', { timeout }, async () => {
  const seen = [];
  for (const site of [all.theirs, all.ours]) {
    await withTabs(async (context) => {
      const page = await open(context, site, '/?model=7#view');
      const before = await look(page);
      await page.evaluate(() => { client.signInRedirect(undefined, { prompt: 'login' }); });
      await allow(page);
      await page.waitForURL(/model=7#view$/);
      await page.waitForSelector(READY);
      await page.evaluate(() => { raised.length = 0; });
      const silent = await page.evaluate(() => failure(() => client.signInSilent()));
      const after = await look(page);
      await page.evaluate(() => client.dispose());
      seen.push({ before, silent, after });
    });
  }
  const [theirs, ours] = seen;
  assert.deepEqual(ours, theirs);
  assert.deepEqual(ours.after.raised, ['Bearer …']);
  assert.equal(ours.before.token, 'Error: Authorization error: Not signed in.');
});
