// The browser adapter in a real Chromium, with a real authorization server.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, FAILED, READY, failure, leftovers, openBare, tokenAnswers, until, withProfile } from './spa.mjs';
import { openBrowser, startPeer } from './tools.mjs';

const all = {};
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);
const token = (page) => page.evaluate(() => app.accessToken());

before(async () => {
  [all.browser, all.peer] = await Promise.all([openBrowser(), startPeer()]);
  const { issuer, clientId } = all.peer;
  all.bare = await serve({ port: 0, issuer, pages: BARE, config: { clientId, scope: 'openid offline_access' } });
});
after(() => Promise.all([all.browser?.close(), all.peer?.stop(), all.bare?.stop()]));

/** Its pages: who it is, then what it allows. */
async function allow(page) {
  await page.fill('[name=login]', 'alice');
  await page.fill('[name=password]', 'any');
  await page.click('[type=submit]');
  await page.getByText('Authorize').waitFor();
  await page.click('[type=submit]');
}

const me = (page) => page.evaluate(async (url) => {
  const response = await app.fetch(url);
  return [response.status, (await response.json()).sub];
}, all.peer.api);

test('a real server: the whole page, the API, rotation between tabs, sign-out', { timeout }, () => withTabs(async (context, sent) => {
  const answers = await tokenAnswers(context);
  const [one, two] = await Promise.all([openBare(context, all), openBare(context, all)]);
  await one.evaluate(() => { app.signIn({ extra: { prompt: 'consent' } }); });
  await allow(one);
  await one.waitForSelector(READY);
  for (const page of [one, two]) await page.evaluate(() => app.handleRedirect());
  for (const page of [one, two]) assert.deepEqual(await me(page), [200, 'alice']);

  for (const round of [1, 2]) {
    await context.clock.setFixedTime(Date.now() + round * 3600_000);
    const tokens = await Promise.all([token(one), token(two)]);
    assert.equal(tokens[0], tokens[1]);
    assert.equal(sent.length, 1 + round);
    assert.equal(sent[round].refresh_token, answers[round - 1].refresh_token);
    assert.notEqual(answers[round].refresh_token, answers[round - 1].refresh_token);
  }
  assert.deepEqual(await me(two), [200, 'alice']);
  const left = await leftovers(one);
  for (const { access_token: access, refresh_token: refresh, id_token: id } of answers) {
    assert.ok(![access, refresh, id].some((secret) => secret && left.includes(secret)), left);
  }

  const last = await token(one);
  assert.equal(await two.evaluate(() => app.signOut()), true);
  await until(one, () => !app.signedIn);
  assert.deepEqual(sent.slice(3).map((form) => form.token_type_hint), ['refresh_token', 'access_token']);
  const refused = await fetch(all.peer.api, { headers: { authorization: `Bearer ${last}` } });
  assert.equal(refused.status, 401);
  // Its pages ask for a font from elsewhere.
}, { complaints: FAILED }));

test('a real server: a window, and what it refuses', { timeout }, () => withTabs(async (context, sent) => {
  const page = await openBare(context, all);
  const openWindow = async () => {
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate(() => { globalThis.done = failure(() => app.signInPopup({ extra: { prompt: 'consent' } })); }),
    ]);
    return popup;
  };
  const refused = await openWindow();
  await refused.getByText('Cancel').click();
  const { code, serverCode } = await page.evaluate(() => done);
  assert.deepEqual([code, serverCode, sent], ['server', 'access_denied', []]);
  await allow(await openWindow());
  assert.equal(await page.evaluate(() => done), undefined);
  assert.deepEqual(await me(page), [200, 'alice']);
  // Ended behind the app's back, and with it all that was allowed: the API refuses, and so does the token endpoint.
  const form = new URLSearchParams({ token: await token(page), client_id: all.peer.clientId });
  assert.equal((await fetch(`${all.peer.issuer}/token/revocation`, { method: 'POST', body: form })).status, 200);
  // A token of less than a minute is not renewed.
  assert.deepEqual(await page.evaluate(async (url) => (await app.fetch(url)).status, all.peer.api), 401);
  await context.clock.setFixedTime(Date.now() + 61_000);
  const error = await failure(page, (url) => app.fetch(url), all.peer.api);
  assert.deepEqual([error.code, error.serverCode, error.advice], ['server', 'invalid_grant', 'reauthorize']);
  assert.equal(await page.evaluate(() => app.signedIn), false);
  assert.deepEqual(sent.map((one) => one.grant_type), ['authorization_code', 'refresh_token']);
}, { complaints: FAILED }));
