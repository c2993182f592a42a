// The package as npm gets it, in one app that each bundler builds, in a real Chromium: it signs its user in.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBrowser, startDevServer } from '../browser/tools.mjs';
import { here, install, newFolder, page, serve, use } from './tools.mjs';

const timeout = 300_000;
const all = {};
/** Those that the whole run tries. `BUNDLERS=…` names others: a regular expression. */
const CHOSEN = new RegExp(process.env.BUNDLERS ?? '');
const app = (entry) => join(here, `app/${entry}.js`);

before(async () => {
  all.files = install();
  [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer()]);
});
after(() => Promise.all([all.browser?.close(), all.server?.stop()]));

/** Vite's settings; a page of its own for each entry. */
const vite = (entry, folder) => ({
  root: join(here, 'app'),
  configFile: false,
  logLevel: 'error',
  cacheDir: join(folder, 'cache'),
  build: { outDir: join(folder, 'dist'), emptyOutDir: true },
  plugins: [{ name: 'entry', transformIndexHtml: { order: 'pre', handler: (html) => html.replace('ENTRY', entry) } }],
  server: { host: '127.0.0.1', port: 0 },
});

async function viteDev(module, entry, folder) {
  const { createServer } = await import(module);
  const server = await (await createServer(vite(entry, folder))).listen();
  return { port: server.httpServer.address().port, close: () => server.close() };
}

async function viteBuild(module, entry, folder) {
  const { build } = await import(module);
  await build(vite(entry, folder));
  return serve(join(folder, 'dist'));
}

const WAYS = {
  'vite 5 dev': (folder) => viteDev('vite5', 'plain', folder),
  'vite 5 build': (folder) => viteBuild('vite5', 'plain', folder),
  'vite 6 dev': (folder) => viteDev('vite6', 'plain', folder),
  'vite 6 build': (folder) => viteBuild('vite6', 'plain', folder),
  'vite 7 dev': (folder) => viteDev('vite7', 'plain', folder),
  'vite 7 build': (folder) => viteBuild('vite7', 'plain', folder),
  'vite 8 dev': (folder) => viteDev('vite8', 'plain', folder),
  'vite 8 build': (folder) => viteBuild('vite8', 'plain', folder),
  'webpack 5': async (folder) => {
    const { default: webpack } = await import('webpack');
    const compiler = webpack({ mode: 'production', entry: app('plain'), output: { path: folder, publicPath: '/' } });
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, done) => (error ? reject(error) : resolve(done)));
    });
    await new Promise((resolve) => { compiler.close(resolve); });
    assert.equal(stats.toString({ all: false, errors: true, warnings: true }), '');
    page(folder, 'main.js');
    return serve(folder);
  },
  esbuild: async (folder) => {
    const { build } = await import('esbuild');
    await build({ entryPoints: [app('plain')], outdir: folder, bundle: true, format: 'esm', logLevel: 'error' });
    page(folder, 'plain.js');
    return serve(folder);
  },
  rollup: async (folder) => {
    const { rollup } = await import('rollup');
    const { nodeResolve } = await import('@rollup/plugin-node-resolve');
    const bundle = await rollup({ input: app('plain'), plugins: [nodeResolve()] });
    await bundle.write({ dir: folder });
    page(folder, 'plain.js');
    return serve(folder);
  },
};

test('the package holds what it needs, and nothing else', () => {
  const inPackage = readdirSync(join(here, '../../crates/browser/package'), { recursive: true });
  const expected = inPackage.filter((name) => /\.(js|wasm|md|json|d\.c?ts)$|^LICENSE/.test(name));
  assert.deepEqual(all.files, expected.sort());
});

for (const [name, build] of Object.entries(WAYS).filter(([name]) => CHOSEN.test(name))) {
  test(`${name}: sign in`, { timeout }, async () => {
    const site = await build(newFolder(name));
    try {
      await use(all, site.port);
    } finally {
      await site.close();
    }
  });
}
