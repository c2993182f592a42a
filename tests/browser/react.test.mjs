// The React example in its built form, with its Content-Security-Policy, against the development server; its headers; and as
// `npm run dev` serves it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { button, example, open, place, setUp, titled, vite } from './react.mjs';
import { CORS, FAILED, allow, withProfile } from './spa.mjs';
import { signIn } from './tools.mjs';

const all = setUp();
const timeout = 120_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);
const says = (page, text) => page.getByRole('alert').filter({ hasText: text }).waitFor();

const TUNNEL = '7d3b6c0a-3c56-4f0e-8f43-0d9c5a1c2b22';
const DEEP = `/itwins?q=tunnel#${TUNNEL}`;

test('a link into the app: sign in, and be back there, with an empty console', { timeout }, () => withTabs(async (context, sent, told) => {
  const page = await open(context, all, DEEP);
  await titled(page, 'Please sign in');
  await button(page, 'Sign in').click();
  await allow(page);
  await titled(page, 'My iTwins');
  assert.equal(place(page), DEEP);
  await page.getByRole('link', { name: 'North tunnel' }).and(page.locator('[aria-current]')).waitFor();
  assert.equal(await page.getByRole('listitem').count(), 1);
  assert.equal(sent.length, 1);
  assert.deepEqual(told, []);
}));

test('a window: sign in, and stay there', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all, DEEP);
  const [popup] = await Promise.all([page.waitForEvent('popup'), button(page, 'Sign in in a window').click()]);
  await page.getByText('Waiting for the sign-in window').waitFor();
  const closed = popup.waitForEvent('close');
  await allow(popup);
  await closed;
  await titled(page, 'My iTwins');
  assert.equal(place(page), DEEP);
}));

test('a refusal: the reason, the way back, and another try', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all, DEEP);
  await button(page, 'Sign in').click();
  await signIn(page);
  await page.click('#deny');
  await titled(page, 'You are not signed in');
  await says(page, 'You did not allow it');
  assert.equal(place(page), '/callback');
  await page.getByRole('link', { name: 'Back to where you were' }).click();
  await titled(page, 'Please sign in');
  assert.equal(place(page), DEEP);
  await button(page, 'Sign in').click();
  await page.click('#deny');
  await button(page, 'Try again').click();
  await page.click('#allow');
  await titled(page, 'My iTwins');
  assert.equal(place(page), DEEP);
}));

test("a redirect of another sign-in: the reason, and the way back to this one's page", { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all, DEEP);
  await button(page, 'Sign in').click();
  await page.waitForSelector('#username');
  await page.goto(`${all.origin}/callback?code=EVIL&state=${'A'.repeat(43)}`);
  await says(page, 'This was another sign-in');
  await page.getByRole('link', { name: 'Back to where you were' }).click();
  assert.equal(place(page), DEEP);
  assert.deepEqual(sent, []);
}));

test('the server does not work, or cannot be reached: the reason, and another try', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all, DEEP);
  await context.route(/\.well-known/, (route) => route.abort());
  await button(page, 'Sign in').click();
  await says(page, 'The server cannot be reached');
  await context.unroute(/\.well-known/);
  await context.route(/\/token$/, (route) => route.fulfill({ status: 503, headers: { ...CORS, 'retry-after': '120' } }));
  await button(page, 'Sign in').click();
  await allow(page);
  await says(page, 'Try again in 2 minutes');
  await context.unroute(/\/token$/);
  // The server knows the user by now, and asks nothing.
  await button(page, 'Try again').click();
  await titled(page, 'My iTwins');
  assert.equal(place(page), DEEP);
}, { complaints: FAILED }));

test('sign-out in one tab is seen in the other, and so is the next sign-in', { timeout }, () => withTabs(async (context) => {
  const [one, two] = await Promise.all([open(context, all, '/account'), open(context, all, DEEP)]);
  await button(one, 'Sign in').click();
  await allow(one);
  await one.getByText('alice@example.test').waitFor();
  await titled(two, 'My iTwins');
  await button(two, 'Sign out').click();
  for (const page of [one, two]) await titled(page, 'Please sign in');
  assert.equal(await one.getByText('alice').count(), 0);
  assert.equal(place(two), DEEP);
  await button(one, 'Sign in').click();
  await one.getByText('alice@example.test').waitFor();
  await titled(two, 'My iTwins');
}));

test('another user in place of one: nothing of the first one stays', { timeout }, () => withTabs(async (context) => {
  const [one, two] = await Promise.all([open(context, all, '/account'), open(context, all, '/account')]);
  for (const page of [one, two]) {
    await button(page, 'Sign in').click();
    await page.waitForSelector('#username');
  }
  await allow(one);
  await one.getByText('alice@example.test').waitFor();
  await allow(two, 'bob');
  for (const page of [one, two]) await page.getByText('bob@example.test').waitFor();
  assert.equal(await one.getByText('alice').count(), 0);
}));

test('Back and Forward: the pages of the app, without the redirect between them', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all);
  await page.getByRole('link', { name: 'Show my iTwins' }).click();
  await button(page, 'Sign in').click();
  await allow(page);
  await titled(page, 'My iTwins');
  await page.getByRole('link', { name: 'Account' }).click();
  await titled(page, 'My account');
  await page.goBack();
  await titled(page, 'My iTwins');
  await page.goForward();
  await titled(page, 'My account');
  const { entries } = await (await context.newCDPSession(page)).send('Page.getNavigationHistory');
  const ours = entries.map(({ url }) => new URL(url)).filter(({ origin }) => origin === all.origin).map(({ pathname, search }) => pathname + search);
  assert.deepEqual(ours, ['/', '/itwins', '/itwins', '/account']);
}));

test("`restore: 'redirect'`: after a reload the router is where it was, with its state and its history", { timeout }, () => withTabs(async (context, sent) => {
  await context.route(/assets\/index.*\.js$/, async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    const body = text.replace(/(new \w+\(\{)(issuer:)/, '$1keep:false,restore:"redirect",$2');
    assert.notEqual(body, text);
    await route.fulfill({ response, body });
  });
  const page = await open(context, all, DEEP);
  await button(page, 'Sign in').click();
  await allow(page);
  await titled(page, 'My iTwins');
  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByText('alice@example.test').waitFor();
  const held = () => page.evaluate(() => JSON.stringify([location.pathname, history.state, history.length]));
  const before = await held();
  await context.addInitScript(() => {
    globalThis.seen = [];
    new MutationObserver(() => {
      const title = document.querySelector('h1')?.textContent;
      if (title) globalThis.seen.push(title);
    }).observe(document, { childList: true, subtree: true });
  });
  await Promise.all([page.waitForRequest(/prompt=none/), page.reload()]);
  await page.getByText('alice@example.test').waitFor();
  assert.equal(await held(), before);
  assert.deepEqual([...new Set(await page.evaluate(() => seen))], ['My account']);
  assert.equal(sent.length, 2);
  await page.goBack();
  await titled(page, 'My iTwins');
  assert.equal(place(page), DEEP);
}));

test('with the keyboard only, and where it is after each page', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all, DEEP);
  await titled(page, 'Please sign in');
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  assert.equal(await focused(), 'Please sign in');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Sign in');
  await page.keyboard.press('Enter');
  await page.locator('#username').press('Tab');
  await signIn(page);
  await page.locator('#allow').press('Enter');
  await titled(page, 'My iTwins');
  assert.equal(await focused(), 'My iTwins');
  assert.equal(await page.title(), 'My iTwins · Sitebook');
  // Backwards: past the buttons and links of the header, to the first thing of the page.
  for (const name of ['Sign out', 'Account', 'iTwins', 'Sitebook', 'Skip to the content']) {
    await page.keyboard.press('Shift+Tab');
    assert.equal(await focused(), name);
  }
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'My iTwins');
  assert.equal(place(page), DEEP);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await titled(page, 'Please sign in');
  assert.equal(await focused(), 'Please sign in');
  await page.getByRole('status').filter({ hasText: 'You are signed out.' }).waitFor({ state: 'attached' });
}));

test('the README lists the headers that are sent', async () => {
  const { resolveConfig } = await vite();
  const { VITE_ISSUER, VITE_API } = process.env;
  Object.assign(process.env, { VITE_ISSUER: 'https://ims.bentley.com', VITE_API: 'https://api.bentley.com' });
  const { preview } = await resolveConfig({ root: example, logLevel: 'error' }, 'serve', 'production', 'production', true);
  Object.assign(process.env, { VITE_ISSUER, VITE_API });
  const lines = Object.entries(preview.headers).map(([name, value]) => `${name}: ${value}\n`).join('');
  for (const page of [join(example, 'README.md'), join(example, '../../docs/guide/spa.md')]) {
    assert.ok(readFileSync(page, 'utf8').includes(`\n\`\`\`text\n${lines}\`\`\`\n`), `${page} is not:\n${lines}`);
  }
  const { headers } = await fetch(`${all.origin}/callback`);
  assert.match(headers.get('content-security-policy'), /script-src 'self' 'wasm-unsafe-eval';.*require-trusted-types-for 'script'/);
});

test('npm run dev: sign in, with a policy as strict', { timeout }, () => withProfile(all.browser, async (context) => {
  const { createServer } = await vite();
  const server = await createServer({ root: example, logLevel: 'error', server: { port: 0, strictPort: false } });
  await server.listen();
  try {
    const origin = `http://127.0.0.1:${server.httpServer.address().port}`;
    const { headers } = await fetch(origin);
    assert.match(headers.get('content-security-policy'), /script-src 'self' 'wasm-unsafe-eval' 'nonce-[^']+'; style-src 'self' 'nonce-/);
    const page = await open(context, { origin }, '/account?x=1#y');
    await button(page, 'Sign in').click();
    await allow(page);
    await titled(page, 'My account');
    assert.equal(place(page), '/account?x=1#y');
    await page.getByText('alice@example.test').waitFor();
  } finally {
    await server.close();
  }
}));

test('back from the sign-in, and after a reload: nothing flickers', { timeout }, () => withProfile(all.browser, async (context, sent) => {
  await context.addInitScript(() => {
    globalThis.seen = [];
    const look = () => {
      const title = document.querySelector('h1')?.textContent;
      if (title && title !== globalThis.seen.at(-1)) globalThis.seen.push(title);
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  });
  const page = await open(context, all, '/account');
  await button(page, 'Sign in').click();
  await allow(page);
  for (const again of [() => {}, () => page.reload(), () => page.reload()]) {
    await again();
    await page.getByText('alice@example.test').waitFor();
    assert.deepEqual(await page.evaluate(() => globalThis.seen), ['My account']);
  }
  assert.equal(sent.length, 1);
}));
