// Three browser engines behind one small client of the W3C WebDriver protocol: https://www.w3.org/TR/webdriver2/
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const WEBKIT = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';

const ENGINES = {
  Chromium: {
    driver: (port) => ['chromedriver', `--port=${port}`],
    capabilities: { 'goog:chromeOptions': { args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'] } },
  },
  Firefox: {
    driver: (port) => ['geckodriver', '--port', port, '--websocket-port', '0'],
    capabilities: { 'moz:firefoxOptions': { binary: '/usr/bin/firefox-esr', args: ['-headless'] } },
  },
  WebKit: {
    driver: (port) => ['WebKitWebDriver', `--port=${port}`],
    capabilities: { 'webkitgtk:browserOptions': { binary: WEBKIT, args: ['--automation'] } },
    // It has no headless mode, and its sandbox needs a user who is not root.
    env: { GDK_BACKEND: 'x11', WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' },
    screen: true,
  },
};

export const NAMES = Object.keys(ENGINES);

const PATIENCE = 90_000;
/** The name under which the protocol has an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** Opens a browser, with a driver and a profile of its own. */
export async function openEngine(name) {
  const { driver, capabilities, env = {}, screen } = ENGINES[name];
  const started = [];
  const stop = () => Promise.all(started.map(end));
  try {
    const display = screen ? await startScreen(started) : {};
    const port = await freePort();
    const [program, ...args] = driver(String(port));
    started.push(start(program, args, { ...env, ...display }));
    const base = `http://127.0.0.1:${port}`;
    await until(async () => {
      if (started.at(-1).problem) throw started.at(-1).problem;
      const answer = await fetch(`${base}/status`).catch(() => undefined);
      return answer?.ok && (await answer.json()).value.ready !== false;
    });
    return await Browser.open(base, capabilities, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A browser with one window or more. */
class Browser {
  #base;
  #stop;
  #isNew = true;

  static async open(base, capabilities, stop) {
    const browser = new Browser();
    browser.#stop = stop;
    const { sessionId, capabilities: { browserVersion } } = await send('POST', `${base}/session`, {
      capabilities: { alwaysMatch: { ...capabilities, timeouts: { script: PATIENCE, pageLoad: PATIENCE } } },
    });
    browser.version = browserVersion;
    browser.#base = `${base}/session/${sessionId}`;
    return browser;
  }

  /** A command of the protocol. */
  send(method, path, body) {
    return send(method, this.#base + path, body);
  }

  async close() {
    try {
      await this.send('DELETE', '');
    } finally {
      await this.#stop();
    }
  }

  /** A new tab in place of all windows, without the cookies of this site. */
  async anew(url) {
    if (this.#isNew) {
      this.#isNew = false;
      return new Page(this, await this.send('GET', '/window'));
    }
    const others = await this.windows();
    const page = await this.newTab();
    for (const handle of others) await new Page(this, handle).close();
    await page.goto(url);
    await page.send('DELETE', '/cookie');
    return page;
  }

  async newTab() {
    const { handle } = await this.send('POST', '/window/new', { type: 'tab' });
    return new Page(this, handle);
  }

  windows() {
    return this.send('GET', '/window/handles');
  }

  /** The window that this work opens. */
  async opened(work) {
    const before = await this.windows();
    await work();
    const [handle] = await until(async () => {
      const more = (await this.windows()).filter((one) => !before.includes(one));
      return more.length > 0 && more;
    });
    return new Page(this, handle);
  }
}

/** A window or tab. Commands go to one window at a time: await each before the next one. */
class Page {
  #browser;

  constructor(browser, handle) {
    this.#browser = browser;
    this.handle = handle;
  }

  async send(method, path, body) {
    const browser = this.#browser;
    // WebKit's driver hangs now and then if it switches while a window closes: not more often than needed.
    if (browser.current !== this.handle) await browser.send('POST', '/window', { handle: this.handle });
    browser.current = this.handle;
    return browser.send(method, path, body);
  }

  goto(url) { return this.send('POST', '/url', { url }); }

  url() { return this.send('GET', '/url'); }

  reload() { return this.send('POST', '/refresh', {}); }

  back() { return this.send('POST', '/back', {}); }

  forward() { return this.send('POST', '/forward', {}); }

  cookies() { return this.send('GET', '/cookie'); }

  close() { return this.send('DELETE', '/window'); }

  /** Whether the window is there. */
  async isOpen() { return (await this.#browser.windows()).includes(this.handle); }

  /** The result of a function that runs in the page, or of its promise. Globals of the page are properties of `window`. */
  async evaluate(work, ...args) {
    const script = `const done = arguments[arguments.length - 1];
      Promise.resolve().then(() => (${work})(...Array.from(arguments).slice(0, -1)))
        .then((value) => done({ value }), (error) => done({ error: String(error?.stack ?? error) }));`;
    const { value, error } = await this.send('POST', '/execute/async', { script, args });
    if (error !== undefined) throw new Error(`in the page: ${error}`);
    return value;
  }

  /** Waits until there is such an element, and returns its id. */
  async find(selector) {
    const found = await until(() => this.send('POST', '/element', { using: 'css selector', value: selector })
      .catch((error) => { if (!LOADING.has(error.code)) throw error; }), `${selector} in ${this.handle}`);
    return found[ELEMENT];
  }

  async click(selector) {
    await this.#act(`${selector}:enabled`, 'click', {});
  }

  async fill(selector, text) {
    await this.#act(selector, 'value', { text });
  }

  async #act(selector, what, body) {
    await until(async () => {
      const element = await this.find(selector);
      return this.send('POST', `/element/${element}/${what}`, body)
        .then(() => true, (error) => { if (!LOADING.has(error.code)) throw error; });
    }, `${what} ${selector}`);
  }

  /** Waits until the function is true in the page, also across page loads. */
  until(condition, ...args) {
    return until(() => this.evaluate(condition, ...args).catch((error) => { if (!LOADING.has(error.code)) throw error; }), condition);
  }
}

/** What the protocol says of a page that is on its way. */
const LOADING = new Set(['no such element', 'stale element reference', 'element not interactable', 'element click intercepted',
  'javascript error', 'unknown error']);

/** Waits for a result that is not false. */
export async function until(work, what = work) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const result = await work();
    if (result) return result;
    if (Date.now() > end) throw new Error(`this did not come about: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

async function send(method, url, body) {
  const headers = { 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(PATIENCE);
  const answer = await fetch(url, { method, body: body && JSON.stringify(body), headers, signal })
    .catch((cause) => { throw new Error(`${method} ${url}: ${JSON.stringify(body)}`, { cause }); });
  const { value } = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(`${method} ${url}: ${value.error}: ${value.message}`), { code: value.error });
  return value;
}

/**
 * A screen of its own for an engine that needs one, with a number that the X server chooses. Without a window manager no window
 * gets the focus when the one that has it is closed, and WebKit's driver waits for that.
 */
async function startScreen(started) {
  const xvfb = start('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {}, 'pipe');
  started.push(xvfb);
  const [number] = await Promise.race([once(createInterface({ input: xvfb.process.stdio[3] }), 'line'), xvfb.failed]);
  const display = { DISPLAY: `:${number}` };
  started.push(start('openbox', ['--sm-disable'], display));
  return display;
}

/** A process in a group of its own, which a driver's browsers are in too. */
function start(program, args, env, third = 'ignore') {
  const child = spawn(program, args, { env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'ignore', 'ignore', third] });
  const one = { process: child, ended: new Promise((resolve) => { child.on('close', resolve); child.on('error', resolve); }) };
  one.failed = new Promise((_, reject) => { child.on('error', (error) => { one.problem = error; reject(error); }); });
  one.failed.catch(() => {});
  return one;
}

function end({ process: { pid }, ended }) {
  if (pid) try { process.kill(-pid); } catch { /* it has ended */ }
  return ended;
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
