// Drives the flows: sends their requests, and gives them the responses. No OAuth here.
import { ProofkeyError } from './error.js';
import { HttpResponse } from './wasm/proofkey_browser.js';

/**
 * Drives a flow to its last response, and returns what it reads there. `deadline` is in milliseconds; `proofs` are of `dpop.js`. If
 * there is a `url`, that is the one address to ask.
 */
export function run(flow, deadline, proofs, url) {
  return finish(flow, deadline, proofs, (response, error) => {
    if (error) throw error;
    return flow.read(response);
  }, url);
}

/** What an answer to a refresh says to the machine: events of `src/pass.rs`. */
export const GRANTED = 4;
export const KEPT = 5;
export const CLOSED = 6;
export const UNSENT = 8;

/**
 * Drives a refresh to its `event`. `error` says what is wrong. `refreshToken` is the new one in the response, whatever else is
 * wrong with it: the server no longer accepts the old one.
 */
export function refresh(flow, deadline, proofs) {
  const LOST = 7;
  return finish(flow, deadline, proofs, (response, error) => {
    const kept = response && flow.read(response);
    if (!error) return kept;
    const refreshToken = kept?.refreshToken;
    return { event: refreshToken ? KEPT : error.code === 'network' ? CLOSED : LOST, refreshToken, error };
  });
}

async function finish(flow, deadline, proofs, read, url) {
  let last;
  try {
    last = await drive(flow, deadline, proofs, url);
    return read(last.response, last.error);
  } finally {
    last?.response?.free();
    flow.free();
  }
}

/**
 * The one loop for all flows. Returns the last response, and an error if there is none or its body was cut off. The deadline is
 * for all requests together, and starts again after each wait of the flow.
 */
async function drive(flow, deadline, proofs, url) {
  let until = performance.now() + deadline;
  let lost;
  for (let step = flow.step(seconds()); step; step = flow.step(seconds())) {
    const { wait, request } = step;
    if (!request) {
      await new Promise((resolve) => { setTimeout(resolve, 1000 * wait); });
      until = performance.now() + deadline;
      continue;
    }
    const { response, error } = await send(url ? { ...request, url } : request, until - performance.now(), proofs);
    // Many servers send a 404 without CORS headers: the browser calls that a network error.
    const isClosed = error?.code === 'network';
    if (url || (response ? flow.hear(response, seconds()) : !flow.unanswered(isClosed, seconds()))) return { response, error };
    response?.free();
    if (response && error && !isClosed) throw error;
    lost = error ?? lost;
  }
  const over = flow.over();
  throw lost ? new ProofkeyError(lost.code, `${over.message}; ${lost.message}`) : over;
}

/** Sends a request, once. Returns the response, and an error if there is none or its body was cut off. */
async function send(request, deadline, proofs) {
  const { url, ...options } = request;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), deadline);
  const chunks = [];
  let response;
  let error;
  try {
    const sent = new Request(url, {
      ...options,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: abort.signal,
    });
    response = await (proofs ? proofs.fetch(sent) : fetch(sent));
    await read(response, chunks);
  } catch (fault) {
    error = abort.signal.aborted ? new ProofkeyError('deadline', 'the server did not answer in time') : fault;
    if (!(error instanceof ProofkeyError)) {
      error = new ProofkeyError('network', `no response from ${new URL(url).origin}: it cannot be reached, does not let this page `
        + 'call it (CORS, Content-Security-Policy), answered with a redirect, or broke off its response');
    }
  }
  clearTimeout(timer);
  abort.abort();
  if (!response) return { error };
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  const { status, headers } = response;
  // What the module reads is overwritten there. `push.js` reads the bytes here.
  return { response: Object.assign(new HttpResponse(status, [...headers].flat().join('\n'), bytes, !!error), { status, bytes }), error };
}

/** Reads the body into `chunks`. Its length is counted after decompression. */
export async function read({ body }, chunks) {
  const BODY_MAX = 1024 * 1024;
  if (!body) return;
  let left = BODY_MAX;
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value.subarray(0, left));
    left -= part.value.length;
    if (left < 0) throw new ProofkeyError('too_big', 'the response is longer than 1 MiB');
  }
}

/** Tokens as the tabs share them. What the server leaves out is as it was `before`. */
export function plain(tokens, requestedAt, before) {
  const { scope = before.scope, idToken = before.idToken } = tokens;
  return { ...tokens, scope, idToken, requestedAt };
}

/** The current time in seconds since 1970. */
export function seconds() {
  return Math.floor(Date.now() / 1000);
}
