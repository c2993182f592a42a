// Chromium, Firefox and WebKit against the development server: what a user does, and where secrets are then. The rest of the
// tests of the browser adapter run in Chromium only.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, readable } from './spa.mjs';
import { startDevServer } from './tools.mjs';
import { NAMES, openEngine, until } from './webdriver.mjs';

const timeout = 240_000;
/** Where a SharedWorker outlives its page (`extendedLifetime`), so that a reload leaves the user signed in. */
const KEEPS = new Set(['Chromium']);
let server, front, spa, bare;

before(async () => {
  server = await startDevServer();
  front = await frontOf(server.issuer);
});
after(() => Promise.all([server?.stop(), front?.stop()]));

for (const name of NAMES) {
  describe(name, () => {
    let browser;
    after(() => browser?.close());

    /** A test with a tab and sites of its own, and no cookies. The browser ends with a test that fails. */
    const check = (what, work) => test(what, { timeout }, async () => {
      front.restart();
      const { origin: issuer } = front;
      [spa, bare] = await Promise.all([serve({ port: 0, issuer }), serve({ port: 0, issuer, pages: BARE })]);
      try {
        browser ??= await openEngine(name);
        const page = await browser.anew(`${issuer}/connect/authorize`);
        spa.seen.length = 0;
        await work(browser, page);
        // Its driver hangs now and then if windows close.
        if (name !== 'WebKit') return;
        await browser.close();
        browser = undefined;
      } catch (error) {
        await browser?.close().catch(() => {});
        browser = undefined;
        throw error;
      } finally {
        await Promise.all([spa.stop(), bare.stop()]);
      }
    });

    check('the whole page: sign in, call the API, sign out', async (browser, page) => {
      await page.goto(`${spa.origin}/`);
      await says(page, 'You are not signed in.');
      await page.click('#sign-in');
      await allow(page);
      await says(page, 'Signed in as alice.');
      assert.equal(await page.url(), `${spa.origin}/`);
      assert.equal(await page.evaluate(() => document.querySelectorAll('#itwins li').length), 2);
      await page.click('#sign-out');
      await says(page, 'You are not signed in.');
      await until(() => front.grants().length === 3);
      assert.deepEqual(front.grants(), ['authorization_code', 'refresh_token revoked', 'access_token revoked']);
    });

    for (const policy of [undefined, 'same-origin']) {
      check(`a window: sign in${policy ? ', cut off from the page that opened it' : ''}`, async (browser, page) => {
        front.policy = policy;
        await page.goto(`${spa.origin}/`);
        const popup = await browser.opened(() => page.click('#sign-in-popup'));
        await popup.find('#username');
        assert.equal(await popup.evaluate(() => opener === null), policy !== undefined);
        await allow(popup);
        await until(async () => !await popup.isOpen());
        await says(page, 'Signed in as alice.');
        assert.equal(await page.url(), `${spa.origin}/`);
        assert.deepEqual(front.grants(), ['authorization_code']);
      });
    }

    check('a window: refused, and closed', async (browser, page) => {
      await page.goto(`${spa.origin}/`);
      for (const [leave, words] of [
        [(popup) => popup.click('#cancel'), 'You did not allow this app'],
        [(popup) => popup.close(), 'The sign-in window was closed'],
      ]) {
        const popup = await browser.opened(() => page.click('#sign-in-popup'));
        await popup.find('#cancel');
        await leave(popup);
        await until(async () => !await popup.isOpen());
        await page.until((text) => document.getElementById('problem')?.textContent.startsWith(text), words);
      }
      assert.deepEqual(front.grants(), []);
    });

    check('back on the way: sign in again', async (browser, page) => {
      await page.goto(`${spa.origin}/`);
      await page.click('#sign-in');
      await page.find('#username');
      await page.back();
      await says(page, 'You are not signed in.');
      await page.click('#sign-in');
      await allow(page);
      await says(page, 'Signed in as alice.');
    });

    check('two tabs: one sign-in, one refresh, one sign-out', async (browser, page) => {
      const tab = await browser.newTab();
      for (const one of [page, tab]) await openBare(one);
      await signInBare(page);
      await tab.until(() => window.app.signedIn);
      const token = () => window.app.accessToken();
      const first = await page.evaluate(token);
      assert.equal(await tab.evaluate(token), first);

      for (const one of [page, tab]) await later(one);
      const release = front.hold();
      for (const one of [page, tab]) await one.evaluate(() => { window.token = window.app.accessToken(); });
      await until(() => front.grants().length > 1);
      release();
      const second = await page.evaluate(() => window.token);
      assert.notEqual(second, first);
      assert.equal(await tab.evaluate(() => window.token), second);
      assert.deepEqual(front.grants(), ['authorization_code', 'refresh_token']);

      await tab.evaluate(() => window.app.signOut());
      await page.until(() => !window.app.signedIn);
    });

    check(`reload: ${KEEPS.has(name) ? 'still signed in' : 'signed out, without another tab'}`, async (browser, page) => {
      await openBare(page);
      await signInBare(page);
      // The page, and the worker that stays.
      const holders = KEEPS.has(name) ? 2 : 1;
      await page.until(async (count) => {
        const { held } = await navigator.locks.query();
        return held.filter((lock) => /] \d{16} /.test(lock.name)).length >= count;
      }, holders);
      await page.reload();
      await ready(page);
      await page.evaluate(() => window.app.handleRedirect());
      assert.equal(await page.evaluate(() => window.app.signedIn), KEEPS.has(name));
      assert.deepEqual(front.grants(), ['authorization_code']);
    });

    check('reload: another tab has the session', async (browser, page) => {
      const tab = await browser.newTab();
      for (const one of [page, tab]) await openBare(one);
      await signInBare(page);
      await tab.until(() => window.app.signedIn);
      await page.reload();
      await ready(page);
      await page.evaluate(() => window.app.handleRedirect());
      assert.equal(await page.evaluate(() => window.app.signedIn), true);
      assert.deepEqual(front.grants(), ['authorization_code']);
    });

    check('each secret is where it has to be, and nowhere else', async (browser, page) => {
      await page.goto(`${spa.origin}/`);
      await page.click('#sign-in');
      await allow(page);
      await says(page, 'Signed in as alice.');
      await later(page);
      await page.click('#load');
      await until(() => front.grants().includes('refresh_token'));
      await page.click('#sign-out');
      await says(page, 'You are not signed in.');
      await until(() => front.grants().length === 4);
      // Its clock is right again.
      await page.reload();
      await page.click('#sign-in-popup');
      await says(page, 'Signed in as alice.');
      const left = [await leftovers(page)];
      await page.reload();
      await page.find('#sign-in');
      left.push(await leftovers(page));
      const redirects = spa.seen.filter(({ url }) => url.startsWith('/callback?')).length;
      assert.equal(redirects, 2);
      assert.deepEqual((await addresses(page)).filter((url) => /[?#]/.test(url)), []);

      const secrets = front.secrets();
      assert.deepEqual(Object.entries(secrets).map(([kind, values]) => [kind, values.size]),
        [['access', 3], ['code', 2], ['refresh', 3], ['state', 2], ['verifier', 2]]);
      const every = Object.values(secrets).flatMap((values) => [...values]);
      assert.ok(every.every((secret) => secret.length === 43));
      for (const text of left) assert.deepEqual(every.filter((secret) => text.includes(secret)), [], text);
      const { session, local, databases, caches, workers, cookies, name: windowName } = JSON.parse(left[0]);
      assert.deepEqual({ session, local, databases, caches, workers, cookies, windowName },
        { session: {}, local: {}, databases: [], caches: [], workers: 0, cookies: [], windowName: '' });
      assert.deepEqual(places(secrets), [
        'access in the body of server /connect/revocation',
        'access in the field authorization of server /api/itwins',
        'access in the field authorization of server /api/me',
        'code in the body of server /connect/token',
        'code in the query of app /callback',
        'refresh in the body of server /connect/revocation',
        'refresh in the body of server /connect/token',
        'state in the query of app /callback',
        'state in the query of server /connect/authorize',
        'verifier in the body of server /connect/token',
      ]);
    });
  });
}

/** The development server at another address, which sees what is sent and answered. */
async function frontOf(issuer) {
  const site = createServer(async (request, response) => {
    const { url, method, headers } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    const { held, policy } = front;
    const one = { url, method, fields: headers, body };
    front.seen.push(one);
    if (/grant_type=refresh_token/.test(body)) await held;
    const { host } = new URL(issuer);
    const answer = await fetch(issuer + url, {
      method, headers: { ...headers, host }, body: method === 'POST' ? body : undefined, redirect: 'manual',
    });
    const moved = (text) => text.replaceAll(issuer, site.origin).replaceAll(encodeURIComponent(issuer), encodeURIComponent(site.origin));
    one.answer = moved(await answer.text());
    const fields = [...answer.headers].filter(([field]) => !/^(content-length|transfer-encoding|connection)$/.test(field));
    if (policy) fields.push(['cross-origin-opener-policy', policy]);
    response.writeHead(answer.status, fields.flatMap(([field, value]) => [field, moved(value)])).end(one.answer);
  });
  await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve); });
  site.origin = `http://127.0.0.1:${site.address().port}`;
  const forms = () => front.seen.filter(({ url, method }) => method === 'POST' && /^\/connect\/(token|revocation)$/.test(url))
    .map(({ body, answer }) => ({ ...Object.fromEntries(new URLSearchParams(body)), answer }));
  return {
    origin: site.origin,
    seen: [],
    restart() {
      this.seen = [];
      this.policy = undefined;
    },
    /** Keeps refreshes waiting until what it returns is called. */
    hold() {
      let release;
      this.held = new Promise((resolve) => { release = resolve; });
      return release;
    },
    /** What the token and revocation endpoints were asked for. */
    grants: () => forms().map((form) => form.grant_type ?? `${form.token_type_hint} revoked`),
    /** All that went over the wire and is secret, by kind. */
    secrets() {
      const answers = forms().filter((form) => form.grant_type).map(({ answer }) => JSON.parse(answer));
      const states = this.seen.filter(({ url }) => url.startsWith('/connect/authorize?')).map(({ url }) => new URL(url, issuer).searchParams.get('state'));
      const set = (list, key) => new Set(list.map((one) => one[key]).filter(Boolean));
      return {
        access: set(answers, 'access_token'),
        code: set(forms(), 'code'),
        refresh: set(answers, 'refresh_token'),
        state: new Set(states.filter(Boolean)),
        verifier: set(forms(), 'code_verifier'),
      };
    },
    stop: () => { site.close(); site.closeAllConnections(); },
  };
}

/** Where in the requests each kind of secret is. What the server's pages say to the server is theirs. */
function places(secrets) {
  const found = new Set();
  const look = (place, text) => Object.entries(secrets).forEach(([kind, values]) => {
    if ([...values].some((value) => text.includes(value))) found.add(`${kind} in ${place}`);
  });
  for (const [who, seen] of [['app', spa.seen], ['server', front.seen]]) {
    for (const { url, fields, body = '' } of seen) {
      const { pathname, search } = new URL(url, spa.origin);
      if (/^\/connect\/(login|consent)$/.test(pathname)) continue;
      look(`the query of ${who} ${pathname}`, search);
      look(`the body of ${who} ${pathname}`, body);
      for (const [field, value] of Object.entries(fields)) look(`the field ${field} of ${who} ${pathname}`, value);
    }
  }
  return [...found].sort();
}

async function leftovers(page) {
  return JSON.stringify({ ...await page.evaluate(readable), cookies: await page.cookies() });
}

/** Each address of the app's in the history of the window, back and forth. */
async function addresses(page) {
  const found = [];
  const here = await page.url();
  for (const [go, end] of [[() => page.back(), `${spa.origin}/`], [() => page.forward(), here]]) {
    do {
      await go();
      await page.until(() => document.readyState === 'complete');
      found.push(await page.url());
    } while (found.at(-1) !== end);
  }
  return found.filter((url) => url.startsWith(spa.origin));
}

async function allow(page) {
  await page.fill('#username', 'alice');
  await page.fill('#password', 'any');
  await page.click('#sign-in');
  await page.click('#allow');
}

const says = (page, text) => page.until((expected) => document.getElementById('status')?.textContent === expected, text);
const ready = (page) => page.until(() => 'ready' in document.documentElement.dataset);

/** Opens a page with nothing but the adapter. */
async function openBare(page) {
  await page.goto(`${bare.origin}/`);
  await ready(page);
}

async function signInBare(page) {
  await page.evaluate(() => { window.app.signIn(); });
  await allow(page);
  await page.until(() => location.pathname === '/callback' && 'ready' in document.documentElement.dataset);
  await page.evaluate(() => window.app.handleRedirect());
}

/** An hour and a bit later, in this page. */
function later(page) {
  return page.evaluate(() => {
    // Firefox runs this beside the page, with a Date of its own.
    const { Date } = window;
    const { now } = Date;
    Date.now = () => now() + 3700_000;
  });
}
