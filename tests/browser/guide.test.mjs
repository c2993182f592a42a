// The code of docs/guide/spa.md: compiled, built, and run with the headers that it names.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { allow, withProfile } from './spa.mjs';
import { openBrowser, signIn, startDevServer } from './tools.mjs';

const root = new URL('../..', import.meta.url).pathname;
const GUIDE = readFileSync(join(root, 'docs/guide/spa.md'), 'utf8');
const HOMES = { react: join(root, 'examples/react'), others: join(root, 'tests/frameworks') };
const TSC = join(HOMES.react, 'node_modules/.bin/tsc');
const TYPES = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--target', 'esnext', '--module', 'esnext', '--moduleResolution', 'bundler', '--jsx', 'react-jsx'];
const timeout = 120_000;
const all = {};

before(async () => {
  [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer()]);
});
after(() => Promise.all([all.browser?.close(), all.server?.stop()]));

/** The files of a section of the guide: a block of code whose first comment is a name is that file. */
function filesOf(section) {
  const [, text] = GUIDE.split(`\n## ${section}\n`);
  assert.ok(text, section);
  const blocks = text.split('\n## ')[0].matchAll(/^```\w+\n([^]*?\n)```$/gm);
  return Object.fromEntries([...blocks].map(([, code]) => [/^\s*\/\/ (\w+\.\w+)$/m.exec(code)?.[1], code]).filter(([name]) => name));
}

/** The blocks that are no file of their own, as functions in a list. */
function snippets() {
  const blocks = [...GUIDE.matchAll(/^```ts\n(?!\/\/)([^]*?\n)```$/gm)].map(([, code]) => `async () => {\n${code}}`);
  return `import { app } from './auth';\nconst button = document.getElementById('window')!;
Object.assign(globalThis, { snippets: [${blocks.join(', ')}] });\n`;
}

/** The guide names the iTwin platform; the test has a server of its own. What is kept by default would hide what is restored. */
function here(text) {
  const { issuer, clientId } = all.server;
  return text.replaceAll('https://api.bentley.com/itwins/', `${issuer}/api/itwins`).replaceAll(/https:\/\/(ims|api)\.bentley\.com/g, issuer).replaceAll('YOUR-CLIENT-ID', clientId)
    .replace('new Proofkey({', "new Proofkey({ ...{ keep: false, restore: 'redirect' as const },");
}

function headers(policies) {
  const [, block] = /\n```text\n(Content-Security-Policy: [^]*?)\n```/.exec(GUIDE);
  const lines = here(block).replace('trusted-types proofkey', `trusted-types ${policies}`).split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/: (.*)/s)));
}

const [PRELOAD] = /^<link rel="preload".*$/m.exec(GUIDE);
const page = (main, body) => `<!doctype html><html lang="en"><head><title>Guide</title><link rel="icon" href="/icon.svg">${PRELOAD}
  <script type="module" src="/${main}"></script></head><body><div id="app"></div>${body}</body></html>`;
const BUTTONS = '<button id="sign-in" hidden>Sign in</button><button id="sign-out" hidden>Sign out</button><p role="alert" id="problem"></p>'
  + '<button id="window">Window</button><script type="module" src="/snippets.ts"></script>';

/** Builds an app from the guide, and serves it. */
async function serve({ home, files, plugins, body = '', policies }) {
  const require = createRequire(join(home, 'package.json'));
  const load = (name) => import(pathToFileURL(require.resolve(name)));
  const folder = mkdtempSync(join(home, 'node_modules/.guide-'));
  symlinkSync('..', join(folder, 'node_modules'));
  mkdirSync(join(folder, 'public'));
  copyFileSync(join(root, 'examples/react/public/icon.svg'), join(folder, 'public/icon.svg'));
  const sources = Object.keys(files).filter((name) => /\.tsx?$/.test(name));
  writeFileSync(join(folder, 'index.html'), page(sources.find((name) => name.startsWith('main.')), body));
  for (const [name, code] of Object.entries(files)) {
    writeFileSync(join(folder, name), here(code));
    const script = /^<script [^>]*lang="ts">\n([^]*?)^<\/script>/m.exec(code)?.[1];
    if (!script) continue;
    sources.push(`${name}.script.ts`);
    writeFileSync(join(folder, sources.at(-1)), `${here(script)}export {};\n`);
  }
  writeFileSync(join(folder, 'vue.d.ts'), "declare module '*.vue' { const component: import('vue').Component; export default component; }");
  await promisify(execFile)(TSC, [...TYPES, ...sources, 'vue.d.ts'], { cwd: folder }).catch(({ stdout }) => assert.fail(stdout));
  const { build, preview } = await load('vite');
  const settings = {
    root: folder, configFile: false, logLevel: 'error', plugins: await plugins(load), build: { modulePreload: { polyfill: false }, target: 'es2022' },
    preview: { host: '127.0.0.1', port: 0, headers: headers(policies) },
  };
  await build(settings);
  const site = await preview(settings);
  return {
    folder,
    origin: `http://127.0.0.1:${site.httpServer.address().port}`,
    async stop() {
      await site.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const APPS = {
  'Without a framework': { home: HOMES.others, plugins: () => [], body: BUTTONS, policies: 'proofkey' },
  React: { home: HOMES.react, plugins: async (load) => [(await load('@vitejs/plugin-react')).default()], policies: 'proofkey' },
  Vue: { home: HOMES.others, plugins: async (load) => [(await load('@vitejs/plugin-vue')).default()], policies: 'proofkey vue' },
  Svelte: {
    home: HOMES.others, plugins: async (load) => [(await load('@sveltejs/vite-plugin-svelte')).svelte({ configFile: false })],
    policies: 'proofkey svelte-trusted-html',
  },
};

for (const [name, app] of Object.entries(APPS)) {
  test(`${name}: refused, signed in, back at the place, and signed out`, { timeout }, async () => {
    const files = { ...filesOf('One client for the page'), ...filesOf(name), ...app.body && { 'snippets.ts': snippets() } };
    const site = await serve({ ...app, files });
    try {
      await withProfile(all.browser, async (context) => {
        const page = await context.newPage();
        const modules = [];
        page.on('request', (request) => { if (request.url().endsWith('.wasm')) modules.push(request.url()); });
        const button = (label) => page.getByRole('button', { name: label, exact: true });
        const place = `${site.origin}/things?x=1#part`;
        await page.goto(place);
        await button('Sign in').waitFor();
        assert.equal(modules.length, 1, 'what is loaded ahead is what is used');
        await button('Sign in').click();
        await signIn(page);
        await page.click('#deny');
        await page.getByRole('alert').filter({ hasText: 'access_denied' }).waitFor();
        if (await page.getByRole('link', { name: 'Back' }).count()) await page.getByRole('link', { name: 'Back' }).click();
        await button('Sign in').click();
        await page.click('#allow');
        await button('Sign out').waitFor();
        assert.equal(page.url(), place);
        // Where the page was scrolled to is noted only when it is left.
        const held = () => page.evaluate(() => JSON.stringify({ ...history.state, scroll: undefined }));
        const before = await held();
        await Promise.all([page.waitForRequest(/prompt=none/), page.reload()]);
        await page.waitForURL(place);
        await button('Sign out').waitFor();
        assert.equal(page.url(), place);
        assert.equal(await held(), before);
        await button('Sign out').click();
        await button('Sign in').waitFor();
        if (!('snippets.ts' in files)) return;
        await page.evaluate(() => Promise.all(globalThis.snippets.filter((snippet) => /signInPopup/.test(snippet)).map((snippet) => snippet())));
        const [popup] = await Promise.all([page.waitForEvent('popup'), button('Window').click()]);
        if (!popup.isClosed()) await popup.waitForEvent('close');
        await button('Sign out').waitFor();
        const answer = page.waitForResponse(/itwins/);
        await page.evaluate(() => Promise.all(globalThis.snippets.filter((snippet) => /fetch/.test(snippet)).map((snippet) => snippet())));
        assert.equal((await answer).status(), 200);
      });
    } finally {
      await site.stop();
    }
  });
}
