// Builds the React example as a reader would, and serves the build with the headers of its configuration.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { fits, openBrowser, screenshots, startDevServer } from './tools.mjs';

export const example = new URL('../../examples/react/', import.meta.url).pathname;
const require = createRequire(join(example, 'package.json'));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Vite, as the example has it. */
export const vite = () => import(pathToFileURL(require.resolve('vite')));

/** Starts a browser, a development server, and the example in its built form. */
export function setUp() {
  const all = {};
  before(async () => {
    all.folder = mkdtempSync(join(example, 'node_modules/.built-'));
    [all.browser, all.server] = await Promise.all([openBrowser(), startDevServer()]);
    Object.assign(process.env, { VITE_ISSUER: all.server.issuer, VITE_API: `${all.server.issuer}/api` });
    const { stdout } = await promisify(execFile)('npm', ['run', 'build', '--', '--outDir', all.folder], { cwd: example });
    assert.match(stdout, /built in/);
    const { preview } = await vite();
    all.site = await preview({ root: example, logLevel: 'error', build: { outDir: all.folder }, preview: { port: 0, strictPort: false } });
    all.origin = `http://127.0.0.1:${all.site.httpServer.address().port}`;
  }, { timeout: 120_000 });
  after(async () => {
    await Promise.all([all.browser?.close(), all.server?.stop(), all.site?.close()]);
    rmSync(all.folder, { recursive: true });
  });
  return all;
}

export async function open(context, all, place = '/') {
  const page = await context.newPage();
  await page.goto(all.origin + place);
  return page;
}

export const titled = (page, title) => page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
export const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Where a page is, without its origin. */
export function place(page) {
  const { pathname, search, hash } = new URL(page.url());
  return pathname + search + hash;
}

/** Nothing that axe complains of, and nothing that is wider than the window. Leaves a picture. */
export async function looksWell(page, name) {
  await page.screenshot({ path: `${screenshots}/react-${name}.png` });
  // From the debugger's side, where the page's policy does not apply.
  await page.evaluate(`${AXE}; 0`);
  const { violations } = await page.evaluate(() => axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)]), [], name);
  await fits(page, name);
}
