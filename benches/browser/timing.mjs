// How long a sign-in takes in Chromium, without the user: `node timing.mjs [ROUNDS]`.
//
// click     from the click to the navigation to the authorization endpoint
// callback  from the first byte of the page at the redirect URI to the access token: script, module, token request
//
// "Cold" is a new browser profile each time, so that everything is fetched and compiled. "Warm" is a profile that has been
// there: files in the HTTP cache, and the WebAssembly module loaded before the click.
// "80 ms away" is the app's own server, whose answers come so much later; "preloaded" is with
// `<link rel=preload as=fetch crossorigin>` for the WebAssembly module in the page's head.
// Each page first calls what its library's documentation has on every page load; a cold click does not wait for that.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { openBrowser, signIn, startDevServer } from '../../tests/browser/tools.mjs';
import { HERE, NAMES, OURS, bundle, entry, table, version, wasm } from './bundle.mjs';

const ROUNDS = Number(process.argv[2] ?? 20);
const WARM_UP = 2;
const READY = 'html[data-ready]';
const PAGE = '<!doctype html><title>Timing</title><link rel="icon" href="data:,"><script type="module" src="/app.js"></script>'
  + '<button>Sign in</button>';
const PRELOAD = '<link rel="preload" as="fetch" crossorigin href="/proofkey_browser_bg.wasm">';
const CASES = [
  { says: 'cold, metadata fetched' },
  { says: 'cold, endpoints given', given: true },
  { says: 'warm, endpoints given', given: true, warm: true },
  { says: 'cold, 80 ms away', given: true, latency: 80 },
  { says: 'cold, 80 ms away, module preloaded', given: true, latency: 80, preload: true },
];

const stops = [];
try {
  await main();
} finally {
  for (const stop of stops.reverse()) await stop();
}

async function main() {
  const [server, browser] = await Promise.all([startDevServer(), openBrowser()]);
  stops.push(() => server.stop(), () => browser.close());
  const metadata = await (await fetch(`${server.issuer}/.well-known/oauth-authorization-server`)).json();
  const sites = await Promise.all(NAMES.flatMap((name) => CASES.map((one) => start(name, one, server, metadata))));
  const storageState = await signInOnce(browser, sites[0]);
  for (const site of sites) {
    if (site.warm) site.context = await browser.newContext({ storageState });
  }
  for (let at = 0; at < WARM_UP + ROUNDS; at += 1) {
    // Every other round the other way about, so that none is always behind another.
    for (const site of at % 2 ? sites.toReversed() : sites) {
      const context = site.context ?? await browser.newContext({ storageState });
      const times = await round(context, site);
      if (at >= WARM_UP) site.times.push(times);
      if (!site.context) await context.close();
    }
  }
  report(sites, browser);
}

/** A site of its own for each library and case, with files that may be cached. */
async function start(name, { says, given = false, warm = false, latency = 0, preload = false }, { issuer, clientId }, metadata) {
  const options = { issuer, clientId, scope: 'itwin-platform offline_access', server: given ? metadata : undefined };
  const contents = `
    import { open } from '${entry(name)}';
    import { run } from './page.mjs';
    run(open({ ...${JSON.stringify(options)}, redirectUri: location.origin + '/callback' }), ${warm});`;
  const page = preload && name === OURS ? PAGE.replace('<script', `${PRELOAD}<script`) : PAGE;
  const files = {
    '/': ['text/html', page],
    '/callback': ['text/html', page],
    '/app.js': ['text/javascript', await bundle({ stdin: { contents, resolveDir: HERE } })],
    '/proofkey_browser_bg.wasm': ['application/wasm', wasm()],
  };
  const site = createServer(({ url }, response) => {
    const [type, body] = files[new URL(url, 'http://127.0.0.1').pathname] ?? [];
    const cache = type === 'text/html' ? 'no-store' : 'max-age=3600';
    const answer = () => response.writeHead(type ? 200 : 404, { 'content-type': type ?? 'text/plain', 'cache-control': cache }).end(body);
    if (latency) setTimeout(answer, latency);
    else answer();
  });
  await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve); });
  stops.push(() => { site.close(); site.closeAllConnections(); });
  return { name, says, warm, origin: `http://127.0.0.1:${site.address().port}`, times: [] };
}

/** The cookie of a user who has signed in and allowed: the server then redirects without a page. */
async function signInOnce(browser, { origin }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  await page.click(`${READY} button`);
  await signIn(page);
  await page.click('#allow');
  await page.waitForFunction(() => globalThis.round);
  const { cookies } = await context.storageState();
  await context.close();
  return { cookies, origins: [] };
}

async function round(context, { name, origin }) {
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  await page.click(`${READY} button`);
  const { click, callback, token } = await (await page.waitForFunction(() => globalThis.round)).jsonValue();
  await page.close();
  assert.match(token, /^[\w-]{43}$/, name);
  assert.ok(click > 0 && callback > 0, name);
  return { click, callback };
}

function report(sites, browser) {
  const rows = CASES.flatMap(({ says }) => ['click', 'callback'].flatMap((what) => {
    const all = sites.filter((site) => site.says === says).map(({ name, times }) => [name, times.map((one) => one[what])]);
    const ours = quantile(all.find(([name]) => name === OURS)[1], 0.5);
    return all.map(([name, times]) => {
      const [low, median, high] = [0.25, 0.5, 0.75].map((part) => quantile(times, part));
      return [`${what}, ${says}`, name, ...[median, low, high].map((time) => time.toFixed(1)), (median / ours).toFixed(2)];
    });
  }));
  table([['milliseconds', 'library', 'median', 'lower', 'upper', '×'], ...rows]);
  const versions = NAMES.map((name) => `${name} ${version(name)}`).join(', ');
  console.log(`\nMedians with their quartiles, and the ratio to ${OURS} of ${ROUNDS} rounds each, in turn.`);
  console.log(`node timing.mjs ${ROUNDS}: Chromium ${browser.version()}, ${versions}`);
}

function quantile(values, part) {
  const sorted = values.toSorted((one, other) => one - other);
  const place = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place % 1);
}
