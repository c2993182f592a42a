// The types as programs of TypeScript find them: for a bundler, for Node, and from CommonJS.
import { before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { here, install } from './tools.mjs';

const { ModuleKind, ModuleResolutionKind } = ts;
const PROGRAM = `import { Proofkey, ProofkeyError, type Options } from 'proofkey-browser';
const options: Options = { issuer: 'https://as.example', clientId: 'app', redirectUri: 'https://app.example/callback' };
export const app: EventTarget = new Proofkey(options);
export const codeOf = (error: unknown) => (error instanceof ProofkeyError ? error.code : undefined);
`;
const WRONG = "export const wrong: string = new (await import('proofkey-browser')).ProofkeyError;\n";

before(install);

/** What the compiler says of a program, by its lines. */
function complaints(name, source, options) {
  const path = here + name;
  const all = { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], noEmit: true, strict: true, target: ts.ScriptTarget.ES2022, types: [], ...options };
  const host = ts.createCompilerHost(all);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (file) => file === path || fileExists(file);
  host.getSourceFile = (file, ...more) => (file === path ? ts.createSourceFile(file, source, ...more) : getSourceFile(file, ...more));
  return ts.getPreEmitDiagnostics(ts.createProgram([path], all, host)).map(({ code, messageText }) => (
    `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  ));
}

for (const [name, file, module, moduleResolution] of [
  ['bundler', 'use.ts', ModuleKind.ESNext, ModuleResolutionKind.Bundler],
  ['nodenext', 'use.mts', ModuleKind.NodeNext, ModuleResolutionKind.NodeNext],
  ['nodenext, CommonJS', 'use.cts', ModuleKind.NodeNext, ModuleResolutionKind.NodeNext],
  ['node16, CommonJS', 'use.cts', ModuleKind.Node16, ModuleResolutionKind.Node16],
  ['commonjs', 'use.ts', ModuleKind.CommonJS, ModuleResolutionKind.Node10],
]) {
  test(`typescript, ${name}: a program compiles`, () => {
    assert.deepEqual(complaints(file, PROGRAM, { module, moduleResolution }), []);
  });
}

test('typescript: CommonJS has the same names', () => {
  const [all, common] = ['index.d.ts', 'index.d.cts'].map((name) => {
    const text = readFileSync(`${here}node_modules/proofkey-browser/${name}`, 'utf8');
    const names = text.matchAll(/^export (?:declare )?(?:class|const|function|interface|type) (\w+)/gm);
    return [...new Set(Array.from(names, ([, found]) => found))].sort();
  });
  assert.ok(all.length > 8);
  assert.deepEqual(common, all);
});

test('typescript: a wrong program does not compile', () => {
  const found = complaints('use.mts', WRONG, { module: ModuleKind.NodeNext });
  assert.ok(found.length === 1 && found[0].startsWith('TS2673'), String(found));
});
