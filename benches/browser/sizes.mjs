// How much a page loads to sign its user in: `node sizes.mjs`. Fails where proofkey-browser is too big.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { NAMES, OURS, bundle, entry, table, version, wasm } from './bundle.mjs';

const LIMIT = 60 * 1024;

const sizes = (octets) => [octets, gzipSync(octets, { level: 9 }), brotliCompressSync(octets)].map(({ length }) => length);

const bundles = await Promise.all(NAMES.map(async (name) => [name, sizes(await bundle({ entryPoints: [entry(name)] }))]));
const [[, script], ...peers] = bundles;
const module = sizes(wasm());
const ours = script.map((size, at) => size + module[at]);

const row = (name, all) => [name, ...all.map(String), ...all.map((size, at) => (size / ours[at]).toFixed(2))];
table([
  ['octets', 'raw', 'gzip -9', 'brotli', 'raw ×', 'gzip ×', 'brotli ×'],
  row(`${OURS} ${version(OURS)}`, ours),
  row('  its JavaScript', script),
  row('  its WebAssembly', module),
  ...peers.map(([name, all]) => row(`${name} ${version(name)}`, all)),
]);

const [, , brotli] = ours;
const says = `${OURS} is ${(brotli / 1024).toFixed(1)} KiB in all with brotli; ${LIMIT / 1024} KiB are allowed.`;
console.log(`\nEach with the same sign-in (see entries/); × is the ratio to ${OURS}.\n${says}`);
if (brotli > LIMIT) process.exitCode = 1;
