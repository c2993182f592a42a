// Takes out of the JavaScript that wasm-bindgen writes what this package does not need, and calls imports and exports as the module
// does. Fails if something is not there any more.
import { readFileSync, writeFileSync } from 'node:fs';

const [, , path, names] = process.argv;
let text = readFileSync(path, 'utf8');

const CUTS = [
  // The doc comments of the Rust code.
  [/^ *\/\*\*\n[^]*?^ *\*\/\n/gm, ''],
  [/"`WebAssembly.instantiateStreaming` failed .*?"/, '"serve .wasm as application/wasm: it loads sooner"'],
  // Instead of a long warning, the older way to pass an argument just works.
  [/^ *console\.warn\('using deprecated parameters.*\n/gm, ''],
  [/^if \(Symbol\.dispose\).*\n/gm, ''],
  // The package frees what it makes, or keeps it as long as the page lives.
  [/^const \w+Finalization = [^]*?;\n(?=const|\n)/gm, ''],
  [/^ *\w+Finalization\.(?:un)?register\(.*\n/gm, ''],
  // Only the package calls these classes.
  [/^ *_assertClass\(.*\n/gm, ''],
  [/^function _assertClass[^]*?^}\n/m, ''],
  // What an argument has taken is lost if there is no memory for the next one; then nothing goes on.
  [/^ *try \{\n((?: *(?:ptr|len)\d = .*\n)+) *\} catch \(e\) \{\n[^]*?throw e;\n *\}\n/gm, '$1'],
  // For browsers that cannot run the package, and for what a page never reaches.
  [/^ *if \(realloc === undefined\) \{\n[^]*?^ {4}\}\n/m, ''],
  [/^if \(!\('encodeInto' in [^]*?^}\n/m, ''],
  [/^const MAX_SAFARI_DECODE_BYTES[^]*?^function decodeText[^]*?^}\n/m, 'function decodeText(bytes) {\n    return cachedTextDecoder.decode(bytes);\n}\n'],
  [/typeof (\w+) === 'function' && (?=\w+ instanceof)/g, ''],
  // Everything that streams is of a type that says so.
  [/^ *const validResponse = .*\n\n?/m, ''],
  [/validResponse && /, ''],
  [/^\n? {4}function expectedResponseType[^]*?^ {4}}\n/m, ''],
];

const { imports, exports } = JSON.parse(readFileSync(names, 'utf8'));
const NAMES = [
  ['"./proofkey_browser_bg.js"', '"a"'],
  ...imports.map(([, long, short]) => [`${long}:`, `${short}:`]),
  ...exports.map(([long, short]) => [`wasm.${long}`, `wasm.${short}`]),
].map(([long, short]) => [new RegExp(`${long.replaceAll('.', '\\.')}(?!\\w)`, 'g'), short]);

for (const [pattern, instead] of [...CUTS, ...NAMES]) {
  const cut = text.replace(pattern, instead);
  if (cut === text) throw new Error(`${path} has nothing like ${pattern}`);
  text = cut;
}
writeFileSync(path, text);
