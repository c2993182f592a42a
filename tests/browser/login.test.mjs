// Sign-in with the command-line tool in a real Chromium.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  Tool, authorizationUrl, fits, openBrowser, redirectUri, screenshots, signIn, startDevServer, startPeer,
} from './tools.mjs';

let browser;
let server;
const timeout = 60_000;

before(async () => {
  [browser, server] = await Promise.all([openBrowser(), startDevServer()]);
});
after(async () => {
  await Promise.all([browser?.close(), server?.stop()]);
});

/** A tool and a page in a browser profile of its own. */
async function withPage(work, options = {}) {
  const tool = new Tool();
  const context = await browser.newContext(options);
  try {
    await work(tool, await context.newPage(), context);
  } finally {
    await context.close();
    tool.remove();
  }
}

test('sign in and allow: success page, token, API call, logout', { timeout }, () => withPage(async (tool, page) => {
  const login = tool.login(server, '--no-browser', '--scope', 'itwin-platform offline_access');
  const url = await authorizationUrl(login);
  await page.goto(url);
  await signIn(page);
  await page.click('#allow');
  await page.waitForURL(/callback/);
  assert.equal(await page.title(), 'Signed in');
  assert.equal(await page.textContent('h1'), 'Signed in');
  assert.equal(await page.locator('script').count(), 0);
  const secrets = [...new URL(page.url()).searchParams.values()];
  const html = await page.content();
  assert.ok(secrets.length >= 2 && secrets.every((secret) => !html.includes(secret)), 'nothing of the URL is on the page');
  assert.equal(await login.ended, 0);

  const token = await tool.run('token');
  assert.match(token.stdout, /^[\w-]{43}\n$/);
  const call = await tool.run('call', server.api);
  assert.equal(call.code, 0);
  assert.equal(JSON.parse(call.stdout).user.id, 'alice');
  assert.equal((await tool.run('call', `${server.issuer}/api/admin`)).code, 7);
  assert.equal((await tool.run('logout')).code, 0);
  assert.equal((await tool.run('token')).code, 3);

  // The listener is gone: going back to the callback reaches nothing.
  await assert.rejects(page.goto(redirectUri(url)), /ERR_CONNECTION_REFUSED/);
}));

test('deny: refused page and exit code 4', { timeout }, () => withPage(async (tool, page) => {
  const login = tool.login(server, '--no-browser');
  await page.goto(await authorizationUrl(login));
  await signIn(page);
  await page.click('#deny');
  await page.waitForURL(/callback/);
  assert.equal(await page.textContent('h1'), 'Not signed in');
  assert.equal(await login.ended, 4);
}));

test('cancel at the sign-in page: exit code 4', { timeout }, () => withPage(async (tool, page) => {
  const login = tool.login(server, '--no-browser');
  await page.goto(await authorizationUrl(login));
  await page.click('#cancel');
  await page.waitForURL(/callback/);
  assert.equal(await login.ended, 4);
}));

test('close the tab: the tool waits, then times out with exit code 6', { timeout }, () => withPage(async (tool, page) => {
  const login = tool.login(server, '--no-browser', '--timeout', '3');
  await page.goto(await authorizationUrl(login));
  await signIn(page);
  await page.waitForSelector('#allow');
  await page.close();
  await login.match(/waiting for the browser/);
  assert.equal(await login.ended, 6);
}));

test('Ctrl-C: exit code 130 and a closed port', { timeout }, () => withPage(async (tool, page) => {
  const login = tool.login(server, '--no-browser');
  const url = await authorizationUrl(login);
  await page.goto(url);
  assert.equal(await login.stop('SIGINT'), 130);
  await assert.rejects(fetch(redirectUri(url)));
}));

test('a stranger at the loopback port ends nothing', { timeout }, () => withPage(async (tool, page, context) => {
  const login = tool.login(server, '--no-browser');
  const url = await authorizationUrl(login);
  const callback = redirectUri(url);
  assert.equal((await fetch(`${callback}?code=EVIL&state=${'A'.repeat(43)}`)).status, 400);
  assert.equal((await fetch(`${callback}?error=access_denied`)).status, 400);
  assert.equal((await fetch(new URL('/favicon.ico', callback))).status, 404);
  const evil = await context.newPage();
  await evil.goto(`${callback}?code=EVIL&state=x`);
  assert.equal(await evil.textContent('h1'), 'This is not the expected sign-in');
  await page.goto(url);
  await signIn(page);
  await page.click('#allow');
  assert.equal(await login.ended, 0);
}));

// The page cannot be reached from here: the address is all that the user needs of it.
test('paste: an https redirect page', { timeout }, () => withPage(async (tool, page) => {
  const login = tool.login(server, '--paste', '--redirect-uri', 'https://app.example/paste');
  await page.goto(await authorizationUrl(login));
  await signIn(page);
  const redirect = page.waitForRequest(/^https:\/\/app\.example\/paste/);
  await page.click('#allow', { noWaitAfter: true });
  const address = (await redirect).url();
  login.process.stdin.write('https://app.example/paste?code=x&state=y\n');
  await login.match(/(tries|try) left/);
  login.process.stdin.write(`${address}\n`);
  assert.equal(await login.ended, 0);
}));

test('IPv6 loopback', { timeout }, () => withPage(async (tool, page) => {
  const login = tool.login(server, '--no-browser', '--redirect-uri', 'http://[::1]/callback');
  await page.goto(await authorizationUrl(login));
  await signIn(page);
  await page.click('#allow');
  await page.waitForURL(/\[::1\].*callback/);
  assert.equal(await login.ended, 0);
}));

test('localhost: signed in at whichever address the browser tries', { timeout }, () => withPage(async (tool, page) => {
  const login = tool.login(server, '--no-browser', '--redirect-uri', 'http://localhost/callback');
  await page.goto(await authorizationUrl(login));
  await signIn(page);
  await page.click('#allow');
  await page.waitForURL(/^http:\/\/localhost:\d+\/callback\?/);
  assert.equal(await page.title(), 'Signed in');
  assert.equal(await login.ended, 0);
}));

test('localhost with a port that is taken at one address: told before the browser opens', { timeout }, () => withPage(async (tool) => {
  for (const [host, address] of [['127.0.0.1', '127.0.0.1'], ['::1', '[::1]']]) {
    const other = createServer();
    await new Promise((resolve) => { other.listen(0, host, resolve); });
    const { port } = other.address();
    const login = tool.login(server, '--no-browser', '--redirect-uri', `http://localhost:${port}/callback`);
    assert.equal(await login.ended, 2);
    assert.match(login.stderr, new RegExp(`cannot listen at ${address.replace(/[[\]]/g, '\\$&')}:${port}: `));
    assert.equal(login.stdout, '');
    await new Promise((resolve) => { other.close(resolve); });
  }
}));

// The first of these tests once more, in a network of its own.
test('localhost with IPv6 switched off', { timeout: 2 * timeout, skip: process.env.PROOFKEY_TEST_WITHOUT_IPV6 !== undefined }, async () => {
  const inner = 'ip link set lo up && ip -6 addr del ::1/128 dev lo && exec "$@"';
  const node = [process.execPath, '--test', '--test-reporter=tap', '--test-name-pattern=whichever address', fileURLToPath(import.meta.url)];
  const root = process.getuid() === 0 ? [] : ['--map-root-user'];
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const child = spawn('unshare', [...root, '--net', 'sh', '-c', inner, 'sh', ...node], {
    env: { ...env, PROOFKEY_TEST_WITHOUT_IPV6: '' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (bytes) => { said += bytes; });
  const code = await new Promise((resolve) => { child.on('close', resolve); });
  assert.equal(code, 0, said);
  assert.match(said, /^# pass 1$/m);
});

test('the demo', { timeout }, () => withPage(async (tool, page) => {
  const demo = tool.start('demo', '--no-browser');
  const [url] = await demo.match(/http\S+response_type=code\S+/, 'stdout');
  await page.goto(url);
  await signIn(page);
  await page.click('#allow');
  await page.waitForURL(/callback/);
  assert.equal(await page.textContent('h1'), 'Signed in');
  assert.equal(await demo.ended, 0);
  assert.match(demo.stdout, /That was the whole flow/);
}));

test('a real authorization server', { timeout }, async (context) => {
  const peer = await startPeer();
  context.after(() => peer.stop());
  await withPage(async (tool, page) => {
    const login = tool.login(peer, '--no-browser', '--extra', 'prompt=consent', '--scope', 'openid offline_access');
    await page.goto(await authorizationUrl(login));
    await page.fill('[name=login]', 'alice');
    await page.fill('[name=password]', 'any');
    await page.click('[type=submit]');
    await page.click('[type=submit]');
    await page.waitForURL(/callback/);
    assert.equal(await page.textContent('h1'), 'Signed in');
    assert.equal(await login.ended, 0);
    assert.equal((await tool.run('call', peer.api)).code, 0);
  });
});

for (const [name, options] of [
  ['desk', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }],
  ['phone', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
]) {
  test(`the pages fit a ${name}`, { timeout }, () => withPage(async (tool, page) => {
    const picture = (what) => page.screenshot({ path: `${screenshots}/${what}-${name}.png` });
    const login = tool.login(server, '--no-browser', '--scope', 'itwin-platform offline_access');
    await page.goto(await authorizationUrl(login));
    await fits(page);
    await picture('sign-in');
    await signIn(page);
    await page.waitForSelector('#allow');
    await fits(page);
    await picture('consent');
    await page.click('#allow');
    await page.waitForURL(/callback/);
    await fits(page);
    await picture('signed-in');
    assert.equal(await login.ended, 0);
  }, options));
}
