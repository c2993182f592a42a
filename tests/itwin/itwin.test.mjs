// The drop-in for iTwin.js in a real Chromium, against the development server.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { READY, allow, until, withProfile } from '../browser/spa.mjs';
import { signIn } from '../browser/tools.mjs';
import { setUp } from './site.mjs';

const all = setUp('--access-token-ttl', '3');
const timeout = 60_000;
const withTabs = (work, options) => withProfile(all.browser, work, options);

async function open(context, site = all.ours, path = '/') {
  const page = await context.newPage();
  await page.goto(site.origin + path);
  await page.waitForSelector(READY);
  return page;
}

/** What an app can see of its client. */
const look = (page) => page.evaluate(async () => ({
  answers: [client.isAuthorized, client.hasSignedIn, client.hasExpired, client.authorityUrl],
  token: (await client.getAccessToken().catch(({ name, message }) => `${name}: ${message}`)).replace(/^Bearer [\w-]{43}$/, 'Bearer …'),
  raised: raised.splice(0).map((token) => token.replace(/^Bearer [\w-]{43}$/, 'Bearer …')),
  place: location.href.replace(location.origin, ''),
  unexpected,
}));

async function signInHere(page) {
  await page.evaluate(() => { client.signIn(); });
  await allow(page);
  await page.waitForURL(/^(?!.*callback)/);
  await page.waitForSelector(READY);
  await until(page, () => client.hasSignedIn);
}

test('an app sees the same as with the client of @itwin/browser-authorization', { timeout }, async () => {
  const seen = [];
  for (const site of [all.theirs, all.ours]) {
    await withTabs(async (context) => {
      const page = await open(context, site, '/?model=7#view');
      const before = await look(page);
      await page.evaluate(() => { client.signInRedirect(undefined, { prompt: 'login' }); });
      await allow(page);
      await page.waitForURL(/model=7#view$/);
      await page.waitForSelector(READY);
      await page.evaluate(() => { raised.length = 0; });
      const silent = await page.evaluate(() => failure(() => client.signInSilent()));
      const after = await look(page);
      await page.evaluate(() => client.dispose());
      seen.push({ before, silent, after });
    });
  }
  const [theirs, ours] = seen;
  assert.deepEqual(ours, theirs);
  assert.deepEqual(ours.after.raised, ['Bearer …']);
  assert.equal(ours.before.token, 'Error: Authorization error: Not signed in.');
});

test('sign in, call the API, renew, and sign out in all tabs', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context);
  const other = await open(context);
  await signInHere(page);
  assert.deepEqual(await page.evaluate(() => popped), [`${all.ours.origin}/`]);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  const user = (tab) => tab.evaluate(async (api) => {
    const response = await fetch(`${api}/api/me`, { headers: { authorization: await client.getAccessToken() } });
    return response.ok && (await (await client.proofkey.fetch(`${api}/api/me`)).json()).user.id;
  }, all.server.issuer);
  await until(other, () => client.hasSignedIn);
  assert.deepEqual([await user(page), await user(other)], ['alice', 'alice']);

  // Nobody asks for a token, and still the app gets two new ones.
  await page.evaluate(() => { raised.length = 0; });
  await until(page, () => raised.length >= 2);
  const tokens = await page.evaluate(() => raised);
  assert.ok(tokens.every((token) => /^Bearer [\w-]{43}$/.test(token)) && new Set(tokens).size === tokens.length, String(tokens));
  assert.ok(sent.filter(({ grant_type: type }) => type === 'refresh_token').length >= 2);

  // After a reload, too.
  const before = sent.filter(({ code }) => code).length;
  await page.reload();
  await page.waitForSelector(READY);
  assert.equal(await page.evaluate(() => failure(() => client.signInSilent())), undefined);
  assert.equal(sent.filter(({ code }) => code).length, before);

  const left = page.waitForRequest(/connect.endsession/);
  await page.evaluate(() => { client.signOut(); });
  assert.equal(new URL((await left).url()).searchParams.get('post_logout_redirect_uri'), all.ours.config.redirectUri);
  await page.waitForURL((url) => url.href.startsWith(all.ours.config.redirectUri));
  await page.waitForSelector(READY);
  assert.deepEqual(await page.evaluate(() => unexpected), []);
  assert.equal(await page.evaluate(() => client.hasSignedIn), false);
  for (const tab of [other]) {
    await until(tab, () => raised.at(-1) === '');
    assert.deepEqual(await tab.evaluate(() => [client.isAuthorized, client.hasSignedIn, client.hasExpired]), [false, false, true]);
    const { message, cause } = await tab.evaluate(() => failure(() => client.getAccessToken()));
    assert.deepEqual([message, cause], ['Authorization error: Not signed in.', 'signed_out']);
    assert.equal(await tab.evaluate(() => client.checkSessionStatus()), false);
  }
}));

test('a window: sign in, and again without one', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context, all.ours, '/#here');
  const [popup] = await Promise.all([
    page.waitForEvent('popup'), page.evaluate(() => { globalThis.done = failure(() => client.signInPopup()); }),
  ]);
  await allow(popup);
  assert.equal(await page.evaluate(() => done), undefined);
  assert.equal(page.url(), `${all.ours.origin}/#here`);
  assert.equal(await page.evaluate(() => client.checkSessionStatus()), true);
  assert.match((await page.evaluate(() => raised))[0], /^Bearer /);
  const before = sent.filter((form) => form.code).length;
  for (const work of ['signInPopup', 'signInRedirect', 'signIn', 'signInSilent']) {
    assert.equal(await page.evaluate((name) => failure(() => client[name]()), work), undefined, work);
  }
  assert.equal(context.pages().length, 1);
  assert.equal(sent.filter((form) => form.code).length, before);
}));

test('another tab is signed in: this one signs in without a question', { timeout }, () => withTabs(async (context) => {
  await signInHere(await open(context));
  const page = await open(context);
  assert.equal(await page.evaluate(() => failure(() => client.signInSilent())), undefined);
  // A prompt is a question.
  const { message, cause } = await page.evaluate(() => {
    globalThis.asking = make({ prompt: 'login', noSilentSignInOnAppStartup: true });
    return failure(() => asking.signInSilent());
  });
  assert.deepEqual([message, cause], ['Authorization error: Silent sign-in failed', 'config']);
  await page.evaluate(() => { asking.signIn(); });
  await page.waitForSelector('#username');
  assert.equal(new URL(page.url()).searchParams.get('prompt'), 'login');
}));

for (const restore of ['redirect', 'frame']) {
  test(`restore: '${restore}': after a reload the app has a token, where it was`, { timeout }, () => withTabs(async (context, sent) => {
    await context.addInitScript((way) => { globalThis.MORE = { keep: false, restore: way }; }, restore);
    const page = await open(context);
    await signInHere(page);
    await page.evaluate(() => history.replaceState({ view: 7 }, '', '/?model=7#view'));
    await Promise.all([page.waitForRequest(/prompt=none/), page.reload()]);
    await page.waitForURL(/model=7#view$/);
    await page.waitForSelector(READY);
    await until(page, () => client.hasSignedIn);
    const { answers, token, raised, place, unexpected } = await look(page);
    assert.deepEqual([answers.slice(0, 3), token, place, unexpected], [[true, true, true], 'Bearer …', '/?model=7#view', []]);
    assert.deepEqual([raised.slice(0, 1), await page.evaluate(() => history.state)], [['Bearer …'], { view: 7 }]);
    assert.equal(await page.evaluate(() => failure(() => client.signInSilent())), undefined);
    assert.equal(sent.filter(({ code }) => code).length, 2);

    // The server does not know the user any more.
    await context.clearCookies();
    await Promise.all([page.waitForRequest(/prompt=none/), page.reload()]);
    await page.waitForURL(/model=7#view$/);
    await page.waitForSelector(READY);
    const after = await look(page);
    assert.deepEqual([after.token, after.raised, after.unexpected], ['Error: Authorization error: Not signed in.', [], []]);
  }));
}

test('the user refuses: it is an unexpected error, and the page stays', { timeout }, () => withTabs(async (context, sent) => {
  const page = await open(context);
  await page.evaluate(() => { client.signIn(); });
  await signIn(page);
  await page.click('#deny');
  await page.waitForSelector(READY);
  const { unexpected, answers, place } = await look(page);
  assert.deepEqual([unexpected.map(({ code }) => code), answers[1], place], [['server'], false, '/callback']);
  assert.match(unexpected[0].message, /^SigninCallback error - .*access_denied/);
  assert.deepEqual(sent, []);
}));

test('a page that does not know the configuration finishes the sign-in', { timeout }, () => withTabs(async (context) => {
  const page = await open(context, all.ours, '/#later');
  assert.equal((await page.evaluate(() => failure(handleLater))).message, 'No sign-in was started in this tab');
  await page.evaluate(() => {
    sessionStorage.setItem('later', 'yes');
    make().signInRedirect('/models?id=7');
  });
  await allow(page);
  await page.waitForSelector(READY);
  assert.match(page.url(), /callback\?/);
  assert.equal(await page.evaluate(() => failure(handleLater)), undefined);
  assert.equal(page.url(), `${all.ours.origin}/models?id=7`);
  // The app that is made now is signed in.
  assert.equal(await page.evaluate(() => { globalThis.client = make(); return failure(() => client.signInSilent()); }), undefined);
  assert.equal((await page.evaluate(() => failure(handleLater))).message, 'No sign-in was started in this tab');
}));

test('the iTwin platform is the default, and only its code flow is there', { timeout }, () => withTabs(async (context) => {
  const page = await open(context);
  await context.route('https://ims.bentley.com/**', (route) => route.fulfill({ contentType: 'text/html', body: '<title>IMS</title>' }));
  const refused = await page.evaluate(() => failure(() => make({ responseType: 'id_token token' })));
  assert.deepEqual([refused.name, refused.code], ['ProofkeyError', 'config']);
  for (const authority of [undefined, 'https://ims.bentley.com/']) {
    await page.goto(`${all.ours.origin}/`);
    await page.waitForSelector(READY);
    await page.evaluate((more) => { make({ ...more, authority: more.authority ?? undefined }).signIn(); }, { authority });
    await page.waitForURL('https://ims.bentley.com/**');
    const { origin, pathname, searchParams } = new URL(page.url());
    assert.deepEqual([origin, pathname, searchParams.get('client_id')], ['https://ims.bentley.com', '/connect/authorize', 'demo-native']);
  }
}));

test('a client that was disposed of says nothing more', { timeout }, () => withTabs(async (context) => {
  const [page, other] = [await open(context), await open(context)];
  await until(page, () => client.onAccessTokenChanged.numberOfListeners === 1);
  await page.evaluate(() => client.dispose());
  await signInHere(other);
  await until(other, () => raised.length >= 2);
  assert.deepEqual(await page.evaluate(() => [raised, client.hasSignedIn]), [[], false]);
}));

test('a client that is disposed of while a token is on its way says nothing', { timeout }, () => withTabs(async (context) => {
  const page = await open(context);
  await signInHere(page);
  const [before, after] = await page.evaluate(async () => {
    const { proofkey } = client;
    const newToken = async (token, meanwhile) => {
      raised.length = 0;
      let arrive;
      proofkey.accessToken = () => new Promise((resolve) => { arrive = resolve; });
      proofkey.dispatchEvent(new Event('token'));
      await new Promise((resolve) => { setTimeout(resolve, 10); });
      meanwhile();
      arrive(token);
      await new Promise((resolve) => { setTimeout(resolve, 10); });
      return [...raised];
    };
    return [await newToken('one', () => {}), await newToken('two', () => client.dispose())];
  });
  assert.deepEqual([before, after], [['Bearer one'], []]);
}));
