// How long a sign-in takes in Chromium, without the user: `node timing.mjs [ROUNDS]`.
//
// click     from the click to the navigation to the authorization endpoint
// callback  from the first byte of the page at the redirect URI to the access token: script, module, token request
// reload    from the first byte of the page that is loaded again to the access token
//
// "80 ms" is the latency of every request of the page that is not answered from its cache, to the app's own server and to the
// authorization server, alike for each library (CDP, `Network.emulateNetworkConditions`).
// "Cold" is a new browser profile each time, so that everything is fetched and compiled. "Warm" is a profile that has been
// there: files in the HTTP cache, and the WebAssembly module loaded before the click. "Preloaded" is with
// `<link rel=preload as=fetch crossorigin>` for the WebAssembly module in the page's head.
// Each page first calls what its library's documentation has on every page load; a cold click does not wait for that.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { openBrowser, signIn, startDevServer } from '../../tests/browser/tools.mjs';
import { HERE, NAMES, OURS, bundle, entry, table, version, wasm, worker } from './bundle.mjs';
import { originOf, startFront } from './front.mjs';

const ROUNDS = Number(process.argv[2] ?? 20);
const WARM_UP = ROUNDS > 1 ? 1 : 0;
const READY = 'html[data-ready]';
const PAGE = '<!doctype html><title>Timing</title><link rel="icon" href="data:,"><script type="module" src="/app.js"></script>'
  + '<button>Sign in</button>';
const PRELOAD = '<link rel="preload" as="fetch" crossorigin href="/proofkey_browser_bg.wasm">';
const SCOPE = 'itwin-platform offline_access';
const WHATS = ['click', 'callback', 'reload'];
const CASES = [
  { says: 'cold, 80 ms, endpoints given', given: true, latency: 80 },
  { says: 'cold, 80 ms, module preloaded', given: true, latency: 80, preload: true },
  { says: 'warm, 80 ms, endpoints given', given: true, latency: 80, warm: true },
  { says: 'cold, 80 ms, metadata fetched', latency: 80 },
  { says: 'cold, no latency, endpoints given', given: true },
];
const MSAL = '@azure/msal-browser';
const AUTH0 = '@auth0/auth0-spa-js';
/** What a library does not do in which cases, and why. */
const NOT = [
  { names: NAMES.filter((name) => name !== OURS), when: ({ preload }) => preload, why: 'has no module to preload' },
  { names: [MSAL], when: ({ given }) => !given, why: 'fetches metadata with https only: it is given here' },
  { names: [AUTH0], when: ({ given }) => !given, why: 'never fetches metadata: its endpoints have fixed paths, which the bench serves' },
  { names: ['openid-client', 'oauth4webapi'], what: 'reload', when: () => true, why: 'keep nothing: that is left to the app' },
];
const lacks = (name, one, what) => NOT.find((not) => not.names.includes(name) && (!not.what || not.what === what) && not.when(one));

const stops = [];
try {
  await main();
} finally {
  for (const stop of stops.reverse()) await stop();
}

async function main() {
  const scopes = [...SCOPE.split(' '), 'openid', 'profile', 'email'].flatMap((scope) => ['--scope', scope]);
  const [server, browser] = await Promise.all([startDevServer(...scopes), openBrowser()]);
  stops.push(() => server.stop(), () => browser.close());
  const metadata = await (await fetch(`${server.issuer}/.well-known/oauth-authorization-server`)).json();
  const front = await startFront(metadata);
  stops.push(front.stop);
  const all = { server, metadata, front };
  const sites = await Promise.all(CASES.flatMap((one) => NAMES.filter((name) => !lacks(name, one)).map((name) => start(name, one, all))));
  const storageState = await signInOnce(browser, sites);
  for (const site of sites) {
    if (site.warm) site.context = await browser.newContext({ storageState });
  }
  for (let at = 0; at < WARM_UP + ROUNDS; at += 1) {
    // Every other round the other way about, so that none is always behind another.
    for (const site of at % 2 ? sites.toReversed() : sites) {
      const context = site.context ?? await browser.newContext({ storageState });
      const times = await round(context, site).catch((error) => { throw new Error(`${site.name}, ${site.says}`, { cause: error }); });
      if (at >= WARM_UP) site.times.push(times);
      if (!site.context) await context.close();
    }
  }
  report(sites, browser);
}

/** A site of its own for each library and case, with files that may be cached. */
async function start(name, one, { server: { issuer, clientId }, metadata, front }) {
  const options = { issuer, clientId, scope: SCOPE, server: one.given ? metadata : undefined, front: front.origin };
  const contents = `
    import { open } from '${entry(name)}';
    import { run } from './page.mjs';
    run(open({ ...${JSON.stringify(options)}, redirectUri: location.origin + '/callback' }), ${one.warm});`;
  const page = one.preload ? PAGE.replace('<script', `${PRELOAD}<script`) : PAGE;
  const files = {
    '/': ['text/html', page],
    '/callback': ['text/html', page],
    '/kept': ['text/html', page],
    '/app.js': ['text/javascript', await bundle({ stdin: { contents, resolveDir: HERE } })],
    '/worker.js': ['text/javascript', await worker()],
    '/proofkey_browser_bg.wasm': ['application/wasm', wasm()],
  };
  const site = createServer(({ url }, response) => {
    const [type, body] = files[new URL(url, 'http://127.0.0.1').pathname] ?? [];
    const cache = type === 'text/html' ? 'no-store' : 'max-age=3600';
    response.writeHead(type ? 200 : 404, { 'content-type': type ?? 'text/plain', 'cache-control': cache }).end(body);
  });
  await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve); });
  stops.push(() => { site.close(); site.closeAllConnections(); });
  return { ...one, name, origin: originOf(site), times: [] };
}

/** The cookie of a user who has signed in and allowed what each library asks for: the server then redirects without a page. */
async function signInOnce(browser, sites) {
  const context = await browser.newContext();
  for (const name of NAMES) {
    const page = await context.newPage();
    await page.goto(sites.find((site) => site.name === name).origin);
    await page.click(`${READY} button`);
    if (await shown(page, '#username')) await signIn(page);
    if (await shown(page, '#allow')) await page.click('#allow');
    await page.waitForFunction(() => globalThis.round);
    await page.close();
  }
  const { cookies } = await context.storageState();
  await context.close();
  return { cookies: cookies.filter(({ name }) => !name.startsWith('auth0')), origins: [] };
}

/** Whether this is shown, or else the page that has the token. */
async function shown(page, selector) {
  const there = await page.waitForFunction((wanted) => (globalThis.round ? 'round' : document.querySelector(`${wanted}, #allow`)?.id), selector);
  return `#${await there.jsonValue()}` === selector;
}

async function round(context, { name, origin, latency = 0, ...one }) {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 });
  await page.goto(origin);
  await page.click(`${READY} button`);
  const { click, took: callback } = await finished(page, name);
  const times = { click, callback };
  if (!lacks(name, one, 'reload')) {
    if (name === OURS) await page.waitForFunction(isKept);
    await page.waitForLoadState();
    await page.reload();
    times.reload = (await finished(page, name)).took;
  }
  await page.close();
  return times;
}

async function finished(page, name) {
  const times = await (await page.waitForFunction(() => globalThis.round)).jsonValue();
  assert.match(times.token, /^(Bearer )?[\w-]{43}$/, name);
  assert.ok(times.click > 0 && times.took > 0, name);
  return times;
}

/** Whether the worker has the tokens: it then holds the same lock as the page. Runs in the page. */
async function isKept() {
  const names = (await navigator.locks.query()).held.map((lock) => lock.name);
  return new Set(names).size < names.length;
}

function report(sites, browser) {
  const rows = WHATS.flatMap((what) => CASES.flatMap((one) => {
    const all = sites.filter((site) => site.says === one.says && site.times.every((times) => what in times))
      .map(({ name, times }) => [name, times.map((time) => time[what])]);
    const ours = quantile(all.find(([name]) => name === OURS)[1], 0.5);
    return all.map(([name, times]) => {
      const [low, median, high] = [0.25, 0.5, 0.75].map((part) => quantile(times, part));
      return [`${what}, ${one.says}`, name, ...[median, low, high].map((time) => time.toFixed(1)), (median / ours).toFixed(2)];
    });
  }));
  table([['milliseconds', 'library', 'median', 'lower', 'upper', '×'], ...rows]);
  console.log(`\nMedians with their quartiles, and the ratio to ${OURS}, of ${ROUNDS} rounds each, in turn.`);
  for (const { names, what, why } of NOT.slice(1)) console.log(`Not there${what ? ` (${what})` : ''}: ${names.join(', ')} ${why}.`);
  const versions = NAMES.map((name) => `${name} ${version(name)}`).join(', ');
  console.log('@itwin/browser-authorization takes no endpoints: it fetches the metadata in each case.');
  console.log(`node timing.mjs ${ROUNDS}: Chromium ${browser.version()}, ${versions}`);
}

function quantile(values, part) {
  const sorted = values.toSorted((one, other) => one - other);
  const place = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place % 1);
}
