// Bound tokens (DPoP, RFC 9449) in a real Chromium, with a real authorization server.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, FAILED, openBare, until, withProfile } from './spa.mjs';
import { openBrowser, startPeer } from './tools.mjs';

const all = {};
const timeout = 60_000;

before(async () => {
  [all.browser, all.peer] = await Promise.all([openBrowser(), startPeer('--dpop-nonce')]);
  const { issuer } = all.peer;
  all.bare = await serve({ port: 0, issuer, pages: BARE, config: { clientId: 'cli-dpop', scope: 'openid offline_access' } });
});
after(() => Promise.all([all.browser?.close(), all.peer?.stop(), all.bare?.stop()]));

test('a real server that wants nonces: sign-in, API, refresh, sign-out', { timeout }, () => withProfile(all.browser, async (context) => {
  const granted = [];
  await context.route(/\/token$/, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    if (answer.access_token) granted.push(answer);
    // The first one expires at once.
    await route.fulfill({ response, json: answer.access_token && granted.length === 1 ? { ...answer, expires_in: 0 } : answer });
  });
  const page = await openBare(context, all);
  await page.evaluate(() => { globalThis.app = make({ dpop: true }); return app.handleRedirect(); });
  const [popup] = await Promise.all([
    page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = app.signInPopup({ extra: { prompt: 'consent' } }); }),
  ]);
  await popup.fill('[name=login]', 'alice');
  await popup.fill('[name=password]', 'any');
  await popup.click('[type=submit]');
  await popup.getByText('Authorize').waitFor();
  await popup.click('[type=submit]');
  await page.evaluate(() => done);
  const me = await page.evaluate(async (url) => {
    const response = await app.fetch(url);
    return [response.status, (await response.json()).sub];
  }, all.peer.api);
  assert.deepEqual(me, [200, 'alice']);
  assert.deepEqual(granted.map(({ token_type: type }) => type), ['DPoP', 'DPoP']);
  const { status } = await fetch(all.peer.api, { headers: { authorization: `Bearer ${granted[1].access_token}` } });
  assert.notEqual(status, 200, 'the token alone is of no use');
  assert.equal(await page.evaluate(() => app.signOut()), true);
  await until(page, () => !app.signedIn);
}, { complaints: FAILED }));
