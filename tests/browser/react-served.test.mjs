// The React example as its development server serves it; its headers; and what is seen while it is not known who is signed in.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { button, example, open, place, setUp, titled, vite } from './react.mjs';
import { allow, withProfile } from './spa.mjs';

const all = setUp();
const timeout = 60_000;

test('the README lists the headers that are sent', async () => {
  const { resolveConfig } = await vite();
  const { VITE_ISSUER, VITE_API } = process.env;
  Object.assign(process.env, { VITE_ISSUER: 'https://ims.bentley.com', VITE_API: 'https://api.bentley.com' });
  const { preview } = await resolveConfig({ root: example, logLevel: 'error' }, 'serve', 'production', 'production', true);
  Object.assign(process.env, { VITE_ISSUER, VITE_API });
  const lines = Object.entries(preview.headers).map(([name, value]) => `${name}: ${value}\n`).join('');
  for (const page of [join(example, 'README.md'), join(example, '../../docs/guide/spa.md')]) {
    assert.ok(readFileSync(page, 'utf8').includes(`\n\`\`\`text\n${lines}\`\`\`\n`), `${page} is not:\n${lines}`);
  }
  const { headers } = await fetch(`${all.origin}/callback`);
  assert.match(headers.get('content-security-policy'), /script-src 'self' 'wasm-unsafe-eval';.*require-trusted-types-for 'script'/);
});

test('npm run dev: sign in, with a policy as strict', { timeout }, () => withProfile(all.browser, async (context) => {
  const { createServer } = await vite();
  const server = await createServer({ root: example, logLevel: 'error', server: { port: 0, strictPort: false } });
  await server.listen();
  try {
    const origin = `http://127.0.0.1:${server.httpServer.address().port}`;
    const { headers } = await fetch(origin);
    assert.match(headers.get('content-security-policy'), /script-src 'self' 'wasm-unsafe-eval' 'nonce-[^']+'; style-src 'self' 'nonce-/);
    const page = await open(context, { origin }, '/account?x=1#y');
    await button(page, 'Sign in').click();
    await allow(page);
    await titled(page, 'My account');
    assert.equal(place(page), '/account?x=1#y');
    await page.getByText('alice@example.test').waitFor();
  } finally {
    await server.close();
  }
}));

test('back from the sign-in, and after a reload: nothing flickers', { timeout }, () => withProfile(all.browser, async (context, sent) => {
  await context.addInitScript(() => {
    globalThis.seen = [];
    const look = () => {
      const title = document.querySelector('h1')?.textContent;
      if (title && title !== globalThis.seen.at(-1)) globalThis.seen.push(title);
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  });
  const page = await open(context, all, '/account');
  await button(page, 'Sign in').click();
  await allow(page);
  for (const again of [() => {}, () => page.reload(), () => page.reload()]) {
    await again();
    await page.getByText('alice@example.test').waitFor();
    assert.deepEqual(await page.evaluate(() => globalThis.seen), ['My account']);
  }
  assert.equal(sent.length, 1);
}));
