// The hostile inputs of tests/corpus, through the WebAssembly module, in Node.js and in Chromium: each has the verdict that it
// has in the core. device.json, push.json, dpop.json and id_token.json are not among them: the module exports nothing that reads
// them. A page has no device grant and no pushed logins, its proofs are made by WebCrypto (dpop.test.mjs), and ID tokens are kept
// and not read.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ProofkeyError } from '../../crates/browser/package/error.js';
import * as wasm from '../../crates/browser/package/wasm/proofkey_browser.js';
import { serve } from '../../examples/spa/serve.mjs';
import { CALLBACK, FAULTS, METADATA, RESPONSE, run } from './corpus.mjs';
import { openBrowser } from './tools.mjs';

const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
const PAGES = {
  '/index.html': '<!doctype html><title>Corpus</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
  '/corpus.js': file('tests/browser/corpus.mjs'),
  '/page.js': `
    import { ProofkeyError } from '/proofkey/error.js';
    import load, * as wasm from '/proofkey/wasm/proofkey_browser.js';
    import { run } from '/corpus.js';
    await load();
    globalThis.check = (kind, cases) => run({ ...wasm, ProofkeyError }, kind, cases);
    document.documentElement.dataset.ready = '';`,
};
const timeout = 60_000;
let site, browser, page;

before(async () => {
  wasm.initSync({ module: file('crates/browser/package/wasm/proofkey_browser_bg.wasm') });
  [site, browser] = await Promise.all([serve({ port: 0, pages: PAGES }), openBrowser()]);
  page = await browser.newPage();
  await page.goto(site.origin);
  await page.waitForSelector('html[data-ready]');
});
after(() => Promise.all([site?.stop(), browser?.close()]));

const RUNNERS = {
  'Node.js': (kind, cases) => run({ ...wasm, ProofkeyError }, kind, cases),
  Chromium: (...args) => page.evaluate(([kind, cases]) => check(kind, cases), args),
};
const CHALLENGES = ['Forbidden', 'InsufficientAuthentication', 'InsufficientScope', 'InvalidProof', 'InvalidRequest', 'InvalidToken', 'None', 'OtherScheme'];

for (const [name, runner] of Object.entries(RUNNERS)) {
  /** Runs all cases but those that are no page's, and fails with all that differ. */
  const check = async (kind, fewest, verdicts, isElsewhere = () => false) => {
    const cases = JSON.parse(file(`tests/corpus/${kind}.json`)).cases.filter((one) => !isElsewhere(one));
    const { count, failed } = await runner(kind, cases);
    assert.ok(count >= fewest, `${count} cases`);
    assert.equal(failed.length, 0, `${failed.length} of ${count} differ:\n${failed.join('\n')}`);
    const seen = new Set(cases.map(({ expected }) => expected.split('(')[0]).filter((verdict) => !['Accepted', 'Found'].includes(verdict)));
    assert.deepEqual([...seen].sort(), verdicts);
  };

  // What only a listener sees has no place in a page.
  test(`redirects have the verdict that they have in the core, in ${name}`, { timeout },
    () => check('callback', 273, Object.keys(CALLBACK), ({ seen }) => seen === 'head'));

  // What is wrong with the HTTP itself the browser reads.
  test(`token answers have the verdict that they have in the core, in ${name}`, { timeout },
    () => check('token', 582, Object.keys(RESPONSE), ({ raw }) => raw));

  test(`metadata have the verdict that they have in the core, in ${name}`, { timeout },
    () => check('metadata', 357, [...Object.keys(METADATA), 'NoMetadata'].sort(), (one) => one.refused || one.in_memory === false));

  test(`URIs have the verdict that they have in the core, in ${name}`, { timeout }, () => check('uris', 794, Object.keys(FAULTS)));

  test(`JSON is told from what is none, in ${name}`, { timeout }, () => check('json', 376, ['Json', 'Missing']));

  test(`a refresh is for what an API says of the token alone, in ${name}`, { timeout }, () => check('challenges', 102, CHALLENGES));
}
