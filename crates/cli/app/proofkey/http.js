// What is sent to the authorization server, and what comes back. No OAuth here.
import { ProofkeyError } from './error.js';
import { Answer } from './wasm/proofkey_browser.js';

const BODY_MAX = 1024 * 1024;
const HEADERS = { accept: 'application/json' };
const FORM = { ...HEADERS, 'content-type': 'application/x-www-form-urlencoded' };

/** Sends the request of a step, once, and returns what the step reads in the answer. `deadline` is in milliseconds. */
export async function run(step, deadline) {
  const { answer, error } = await send(step.request(), deadline);
  if (!error) return step.read(answer);
  answer?.free();
  step.free();
  throw error;
}

/**
 * Sends a refresh, once. `error` says what is wrong. `refreshToken` is the new one that the answer carries, whatever else is
 * wrong with it: the server no longer takes the old one.
 */
export async function refresh(step, deadline) {
  const { answer, error } = await send(step.request(), deadline);
  if (!answer) {
    step.free();
    return { error };
  }
  const kept = step.readKeeping(answer);
  const { refreshToken, endsLogin } = kept;
  try {
    return error ? { refreshToken, error } : { refreshToken, tokens: kept.takeTokens() };
  } catch (fault) {
    return { refreshToken, endsLogin, error: fault };
  } finally {
    kept.free();
  }
}

/** Asks for an issuer's metadata at one address after the other, until one of them has it. */
export async function discover(search, deadline) {
  const until = performance.now() + deadline;
  try {
    let failure;
    for (let request = search.request(); request; request = search.request()) {
      const { answer, error } = await send(request, until - performance.now());
      if (error) {
        answer?.free();
        // Many servers send a 404 without CORS headers: the browser calls that a network error.
        if (error.code !== 'network') throw error;
        failure = error;
        search.unanswered();
      } else {
        const server = search.read(answer);
        if (server) return server;
      }
    }
    if (failure) throw new ProofkeyError('network', `${search.tried()}; ${failure.message}`);
    throw new ProofkeyError('response', search.tried(), 'fix');
  } finally {
    search.free();
  }
}

/** The answer, and an error if there is none or its body was cut off. */
async function send(request, deadline) {
  const { url, body } = request;
  request.free();
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), deadline);
  const chunks = [];
  let response;
  let error;
  try {
    response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? HEADERS : FORM,
      body,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: abort.signal,
    });
    await read(response, chunks);
  } catch (fault) {
    error = abort.signal.aborted ? new ProofkeyError('deadline', 'the server did not answer in time') : fault;
    if (!(error instanceof ProofkeyError)) {
      error = new ProofkeyError('network', `no answer from ${new URL(url).origin}: it cannot be reached, does not let this page `
        + 'call it (CORS, Content-Security-Policy), answered with a redirect, or broke off its answer');
    }
  }
  clearTimeout(timer);
  abort.abort();
  if (!response) return { error };
  const field = (name) => response.headers.get(name) ?? undefined;
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return { answer: new Answer(response.status, field('content-type'), field('date'), field('retry-after'), bytes, field('content-encoding')), error };
}

/** Reads the body into `chunks`. It is counted after decompression. */
async function read({ body }, chunks) {
  if (!body) return;
  let left = BODY_MAX;
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value.subarray(0, left));
    left -= part.value.length;
    if (left < 0) throw new ProofkeyError('too_big', 'the response is longer than 1 MiB');
  }
}
