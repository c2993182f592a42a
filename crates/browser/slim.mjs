// Takes out of the JavaScript that wasm-bindgen writes what this package does not need, puts glue.js in the place of its helpers, and
// calls imports and exports as the module does. Fails if something is not there any more.
import { readFileSync, writeFileSync } from 'node:fs';

const [, , path, names] = process.argv;
let text = readFileSync(path, 'utf8');

const CUTS = [
  // The doc comments of the Rust code.
  [/^ *\/\*\*\n[^]*?^ *\*\/\n/gm, ''],
  [/^if \(Symbol\.dispose\).*\n/gm, ''],
  // The package frees what it makes, or keeps it as long as the page lives.
  [/^const \w+Finalization = [^]*?;\n(?=const|\n)/gm, ''],
  [/^ *\w+Finalization\.(?:un)?register\(.*\n/gm, ''],
  [/^ *__destroy_into_raw\(\) {\n[^]*?^ {4}}\n/gm, ''],
  [/this\.__destroy_into_raw\(\);/g, 'this.__wbg_ptr;\n        this.__wbg_ptr = 0;'],
  // Only the package calls these classes.
  [/^ *_assertClass\(.*\n/gm, ''],
  [/^function _assertClass[^]*?^}\n/m, ''],
  // What an argument has taken is lost if there is no memory for the next one; then nothing goes on.
  [/^ *let ptr0, .*\n *try \{\n((?: *(?:ptr|len)\d = .*\n)+) *\} catch \(e\) \{\n[^]*?throw e;\n *\}\n/gm, '$1'],
  // Of the values that never change, the module uses undefined.
  [/^ *table\.set\(\d+, (?:null|true|false)\);\n/gm, ''],
  [/^( *\w+): function\(/gm, '$1('],
  [/^ *__proto__: null,\n/gm, ''],
  [/(arg\d) === 0 \? undefined : getStringFromWasm0\(/g, 'optional('],
  [/^ *return this;\n/gm, ''],
  [/__wbg_ptr/g, 'ptr'],
  // A helper of glue.js returns the address and the length.
  [/, wasm\.__wbindgen_malloc(?:, wasm\.__wbindgen_realloc)?\)/g, ')'],
  [/ \? 0 : pass/g, ' ? [0, 0] : pass'],
];

for (const [pattern, instead] of CUTS) replace(pattern, instead);

// Each argument goes where it is used. The module makes numbers of what it gets.
for (const [pattern, used, instead] of [
  [/^ *(?:(?:const|var) )?ptr(\d) = (.*);\n.*len\1 = WASM_VECTOR_LEN;\n/m, 'ptr$, len$', '...'],
  [/^ *const val(\d) = \+(.*);\n/m, 'val$', ''],
]) {
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    const [all, number, value] = found;
    const behind = text.slice(found.index + all.length);
    text = text.slice(0, found.index) + behind.replace(used.replaceAll('$', number), instead + value);
  }
}

const own = readFileSync(new URL('glue.js', import.meta.url), 'utf8');
const [used, theirs] = text.split(/(?=^let cachedFloat64ArrayMemory0)/m);
for (const [helper] of theirs.matchAll(/(?<=^function )\w+\(/gm)) {
  if (used.includes(helper) && !own.includes(`function ${helper}`)) throw new Error(`glue.js has no ${helper})`);
}
text = used.trimEnd() + '\n\n' + own;

const { imports, exports } = JSON.parse(readFileSync(names, 'utf8'));
replace('"./proofkey_browser_bg.js"', '"a"');
for (const [, long, short] of imports) replace(`${long}(`, `${short}(`);
for (const [long, short] of exports) replace(new RegExp(`wasm\\.${long}(?!\\w)`, 'g'), `wasm.${short}`);
writeFileSync(path, text);

function replace(pattern, instead) {
  const cut = text.replace(pattern, instead);
  if (cut === text) throw new Error(`${path} has nothing like ${pattern}`);
  text = cut;
}
