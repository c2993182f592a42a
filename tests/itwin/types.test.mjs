// itwin.d.ts: it is what iTwin.js wants and has what it replaces; and the code of docs/guide/itwin.md compiles.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import ts from 'typescript';

const here = new URL('.', import.meta.url).pathname;
const root = new URL('../..', import.meta.url).pathname;
const OPTIONS = {
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noEmit: true,
  strict: true,
  target: ts.ScriptTarget.ES2022,
  types: [],
  baseUrl: root,
  paths: { 'proofkey-browser/itwin': ['crates/browser/package/itwin.d.ts'], '@itwin/*': ['tests/itwin/node_modules/@itwin/*'] },
};

/** What the compiler says of these modules, by file and line. What the packages of npm lack is their own affair. */
function complaints(modules) {
  const texts = new Map(Object.entries(modules).map(([name, text]) => [here + name, text]));
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.readFile = (file) => texts.get(file) ?? readFile(file);
  host.getSourceFile = (file, ...more) => (texts.has(file) ? ts.createSourceFile(file, texts.get(file), ...more) : getSourceFile(file, ...more));
  const program = ts.createProgram([...texts.keys()], OPTIONS, host);
  const found = ts.getPreEmitDiagnostics(program).filter(({ file }) => !file?.fileName.includes('/node_modules/'));
  return found.map(({ file, start, messageText }) => {
    const { line } = file ? file.getLineAndCharacterOfPosition(start) : { line: 0 };
    return `${file?.fileName.replace(here, '')}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

const IMPORTS = `
import { BrowserAuthorizationClient as Theirs, type BrowserAuthorizationClientConfiguration as TheirSettings } from '@itwin/browser-authorization';
import type { AuthorizationClient } from '@itwin/core-common';
import { ProofkeyAuthorizationClient as Ours, type ProofkeyAuthorizationClientConfiguration as Settings } from 'proofkey-browser/itwin';
type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : never : never;
declare const client: Ours;
`;

test('it is an AuthorizationClient, and has what it takes the place of', () => {
  assert.deepEqual(complaints({ 'use.ts': `${IMPORTS}
export class Mine extends Ours implements AuthorizationClient {}
export const asked: AuthorizationClient = client;
export const missing: Same<Exclude<keyof Theirs, keyof Ours>, 'signOutPopup' | 'setAdvancedSettings'> = true;
export const unknown: Same<Exclude<keyof TheirSettings, keyof Settings>, 'responseMode'> = true;
type Shared = Omit<Theirs, 'signOutPopup' | 'setAdvancedSettings'>;
export const shared: Pick<Theirs, keyof Shared> = client;
export const settings = (theirs: TheirSettings & { responseType?: 'code' }): Settings => theirs;
export const handle: Same<ReturnType<typeof Theirs.handleSignInCallback>, ReturnType<typeof Ours.handleSignInCallback>> = true;
` }), []);
});

test('the types refuse what it does not take', () => {
  const wrongs = [
    "new Ours({ clientId: 'a', redirectUri: 'https://app.example/back' });",
    "new Ours({ clientId: 'a', redirectUri: 'https://app.example/back', scope: 'a', responseType: 'id_token' });",
    "new Ours({ clientId: 'a', redirectUri: 'https://app.example/back', scope: 'a', apiOrigins: 'https://api.example' });",
    'client.onAccessTokenChanged.addListener((token: number) => token);',
    'client.proofkey = client.proofkey;',
    'const token: string = client.getAccessToken();',
  ];
  const found = complaints({ 'use.ts': IMPORTS.replaceAll('\n', ' ') + wrongs.map((wrong) => `\n{ ${wrong} }`).join('') });
  assert.deepEqual([...new Set(found.map((line) => line.split(': ')[0]))], wrongs.map((_, at) => `use.ts:${at + 2}`), found.join('\n'));
});

test('the code of the guide compiles', () => {
  const guide = readFileSync(`${root}docs/guide/itwin.md`, 'utf8');
  const blocks = [...guide.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].filter(([, language]) => language !== 'sh');
  assert.deepEqual(blocks.map(([, language]) => language), Array(8).fill('ts'));
  const modules = Object.fromEntries(blocks.map(([, , text], at) => [`${at}.ts`, `${text}export {};\n`]));
  // What the pages import from each other: the client is the guide's own.
  const own = Object.keys(modules).find((name) => modules[name].includes('export const authClient = new ProofkeyAuthorizationClient('));
  assert.deepEqual(complaints({
    ...modules,
    'app.ts': 'export declare function renderApp(): void;',
    'auth.ts': modules[own],
    'frontend.d.ts': `declare module '@itwin/core-frontend' {
      import type { AuthorizationClient } from '@itwin/core-common';
      export const IModelApp: { startup(options: { authorizationClient: AuthorizationClient }): Promise<void> };
    }`,
  }), []);
});
