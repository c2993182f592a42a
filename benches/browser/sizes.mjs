// How much a page loads to sign its user in: `node sizes.mjs`. Fails where proofkey-browser is too big.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { NAMES, OURS, bundle, entry, table, version, wasm, worker } from './bundle.mjs';

/** How many bytes proofkey-browser may be in all. */
const LIMITS = { raw: 125_600, gzip: 57_600, brotli: 50_000 };

const sizes = (bytes) => [bytes, gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)].map(({ length }) => length);

const bundles = await Promise.all(NAMES.map(async (name) => [name, sizes(await bundle({ entryPoints: [entry(name)] }))]));
const [[, script], ...peers] = bundles;
const module = sizes(wasm());
const keeper = sizes(await worker());
const ours = script.map((size, at) => size + module[at] + keeper[at]);

const row = (name, all) => [name, ...all.map(String), ...all.map((size, at) => (size / ours[at]).toFixed(2))];
table([
  ['bytes', 'raw', 'gzip -9', 'brotli', 'raw ×', 'gzip ×', 'brotli ×'],
  row(`${OURS} ${version(OURS)}`, ours),
  row('  its JavaScript', script),
  row('  its WebAssembly', module),
  row('  its worker', keeper),
  ...peers.map(([name, all]) => row(`${name} ${version(name)}`, all)),
]);

console.log(`\nEach with the same sign-in (see entries/); × is the ratio to ${OURS}.`);
for (const [at, [name, limit]] of Object.entries(LIMITS).entries()) {
  console.log(`${OURS} is ${ours[at]} bytes in all, ${name}; ${limit} are allowed.`);
  if (ours[at] > limit) process.exitCode = 1;
}
