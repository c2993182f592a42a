// Sign-in windows that Cross-Origin-Opener-Policy cuts off from the page that opened them, in a real Chromium.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer, request as ask } from 'node:http';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, READY, allow, openBare, until, withProfile } from './spa.mjs';
import { openBrowser, signIn, startDevServer } from './tools.mjs';

const timeout = 60_000;
const SAME = 'same-origin';
const POPUPS = 'same-origin-allow-popups';
let browser, server;

before(async () => { [browser, server] = await Promise.all([openBrowser(), startDevServer()]); });
after(() => Promise.all([browser?.close(), server?.stop()]));

/** The development server's pages at another address, with this policy. */
async function frontOf(issuer, policy) {
  const { hostname, port, host } = new URL(issuer);
  const front = createServer((request, response) => {
    const { url: path, method, headers } = request;
    request.pipe(ask({ hostname, port, path, method, headers: { ...headers, host } }, (answer) => {
      response.writeHead(answer.statusCode, { ...answer.headers, ...(policy && { 'cross-origin-opener-policy': policy }) });
      answer.pipe(response);
    }));
  });
  await new Promise((resolve) => { front.listen(0, '127.0.0.1', resolve); });
  return { origin: `http://127.0.0.1:${front.address().port}`, stop: () => { front.close(); front.closeAllConnections(); } };
}

/** A page whose sign-in is in a window, where the user is: `done` is how it ends. The page does not have the focus. */
async function withWindow({ atServer, atApp }, work) {
  const { issuer } = server;
  const front = await frontOf(issuer, atServer);
  const more = atApp && { 'cross-origin-opener-policy': atApp };
  const bare = await serve({ port: 0, issuer, pages: BARE, config: { eager: true }, more });
  try {
    await withProfile(browser, async (context, sent) => {
      const page = await openBare(context, { bare });
      const [popup] = await Promise.all([context.waitForEvent('page'), page.evaluate(([authorize, token]) => {
        document.hasFocus = () => false;
        // It looks at the window ten times as often.
        const { open, setInterval: repeat } = window;
        globalThis.looks = 0;
        window.setInterval = (look, time) => repeat(() => { looks += 1; look(); }, time / 10);
        window.open = (...options) => { globalThis.popup = open.apply(window, options); return globalThis.popup; };
        globalThis.app = make({ authorizationEndpoint: authorize, tokenEndpoint: token });
        globalThis.changes = 0;
        app.addEventListener('change', () => { changes += 1; });
        globalThis.done = failure(() => app.signInPopup());
      }, [`${front.origin}/connect/authorize`, `${issuer}/connect/token`])]);
      await popup.waitForSelector('#username');
      await work({ page, popup, sent, bare });
    });
  } finally {
    front.stop();
    await bare.stop();
  }
}

const focus = (page) => page.evaluate(() => { document.hasFocus = () => true; });
const signedIn = (page) => page.evaluate(() => app.signedIn);

for (const [name, policies, isCut] of [
  ['no policy', {}, false],
  [`the server ${SAME}`, { atServer: SAME }, true],
  [`the server ${POPUPS}`, { atServer: POPUPS }, true],
  [`the app ${SAME}`, { atApp: SAME }, true],
  [`the app ${POPUPS}`, { atApp: POPUPS }, false],
  [`both ${SAME}`, { atServer: SAME, atApp: SAME }, true],
  [`both ${POPUPS}`, { atServer: POPUPS, atApp: POPUPS }, true],
]) {
  test(`${name}: the user signs in, and takes their time`, { timeout }, () => withWindow(policies, async ({ page, popup, sent }) => {
    assert.equal(await page.evaluate(() => popup.closed), isCut, 'the window looks closed');
    await until(page, () => looks > 14);
    const closed = popup.waitForEvent('close');
    await allow(popup);
    assert.equal(await page.evaluate(() => done), undefined);
    await closed;
    assert.deepEqual([await signedIn(page), await page.evaluate(() => changes), sent.length], [true, 1, 1]);
  }));

  test(`${name}: the user refuses`, { timeout }, () => withWindow(policies, async ({ page, popup, sent }) => {
    const closed = popup.waitForEvent('close');
    await popup.click('#cancel');
    assert.equal((await page.evaluate(() => done)).serverCode, 'access_denied');
    await closed;
    assert.deepEqual([await signedIn(page), sent.length], [false, 0]);
  }));

  test(`${name}: the user closes the window`, { timeout }, () => withWindow(policies, async ({ page, popup, sent }) => {
    await popup.close();
    await focus(page);
    const { code, advice } = await page.evaluate(() => done);
    assert.deepEqual([code, advice], ['popup_closed', 'reauthorize']);
    assert.deepEqual([await signedIn(page), sent.length], [false, 0]);
  }));

  test(`${name}: the page is reloaded meanwhile`, { timeout }, () => withWindow(policies, async ({ page, popup, sent, bare }) => {
    await signIn(popup);
    await popup.waitForSelector('#allow');
    await page.reload();
    await page.waitForSelector(READY);
    await popup.click('#allow');
    await until(popup, () => globalThis.refused);
    assert.deepEqual([await popup.evaluate(() => refused), popup.url()], ['no_login', bare.config.redirectUri]);
    assert.deepEqual([await signedIn(page), sent.length], [false, 0]);
  }));
}

test('a look at the page does not end the sign-in: the window may finish later', { timeout }, () => withWindow({ atServer: SAME }, async ({ page, popup, sent }) => {
  await focus(page);
  assert.equal((await page.evaluate(() => done)).code, 'popup_closed');
  const closed = popup.waitForEvent('close');
  await allow(popup);
  await closed;
  await until(page, () => app.signedIn);
  assert.deepEqual([await page.evaluate(() => changes), sent.length], [1, 1]);
}));

test('a window that was given up for a newer one ends nothing', { timeout }, () => withWindow({ atServer: SAME }, async ({ page, popup, sent }) => {
  const [second] = await Promise.all([page.context().waitForEvent('page'), page.evaluate(() => {
    globalThis.again = failure(() => app.signInPopup({ extra: { prompt: 'login' } }));
  })]);
  assert.equal((await page.evaluate(() => done)).code, 'popup_closed');
  await second.waitForSelector('#username');
  await allow(popup);
  await until(popup, () => globalThis.refused);
  assert.deepEqual([await popup.evaluate(() => refused), sent.length], ['no_login', 0]);
  await allow(second, 'bob');
  assert.equal(await page.evaluate(() => again), undefined);
  assert.deepEqual([await page.evaluate(() => changes), sent.length], [1, 1]);
}));

test('a window that was cut off cannot be closed when its time is over', { timeout }, () => withWindow({ atServer: SAME }, async ({ page, popup, sent }) => {
  await page.clock.setFixedTime(Date.now() + 11 * 60_000);
  assert.equal((await page.evaluate(() => done)).code, 'expired');
  await allow(popup);
  await until(popup, () => globalThis.refused);
  assert.deepEqual([await popup.evaluate(() => refused), sent.length], ['no_login', 0]);
}));

test('the answer of a page that is done at once comes late: the window closes all the same', { timeout }, () => withWindow({ atServer: SAME }, async ({ page, popup, sent }) => {
  await popup.addInitScript(() => {
    const { addEventListener: add } = BroadcastChannel.prototype;
    BroadcastChannel.prototype.addEventListener = function (type, hear) {
      add.call(this, type, (event) => setTimeout(() => hear(event), 300));
    };
  });
  const closed = popup.waitForEvent('close');
  await popup.click('#cancel');
  assert.equal((await page.evaluate(() => done)).serverCode, 'access_denied');
  await closed;
  assert.deepEqual(sent, []);
}));
