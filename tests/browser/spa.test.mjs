// The single-page app in a real Chromium, against the development server.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { FAILED, allow, leftovers, navigation, open, setUp, tokenAnswers, until, withProfile } from './spa.mjs';
import { fits, screenshots, signIn } from './tools.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);
const says = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();
const complains = (page, text) => page.getByRole('alert').filter({ hasText: text }).waitFor();

test('the whole page: sign in, call the API, sign out', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.spa);
  await says(page, 'You are not signed in.');
  const callback = page.waitForRequest(/callback\?/);
  const answers = await tokenAnswers(context);
  await page.click('#sign-in');
  await allow(page);
  await says(page, 'Signed in as alice.');
  assert.equal(await page.locator('#itwins li').count(), 2);
  assert.equal(page.url(), `${all.spa.origin}/`);

  const [{ code, code_verifier: verifier }] = sent;
  const { access_token: access, refresh_token: refresh } = answers[0];
  const redirect = (await callback).url();
  const secrets = [code, verifier, access, refresh, new URL(redirect).searchParams.get('state')];
  assert.ok(secrets.every((secret) => secret.length === 43));
  const left = await leftovers(page);
  assert.deepEqual(secrets.filter((secret) => left.includes(secret)), [], left);
  assert.match(left, /"local":\{\},.*"session":\{\}/);
  assert.equal(await navigation(page), redirect);

  await page.click('#sign-out');
  await says(page, 'You are not signed in.');
  // The page says so before the server does.
  while (sent.length < 3) await page.waitForTimeout(20);
  assert.deepEqual(sent.map((form) => form.grant_type ?? form.token_type_hint), ['authorization_code', 'refresh_token', 'access_token']);
  assert.equal(await page.locator('#itwins li').count(), 0);
}));

test('the user refuses', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.spa);
  await page.click('#sign-in');
  await signIn(page);
  await page.click('#deny');
  await complains(page, 'You did not allow this app');
  await says(page, 'You are not signed in.');
  assert.deepEqual(sent, []);
  assert.equal(page.url(), `${all.spa.origin}/`);
  assert.match(await leftovers(page), /"session":\{\}/);
}));

test('back to where the user was, whether they allow or refuse', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all.spa, '?view=list#north');
  for (const answer of ['#deny', '#allow']) {
    await says(page, 'You are not signed in.');
    await page.click('#sign-in');
    if (answer === '#deny') await signIn(page);
    await page.click(answer);
    if (answer === '#deny') await complains(page, 'You did not allow this app');
    else await says(page, 'Signed in as alice.');
    assert.equal(page.url(), `${all.spa.origin}/?view=list#north`);
  }
}));

test('until it is known who is signed in, the page shows neither view', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all.spa);
  await says(page, 'You are not signed in.');
  const asked = new Promise((resolve) => { context.route(/connect.token$/, resolve, { times: 1 }); });
  await page.click('#sign-in');
  await allow(page);
  const route = await asked;
  const shown = () => page.evaluate(() => [...document.querySelectorAll('section')].filter(({ hidden }) => !hidden).map(({ id }) => id));
  assert.deepEqual([await page.textContent('#status'), await shown()], ['One moment …', []]);
  await route.continue();
  await says(page, 'Signed in as alice.');
  assert.deepEqual(await shown(), ['signed-in']);
}));

test('offline, and a server that cannot be reached: told in words that help', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all.spa);
  await page.click('#sign-in');
  await allow(page);
  await says(page, 'Signed in as alice.');
  await context.setOffline(true);
  await page.click('#load');
  await complains(page, 'You are offline. Try again when you are connected.');
  await context.setOffline(false);
  await page.click('#load');
  await until(page, () => document.getElementById('problem').hidden);
  await says(page, 'Signed in as alice.');
  await context.route(/api.me$/, (route) => route.abort());
  await page.click('#load');
  await complains(page, 'The server cannot be reached. Try again in a moment.');
}, { complaints: FAILED }));

test('a window: sign in', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.spa);
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#sign-in-popup')]);
  const closed = popup.waitForEvent('close');
  await allow(popup);
  await closed;
  await says(page, 'Signed in as alice.');
  assert.equal(page.url(), `${all.spa.origin}/`);
  assert.equal(sent.length, 1);
  const left = await leftovers(page);
  assert.ok(!left.includes(sent[0].code) && !left.includes(sent[0].code_verifier));
}));

test('a window: refused, and closed', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.spa);
  for (const [leave, words] of [
    [(popup) => popup.click('#cancel'), 'You did not allow this app'],
    [(popup) => popup.close(), 'The sign-in window was closed'],
  ]) {
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#sign-in-popup')]);
    await popup.waitForSelector('#cancel');
    await leave(popup);
    await complains(page, words);
    assert.equal(popup.isClosed(), true);
  }
  assert.deepEqual(sent, []);
}));

test('reload on the way: the login goes on', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all.spa);
  await page.click('#sign-in');
  await page.waitForSelector('#username');
  await page.reload();
  await signIn(page);
  await page.waitForSelector('#allow');
  await page.reload();
  await page.click('#allow');
  await says(page, 'Signed in as alice.');
}));

test('back on the way: sign in again; the newest login counts', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.spa);
  await page.click('#sign-in');
  await page.waitForSelector('#username');
  const first = page.url();
  await page.goBack();
  await page.click('#sign-in');
  await page.waitForSelector('#username');
  const second = page.url();
  await page.goto(first);
  await allow(page);
  await complains(page, 'does not belong to this login');
  assert.deepEqual(sent, []);
  await page.goto(second);
  await says(page, 'Signed in as alice.');
}));

test('forward after back: the login goes on', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all.spa);
  await page.click('#sign-in');
  await page.waitForSelector('#username');
  await page.goBack();
  await says(page, 'You are not signed in.');
  await page.goForward();
  await allow(page);
  await says(page, 'Signed in as alice.');
}));

test('the same redirect twice: the code is sent once', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.spa);
  const callback = page.waitForRequest(/callback\?/);
  await page.click('#sign-in');
  await allow(page);
  await says(page, 'Signed in as alice.');
  await page.goto((await callback).url());
  await complains(page, 'no sign-in waits for this redirect');
  assert.equal(page.url(), `${all.spa.origin}/`);
  assert.equal(sent.length, 1);
  // A reload finds no code in the address, and the user signed in.
  await page.reload();
  await says(page, 'Signed in as alice.');
  assert.equal(await page.locator('#problem').isHidden(), true);
  assert.equal(sent.length, 1);
}));

test("a stranger's redirect ends nothing", { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.spa);
  await page.click('#sign-in');
  await page.waitForSelector('#username');
  const login = page.url();
  for (const query of [`code=EVIL&state=${'A'.repeat(43)}`, 'code=EVIL', 'error=access_denied', 'state=x']) {
    await page.goto(`${all.spa.config.redirectUri}?${query}`);
    await complains(page, 'does not belong to this login');
    assert.equal(page.url(), `${all.spa.origin}/`);
  }
  assert.deepEqual(sent, []);
  await page.goto(login);
  await allow(page);
  await says(page, 'Signed in as alice.');
}));

test('a login that took too long', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.spa);
  await page.click('#sign-in');
  await signIn(page);
  await page.waitForSelector('#allow');
  await page.clock.setFixedTime(Date.now() + 11 * 60_000);
  await page.click('#allow');
  await complains(page, 'not finished within ten minutes');
  assert.deepEqual(sent, []);
  assert.match(await leftovers(page), /"session":\{\}/);
}));

test('two tabs: one session, from sign-in to sign-out', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await Promise.all([open(context, all.spa), open(context, all.spa)]);
  await one.click('#sign-in');
  await allow(one);
  await says(one, 'Signed in as alice.');
  await says(two, 'Signed in as alice.');
  const three = await open(context, all.spa);
  await says(three, 'Signed in as alice.');
  await one.reload();
  await says(one, 'Signed in as alice.');
  assert.equal(sent.length, 1);
  await two.click('#sign-out');
  for (const page of [one, two, three]) await says(page, 'You are not signed in.');
  await one.reload();
  await says(one, 'You are not signed in.');
  while (sent.length < 3) await two.waitForTimeout(20);
  assert.deepEqual(sent.map((form) => form.token_type_hint), [undefined, 'refresh_token', 'access_token']);
}));

test('two tabs sign in at once: the later one is the session of both', { timeout }, () => withTabs(async (context) => {
  const [one, two] = await Promise.all([open(context, all.spa), open(context, all.spa)]);
  await one.click('#sign-in');
  // The server's cookie is of its first page: of two at once, one would be of another session.
  await one.waitForSelector('#username');
  await two.click('#sign-in');
  await allow(two, 'bob');
  await says(two, 'Signed in as bob.');
  await allow(one, 'carol');
  await says(one, 'Signed in as carol.');
  await says(two, 'Signed in as carol.');
}));

test("a session in place of another: the former user's name and data are gone at once", { timeout }, () => withTabs(async (context) => {
  const [one, two] = await Promise.all([open(context, all.spa), open(context, all.spa)]);
  await one.click('#sign-in');
  await allow(one);
  await says(one, 'Signed in as alice.');
  await one.click('#sign-out');
  await says(one, 'You are not signed in.');
  // The next user's data are slow to come.
  let go;
  const held = new Promise((resolve) => { go = resolve; });
  await context.route(/api.(me|itwins)$/, async (route) => {
    await held;
    await route.continue();
  });
  const [popup] = await Promise.all([two.waitForEvent('popup'), two.click('#sign-in-popup')]);
  await popup.waitForEvent('close');
  await until(one, () => document.getElementById('status').textContent === 'One moment …');
  assert.doesNotMatch(await one.locator('main').innerText(), /alice/);
  go();
  for (const page of [one, two]) await says(page, 'Signed in as alice.');
}));

test('keyboard and screen reader: the focus stays where it was when something fails', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all.spa);
  await says(page, 'You are not signed in.');
  await page.focus('#sign-in-popup');
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.keyboard.press('Enter')]);
  await popup.waitForSelector('#cancel');
  await popup.close();
  await complains(page, 'The sign-in window was closed');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'sign-in-popup');
}));

test('keyboard and screen reader', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all.spa);
  await says(page, 'You are not signed in.');
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  assert.equal(await focused(), 'My iTwins');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Sign in');
  await page.keyboard.press('Enter');
  await allow(page);
  await says(page, 'Signed in as alice.');
  assert.equal(await focused(), 'My iTwins');
  assert.match(await page.locator('main').ariaSnapshot(), /heading "My iTwins".*\n.*status: Signed in as alice\.\n(.*\n)*.*listitem: North tunnel/);
}));

for (const [name, options] of [
  ['desk', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }],
  ['phone', { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true }],
]) {
  test(`the app fits a ${name}`, { timeout }, () => withTabs(async (context) => {
    const page = await open(context, all.spa);
    await says(page, 'You are not signed in.');
    await fits(page);
    await page.screenshot({ path: `${screenshots}/spa-out-${name}.png` });
    await page.click('#sign-in');
    await allow(page);
    await says(page, 'Signed in as alice.');
    await fits(page);
    await page.screenshot({ path: `${screenshots}/spa-in-${name}.png` });
  }, options));
}
