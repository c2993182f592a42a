// The package as npm gets it, in one app that each bundler builds, in a real Chromium: it signs its user in.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBrowser, startDevServer } from '../browser/tools.mjs';
import { command, here, install, newFolder, page, serve, start, use } from './tools.mjs';

const timeout = 300_000;
const all = {};
/** `BUNDLERS=…` names those to try: a regular expression. By default it is all of them. */
const CHOSEN = new RegExp(process.env.BUNDLERS ?? '');
const app = (entry) => join(here, `app/${entry}.js`);

before(async () => {
  all.files = install();
  [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer()]);
});
after(() => Promise.all([all.browser?.close(), all.server?.stop()]));

/** Vite's settings. */
const vite = (folder) => ({
  root: join(here, 'app'),
  configFile: false,
  logLevel: 'error',
  cacheDir: join(folder, 'cache'),
  build: { outDir: join(folder, 'dist'), emptyOutDir: true },
  server: { host: '127.0.0.1', port: 0 },
});

/** Until version 8 the development server moves a package that it prepares, but not the files beside it. */
const AS_IT_IS = { optimizeDeps: { exclude: ['proofkey-browser'] } };

async function viteDev(module, folder, more) {
  const { createServer } = await import(module);
  const server = await (await createServer({ ...vite(folder), ...more })).listen();
  return { port: server.httpServer.address().port, close: () => server.close() };
}

async function viteBuild(module, folder) {
  const { build } = await import(module);
  await build(vite(folder));
  return serve(join(folder, 'dist'));
}

/** What an app of these bundlers has to serve beside what they make. */
function addWorker(folder) {
  copyFileSync(join(here, 'node_modules/proofkey-browser/worker.js'), join(folder, 'worker.js'));
}

/** A folder of its own for each, still below the packages: its own output is in it. */
async function next(folder, bundler, output) {
  for (const name of ['app', 'next']) cpSync(join(here, name), join(folder, name), { recursive: true });
  await command('next', ['build', join(folder, 'next'), bundler], { ROOT: here.slice(0, -1), ...output && { OUTPUT: output } });
  return join(folder, 'next');
}

const nextExport = async (folder, bundler) => serve(join(await next(folder, bundler, 'export'), 'out'));

/** Each page is rendered at the server, where there is no window. */
async function nextStart(folder, bundler) {
  const site = await next(folder, bundler);
  return start('next', ['start', site, '--hostname', '127.0.0.1', '--port', '0'], /http:\/\/127\.0\.0\.1:(\d+)/);
}

const WAYS = {
  'vite 5 dev': (folder) => viteDev('vite5', folder, AS_IT_IS),
  'vite 5 build': (folder) => viteBuild('vite5', folder),
  'vite 6 dev': (folder) => viteDev('vite6', folder, AS_IT_IS),
  'vite 6 build': (folder) => viteBuild('vite6', folder),
  'vite 7 dev': (folder) => viteDev('vite7', folder, AS_IT_IS),
  'vite 7 build': (folder) => viteBuild('vite7', folder),
  'vite 8 dev': (folder) => viteDev('vite8', folder),
  'vite 8 build': (folder) => viteBuild('vite8', folder),
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
    await build({ entryPoints: [app('inline')], outdir: folder, bundle: true, format: 'esm', logLevel: 'error' });
    addWorker(folder);
    page(folder, 'inline.js');
    return serve(folder);
  },
  rollup: async (folder) => {
    const { rollup } = await import('rollup');
    const { nodeResolve } = await import('@rollup/plugin-node-resolve');
    const bundle = await rollup({ input: app('inline'), plugins: [nodeResolve()] });
    await bundle.write({ dir: folder });
    addWorker(folder);
    page(folder, 'inline.js');
    return serve(folder);
  },
  parcel: async (folder) => {
    const pages = ['build', 'app/index.html', '--dist-dir', folder, '--cache-dir', join(folder, '.cache'), '--no-source-maps'];
    await command('parcel', [...pages, '--public-url', '/']);
    return serve(folder);
  },
  'next, turbopack': (folder) => nextExport(folder, '--turbopack'),
  'next, webpack': (folder) => nextExport(folder, '--webpack'),
  'next start': (folder) => nextStart(folder, '--turbopack'),
};

/** The rows of the README that the ways above are. */
const TOLD = [
  [/^vite [567] dev/, "Vite 5, 6, 7, served | `optimizeDeps: { exclude: ['proofkey-browser'] }` in `vite.config.js`"],
  [/^vite [567] build/, 'Vite 5, 6, 7, built | nothing'],
  [/^vite 8/, 'Vite 8, served and built | nothing'],
  [/^webpack/, 'webpack 5 | nothing'],
  [/^next/, 'Next 16, exported with Turbopack or webpack, or served | nothing; the redirect URI is a page of its own, such as `app/callback/page.js`'],
  [/^parcel/, 'Parcel 2 | nothing'],
  [/^esbuild|^rollup/, 'esbuild, Rollup | `proofkey-browser/inline`, and the option `worker`'],
];

test('the package holds what it needs, and nothing else', () => {
  const inPackage = readdirSync(join(here, '../../crates/browser/package'), { recursive: true });
  const expected = inPackage.filter((name) => /\.(js|wasm|md|json|d\.c?ts)$|^LICENSE/.test(name));
  assert.deepEqual(all.files, expected.sort());
});

test('the README says what each bundler needs', () => {
  const readme = readFileSync(join(here, '../../crates/browser/package/README.md'), 'utf8');
  const told = Object.keys(WAYS).map((name) => TOLD.filter(([which]) => which.test(name)).map(([, row]) => row));
  assert.deepEqual(told.flat().filter((row) => !readme.includes(`\n| ${row} |`)), []);
  assert.ok(told.every((rows) => rows.length === 1));
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

test('vitest without a browser: import and construct', { timeout, skip: !CHOSEN.test('vitest') }, () => command('vitest', ['run', '--root', 'vitest']));
