// The session of a page that is reloaded, closed and opened again, or left and come back to, in a real Chromium.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { serve } from '../../examples/spa/serve.mjs';
import {
  BARE, CORS, FAILED, READY, allow, failure, hostile, openBare, setUp, signInBare, signedIn, until, withProfile,
} from './spa.mjs';
import { openWholeBrowser } from './tools.mjs';

const all = setUp();
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);
const token = (page) => page.evaluate(() => app.accessToken());

const worker = readFileSync(new URL('../../crates/browser/package/worker.js', import.meta.url), 'utf8');

/** A site with these pages, too. */
async function withSite({ pages, ...options }, work) {
  const bare = await serve({ port: 0, issuer: all.server.issuer, pages: { ...BARE, ...pages }, ...options });
  try {
    return await work({ ...all, bare });
  } finally {
    await bare.stop();
  }
}

/** A profile at a site whose worker stays for that many times ten seconds. */
function withStay(times, work) {
  const pages = { '/proofkey/worker.js': `const later = setTimeout; self.setTimeout = (work, time) => later(work, time * ${times});\n${worker}` };
  return withTabs((context, sent) => withSite({ pages }, (site) => work(context, site, sent)));
}

/** A page of the site without the adapter. */
async function openPlain(context, { bare }) {
  const page = await context.newPage();
  await page.goto(`${bare.origin}/config.js`);
  return page;
}

/** The versions of the tokens that pages and workers hold. */
async function versions(page) {
  const { held } = await page.evaluate(() => navigator.locks.query());
  return held.map(({ name }) => name).filter((name) => /] \d{16} /.test(name));
}

/** Waits until that many have the newest tokens. */
async function held(page, holders = 2) {
  for (;;) {
    const all = await versions(page);
    if (all.length === holders && new Set(all).size <= 1) return;
    await page.waitForTimeout(10);
  }
}

/** What a page knows that has just been loaded. */
async function start(page) {
  await page.waitForSelector(READY);
  return page.evaluate(async () => {
    await app.handleRedirect();
    return app.signedIn;
  });
}

async function reload(page) {
  await page.reload();
  return start(page);
}

/** A page whose session is kept. */
async function openKept(context, site = all) {
  const page = await openBare(context, site);
  await signInBare(page);
  await held(page);
  return page;
}

test('three reloads: signed in each time, and nothing is sent', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openKept(context);
  const first = await token(page);
  for (let round = 0; round < 3; round += 1) {
    assert.equal(await reload(page), true);
    assert.equal(await token(page), first);
  }
  assert.equal(sent.length, 1);
}));

test('away to another site, and back', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openKept(context);
  await page.goto(`${all.server.issuer}/.well-known/openid-configuration`);
  await page.goBack();
  assert.equal(await start(page), true);
  await token(page);
  // By a link, too.
  await page.goto(`${all.server.issuer}/.well-known/openid-configuration`);
  await page.goto(`${all.bare.origin}/`);
  assert.equal(await start(page), true);
  assert.equal(sent.length, 1);
}, { complaints: FAILED }));

test('an app that leaves the redirect URI at once takes the session along', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await page.evaluate(() => { app.signIn(); });
  await allow(page);
  await page.waitForSelector(READY);
  // A server that is as far away as in life: the worker starts while the tokens are on their way.
  await context.route(/connect.token$/, async (route) => {
    await page.waitForTimeout(1000);
    await route.continue();
  });
  await page.evaluate((home) => { app.handleRedirect().then(() => location.replace(home)); }, `${all.bare.origin}/#home`);
  await page.waitForURL(/#home$/);
  assert.equal(await start(page), true);
  assert.equal(sent.length, 1);
}));

test('the last tab is closed and opened again in time', { timeout }, () => withStay(6, async (context, site, sent) => {
  const one = await openKept(context, site);
  await one.close();
  const two = await openBare(context, site);
  assert.equal(await start(two), true);
  assert.equal(sent.length, 1);
}));

test('the last tab is closed and opened again too late', { timeout }, () => withStay(0.05, async (context, site, sent) => {
  const plain = await openPlain(context, site);
  const one = await openKept(context, site);
  const two = await openBare(context, site);
  await signedIn([two]);
  // A tab that stays keeps the session, however long.
  await one.close();
  await plain.waitForTimeout(700);
  await held(plain);
  const closed = Date.now();
  await two.close();
  await held(plain, 0);
  assert.ok(Date.now() - closed >= 490, `${Date.now() - closed} ms`);
  const three = await openBare(context, site);
  assert.equal(await start(three), false);
  assert.equal(sent.length, 1);
}));

test('a page whose instance is closed does not keep the session', { timeout }, () => withStay(0.05, async (context, site) => {
  const page = await openKept(context, site);
  await page.evaluate(() => app.close());
  await held(page, 0);
}));

test('sign-out and reload: signed out, and a later session is kept again', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openKept(context);
  await page.evaluate(() => app.signOut());
  await held(page, 0);
  assert.equal(await reload(page), false);
  await page.evaluate(() => { app.signIn({ extra: { prompt: 'login' } }); });
  await allow(page, 'bob');
  assert.equal(await start(page), true);
  await held(page);
  assert.equal(await reload(page), true);
  const me = await page.evaluate(async (api) => (await app.fetch(`${api}/api/me`)).json(), all.server.issuer);
  assert.equal(me.user.id, 'bob');
  assert.deepEqual(sent.map((form) => form.grant_type ?? form.token_type_hint),
    ['authorization_code', 'refresh_token', 'access_token', 'authorization_code']);
}));

test('refresh and reload: the new tokens', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openKept(context);
  const first = await token(page);
  await context.clock.setFixedTime(Date.now() + 3600_000);
  const second = await token(page);
  assert.notEqual(second, first);
  await held(page);
  assert.equal(await reload(page), true);
  assert.equal(await token(page), second);
  assert.deepEqual(sent.map((form) => form.grant_type), ['authorization_code', 'refresh_token']);
}));

test('what a refresh that failed told the tabs is kept, too', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openKept(context);
  await context.route(/connect.token$/, (route) => route.fulfill({ status: 503, headers: CORS }), { times: 1 });
  await context.clock.setFixedTime(Date.now() + 3600_000);
  assert.equal((await failure(page, () => app.accessToken())).code, 'status');
  assert.equal(await reload(page), true);
  assert.equal((await failure(page, () => app.accessToken())).code, 'status');
  assert.equal(sent.length, 2);
}, { complaints: FAILED }));

test('each client has a session of its own in the worker', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openKept(context);
  const other = () => page.evaluate(async () => {
    globalThis.other = make({ scope: 'itwin-platform' });
    await other.handleRedirect();
    return other.signedIn;
  });
  assert.equal(await other(), false);
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = other.signInPopup(); })]);
  await popup.click('#allow');
  await page.evaluate(() => done);
  while ((await versions(page)).length < 4) await page.waitForTimeout(10);
  assert.equal(await reload(page), true);
  assert.equal(await other(), true);
  assert.deepEqual(await page.evaluate(() => [app.scope, other.scope]), ['itwin-platform offline_access', 'itwin-platform']);
  assert.equal(sent.length, 2);
}));

/** Signs a page of a site in, and says whether a reload leaves it so. Its app has such options. */
async function survives(context, { make = '{}', isKept = false, from = '/proofkey/worker.js', pages, ...settings }) {
  const bare = BARE['/bare.js'].replace('globalThis.app = make()', `globalThis.app = make(${make})`);
  return withSite({ pages: { '/bare.js': bare, ...pages }, ...settings }, async (site) => {
    const page = await openBare(context, site);
    await context.clearCookies();
    await signInBare(page);
    const second = await openBare(context, site);
    await signedIn([second]);
    // The other tab has the session, as ever.
    assert.equal(await reload(page), true);
    await second.close();
    if (isKept) {
      await held(page);
      assert.deepEqual([...new Set(site.bare.seen.map(({ url }) => url))].filter((url) => /^\/(mine|proofkey\/worker)\.js$/.test(url)), [from]);
    }
    const survived = await reload(page);
    await page.close();
    return survived;
  });
}

const PAGES = { '/mine.js': worker };
const LAX = { 'content-security-policy': "default-src 'self' http: data: 'wasm-unsafe-eval'" };

for (const [name, make, more] of [
  ['its address', "'/mine.js'"], ['a URL', "new URL('/mine.js', location)"], ['a function', "(options) => new SharedWorker('/mine.js', options)", LAX],
]) {
  test(`the app names the worker: ${name}`, { timeout }, () => withTabs(async (context) => {
    assert.equal(await survives(context, { make: `{ worker: ${make} }`, isKept: true, from: '/mine.js', more, pages: PAGES }), true);
  }));
}

for (const [name, make, script = ''] of [
  ['the app wants none', '{ keep: false }'], ["another site's", "{ worker: 'https://elsewhere.example/worker.js' }"],
  ['the app fails to make it', '{ worker() { throw new Error(); } }'], ['a browser that has none', '{}', 'delete globalThis.SharedWorker'],
]) {
  test(`no worker, ${name}: nothing is kept, said or broken`, { timeout }, () => withTabs(async (context, sent, told) => {
    await context.addInitScript(script);
    assert.equal(await survives(context, { make }), false);
    assert.deepEqual(told, []);
  }));
}

test('a browser that ends the worker with its pages: as if there were none', { timeout }, () => withTabs(async (context, sent, told) => {
  await context.addInitScript(() => {
    const { SharedWorker } = globalThis;
    globalThis.SharedWorker = class extends SharedWorker {
      constructor(url, options) {
        super(url, { ...options, extendedLifetime: false });
      }
    };
  });
  assert.equal(await survives(context, { isKept: true }), false);
  assert.deepEqual(told, []);
}));

const policy = (text) => ({ more: { 'content-security-policy': `default-src 'self' http: data: 'wasm-unsafe-eval'; ${text}` } });

for (const [text, words] of [["worker-src 'none'", /worker-src/], ["require-trusted-types-for 'script'; trusted-types 'none'", /TrustedTypePolicy/]]) {
  test(`${text}: the console has it, and nothing is kept or broken`, { timeout }, () => withTabs(async (context, sent, told) => {
    assert.equal(await survives(context, policy(text)), false);
    assert.ok(told.some((line) => words.test(line)), told.join('\n'));
  }, { complaints: /Content Security Policy|TrustedTypePolicy/ }));
}

test('Trusted Types are required, as by the sample: the policy proofkey is enough', { timeout }, () => withTabs(async (context, sent, told) => {
  const text = "require-trusted-types-for 'script'; trusted-types proofkey";
  assert.equal(await survives(context, { ...policy(text), isKept: true }), true);
  assert.deepEqual(told, []);
  const { headers } = await fetch(`${all.spa.origin}/`);
  assert.ok(headers.get('content-security-policy').endsWith(text));
}));

/** Playwright waits for a load that a page out of the cache does not have, and needs a moment to find the page again. */
async function back(page) {
  await page.goBack({ waitUntil: 'commit' });
  await page.waitForTimeout(1000);
}

test('back to the page that left, out of the back/forward cache', { timeout }, async () => {
  const browser = await openWholeBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  try {
    await withProfile(browser, async (context) => {
      const page = await openBare(context, all);
      hostile.answers((request, response) => response.end('<title>Sign in</title>'));
      // Another site, as in life: only then the browser keeps the page.
      const endpoint = hostile.origin.replace('127.0.0.1', 'localhost');
      await page.evaluate((authorizationEndpoint) => {
        globalThis.left = failure(() => make({ authorizationEndpoint, tokenEndpoint: authorizationEndpoint }).signIn());
      }, endpoint);
      await page.waitForURL(/localhost/);
      await back(page);
      assert.equal((await page.evaluate(() => left)).code, 'aborted');

      const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup(); })]);
      await allow(popup);
      await page.evaluate(() => done);
      // Two instances and the worker.
      await held(page, 3);
      await page.evaluate(() => {
        globalThis.states = [];
        app.addEventListener('change', () => states.push(app.state));
      });
      await page.goto(endpoint);
      await back(page);
      await page.evaluate(() => app.accessToken());
      await held(page, 3);
      assert.deepEqual(await page.evaluate(() => states), []);
    });
  } finally {
    await browser.close();
  }
});

/** A tab that, like a page in the back/forward cache, misses what is said meanwhile. It notes its states. */
async function inCache(page, work) {
  await page.evaluate(() => {
    if (!globalThis.states) app.addEventListener('change', () => states.push(app.state));
    globalThis.states = [];
    globalThis.isAway = true;
  });
  await work();
  await page.evaluate(() => {
    globalThis.isAway = false;
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
  });
}

const DEAF = () => {
  const { BroadcastChannel } = globalThis;
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    constructor(name) {
      super(name);
      this.addEventListener('message', (event) => { if (globalThis.isAway) event.stopImmediatePropagation(); });
    }
  };
};

test('back in the back/forward cache: the session goes on, and the page never says otherwise', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  await signInBare(page);
  await held(page);
  await inCache(page, () => {});
  await held(page);
  const first = await token(page);
  await context.clock.setFixedTime(Date.now() + 3600_000);
  assert.notEqual(await token(page), first);
  await held(page);
  assert.deepEqual([await page.evaluate(() => states), sent.length], [[], 2]);
}));

test('back in the back/forward cache: another tab has refreshed, signed in as someone else, or signed out', { timeout }, () => withTabs(async (context, sent) => {
  await context.addInitScript(DEAF);
  const [one, two] = [await openBare(context, all), await openBare(context, all)];
  await signInBare(one);
  await signedIn([two]);
  const first = await token(one);
  let second;
  await inCache(one, async () => {
    await context.clock.setFixedTime(Date.now() + 3600_000);
    second = await token(two);
  });
  assert.notEqual(second, first);
  assert.deepEqual([await token(one), await one.evaluate(() => states), sent.length], [second, [], 2]);
  await inCache(one, async () => {
    await two.evaluate(() => { app.signIn({ extra: { prompt: 'login' } }); });
    await allow(two, 'bob');
    await two.waitForSelector(READY);
    await two.evaluate(() => app.handleRedirect());
  });
  await until(one, () => states.at(-1) === 'signed_in');
  assert.equal(await token(one), await token(two));
  await inCache(one, () => two.evaluate(() => app.signOut()));
  await until(one, () => !app.signedIn);
  assert.equal((await failure(one, () => app.accessToken())).code, 'signed_out');
  assert.deepEqual(await one.evaluate(() => states), ['signed_out']);
}));

test('out of the back/forward cache with no tab or worker that knows: signed out', { timeout }, () => withTabs(async (context) => {
  await context.addInitScript('delete globalThis.SharedWorker');
  const page = await openBare(context, all);
  await signInBare(page);
  await inCache(page, () => {});
  await until(page, () => !app.signedIn);
  assert.deepEqual(await page.evaluate(() => states), ['signed_out']);
}));
