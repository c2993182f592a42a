// `store: 'dpop'`: a bound refresh token outlives the browser, in a real Chromium.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAILED, allow, failure, leftovers, openBare, setUp, tokenAnswers, until, withProfile, within } from './spa.mjs';
import { openProfile } from './tools.mjs';

const all = setUp('--dpop');
const timeout = 60_000;
const call = (page) => page.evaluate(async (api) => (await app.fetch(`${api}/api/me`)).status, all.server.issuer);

/** A browser with a profile in a folder. Each call starts it anew. */
function withHome(work) {
  const home = mkdtempSync(join(tmpdir(), 'proofkey-'));
  const start = async (visit) => within(await openProfile(home), visit, FAILED);
  return work(start).finally(() => rmSync(home, { recursive: true, force: true }));
}

async function openStored(context, more = {}) {
  const page = await openBare(context, all);
  await page.evaluate(async (options) => {
    globalThis.app = make({ dpop: true, store: 'dpop', keep: false, ...options });
    await app.handleRedirect();
  }, more);
  return page;
}

async function signIn(page) {
  const [popup] = await Promise.all([
    page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup({ extra: { prompt: 'login' } }); }),
  ]);
  await allow(popup);
  await page.evaluate(() => done);
}

const state = (page) => page.evaluate(() => app.state);

/** What is in the database beside the key. */
const stored = (page) => page.evaluate(() => new Promise((resolve) => {
  indexedDB.open('proofkey', 1).onsuccess = ({ target: { result } }) => {
    result.transaction('keys').objectStore('keys').getAll().onsuccess = (event) => {
      result.close();
      resolve(event.target.result.filter((one) => !one.privateKey));
    };
  };
}));

test('the browser is closed and opened again: signed in, with a refresh', { timeout }, () => withHome(async (start) => {
  await start(async (context, sent) => {
    const page = await openStored(context);
    assert.equal(await state(page), 'signed_out');
    await signIn(page);
    assert.equal(sent.length, 1);
  });
  for (let round = 0; round < 2; round += 1) {
    await start(async (context, sent) => {
      const pages = [await openStored(context), await openStored(context)];
      for (const page of pages) assert.equal(await state(page), 'signed_in');
      assert.equal(await pages[0].evaluate(() => app.scope), 'itwin-platform offline_access');
      assert.equal(sent.length, 0);
      assert.deepEqual(await Promise.all(pages.map(call)), [200, 200]);
      // One refresh for both.
      assert.equal(sent.length, 1);
    });
  }
}));

test('a sign-out in any tab deletes it, also if the page goes at once', { timeout }, () => withProfile(all.browser, async (context) => {
  const [one, two] = [await openStored(context), await openStored(context)];
  await signIn(one);
  await until(two, () => app.signedIn);
  assert.equal((await stored(one)).length, 1);
  assert.equal(await two.evaluate(() => app.signOut()), true);
  assert.deepEqual(await stored(one), []);
  await one.close();
  await two.close();
  const three = await openStored(context);
  assert.equal(await state(three), 'signed_out');
}, { complaints: FAILED }));

test('a tab that hears of a sign-out deletes it, too', { timeout }, () => withProfile(all.browser, async (context) => {
  const page = await openStored(context);
  await signIn(page);
  // What a tab says that has signed out, and did not come to delete it.
  await page.evaluate(async () => {
    const { held } = await navigator.locks.query();
    const [name, version] = held.map((lock) => lock.name).find((one) => /] \d{16} /.test(one)).split(/(?<=]) /);
    new BroadcastChannel(name).postMessage({ ended: version.split(' ')[1] });
  });
  await until(page, () => !app.signedIn);
  while ((await stored(page)).length) await page.waitForTimeout(20);
}, { complaints: FAILED }));

test('what is stored: the refresh token alone, and it is of no use elsewhere', { timeout }, () => withProfile(all.browser, async (context) => {
  const answers = await tokenAnswers(context);
  const page = await openStored(context);
  await signIn(page);
  assert.deepEqual(await call(page), 200);
  const [{ refresh_token: refreshToken, access_token: accessToken }] = answers.filter((answer) => answer.access_token);
  const [session, ...more] = await stored(page);
  assert.deepEqual([more, Object.keys(session).sort(), session.refreshToken],
    [[], ['generation', 'id', 'refreshToken', 'requestedAt', 'scope', 'since'], refreshToken]);
  const left = JSON.parse(await leftovers(page));
  const places = Object.entries(left).filter(([, value]) => JSON.stringify(value).includes(refreshToken)).map(([name]) => name);
  assert.deepEqual([places, JSON.stringify(left).includes(accessToken)], [['stored'], false]);
  const refused = await fetch(`${all.server.issuer}/connect/token`, {
    method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: all.server.clientId }),
  });
  assert.equal(refused.status, 400);
  // And it still works here.
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await page.evaluate(async () => {
    globalThis.app = make({ dpop: true, store: 'dpop', keep: false });
    await app.handleRedirect();
  });
  assert.equal(await call(page), 200);
  // The new one is stored in its place.
  assert.notEqual((await stored(page))[0].refreshToken, refreshToken);
}, { complaints: FAILED }));

test('the server ended the session meanwhile: signed out, and nothing is left', { timeout }, () => withProfile(all.browser, async (context) => {
  let page = await openStored(context);
  await signIn(page);
  await page.close();
  page = await openStored(context);
  assert.equal(await state(page), 'signed_in');
  await context.route(/connect.token$/, (route) => route.fulfill({
    status: 400, headers: { 'access-control-allow-origin': '*', 'content-type': 'application/json' }, body: '{"error":"invalid_grant"}',
  }));
  const { code, serverCode } = await failure(page, () => app.accessToken());
  assert.deepEqual([code, serverCode, await state(page)], ['server', 'invalid_grant', 'signed_out']);
  while ((await stored(page)).length) await page.waitForTimeout(20);
}, { complaints: FAILED }));

test('nothing that is not bound is stored', { timeout }, () => withProfile(all.browser, async (context) => {
  const page = await openBare(context, all);
  for (const options of [{ store: 'dpop' }, { store: 'dpop', dpop: false }, { store: 'local', dpop: true }, { store: true, dpop: true }]) {
    const { code, advice } = await failure(page, (more) => make(more), options);
    assert.deepEqual([code, advice], ['config', 'fix']);
  }
}));

test('a browser without the database: signed in as long as the page lives', { timeout }, () => withProfile(all.browser, async (context) => {
  await context.addInitScript(() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function store(value, key) {
      if (value.refreshToken) throw new DOMException('full', 'QuotaExceededError');
      return put.call(this, value, key);
    };
  });
  const page = await openStored(context);
  await signIn(page);
  assert.equal(await call(page), 200);
  assert.deepEqual(await stored(page), []);
}, { complaints: FAILED }));
