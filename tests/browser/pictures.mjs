// Makes the pictures in docs/pictures/: `node pictures.mjs`, after `cargo build`.
import { serve } from '../../examples/spa/serve.mjs';
import { Tool, authorizationUrl, openBrowser, signIn, startDevServer } from './tools.mjs';

const folder = new URL('../../docs/pictures/', import.meta.url).pathname;
const browser = await openBrowser();
await demo();
await pages();
await app('app-desk', { viewport: { width: 800, height: 600 } });
await app('app-phone', { viewport: { width: 390, height: 760 }, colorScheme: 'dark', isMobile: true, hasTouch: true });
await browser.close();

/** The demo's true output, as a terminal of 118 columns shows it. */
async function demo() {
  process.env.CLICOLOR_FORCE = '1';
  const tool = new Tool();
  const run = tool.start('demo', '--auto');
  run.process.stdin.end();
  await run.ended;
  tool.remove();
  const page = await browser.newPage({ viewport: { width: 1000, height: 600 } });
  await page.setContent(`<style>
    body { margin: 0; background: #12161c; color: #d8dee6 }
    pre { margin: 0; padding: 20px; width: 118ch; font: 13px/1.45 'DejaVu Sans Mono', monospace; white-space: pre-wrap; word-break: break-all }
    b { color: #fff } i { font-style: normal; color: #8a96a3 } u { color: #5bc98c; font-weight: bold; text-decoration: none }
  </style><pre><i>$</i> proofkey demo --auto\n${styled(run.stdout)}</pre>`);
  await page.locator('pre').screenshot({ path: `${folder}demo.png` });
  await page.close();
}

/** The pages of a sign-in with the tool, one of them as a dark desk shows it. */
async function pages() {
  const server = await startDevServer();
  const tool = new Tool();
  const login = tool.login(server, '--no-browser', '--scope', 'itwin-platform offline_access');
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const picture = (name) => page.screenshot({ path: `${folder}${name}.png` });
  await page.goto(await authorizationUrl(login));
  await picture('sign-in');
  await signIn(page);
  await page.locator('#allow').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture('consent');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.click('#allow');
  await page.waitForURL(/callback/);
  await picture('signed-in');
  await login.ended;
  await page.close();
  tool.remove();
  await server.stop();
}

/** Escape sequences of the three styles that the demo has. */
function styled(text) {
  const tags = { '[1m': 'b', '[2m': 'i', '[1m\x1b[32m': 'u' };
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
    .replace(/\x1b(\[1m\x1b\[32m|\[1m|\[2m)(.*?)\x1b\[0m/g, (_, style, inside) => `<${tags[style]}>${inside}</${tags[style]}>`);
}

async function app(name, options) {
  const server = await startDevServer();
  const site = await serve({ port: 0, issuer: server.issuer });
  const page = await browser.newPage(options);
  await page.goto(`${site.origin}/`);
  await page.click('#sign-in');
  await signIn(page);
  await page.click('#allow');
  await page.getByRole('status').filter({ hasText: 'Signed in as alice.' }).waitFor();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `${folder}${name}.png` });
  await page.close();
  await site.stop();
  await server.stop();
}
