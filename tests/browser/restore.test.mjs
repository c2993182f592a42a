// `restore`: a page load without a session asks the server, in a real Chromium.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, FAILED, READY, allow, openBare, setUp, until, withProfile } from './spa.mjs';

const all = setUp();
const timeout = 60_000;

/**
 * A profile at a site whose app restores in this way, and no session is kept beyond a page. Its pages handle their redirect at
 * once. Two addresses are two sites.
 */
function withRestore(mode, work, { host, config, complaints } = {}) {
  const bare = BARE['/bare.js'].replace('globalThis.app = make()', `globalThis.app = make({ keep: false, restore: '${mode}' })`)
    .replace('if (opener || config.eager) app', 'globalThis.states = [app.state]; app.addEventListener("change", () => states.push(app.state)); app');
  const policy = `default-src 'self' data: 'wasm-unsafe-eval'; connect-src 'self' ${all.server.issuer}; frame-src 'self' ${all.server.issuer}; `
    + "frame-ancestors 'self'; require-trusted-types-for 'script'; trusted-types proofkey";
  return withProfile(all.browser, async (context, sent) => {
    const site = await serve({
      host, port: 0, issuer: all.server.issuer, pages: { ...BARE, '/bare.js': bare }, more: { 'content-security-policy': policy }, config,
    });
    try {
      const asked = [];
      context.on('request', (request) => {
        const { pathname, searchParams } = new URL(request.url());
        if (pathname === '/connect/authorize') asked.push(searchParams.get('prompt'));
      });
      await work(context, { ...all, bare: site }, { sent, asked });
      await Promise.all(context.pages().map((page) => page.close()));
    } finally {
      await site.stop();
    }
  }, { complaints });
}

/** Waits until the page knows whether someone is signed in. It may be at the server meanwhile. */
async function settled(page) {
  for (;;) {
    const state = await page.evaluate(() => globalThis.app?.state ?? 'loading').catch(() => 'loading');
    if (state !== 'loading') return state;
    await page.waitForTimeout(20);
  }
}

async function signIn(page) {
  await page.evaluate(() => { app.signIn(); });
  await allow(page);
  await page.waitForSelector(READY);
  assert.equal(await settled(page), 'signed_in');
}

const entries = (page) => page.evaluate(() => history.length);

/** A page that was signed in, at a place of its own. */
async function openSignedIn(context, site) {
  const page = await openBare(context, site);
  assert.equal(await settled(page), 'signed_out');
  await signIn(page);
  await page.evaluate(() => history.replaceState({ scroll: 7 }, '', '/?place=1#here'));
  return page;
}

const place = (page) => page.evaluate(() => [location.pathname + location.search + location.hash, history.state]);
const PLACE = ['/?place=1#here', { scroll: 7 }];

for (const mode of ['redirect', 'frame']) {
  test(`${mode}: a reload signs in again, where the user was, with no entry in the history`, { timeout }, () => withRestore(mode, async (context, site, { sent, asked }) => {
    const page = await openSignedIn(context, site);
    const before = await entries(page);
    for (let round = 1; round < 3; round += 1) {
      await page.reload();
      assert.equal(await settled(page), 'signed_in');
      assert.deepEqual(await place(page), PLACE);
      assert.equal(await entries(page), before);
      assert.equal(await page.evaluate(() => app.handleRedirect()), null);
      assert.equal(sent.length, 1 + round);
    }
    // It never says that no one is signed in.
    assert.deepEqual([...new Set(await page.evaluate(() => states))], ['loading', 'signed_in']);
    assert.deepEqual(asked, [null, 'none', 'none']);
    assert.equal(await page.evaluate(() => document.querySelectorAll('iframe').length), 0);
  }));

  test(`${mode}: after a sign-out nothing is asked`, { timeout }, () => withRestore(mode, async (context, site, { asked }) => {
    const page = await openSignedIn(context, site);
    await page.evaluate(() => app.signOut());
    await page.reload();
    assert.equal(await settled(page), 'signed_out');
    assert.deepEqual(asked, [null]);
    assert.deepEqual(await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }]), [{}, {}]);
  }));

  test(`${mode}: the session is gone at the server: asked once, and signed out where the user was`, { timeout }, () => withRestore(mode, async (context, site, { sent, asked }) => {
    const page = await openSignedIn(context, site);
    const before = await entries(page);
    await context.clearCookies();
    for (let round = 0; round < 2; round += 1) {
      await page.reload();
      assert.equal(await settled(page), 'signed_out');
      assert.deepEqual(await place(page), PLACE);
    }
    assert.equal(await page.evaluate(() => app.handleRedirect()), null);
    assert.deepEqual([asked, sent.length, await entries(page)], [[null, 'none'], 1, before]);
  }));
}

test('frame: at a server of another site, a redirect', { timeout }, () => withRestore('frame', async (context, site, { asked }) => {
  const page = await openSignedIn(context, site);
  const kinds = [];
  page.on('request', (request) => { if (/authorize/.test(request.url())) kinds.push(request.frame() === page.mainFrame()); });
  await page.reload();
  assert.equal(await settled(page), 'signed_in');
  assert.deepEqual([kinds, asked], [[true], [null, 'none']]);
}, { host: '::1' }));

/** Reloads a page in which time stands still, and waits until its frame is on its way. */
async function reloadStill(page) {
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.addInitScript(() => {
    document.addEventListener('load', ({ target }) => { globalThis.isRefused = target.contentDocument === null; }, true);
  });
  // The frame holds up the load of the page.
  await Promise.all([page.waitForRequest(/connect.authorize/), page.reload({ waitUntil: 'commit' })]);
}

const stateOf = (page) => page.evaluate(() => app.state);

test('frame: what may not be framed is given up after a second', { timeout }, () => withRestore('frame', async (context, site, { asked }) => {
  const page = await openSignedIn(context, site);
  await context.route(/connect.authorize/, (route) => route.fulfill({ status: 200, headers: { 'x-frame-options': 'DENY' }, body: 'Hello' }));
  await reloadStill(page);
  await until(page, () => globalThis.isRefused);
  await page.clock.runFor(999);
  assert.equal(await stateOf(page), 'loading');
  await page.clock.runFor(1);
  assert.equal(await settled(page), 'signed_out');
  await page.reload();
  assert.equal(await settled(page), 'signed_out');
  assert.deepEqual(asked, [null, 'none']);
}, { complaints: /X-Frame-Options|frame/ }));

test('frame: a server that does not answer is given up after five seconds, and not asked again', { timeout }, () => withRestore('frame', async (context, site, { asked }) => {
  const page = await openSignedIn(context, site);
  await context.route(/connect.authorize/, () => {});
  await reloadStill(page);
  await page.clock.runFor(4_999);
  assert.deepEqual([await stateOf(page), await page.locator('iframe').count()], ['loading', 1]);
  await page.clock.runFor(1);
  assert.equal(await settled(page), 'signed_out');
  assert.deepEqual([await place(page), await page.locator('iframe').count()], [PLACE, 0]);
  await page.reload();
  assert.equal(await settled(page), 'signed_out');
  assert.deepEqual(asked, [null, 'none']);
}));

test('redirect: a server that does not answer is asked once, also on the way back', { timeout }, () => withRestore('redirect', async (context, site, { asked }) => {
  const page = await openSignedIn(context, site);
  await context.route(/connect.authorize/, (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<title>Stuck</title>' }));
  await page.reload();
  while (await page.title() !== 'Stuck') await page.waitForTimeout(20);
  await page.goto(`${site.bare.origin}/`);
  assert.equal(await settled(page), 'signed_out');
  await page.reload();
  assert.equal(await settled(page), 'signed_out');
  assert.deepEqual(asked, [null, 'none']);
}, { complaints: FAILED }));

test('another error is reported, where the user was, and nothing is tried again', { timeout }, () => withRestore('redirect', async (context, site, { asked }) => {
  const page = await openSignedIn(context, site);
  await context.route(/connect.authorize/, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const answer = new URLSearchParams({ error: 'invalid_scope', state: query.get('state'), iss: all.server.issuer });
    return route.fulfill({ status: 302, headers: { location: `${query.get('redirect_uri')}?${answer}` } });
  });
  await page.reload();
  assert.equal(await settled(page), 'signed_out');
  const error = await page.evaluate(() => app.handleRedirect().catch(({ code, serverCode }) => [code, serverCode]));
  assert.deepEqual([error, await place(page)], [['server', 'invalid_scope'], PLACE]);
  await page.reload();
  assert.equal(await settled(page), 'signed_out');
  assert.deepEqual(asked, [null, 'none']);
}));

test('frame: without a refresh token, a token that has expired is replaced by another frame', { timeout }, () => withRestore('frame', async (context, site, { sent, asked }) => {
  await context.route(/connect.token$/, async (route) => {
    const response = await route.fetch();
    const { refresh_token: _, ...json } = await response.json();
    await route.fulfill({ response, json });
  });
  const page = await openSignedIn(context, site);
  const first = await page.evaluate(() => app.accessToken());
  await page.clock.setFixedTime(Date.now() + 3600_000);
  const both = await page.evaluate(() => Promise.all([app.accessToken(), app.accessToken()]));
  assert.notEqual(both[0], first);
  assert.equal(both[1], both[0]);
  assert.deepEqual([asked, sent.map((form) => form.grant_type)], [[null, 'none'], ['authorization_code', 'authorization_code']]);
  // The server does not know them any more.
  await context.clearCookies();
  await page.clock.setFixedTime(Date.now() + 7200_000);
  assert.equal(await page.evaluate(() => app.accessToken().catch(({ code }) => code)), 'signed_out');
  assert.deepEqual([asked.length, await page.evaluate(() => app.state)], [3, 'signed_out']);
}));

/** What anyone can register a name in is not a site. */
const SITES = [
  ['https://app.a.co.uk', 'https://auth.a.co.uk', 'frame'], ['https://a.co.uk:8443', 'https://auth.a.co.uk', 'frame'],
  ['https://a.co.uk', 'https://b.co.uk', 'page'], ['https://a.com', 'https://a.org', 'page'],
];

test('frame: which servers are of the same site', { timeout: 2 * timeout }, () => withProfile(all.browser, async (context) => {
  const bare = `import { Proofkey } from '/proofkey/index.js'; globalThis.Proofkey = Proofkey; document.documentElement.dataset.ready = '';`;
  const site = await serve({ port: 0, pages: { ...BARE, '/bare.js': bare }, more: { 'content-security-policy': '' } });
  const found = [];
  try {
    await context.route(/^https:/, async (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname !== '/authorize') return route.fulfill({ response: await route.fetch({ url: site.origin + pathname }) });
      found.push(route.request().frame().parentFrame() ? 'frame' : 'page');
      return route.fulfill({ status: 204 });
    });
    for (const [here, server] of SITES) {
      const before = found.length;
      const page = await context.newPage();
      await page.goto(`${here}/`);
      await page.waitForSelector(READY);
      await page.evaluate(([authorizationEndpoint, redirectUri]) => {
        localStorage.setItem(`proofkey/1 ${JSON.stringify(['a', authorizationEndpoint, ''])} was signed in`, '');
        new Proofkey({ clientId: 'a', authorizationEndpoint, tokenEndpoint: authorizationEndpoint, redirectUri, restore: 'frame' }).handleRedirect();
      }, [`${server}/authorize`, `${here}/callback`]);
      while (found.length === before) await page.waitForTimeout(20);
      assert.equal(await page.evaluate(() => document.cookie), '');
      await page.close();
    }
  } finally {
    await site.stop();
  }
  assert.deepEqual(found, SITES.map(([, , way]) => way));
}, { complaints: FAILED }));
