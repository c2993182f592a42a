// index.d.ts: it compiles, it allows what the README shows, it refuses what the module refuses, and it names what is there.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import ts from 'typescript';

const path = (name) => new URL(`../../crates/browser/package/${name}`, import.meta.url).pathname;
const OPTIONS = {
  skipLibCheck: false,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  noEmit: true,
  strict: true,
  target: ts.ScriptTarget.ES2022,
  types: [],
};

/** What the compiler brings along, read once. */
const libraries = new Map();

/** What the compiler says of a program that uses the package, by its lines. */
function complaints(source, name = path('use.mts'), options = OPTIONS) {
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (file) => file === name || fileExists(file);
  host.readFile = (file) => (file === name ? source : readFile(file));
  host.getSourceFile = (file, ...more) => {
    if (file === name) return ts.createSourceFile(file, source, ...more);
    if (!libraries.has(file)) libraries.set(file, file.includes('/typescript/lib/') && getSourceFile(file, ...more));
    return libraries.get(file) || getSourceFile(file, ...more);
  };
  const program = ts.createProgram([name], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const { line } = file ? file.getLineAndCharacterOfPosition(start) : { line: 0 };
    return `${file?.fileName.split('/').pop()}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

const MAKE = `import { Proofkey, ProofkeyError, init } from 'proofkey-browser';
const client = { clientId: 'app', redirectUri: 'https://app.example/callback' };
`;

test('the types allow what the README shows', () => {
  const readme = readFileSync(path('README.md'), 'utf8');
  const [, shown] = /```js\n([^]*?)```/.exec(readme);
  const around = `declare const show: (data: unknown, problem?: string) => void, render: (state: string) => void;
declare const signInButton: HTMLElement, popupButton: HTMLElement, signOutButton: HTMLElement;
`;
  assert.deepEqual(complaints(around + shown), []);
  assert.deepEqual(complaints(`${MAKE}
const app = new Proofkey({ ...client, authorizationEndpoint: 'https://as.example/a', tokenEndpoint: 'https://as.example/t', issParameter: true });
await init(new Uint8Array(8));
await init(new URL('https://app.example/x.wasm'));
try {
  await app.signInPopup({ extra: { resource: ['https://a.example', 'https://b.example'], prompt: 'login' } });
} catch (error) {
  if (!(error instanceof ProofkeyError)) throw error;
  const wait: number | undefined = error.retryAfter;
  if (error.code === 'popup_blocked' && error.advice === 'reauthorize') await app.signIn({ data: wait });
}
const token: string = await app.accessToken();
const revoked: boolean = await app.signOut();
await app.signInPopup({ signal: AbortSignal.timeout(60_000) });
const state: 'loading' | 'signed_in' | 'signed_out' = app.state;
app.addEventListener('token', () => app.close());
`), []);
});

test('the types are the same for CommonJS, and for a bundler', () => {
  const use = (from) => `import { Proofkey, ProofkeyError, init, type Code, type Options } from '${from}';
import 'proofkey-browser/redirect.js';
const options: Options = { clientId: 'app', redirectUri: 'https://app.example/callback', issuer: 'https://as.example' };
class App extends Proofkey {}
export const app: Proofkey = new App(options);
export const known = (error: unknown): Code | undefined => (error instanceof ProofkeyError ? error.code : undefined);
void init();
`;
  const { Bundler, Node16, NodeNext } = ts.ModuleResolutionKind;
  for (const from of ['proofkey-browser', 'proofkey-browser/inline']) {
    for (const [file, options] of [
      ['use.cts', {}],
      ['use.cts', { module: ts.ModuleKind.Node16, moduleResolution: Node16 }],
      ['use.mts', { module: ts.ModuleKind.NodeNext, moduleResolution: NodeNext }],
      ['use.ts', { module: ts.ModuleKind.ESNext, moduleResolution: Bundler }],
    ]) {
      assert.deepEqual(complaints(use(from), path(file), { ...OPTIONS, ...options }), [], `${from}, ${file} ${JSON.stringify(options)}`);
    }
  }
  const wrong = complaints("import { Proofkey } from 'proofkey-browser'; new Proofkey({ clientId: 'a' });", path('use.cts'));
  assert.match(wrong.join(), /^use\.cts:1: /);
});

test('the types refuse what the module refuses', () => {
  const wrongs = [
    'new Proofkey(client);',
    "new Proofkey({ ...client, issuer: 'https://as.example', authorizationEndpoint: 'https://as.example/a' });",
    "new Proofkey({ ...client, authorizationEndpoint: 'https://as.example/a' });",
    "new Proofkey({ ...client, issuer: 'https://as.example', clientSecret: 'x' });",
    "new Proofkey({ ...client, issuer: 'https://as.example', deadline: '5' });",
    "new ProofkeyError('config');",
    "declare const error: ProofkeyError; if (error.code === 'no_such_code') throw error;",
  ];
  const found = complaints(MAKE + wrongs.map((wrong) => `{ ${wrong} }`).join('\n'));
  assert.deepEqual([...new Set(found.map((line) => line.split(': ')[0]))], wrongs.map((_, at) => `use.mts:${at + 3}`), found.join('\n'));
});

test('the types name what is there, and every code', () => {
  const types = readFileSync(path('index.d.ts'), 'utf8');
  const source = ['dpop', 'drive', 'error', 'handover', 'http', 'index', 'keep', 'popup', 'push', 'restore', 'session', 'store', 'values', 'waiting', 'worker'].map((name) => readFileSync(path(`${name}.js`), 'utf8')).join('\n');
  const failure = readFileSync(new URL('../../crates/browser/src/failure.rs', import.meta.url), 'utf8');
  const thrown = [...source.matchAll(/new ProofkeyError\('(\w+)'/g), ...failure.matchAll(/=> "(\w+)",/g)].map(([, code]) => code);
  const [, union] = /export type Code =([^]*?);\n\n/.exec(types);
  const named = [...union.matchAll(/\| '(\w+)'/g)].map(([, code]) => code);
  assert.deepEqual(named, [...new Set(thrown)].sort());
  const members = (text, pattern) => new Set([...text.matchAll(pattern)].map(([, name]) => name));
  const [, typed] = /export class Proofkey extends EventTarget \{([^]*?)\n\}/.exec(types);
  const [, written] = /export class Proofkey extends EventTarget \{([^]*?)\n\}/.exec(source);
  const inherited = ['addEventListener', 'removeEventListener'];
  assert.deepEqual([...members(typed, /^ {2}(?:readonly )?(\w+)[(:]/gm)].filter((name) => !inherited.includes(name)).sort(),
    [...members(written, /^ {2}(?:async |get )?(\w+)\(/gm)].sort());
  assert.equal(createRequire(import.meta.url)(path('package.json')).types, './index.d.ts');
});
