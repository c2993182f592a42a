// A page for the redirects of windows, which loads nothing but redirect.js, in a real Chromium.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from '../../examples/spa/serve.mjs';
import { BARE, FAILED, allow, leftovers, openBare, until, withProfile } from './spa.mjs';
import { openBrowser, signIn, startDevServer } from './tools.mjs';

const all = {};
const timeout = 60_000;
const page = (body) => `<!doctype html><title>Signed in</title><link rel="icon" href="data:,"><script type="module" src="/proofkey/redirect.js"></script>${body}`;

before(async () => {
  const pages = {
    ...BARE,
    '/done.html': page(''),
    '/fertig.html': page('<p data-done hidden>Sie können dieses Fenster schließen.</p><p data-lost hidden>Bitte melden Sie sich neu an.</p>'),
  };
  [all.browser, all.bare] = await Promise.all([openBrowser(), serve({ port: 0, pages })]);
  const { config, origin } = all.bare;
  config.redirectUri = `${origin}/done.html`;
  config.other = `${origin}/fertig.html`;
  all.server = await startDevServer('--redirect-uri', config.redirectUri, '--redirect-uri', config.other);
  Object.assign(config, { issuer: all.server.issuer, api: all.server.issuer });
});
after(() => Promise.all([all.browser?.close(), all.server?.stop(), all.bare?.stop()]));

/** An app's page and its window at the sign-in page. */
async function openWindow(context, redirectUri) {
  const opener = await openBare(context, all);
  const [popup] = await Promise.all([opener.waitForEvent('popup'), opener.evaluate((uri) => {
    globalThis.first = app;
    globalThis.app = make({ redirectUri: uri });
    globalThis.done = app.signInPopup({ extra: { prompt: 'login' } });
  }, redirectUri)]);
  await popup.waitForSelector('#username');
  return [opener, popup];
}

test('the page hands over and closes; it loads two files', { timeout }, () => withProfile(all.browser, async (context, sent) => {
  const [opener, popup] = await openWindow(context, all.bare.config.redirectUri);
  const before = all.bare.seen.length;
  const closed = popup.waitForEvent('close');
  await allow(popup);
  await closed;
  await opener.evaluate(() => done);
  assert.deepEqual([await opener.evaluate(() => app.state), sent.length], ['signed_in', 1]);
  // The worker is the opener's: it loads as soon as there are tokens to keep.
  assert.deepEqual(all.bare.seen.slice(before).map(({ url }) => url.split('?')[0]).filter((path) => path !== '/proofkey/worker.js'),
    ['/done.html', '/proofkey/redirect.js', '/proofkey/handover.js']);
}));

for (const [name, words] of [
  ['redirectUri', ['You may close this window.', 'No page waits for this sign-in any more. You may close this window and sign in again.']],
  ['other', ['Sie können dieses Fenster schließen.', 'Bitte melden Sie sich neu an.']],
]) {
  test(`a window that cannot be closed says what to do: ${words[0]}`, { timeout }, () => withProfile(all.browser, async (context, sent) => {
    await context.addInitScript(() => { window.close = () => {}; });
    const uri = all.bare.config[name];
    const says = async (popup, text) => {
      await until(popup, () => document.body?.innerText.trim());
      assert.equal((await popup.innerText('body')).trim(), text);
      assert.equal(popup.url(), uri);
    };
    const [opener, popup] = await openWindow(context, uri);
    await allow(popup);
    await opener.evaluate(() => done);
    await says(popup, words[0]);
    // The other instance has another redirect URI.
    assert.equal(await opener.evaluate(() => first.signedIn), true);
    const left = await leftovers(popup);
    assert.deepEqual([sent.length, left.includes(sent[0].code)], [1, false]);
    // The page that opened the window is gone.
    const [gone, late] = await openWindow(context, uri);
    await gone.goto('about:blank');
    // The server remembers what the user allowed.
    await signIn(late);
    await says(late, words[1]);
    // No redirect at all.
    await late.goto(uri);
    await says(late, words[1]);
    assert.equal(sent.length, 1);
  }, { complaints: FAILED }));
}
