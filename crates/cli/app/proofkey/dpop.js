// Tokens that are of no use without a key (DPoP, RFC 9449). Only an app that asks for it loads this. The key is made by the
// browser, which lets no script read it, and kept in IndexedDB, where every tab finds it.
import { ProofkeyError } from './error.js';
import { read } from './http.js';

/** The proofs of an app, one for each page. */
const known = new Map();

/** What proves that the tokens of this app are this browser's. */
export function proofsOf(name) {
  if (!known.has(name)) {
    known.set(name, make(name).catch((error) => {
      known.delete(name);
      throw error instanceof ProofkeyError ? error
        : new ProofkeyError('storage', `the key of the tokens cannot be kept: ${error.message}`, 'fix');
    }));
  }
  return known.get(name);
}

async function make(name) {
  const { privateKey, publicKey } = await keyPair(name);
  const { crv, kty, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
  // RFC 7638 section 3: the members in this order.
  return new Proofs(privateKey, { crv, kty, x, y }, await hash(JSON.stringify({ crv, kty, x, y })));
}

class Proofs {
  #key;
  #jwk;
  /** The newest nonce of each server: its origin, and whether it is an API (RFC 9449 sections 8 and 9). */
  #nonces = new Map();

  constructor(key, jwk, thumbprint) {
    this.#key = key;
    this.#jwk = jwk;
    this.thumbprint = thumbprint;
  }

  /** Sends a request with its proof, to the token endpoint or with an access token. If the server wants a nonce, once more. */
  async fetch(request, token) {
    const again = request.clone();
    const response = await this.#send(request, token);
    if (!await wantsNonce(response)) return response;
    const { origin } = new URL(request.url);
    if (!isNonce(response.headers.get('dpop-nonce'))) {
      throw new ProofkeyError('nonce', `${origin} wants a nonce in proofs, and this page cannot read one in its answer: it must send `
        + 'DPoP-Nonce, and Access-Control-Expose-Headers with DPoP-Nonce and WWW-Authenticate', 'fix');
    }
    response.body?.cancel();
    return this.#send(again, token);
  }

  async #send(request, token) {
    const server = `${new URL(request.url).origin} ${Boolean(token)}`;
    if (token) request.headers.set('authorization', `DPoP ${token}`);
    request.headers.set('dpop', await this.#prove(request, token, this.#nonces.get(server)));
    const response = await fetch(request);
    const nonce = response.headers.get('dpop-nonce');
    if (isNonce(nonce)) this.#nonces.set(server, nonce);
    return response;
  }

  /** The proof for one request (RFC 9449 section 4.2). */
  async #prove({ method, url }, token, nonce) {
    const head = { typ: 'dpop+jwt', alg: 'ES256', jwk: this.#jwk };
    const claims = {
      jti: base64url(crypto.getRandomValues(new Uint8Array(32))),
      htm: method,
      htu: url.split(/[?#]/, 1)[0],
      iat: Math.floor(Date.now() / 1000),
      ath: token && await hash(token),
      nonce,
    };
    const signed = [head, claims].map((part) => base64url(bytes(JSON.stringify(part)))).join('.');
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, this.#key, bytes(signed));
    return `${signed}.${base64url(new Uint8Array(signature))}`;
  }
}

/** Whether an answer refuses the proof for want of a nonce: the token endpoint says so in its body, an API in a header. */
async function wantsNonce(response) {
  const { status, headers } = response;
  if (status !== 400 && status !== 401) return false;
  if (/\bdpop\b.*\berror="?use_dpop_nonce\b/i.test(headers.get('www-authenticate'))) return true;
  if (!/json/i.test(headers.get('content-type'))) return false;
  const chunks = [];
  try {
    await read(response.clone(), chunks);
    return JSON.parse(await new Blob(chunks).text()).error === 'use_dpop_nonce';
  } catch {
    return false;
  }
}

/** RFC 9449 section 8.1. Of two header fields the browser makes one with a space. */
function isNonce(nonce) {
  return /^[!#-[\]-~]{1,1024}$/.test(nonce ?? '');
}

/** The key of this name: that of an earlier page or another tab, else a new one. */
function keyPair(name) {
  return inDatabase(async (items) => {
    const kept = await done(items().get(name));
    if (kept) return kept;
    const made = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    // Another tab may have been quicker: its key stays.
    const store = items();
    return await done(store.get(name)) ?? (await done(store.put(made, name)), made);
  });
}

/** Does some work in the database. Each call of its argument begins a transaction. */
export async function inDatabase(work) {
  const database = await done(Object.assign(indexedDB.open('proofkey', 1), {
    onupgradeneeded({ target }) { target.result.createObjectStore('keys'); },
  }));
  try {
    return await work(() => database.transaction('keys', 'readwrite').objectStore('keys'));
  } finally {
    database.close();
  }
}

export function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function hash(text) {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes(text))));
}

function bytes(text) {
  return new TextEncoder().encode(text);
}

function base64url(data) {
  return btoa(String.fromCharCode(...data)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
