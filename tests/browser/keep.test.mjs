// The session of a page that is reloaded, or closed and opened again, in a real Chromium.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { BARE, READY, failure, openBare, setUp, signInBare, until, withProfile } from './spa.mjs';

/** The worker with its ten seconds made short. */
const WORKER = readFileSync(new URL('../../crates/browser/package/worker.js', import.meta.url), 'utf8');
BARE['/quick.js'] = `const later = setTimeout; self.setTimeout = (work, time) => later(work, time / 20);\n${WORKER}`;

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);
const token = (page) => page.evaluate(() => app.accessToken());

/** Waits until the worker has the newest tokens, too. */
async function kept(page, holders = 2) {
  for (;;) {
    const { held } = await page.evaluate(() => navigator.locks.query());
    const versions = held.map(({ name }) => name).filter((name) => /] \d{16} /.test(name)).sort();
    if (versions.length === holders && new Set(versions).size === 1) return;
    await page.waitForTimeout(10);
  }
}

/** What a page that has just been loaded knows. */
async function start(page) {
  await page.waitForSelector(READY);
  return page.evaluate(async () => {
    const begun = performance.now();
    await app.handleRedirect();
    return { signedIn: app.signedIn, took: performance.now() - begun };
  });
}

async function reload(page) {
  await page.reload();
  return start(page);
}

test('three reloads: signed in each time, and nothing is sent', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await signInBare(page);
  const first = await token(page);
  for (let round = 0; round < 3; round += 1) {
    await kept(page);
    const { signedIn, took } = await reload(page);
    console.log(`# ${Math.round(took)} ms`);
    assert.equal(signedIn, true);
    assert.equal(await token(page), first);
  }
  assert.equal(sent.length, 1);
}));
