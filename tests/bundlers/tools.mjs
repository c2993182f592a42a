// What the tests of the bundlers share: the package as npm gets it, a server for what was built, and a user.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { allow, until, within } from '../browser/spa.mjs';

export const here = new URL('.', import.meta.url).pathname;
const out = join(here, 'target');
/** As it was before Vite set NODE_ENV in this process. */
const ENV = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
const TYPES = { '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

/** Packs the package and puts it where the apps find it. Returns the names of its files. */
export function install() {
  mkdirSync(out, { recursive: true });
  const [pack] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', out, join(here, '../../crates/browser/package')], {
    encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'],
  }));
  const folder = join(here, 'node_modules/proofkey-browser');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  execFileSync('tar', ['-xzf', join(out, pack.filename), '-C', folder, '--strip-components=1']);
  return pack.files.map(({ path }) => path).sort();
}

/** A new folder for what a bundler makes. */
export function newFolder(name) {
  return mkdtempSync(join(out, `${name.replace(/\W/g, '-')}-`));
}

/** The app's page, for bundlers that only make scripts. */
export function page(folder, script) {
  writeFileSync(join(folder, 'index.html'), readFileSync(join(here, 'app/index.html'), 'utf8').replace('./plain.js', `/${script}`));
}

/** Runs a command of npm's packages. What it says is only of interest if it fails. */
export function command(name, args, env) {
  return new Promise((resolve, reject) => {
    const options = { cwd: here, env: { ...ENV, ...env } };
    execFile(join(here, 'node_modules/.bin', name), args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${name}: ${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

/** Starts a server of npm's packages that says which port it has. */
export async function start(name, args, pattern) {
  const server = spawn(join(here, 'node_modules/.bin', name), args, { cwd: here, env: ENV, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { server.on('close', resolve); });
  let said = '';
  for await (const part of server.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += part;
    const port = pattern.exec(said)?.[1];
    if (port) {
      server.stdout.resume();
      return { port, close: () => { server.kill(); return ended; } };
    }
  }
  throw new Error(`${name}: ${said}`);
}

/** Serves a folder, with the app at every other address. */
export async function serve(folder) {
  const files = new Set(readdirSync(folder, { recursive: true }));
  const server = createServer(({ url }, response) => {
    const path = new URL(url, 'http://127.0.0.1').pathname.slice(1);
    const found = [path, `${path}.html`].find((name) => files.has(name) && extname(name)) ?? (extname(path) ? undefined : 'index.html');
    if (!found) return response.writeHead(404, { 'content-type': 'text/plain' }).end();
    return response.writeHead(200, { 'content-type': TYPES[extname(found)] ?? 'application/octet-stream' }).end(readFileSync(join(folder, found)));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { port: server.address().port, close: () => { server.close(); server.closeAllConnections(); } };
}

/** The user signs in at an app, and reloads it. No page complains. */
export async function use({ browser, server }, port) {
  const context = await browser.newContext();
  const { issuer, clientId } = server;
  await context.addInitScript(`globalThis.SETTINGS = ${JSON.stringify({ issuer, clientId })};`);
  await within(context, async (_, sent) => {
    const tab = await context.newPage();
    const says = (text) => tab.getByRole('status').filter({ hasText: text }).waitFor();
    await tab.goto(`http://127.0.0.1:${port}/`);
    await says('signed out');
    await tab.click('#sign-in');
    await allow(tab);
    await says('alice');
    assert.equal(tab.url(), `http://127.0.0.1:${port}/callback`);
    // The page has the tokens, and the worker.
    await until(tab, async () => (await navigator.locks.query()).held.filter(({ name }) => /] \d{16} /.test(name)).length === 2);
    await tab.reload();
    await says('alice');
    assert.deepEqual(sent.map((form) => form.grant_type), ['authorization_code']);
  });
}
