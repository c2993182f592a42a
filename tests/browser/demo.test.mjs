// What the tool carries, in a real Chromium: the built package and the sample app, under the site's own policy.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { allow, open, withProfile } from './spa.mjs';
import { Tool, openBrowser } from './tools.mjs';

const timeout = 60_000;
let browser;

before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

test('proofkey demo --spa: sign in, on the whole page and in a window', { timeout }, () => withProfile(browser, async (context) => {
  const tool = new Tool();
  const demo = tool.start('demo', '--spa', '--no-browser', '--json');
  try {
    const [, url] = await demo.match(/"url":"(http[^"]+)"/, 'stdout');
    const page = await open(context, { origin: url.replace(/\/$/, '') });
    const says = (text) => page.getByRole('status').filter({ hasText: text }).waitFor();
    await page.click('#sign-in');
    await allow(page);
    await says('Signed in as alice.');
    await page.click('#sign-out');
    await says('You are not signed in.');
    await page.click('#sign-in-popup');
    await says('Signed in as alice.');
    const types = await page.evaluate(async () => {
      const files = [location.href, ...performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.startsWith(origin))];
      const answers = await Promise.all(files.map((file) => fetch(file)));
      return answers.map(({ headers }) => [headers.get('content-type'), headers.get('content-security-policy')]);
    });
    assert.deepEqual(new Set(types.map(([type]) => type)), new Set(['text/html; charset=utf-8', 'text/css', 'text/javascript', 'application/wasm']));
    for (const [, policy] of types) {
      assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|\*/);
      assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';.*require-trusted-types-for 'script'/);
    }
  } finally {
    await demo.stop('SIGINT');
    tool.remove();
  }
  assert.match(demo.stdout, /POST \/connect\/token/);
}));
