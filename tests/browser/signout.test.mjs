// Sign-out at the server as well, in a real Chromium.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { FAILED, READY, allow, failure, hostile, openBare, setUp, signedIn, until, withProfile } from './spa.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);
const OPENID = 'openid itwin-platform offline_access';

/** Two tabs that are signed in with this scope. */
async function signInTwo(context, scope) {
  const pages = [await openBare(context, all), await openBare(context, all)];
  for (const page of pages) await page.evaluate((wanted) => { globalThis.app = make({ scope: wanted }); }, scope);
  const [popup] = await Promise.all([
    pages[0].waitForEvent('popup'), pages[0].evaluate(() => { globalThis.done = app.signInPopup(); }),
  ]);
  await allow(popup);
  await pages[0].evaluate(() => done);
  await signedIn(pages);
  return pages;
}

/** What the page is sent to, and what comes of it. */
async function signOut(page, redirect) {
  const left = page.waitForRequest(/connect.endsession/);
  await page.evaluate((to) => { globalThis.out = failure(() => app.signOut({ redirect: to })); }, redirect);
  const { searchParams } = new URL((await left).url());
  return searchParams;
}

test('sign-out with a redirect: out of all tabs, out at the server, and back', { timeout }, () => withTabs(async (context, sent) => {
  const [one, two] = await signInTwo(context, OPENID);
  // A refresh need not bring another ID token: there is one all the same.
  await context.route(/connect.token$/, async (route) => {
    const response = await route.fetch();
    const { id_token: _, ...rest } = await response.json();
    await route.fulfill({ response, json: rest });
  }, { times: 1 });
  await context.clock.setFixedTime(Date.now() + 3600_000);
  await two.evaluate(() => app.accessToken());
  await signedIn([one]);
  const { redirectUri, clientId } = all.bare.config;
  const asked = await signOut(one, redirectUri);
  assert.deepEqual([...asked.keys()], ['id_token_hint', 'client_id', 'post_logout_redirect_uri']);
  assert.deepEqual([asked.get('client_id'), asked.get('post_logout_redirect_uri')], [clientId, redirectUri]);
  assert.match(asked.get('id_token_hint'), /^[\w-]+\.[\w-]+\.[\w-]+$/);
  await one.waitForURL((url) => url.href.startsWith(redirectUri));
  await one.waitForSelector(READY);
  assert.equal(await one.evaluate(() => app.handleRedirect()), null);
  await until(two, () => !app.signedIn);
  assert.deepEqual(sent.slice(2).map((form) => form.token_type_hint), ['refresh_token', 'access_token']);
  // The server asks who it is.
  await one.evaluate(() => { app.signIn(); });
  await one.waitForSelector('#username');
}));

test('sign-out with a redirect, without an ID token: the server hears who asks', { timeout }, () => withTabs(async (context) => {
  const [one] = await signInTwo(context, 'itwin-platform');
  const asked = await signOut(one, all.bare.config.redirectUri);
  assert.deepEqual([...asked.keys()], ['client_id', 'post_logout_redirect_uri']);
}, { complaints: FAILED }));

test('sign-out with a redirect: the user is signed out at the server though the revocation fails', { timeout }, () => withTabs(async (context, sent) => {
  const [one] = await signInTwo(context, OPENID);
  await context.route(/connect.revocation/, (route) => route.abort());
  await signOut(one, all.bare.config.redirectUri);
  await one.waitForURL((url) => url.href.startsWith(all.bare.config.redirectUri));
  assert.equal(sent.length, 2);
}, { complaints: FAILED }));

test('sign-out with a redirect: with nobody signed in, too', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  const asked = await signOut(page, all.bare.config.redirectUri);
  assert.deepEqual([...asked.keys()], ['client_id', 'post_logout_redirect_uri']);
  assert.equal(sent.length, 0);
}, { complaints: FAILED }));

test('sign-out with a redirect at a server without such an endpoint: signed out here, and told', { timeout }, () => withTabs(async (context, sent) => {
  await context.route(/well-known/, async (route) => {
    const response = await route.fetch();
    const { end_session_endpoint: _, ...rest } = await response.json();
    await route.fulfill({ response, json: rest });
  });
  const [one, two] = await signInTwo(context, OPENID);
  const error = await failure(one, (redirect) => app.signOut({ redirect }), all.bare.config.redirectUri);
  assert.deepEqual([error.ours, error.code, error.advice], [true, 'config', 'fix']);
  assert.match(error.message, /end_session_endpoint/);
  await until(two, () => !app.signedIn);
  assert.deepEqual(sent.slice(1).map((form) => form.token_type_hint), ['refresh_token', 'access_token']);
  assert.equal(one.url(), `${all.bare.origin}/`);
}));

test('what a file of the package is needed for fails as without a network, if it cannot be loaded', { timeout }, () => withTabs(async (context) => {
  await context.route(/(signout|push|dpop)\.js$/, (route) => route.abort());
  const [page] = await signInTwo(context, OPENID);
  for (const work of [() => app.signOut({ redirect: true }), () => make({ push: true }).signIn(), () => make({ dpop: true }).signIn()]) {
    const { ours, code, advice, message } = await failure(page, work);
    assert.deepEqual([ours, code, advice], [true, 'network', 'retry']);
    assert.match(message, /\/(signout|push|dpop)\.js$/);
  }
  assert.equal(await page.evaluate(() => app.signedIn), false);
}, { complaints: FAILED }));

test('sign-out with a redirect: the endpoint is what the app says, with its own parameters', { timeout }, () => withTabs(async (context) => {
  const page = await openBare(context, all);
  hostile.answers((request, response) => response.end('<title>Bye</title>'));
  await page.evaluate((origin) => {
    globalThis.app = make({
      authorizationEndpoint: `${origin}/authorize`, tokenEndpoint: `${origin}/token`, endSessionEndpoint: `${origin}/logout?tenant=7`,
    });
    app.signOut({ redirect: new URL('https://app.example/bye?a=1&b=ü') });
  }, hostile.origin);
  await page.waitForURL(/logout/);
  const { searchParams } = new URL(page.url());
  assert.deepEqual(Object.fromEntries(searchParams), {
    tenant: '7', client_id: all.bare.config.clientId, post_logout_redirect_uri: 'https://app.example/bye?a=1&b=%C3%BC',
  });
}, { complaints: FAILED }));
