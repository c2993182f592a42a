// How a hostile input of tests/corpus is put to the WebAssembly module. This runs in Node.js and in a page.

const ADDRESS = '127.0.0.1:49152';
const ISSUER = 'https://as.example';
const JSON_TYPE = 'application/json';
/** The event of a refusal that ends the login. */
const ENDS = 10;
const FINE = ['Accepted', 'Found', 'NoMetadata'];
const START = '{"issuer":"{issuer}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token"';
const DEFAULT = { code: 'C', tokens: { access_token: 'AT' } };

/** Each verdict: its code for programs, and how the words for people begin, which are the core's. */
export const CALLBACK = {
  Ambiguous: () => ['callback', 'the redirect has both a code and an error'],
  Duplicate: (name) => ['callback', `the redirect has \`${name}\` more than once`],
  Issuer: () => ['callback', /^the redirect (comes from another authorization server: expected|does not say which authorization server it)/],
  Malformed: (name) => ['callback', `the redirect's \`${name}\` contains characters `],
  MissingCode: () => ['callback', 'the redirect has neither a code nor an error'],
  Mode: () => ['callback', 'the redirect has a token, a signed response or a fragment, '],
  Server: (error) => ['server', `the authorization server refused: ${error}`],
  State: () => ['state', 'the redirect does not belong to this login: '],
  Target: () => ['callback', /^(the redirect arrived at another address: expected|the redirect to .* lacks|this is not a redirect: expected)/],
};
export const RESPONSE = {
  ContentCoding: () => ['response', 'the response is compressed although '],
  ContentType: () => ['response', 'the response is not JSON but `'],
  Duplicate: (name) => ['response', `the response has \`${name}\` more than once`],
  Json: () => ['response', 'the response is not a JSON object (at byte '],
  Malformed: (name) => ['response', `the response's \`${name}\` contains characters `],
  Missing: (name) => ['response', `the response has no \`${name}\``],
  Redirect: (status) => ['response', `the endpoint answered with a redirect (${status})`],
  Server: (error, { status }) => ['server', `the server refused (${status}): ${error}`],
  Status: (status) => ['status', `the server answered with status ${status} and no OAuth error`],
  TokenType: () => ['response', /^the token is (of type .*, and only Bearer can be used|not of type Bearer)/],
  TooBig: (name) => ['response', `the response's \`${name}\` is too long`],
  Type: (name) => ['response', `the response's \`${name}\` has the wrong JSON type`],
};
export const FAULTS = {
  Absent: 'it is missing',
  Character: 'it has a character that must be percent-encoded, ',
  DotSegment: 'its path must not have a `.` or `..` segment',
  Fragment: 'it must not have a fragment (`#`)',
  Host: 'it needs a host ',
  HostSpelling: 'write scheme and host as browsers show them: ',
  NotAbsolute: 'it is not a full URI with a scheme',
  Parameter: 'its query has a parameter that the protocol sets itself',
  Port: 'the port must be 1 to 65535 without leading zeros',
  Query: 'it must not have a query (`?`)',
  RepeatedParameter: 'its query has a parameter twice',
  Scheme: 'it must start with https://, or with http:// and 127.0.0.1, [::1] or localhost',
};
const PLACES = { Authorization: 'authorization endpoint', Token: 'token endpoint' };
export const METADATA = {
  Duplicate: RESPONSE.Duplicate,
  Endpoint: (fault) => {
    const [, place, kind] = /^Endpoint\((\w+), (\w+)\)$/.exec(fault);
    return ['response', `the server's metadata cannot be used: ${PLACES[place]}: ${FAULTS[kind]}`];
  },
  Issuer: () => ['response', 'the metadata belongs to another issuer: expected '],
  Malformed: RESPONSE.Malformed,
  Missing: RESPONSE.Missing,
  NoS256: () => ['response', 'the server does not offer PKCE with S256, which is required; it offers `'],
  Server: RESPONSE.Server,
  Status: RESPONSE.Status,
  TooBig: RESPONSE.TooBig,
  Type: RESPONSE.Type,
};

/** How many cases of a kind there are, and which of them differ. `module` is the WebAssembly's exports and ProofkeyError. */
export function run(module, kind, cases) {
  const all = kind === 'token' ? cases.flatMap(exchanges) : cases;
  const failed = [];
  for (const one of all) {
    try {
      CHECKS[kind](module, one);
    } catch (error) {
      failed.push(`${one.id}, ${one.why}: ${error.message}`);
    }
  }
  return { count: all.length, failed };
}

const CHECKS = {
  callback(module, { seen = 'query', server = 'promised', issuer = ISSUER, query, input, expected, code = DEFAULT.code }) {
    const redirectUri = `http://${ADDRESS}/cb${query ? `?${query}` : ''}`;
    const client = newClient(module, redirectUri, server === 'unknown' ? undefined : issuer, server === 'promised');
    const [{ state: other }, { pending, state }] = [0, 64].map((first) => begin(client, first));
    const start = { query: `http://${ADDRESS}/cb?`, target: `http://${ADDRESS}`, url: '' }[seen];
    const redirect = start + text(bytes(input, (part) => fill(part, state, other)));
    same(client.matches(pending, redirect), !['Duplicate(state)', 'State', 'Target'].includes(expected), 'matches');
    const grant = verdict(module, () => client.accept(pending, redirect), expected, CALLBACK, {});
    if (grant) same(/&code=([^&]*)/.exec(grant.step(0).request.body)[1], text(bytes(code)), 'code');
  },

  token(module, one) {
    const { grant, status = 200, headers = [['Content-Type', JSON_TYPE]], body, expected, tokens = DEFAULT.tokens, requested, kept, ends, ...hints } = one;
    const client = newClient(module, `http://${ADDRESS}/cb`, ISSUER, false);
    const response = () => newResponse(module, status, headers, body);
    const good = expected === 'Accepted' && tokens.refresh_token !== 'RT1' ? tokens.refresh_token : undefined;
    const outcome = client.refresh('RT1').read(response());
    if (grant === 'refresh') same(outcome.refreshToken, good ?? kept, 'kept');
    if (ends !== undefined) same(outcome.event === ENDS, ends, 'ends the login');
    const read = grant === 'refresh' ? () => tokensOf(outcome) : () => accepted(client).read(response());
    const granted = verdict(module, read, expected, RESPONSE, { status, ...hints });
    if (!granted) return;
    const { accessToken, refreshToken, expiresIn, scope } = granted;
    same([accessToken, refreshToken, expiresIn], [text(bytes(tokens.access_token)), tokens.refresh_token, tokens.expires_in], 'tokens');
    // A page gets the scope as the server wrote it, and an empty one if it is unknown. Which words it has depends on the request.
    const words = tokens.scope === 'unknown' ? [] : tokens.scope;
    if (!requested) same(scope?.split(/\s+/).filter(Boolean), words, 'scope');
  },

  json(module, { body, input, expected }) {
    const value = bytes(input);
    const whole = body ? value : joined([encoded('{"access_token":"AT","x":'), value, encoded(',"token_type":"Bearer"}')]);
    const refresh = newClient(module, `http://${ADDRESS}/cb`).refresh('RT1');
    const outcome = refresh.read(newResponse(module, 200, [['Content-Type', JSON_TYPE]], whole));
    verdict(module, () => tokensOf(outcome), expected, RESPONSE, {});
  },

  metadata(module, { issuer: given = '', answers, expected, found = {}, asked, advice, says = [] }) {
    const issuer = given.includes('://') ? given : `http://${ADDRESS}${given}`;
    const origin = /^\w+:\/\/[^/]+/.exec(issuer)[0];
    const at = (part) => part.replaceAll('{start}', START).replaceAll('{issuer}', issuer).replaceAll('{origin}', origin);
    const [, wanted, after] = /^(\w+)(?:\((\d+)\))?$/.exec(advice ?? 'Fix');
    const hints = { advice: wanted, retry_after: after && Number(after) };
    const [discovery, addresses, list] = [module.Flow.discovery(issuer), [], [...answers]];
    const search = () => {
      for (let step = discovery.step(0); step; step = discovery.step(0)) {
        addresses.push(step.request.url);
        const { status = 200, headers = [['Content-Type', JSON_TYPE]], body = '', closes, raw } = list.shift() ?? { status: 404, headers: [] };
        hints.status = status;
        const response = newResponse(module, status, headers, bytes(body, at));
        if (closes || raw) discovery.unanswered(true, 0);
        else if (discovery.hear(response, 0)) return discovery.read(response);
      }
      hints.message = discovery.over().message;
      return undefined;
    };
    const server = verdict(module, search, expected, METADATA, hints);
    same([addresses.length, new Set(addresses).size], [asked, asked], 'addresses');
    same(server !== undefined, expected === 'Found', 'metadata');
    if (expected === 'NoMetadata') addresses.forEach((address) => same(hints.message.split(`${address} `).length, 2, `${address} in ${hints.message}`));
    // A page begins with the address that the core asks last.
    const paths = addresses.map((address) => new URL(address).pathname);
    const core = [...paths.slice(1), ...paths.slice(0, 1)];
    const here = (part) => part.replace(/^\/\S*/, (path) => paths[core.indexOf(path)] ?? path);
    for (const part of says.map(here)) same(hints.message.includes(at(part)), true, `${at(part)} in ${hints.message}`);
    if (server) same([/^revocation_endpoint$/m, /^iss_parameter$/m].map((name) => name.test(server)), [found.revocation ?? false, found.iss ?? false], 'found');
  },

  uris({ Client, ProofkeyError }, { place, input, expected }) {
    const [uri, good] = [text(bytes(input)), 'https://as.example/x'];
    const names = {
      'redirect URI': 'redirect_uri',
      'authorization endpoint': 'authorization_endpoint',
      'token endpoint': 'token_endpoint',
      'revocation endpoint': 'revocation_endpoint',
      issuer: 'issuer',
    };
    const most = { client_id: 'client', redirect_uri: good, authorization_endpoint: good, token_endpoint: good };
    const make = Object.fromEntries(Object.entries(names).map(([name, key]) => [name, () => new Client(settings({ ...most, [key]: uri }))]));
    for (const [name, client] of Object.entries(make).filter(([one]) => one.includes(place))) {
      const verdicts = Object.fromEntries(Object.entries(FAULTS).map(([fault, words]) => [fault, () => ['config', `${name}: ${words}`]]));
      verdict({ ProofkeyError }, client, expected, verdicts, { advice: 'fix' });
    }
  },

  challenges(module, { status = 401, input, also = [], expected }) {
    // The browser hands several fields over as one.
    const fields = [input, ...also].map((field) => text(bytes(field))).join(', ');
    same(module.wantsRefresh(status, fields), expected === 'InvalidToken', 'refresh');
  },
};

/** What the work gives, if it should give something; its error is looked at here, and its words are left in the hints. */
function verdict({ ProofkeyError }, work, expected, verdicts, hints) {
  const [, kind, argument] = /^(\w+)(?:\((.*)\))?$/.exec(expected);
  let done;
  try {
    done = work();
  } catch (error) {
    if (!(error instanceof ProofkeyError)) throw error;
    if (!(kind in verdicts)) throw new Error(`${error.message}, not ${expected}`);
    const { status, advice, retry_after: retryAfter } = hints;
    hints.message = error.message;
    const [code, words] = verdicts[kind](argument, { status });
    same(error.code, code, 'code');
    if (words instanceof RegExp ? !words.test(error.message) : !error.message.startsWith(words)) throw new Error(`it says ${error.message}`);
    if (!/^[ -~]{1,300}$/.test(error.message) || error.message.includes('CANARY')) throw new Error(`it says ${error.message}`);
    same(error.serverCode, kind === 'Server' ? argument : undefined, 'serverCode');
    same(error.advice, advice?.toLowerCase() ?? error.advice, 'advice');
    same(error.retryAfter, error.advice === 'retry' ? retryAfter : undefined, 'retryAfter');
    return undefined;
  }
  same(FINE.includes(expected), true, `instead of ${expected}`);
  return done;
}

function same(actual, expected, what) {
  const [one, other] = [actual, expected].map((value) => JSON.stringify([value].flat().map((part) => part ?? '(none)')));
  if (one !== other) throw new Error(`${what} ${one} instead of ${other}`);
}

function tokensOf({ tokens, error }) {
  if (error) throw error;
  return tokens;
}

function exchanges(one) {
  const body = bytes(one.input);
  if (!one.prefixes) return [{ ...one, body }];
  return Array.from(body, (_, length) => ({ ...one, id: `${one.id}-${length}`, body: body.subarray(0, length) }));
}

function newClient({ Client }, redirectUri, issuer, promised) {
  return new Client(settings({
    client_id: 'client', redirect_uri: redirectUri, authorization_endpoint: 'https://as.example/authorize',
    token_endpoint: 'https://as.example/token', ...issuer && { issuer }, ...promised && { iss_parameter: '' },
  }));
}

function settings(values) {
  return Object.entries(values).flat().map((part) => `${part.replaceAll('\n', '\t')}\n`).join('');
}

function newResponse({ HttpResponse }, status, headers, body) {
  return new HttpResponse(status, [...new Headers(headers)].flat().join('\n'), body, false);
}

function begin(client, first) {
  const { url, pending } = client.authorize('', '', Uint8Array.from({ length: 64 }, (_, at) => first + at));
  return { pending, state: new URL(url).searchParams.get('state') };
}

function accepted(client) {
  const { pending, state } = begin(client, 0);
  return client.accept(pending, `http://${ADDRESS}/cb?code=C&state=${state}`);
}

/** The bytes of an input, with what `fillIn` makes of each text. */
function bytes(input, fillIn = (part) => part) {
  return joined([input].flat().map((part) => {
    if (typeof part === 'string') return encoded(fillIn(part));
    if (part.hex === undefined) return encoded(fillIn(part.repeat).repeat(part.times));
    return Uint8Array.from(part.hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }));
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const encoded = (value) => new TextEncoder().encode(value);
const text = (value) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(value);

function fill(part, state, other) {
  const escaped = state.replace(/./g, (letter) => `%${letter.charCodeAt().toString(16)}`);
  const values = {
    address: ADDRESS,
    port: ADDRESS.split(':')[1],
    state,
    encoded: escaped,
    twice: escaped.replaceAll('%', '%25'),
    flipped: state.replace(/./g, (letter) => (/[a-z]/.test(letter) ? letter.toUpperCase() : letter.toLowerCase())),
    short: state.slice(0, -1),
    other,
    iss: encodeURIComponent(ISSUER),
  };
  return part.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
