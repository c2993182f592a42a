// A client that has to push its logins (RFC 9126), at a real authorization server, in a real Chromium: from the sign-in to the end of
// the server's own session.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, FAILED, READY, failure, openBare, tokenAnswers, withProfile } from './spa.mjs';
import { openBrowser, startPeer } from './tools.mjs';

const all = {};
const timeout = 120_000;
const SIGNED_OUT = 'https://app.example/signed-out';

before(async () => {
  [all.browser, all.peer] = await Promise.all([openBrowser(), startPeer()]);
  const { issuer } = all.peer;
  all.bare = await serve({ port: 0, issuer, pages: BARE, config: { clientId: 'cli-push', scope: 'openid offline_access profile email' } });
});
after(() => Promise.all([all.browser?.close(), all.peer?.stop(), all.bare?.stop()]));

/** Leaves for the server with these extra parameters. */
const leave = (page, prompt, push = true) => page.evaluate(([more, extra]) => {
  globalThis.app = make(more);
  app.signIn({ extra });
}, [{ push }, { prompt }]);

/** Why the server sent the user back. */
async function refusal(page) {
  await page.waitForURL(/^[^?]*\/callback$/);
  await page.waitForSelector(READY);
  const { code, serverCode } = await failure(page, () => app.handleRedirect());
  return [code, serverCode];
}

test('a real server that wants pushed logins: sign-in, who it is, refresh, and its session ends', { timeout }, () => withProfile(all.browser, async (context, sent) => {
  const asked = [];
  const ended = [];
  context.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === '/auth') asked.push([...searchParams.keys()].join());
    if (pathname === '/session/end' && request.method() === 'GET') ended.push(Object.fromEntries(searchParams));
  });
  await context.route(`${SIGNED_OUT}*`, (route) => route.fulfill({ contentType: 'text/html', body: 'Good bye' }));
  const answers = await tokenAnswers(context);
  const page = await openBare(context, all);

  await leave(page, 'consent', false);
  assert.deepEqual(await refusal(page), ['server', 'invalid_request']);
  asked.length = 0;
  await leave(page, 'consent');
  await page.fill('[name=login]', 'alice');
  assert.deepEqual(asked, ['client_id,request_uri']);
  await page.fill('[name=password]', 'any');
  await page.click('[type=submit]');
  await page.getByText('Authorize').waitFor();
  await page.click('[type=submit]');
  await page.waitForSelector(READY);
  await page.evaluate(() => app.handleRedirect());

  const me = await page.evaluate(async (url) => (await app.fetch(url)).json(), all.peer.api);
  assert.deepEqual(me, { sub: 'alice', name: 'Alice', email: 'alice@example.test' });
  const [, claims] = answers[0].id_token.split('.');
  const { iss, aud, sub } = JSON.parse(Buffer.from(claims, 'base64url'));
  assert.deepEqual([iss, aud, sub], [all.peer.issuer, 'cli-push', 'alice']);

  await context.clock.setFixedTime(Date.now() + 3600_000);
  const newer = await page.evaluate(() => app.accessToken());
  assert.deepEqual([sent[1].grant_type, sent[1].refresh_token], ['refresh_token', answers[0].refresh_token]);
  assert.ok(newer === answers[1].access_token && answers[1].refresh_token !== answers[0].refresh_token);

  await page.evaluate((redirect) => { app.signOut({ redirect }); }, SIGNED_OUT);
  await page.click('[name=logout]');
  await page.waitForURL(SIGNED_OUT);
  const { id_token_hint: hint, ...named } = ended[0];
  assert.deepEqual(named, { client_id: 'cli-push', post_logout_redirect_uri: SIGNED_OUT });
  assert.equal(hint, answers[1].id_token ?? answers[0].id_token);
  assert.equal((await fetch(all.peer.api, { headers: { authorization: `Bearer ${newer}` } })).status, 401);
  const again = await openBare(context, all);
  await leave(again, 'none');
  assert.deepEqual(await refusal(again), ['server', 'login_required']);
  // Its pages ask for a font from elsewhere.
}, { complaints: FAILED }));
