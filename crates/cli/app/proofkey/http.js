// What is sent to the authorization server, and what comes back. No OAuth here.
import { ProofkeyError } from './error.js';
import { Answer } from './wasm/proofkey_browser.js';

const BODY_MAX = 1024 * 1024;
const HEADERS = { accept: 'application/json' };
const FORM = { ...HEADERS, 'content-type': 'application/x-www-form-urlencoded' };

/** Sends the request of a step, once, and reads the answer with it. `deadline` is in milliseconds. */
export async function run(step, deadline) {
  const request = step.request();
  const { url, body } = request;
  request.free();
  let answer;
  try {
    answer = await send(url, body, deadline);
  } catch (error) {
    step.free();
    throw error;
  }
  return step.read(answer);
}

async function send(url, body, deadline) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), deadline);
  try {
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? HEADERS : FORM,
      body,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: abort.signal,
    });
    const field = (name) => response.headers.get(name) ?? undefined;
    const octets = await read(response);
    return new Answer(response.status, field('content-type'), field('date'), field('retry-after'), octets);
  } catch (error) {
    if (abort.signal.aborted) throw new ProofkeyError('deadline', 'the server did not answer in time');
    if (error instanceof ProofkeyError) throw error;
    throw new ProofkeyError('network', `no answer from ${new URL(url).origin}: it cannot be reached, does not allow this `
      + 'page to call it (CORS, Content-Security-Policy), or answered with a redirect');
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** The body, counted after decompression. */
async function read(response) {
  if (!response.body) return new Uint8Array();
  const chunks = [];
  let length = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > BODY_MAX) throw new ProofkeyError('too_big', 'the response is too long');
    chunks.push(part.value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
