// The libraries, each behind the same sign-in entry, and how they are bundled.
import { existsSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';

export const HERE = new URL('./', import.meta.url).pathname;
const PACKAGE = new URL('../../crates/browser/package/', import.meta.url);
const WASM = new URL('wasm/proofkey_browser_bg.wasm', PACKAGE);

export const OURS = 'proofkey-browser';
/** Each signs in at the development server, and is timed. */
export const NAMES = [OURS, '@azure/msal-browser', '@auth0/auth0-spa-js', '@itwin/browser-authorization', 'oidc-client-ts', 'openid-client', 'oauth4webapi'];

/** `esbuild --bundle --minify --format=esm --platform=browser`, of a file or of standard input. What an app must ask for is not in it. */
export async function bundle(options) {
  const { outputFiles: [{ contents }] } = await build({
    absWorkingDir: HERE,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['./dpop.js', './push.js', './restore.js', './signout.js', './store.js', './why.js'],
    write: false,
    ...options,
  });
  return contents;
}

export const entry = (name) => `./entries/${name.replace(/^@(itwin)\//, '$1-').replace(/^@.*\//, '')}.mjs`;

/** The worker that keeps a session over a reload: every app loads it, beside its bundle. */
export async function worker() {
  const path = new URL('worker.js', PACKAGE).pathname;
  return bundle({ entryPoints: [path], format: 'iife' });
}

/** The WebAssembly module, which proofkey-browser loads from beside its bundle. */
export function wasm() {
  if (!existsSync(WASM)) throw new Error('there is no WebAssembly module: run crates/browser/build first');
  return readFileSync(WASM);
}

export function version(name) {
  const folder = name === OURS ? PACKAGE : new URL(`node_modules/${name}/`, import.meta.url);
  return JSON.parse(readFileSync(new URL('package.json', folder))).version;
}

/** Rows of texts, the first column to the left and the others to the right. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(row.map((text, column) => (column ? text.padStart(widths[column]) : text.padEnd(widths[0]))).join('  '));
  }
}
