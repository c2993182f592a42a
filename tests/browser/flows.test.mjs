// The loop that drives every flow, with flows that are made up here.
import { before, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { run } from '../../crates/browser/package/http.js';
import { initSync } from '../../crates/browser/package/wasm/proofkey_browser.js';

const URL_OF = 'https://as.example/x';
const OVER = Object.assign(new Error('nothing found'), { code: 'response' });

before(() => {
  initSync({ module: readFileSync(new URL('../../crates/browser/package/wasm/proofkey_browser_bg.wasm', import.meta.url)) });
});

/** Runs a flow of these steps: a number is a pause, anything else is what `fetch` does. Returns the outcome and the timers. */
async function drive(steps, { hear = () => true, unanswered = () => false, deadline = 1000 } = {}) {
  let clock = 0;
  const [timers, left, asked] = [[], [...steps], []];
  const request = { method: 'GET', url: URL_OF, headers: {} };
  const flow = {
    step() {
      if (left.length === 0) return undefined;
      return typeof left[0] === 'number' ? { wait: left.shift() } : { request };
    },
    hear: () => hear(asked.length),
    unanswered: (isClosed) => unanswered(isClosed),
    read: () => `read after ${asked.length}`,
    over: () => OVER,
    free: mock.fn(),
  };
  mock.method(performance, 'now', () => clock);
  mock.method(globalThis, 'fetch', async (url) => {
    asked.push(url);
    clock += 300;
    return left.shift()();
  });
  mock.method(globalThis, 'setTimeout', (done, delay) => {
    timers.push(delay);
    // Only pauses end.
    if (delay >= 5000) {
      clock += delay;
      done();
    }
  });
  try {
    return { outcome: await run(flow, deadline).catch((error) => error), timers };
  } finally {
    mock.restoreAll();
    assert.equal(flow.free.mock.callCount(), 1, 'the flow is freed once');
  }
}

const fine = () => new Response('{}');
const broken = () => { throw new TypeError('Failed to fetch'); };

test('the last response is read', async () => {
  assert.equal((await drive([fine, fine], { hear: (count) => count === 2 })).outcome, 'read after 2');
});

test('one deadline for all requests, which starts again after a pause', async () => {
  const { outcome, timers } = await drive([fine, fine, 5, fine, fine], { hear: (count) => count === 4 });
  assert.equal(outcome, 'read after 4');
  assert.deepEqual(timers, [1000, 700, 5000, 1000, 700]);
});

test('a flow goes on without a response if it can', async () => {
  assert.equal((await drive([broken, fine], { unanswered: (isClosed) => isClosed })).outcome, 'read after 2');
  const { outcome } = await drive([broken, fine]);
  assert.equal(outcome.code, 'network');
});

test('a flow that ends without a response says why, and what the network did', async () => {
  assert.equal((await drive([fine], { hear: () => false })).outcome, OVER);
  const { outcome } = await drive([fine, broken], { hear: () => false, unanswered: () => true });
  assert.equal(outcome.code, 'network');
  assert.match(outcome.message, /^nothing found; no response from https:\/\/as\.example: /);
});
