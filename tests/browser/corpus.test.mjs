// The hostile inputs of tests/corpus, through the WebAssembly module: each has the verdict that it has in the core.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ProofkeyError } from '../../crates/browser/package/error.js';
import { Answer, Client, initSync, wantsRefresh } from '../../crates/browser/package/wasm/proofkey_browser.js';

const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
const cases = (name) => JSON.parse(file(`tests/corpus/${name}`)).cases;
initSync({ module: file('crates/browser/package/wasm/proofkey_browser_bg.wasm') });

const ADDRESS = '127.0.0.1:49152';
const ISSUER = 'https://as.example';
const JSON_TYPE = 'application/json';
const DEFAULT = { code: 'C', tokens: { access_token: 'AT' } };

/** Each verdict: its code for programs, and how the words for people begin, which are the core's. */
const CALLBACK = {
  Ambiguous: () => ['callback', 'the redirect carries both a code and an error;'],
  Duplicate: (name) => ['callback', `the redirect carries \`${name}\` more than once;`],
  Issuer: () => ['callback', 'the redirect comes from another authorization server '],
  Malformed: (name) => ['callback', `the redirect's \`${name}\` holds characters `],
  MissingCode: () => ['callback', 'the redirect carries neither a code nor an error'],
  Mode: () => ['callback', 'the redirect carries what was never asked for '],
  Server: (error) => ['server', `the authorization server refused: ${error}`],
  State: () => ['state', 'the redirect does not belong to this login '],
  Target: () => ['callback', 'this is not the redirect URI '],
};
const RESPONSE = {
  ContentType: () => ['response', 'the response is not JSON;'],
  Duplicate: (name) => ['response', `the response holds \`${name}\` more than once`],
  Json: () => ['response', 'the response is not a JSON object (at octet '],
  Malformed: (name) => ['response', `the response's \`${name}\` holds characters `],
  Missing: (name) => ['response', `the response has no \`${name}\``],
  Redirect: (status) => ['response', `the endpoint answered with a redirect (${status})`],
  Server: (error, { status }) => ['server', `the server refused (${status}): ${error}`],
  Status: (status) => ['status', `the server answered with status ${status} and no OAuth error`],
  TokenType: () => ['response', 'the token is not of type Bearer '],
  TooBig: (name) => ['response', `the response's \`${name}\` is longer than `],
  Type: (name) => ['response', `the response's \`${name}\` is of the wrong type `],
};

test('redirects have the verdict that they have in the core', () => {
  // What only a listener sees has no place in a page.
  run(cases('callback.json'), ({ seen }) => seen === 'head', 271, Object.keys(CALLBACK), callback);
});

test('token answers have the verdict that they have in the core', () => {
  // What is wrong with the HTTP itself the browser reads.
  run(cases('token.json').flatMap(exchanges), ({ raw }) => raw, 480, Object.keys(RESPONSE), exchange);
});

test('JSON is told from what is none', () => {
  run(cases('json.json'), () => false, 333, ['Json', 'Missing'], ({ body, input, expected }) => {
    const value = octets(input);
    const answer = body ? value : Buffer.concat([Buffer.from('{"access_token":"AT","x":'), value, Buffer.from(',"token_type":"Bearer"}')]);
    verdict(() => newClient(`http://${ADDRESS}/cb`).refresh('RT1').read(new Answer(200, JSON_TYPE, undefined, undefined, answer)),
      expected, RESPONSE, {});
  });
});

test('a refresh is for what an API says of the token alone', () => {
  run(cases('challenges.json'), () => false, 95, ['InsufficientScope', 'InvalidRequest', 'InvalidToken', 'None', 'Permission'],
    ({ status = 401, input, also = [], expected }) => {
      // The browser hands several fields over as one.
      const fields = [input, ...also].map((field) => String(octets(field))).join(', ');
      assert.equal(wantsRefresh(status, fields), expected === 'InvalidToken');
    });
});

/** Runs all cases but those, and fails with all that differs. */
function run(all, isElsewhere, fewest, kinds, check) {
  const here = all.filter((one) => !isElsewhere(one));
  assert.ok(here.length >= fewest, `${here.length} cases`);
  const failed = [];
  for (const one of here) {
    try {
      check(one);
    } catch (error) {
      failed.push(`${one.id}, ${one.why}: ${error.message}`);
    }
  }
  assert.equal(failed.length, 0, `${failed.length} of ${here.length} differ:\n${failed.join('\n')}`);
  const seen = new Set(here.map(({ expected }) => expected.split('(')[0]).filter((kind) => kind !== 'Accepted'));
  assert.deepEqual([...seen].sort(), kinds);
}

function callback({ seen = 'query', server = 'promised', issuer = ISSUER, query, input, expected, code = DEFAULT.code }) {
  const client = newClient(`http://${ADDRESS}/cb${query ? `?${query}` : ''}`, server === 'unknown' ? undefined : issuer, server === 'promised');
  const [{ state: other }, { pending, state }] = [0, 64].map((first) => begin(client, first));
  const start = { query: `http://${ADDRESS}/cb?`, target: `http://${ADDRESS}`, url: '' }[seen];
  const redirect = start + octets(input, (text) => fill(text, state, other));
  assert.equal(client.matches(pending, redirect), !['Duplicate(state)', 'State', 'Target'].includes(expected), 'matches');
  const grant = verdict(() => client.accept(pending, redirect), expected, CALLBACK, {});
  if (grant) assert.equal(/&code=([^&]*)/.exec(grant.request().body)[1], String(octets(code)));
}

function exchange({ grant, status = 200, headers = [['Content-Type', JSON_TYPE]], body, expected, tokens = DEFAULT.tokens, ...hints }) {
  const client = newClient(`http://${ADDRESS}/cb`, ISSUER, false);
  const step = grant === 'refresh' ? client.refresh('RT1') : accepted(client);
  const fields = new Headers(headers);
  const [type, date, retryAfter] = ['content-type', 'date', 'retry-after'].map((name) => fields.get(name) ?? undefined);
  const answer = new Answer(status, type, date, retryAfter, body);
  const granted = verdict(() => step.read(answer), expected, RESPONSE, { status, ...hints });
  if (!granted) return;
  const { accessToken, refreshToken, expiresIn, scope } = granted;
  assert.deepEqual([accessToken, refreshToken, expiresIn, scope?.split(/\s+/).filter(Boolean)], [
    String(octets(tokens.access_token)), tokens.refresh_token, tokens.expires_in, tokens.scope,
  ]);
}

/** What the work gives, where it should give something; its error is looked at here. */
function verdict(work, expected, verdicts, { status, advice, retry_after: retryAfter }) {
  const [, kind, argument] = /^(\w+)(?:\((.*)\))?$/.exec(expected);
  let error;
  try {
    const done = work();
    assert.equal('Accepted', expected);
    return done;
  } catch (thrown) {
    if (!(thrown instanceof ProofkeyError)) throw thrown;
    error = thrown;
  }
  assert.ok(kind in verdicts, `${error.message}, not ${expected}`);
  const [code, words] = verdicts[kind](argument, { status });
  assert.deepEqual([error.code, error.message.slice(0, words.length)], [code, words]);
  assert.match(error.message, /^[ -~]{1,300}$/);
  assert.doesNotMatch(error.message, /CANARY/);
  assert.equal(error.serverCode, kind === 'Server' ? argument : undefined);
  assert.equal(error.advice, advice?.toLowerCase() ?? error.advice);
  assert.equal(error.retryAfter, error.advice === 'retry' ? retryAfter : undefined);
  return undefined;
}

function exchanges(one) {
  const body = octets(one.input);
  if (!one.prefixes) return [{ ...one, body }];
  return Array.from(body, (_, length) => ({ ...one, id: `${one.id}-${length}`, body: body.subarray(0, length) }));
}

function newClient(redirectUri, issuer, promised) {
  return new Client('client', redirectUri, 'https://as.example/authorize', 'https://as.example/token', undefined, issuer, promised);
}

function begin(client, first) {
  const { url, pending } = client.authorize('', [], Uint8Array.from({ length: 64 }, (_, at) => first + at));
  return { pending, state: new URL(url).searchParams.get('state') };
}

function accepted(client) {
  const { pending, state } = begin(client, 0);
  return client.accept(pending, `http://${ADDRESS}/cb?code=C&state=${state}`);
}

/** The octets of an input, with what `fill` makes of each text. */
function octets(input, fillIn = (text) => text) {
  return Buffer.concat([input].flat().map((part) => {
    if (typeof part === 'string') return Buffer.from(fillIn(part));
    return part.hex === undefined ? Buffer.from(fillIn(part.repeat).repeat(part.times)) : Buffer.from(part.hex, 'hex');
  }));
}

function fill(text, state, other) {
  const encoded = state.replace(/./g, (letter) => `%${letter.charCodeAt().toString(16)}`);
  const values = {
    address: ADDRESS,
    port: ADDRESS.split(':')[1],
    state,
    encoded,
    twice: encoded.replaceAll('%', '%25'),
    flipped: state.replace(/./g, (letter) => (/[a-z]/.test(letter) ? letter.toUpperCase() : letter.toLowerCase())),
    short: state.slice(0, -1),
    other,
    iss: encodeURIComponent(ISSUER),
  };
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
