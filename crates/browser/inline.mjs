// Writes the package as one file, with the WebAssembly module in it: `node inline.mjs FOLDER` reads it and writes wasm/inline.js there.
import { readFileSync, writeFileSync } from 'node:fs';

const folder = new URL(`${process.argv[2].replace(/\/?$/, '/')}`, `file://${process.cwd()}/`);
const done = new Map();
let text = '';

/** Adds a module, behind those that it imports, as a function that makes its exports once. */
function add(url) {
  if (done.has(url.href)) return done.get(url.href);
  const name = `module${done.size}`;
  done.set(url.href, name);
  const exported = [];
  const pairs = (names) => names.replace(/\s+as\s+/g, ': ');
  const call = (path) => `${add(new URL(path, url))}()`;
  const body = readFileSync(url, 'utf8')
    .replace(/^import (?:(\w+), )?\{([^}]*)\} from '(\..*?)';$/gm, (_, other, names, path) => `const {${other ? ` default: ${other},` : ''}${pairs(names)}} = ${call(path)};`)
    .replace(/^import (\* as )?(\w+) from '(\..*?)';$/gm, (_, all, local, path) => `const ${all ? local : `{ default: ${local} }`} = ${call(path)};`)
    .replace(/\bimport\('(\..*?)'\)/g, (_, path) => `Promise.resolve().then(${add(new URL(path, url))})`)
    .replace(/^export \{([^}]*)\};$/gm, (_, names) => { exported.push(...names.split(',').map((one) => one.trim().split(/\s+as\s+/))); return ''; })
    .replace(/^export (async function\*?|function\*?|class|const) (\w+)/gm, (_, kind, local) => { exported.push([local]); return `${kind} ${local}`; });
  if (/^(import|export)\b/m.test(body)) throw new Error(`${url} has an import or export that this does not know`);
  const members = exported.map(([local, outside = local]) => `${outside}: ${local}`).join(', ');
  text += `const ${name} = once(() => {\n${body}\nreturn { ${members} };\n});\n`;
  return name;
}

const main = add(new URL('index.js', folder));
const module = readFileSync(new URL('wasm/proofkey_browser_bg.wasm', folder)).toString('base64');
const wanted = "new URL('proofkey_browser_bg.wasm', import.meta.url)";
if (!text.includes(wanted)) throw new Error(`${wanted} is not there any more`);
text = text.replace(wanted, `Uint8Array.from(atob('${module}'), (letter) => letter.charCodeAt(0))`)
  // There is no other address to look at; the other files are one folder up.
  .replace(/new URL\('wasm\/[^']*', import\.meta\.url\)/g, 'undefined')
  .replace(/new URL\('\.\/([^']*)', import\.meta\.url\)/g, "new URL('../$1', import.meta.url)");
writeFileSync(new URL('wasm/inline.js', folder), `// proofkey-browser in one file. See index.d.ts.
const once = (make) => {
  let made;
  return () => (made ??= make());
};
${text}
export const { Proofkey, ProofkeyError, init } = ${main}();
`);
