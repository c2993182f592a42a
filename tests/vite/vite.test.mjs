// The package as npm gets it, in an app of Vite's, in a real Chromium: as `vite dev` serves it, and as `vite build` makes it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, createServer, preview } from 'vite';
import { openBrowser, signIn, startDevServer } from '../browser/tools.mjs';

const here = new URL('.', import.meta.url).pathname;
const timeout = 120_000;
const all = {};

before(async () => {
  all.root = mkdtempSync(join(tmpdir(), 'proofkey-vite-'));
  cpSync(join(here, 'app'), all.root, { recursive: true });
  const npm = (...args) => execFileSync('npm', args, { cwd: all.root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  [all.pack] = JSON.parse(npm('pack', '--json', join(here, '../../crates/browser/package')));
  npm('install', '--silent', '--offline', '--no-audit', `./${all.pack.filename}`);
  [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer()]);
  const { issuer, clientId } = all.server;
  process.env.VITE_SERVER = JSON.stringify({ issuer, clientId });
}, { timeout });
after(async () => {
  await Promise.all([all.browser?.close(), all.server?.stop()]);
  rmSync(all.root, { recursive: true });
});

test('the package holds what it needs, and nothing else', () => {
  assert.deepEqual(all.pack.files.map(({ path }) => path).sort(), [
    'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'error.js', 'http.js', 'index.d.ts', 'index.js', 'package.json', 'popup.js',
    'session.js', 'waiting.js', 'wasm/proofkey_browser.js', 'wasm/proofkey_browser_bg.wasm',
  ]);
});

const listen = { host: '127.0.0.1', port: 0 };
const settings = () => ({ root: all.root, configFile: false, logLevel: 'error', server: listen, preview: listen });

for (const [name, start] of [
  ['vite dev', async () => {
    const server = await (await createServer(settings())).listen();
    return [server, server.httpServer.address().port];
  }],
  ['vite build', async () => {
    await build(settings());
    const modules = readdirSync(join(all.root, 'dist/assets')).filter((file) => file.endsWith('.wasm'));
    assert.equal(modules.length, 1, 'the module is there once');
    const server = await preview(settings());
    return [server, server.httpServer.address().port];
  }],
]) {
  test(`${name}: sign in`, { timeout }, async () => {
    const [server, port] = await start();
    const context = await all.browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      const says = (text) => page.getByRole('status').filter({ hasText: text }).waitFor({ timeout: 30_000 });
      await says('signed out');
      await page.click('button');
      await signIn(page);
      await page.click('#allow');
      await says('alice');
      assert.equal(page.url(), `http://127.0.0.1:${port}/callback`);
    } finally {
      await context.close();
      await server.close();
    }
  });
}
