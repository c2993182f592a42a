// The page at the redirect URI of a sign-in window or frame: it hands the redirect to the page that waits for it.

/** How long to wait for a verdict that was sent just before its sender was done, in milliseconds. */
const GRACE = 1_000;
/** What the names of all rooms begin with. */
const ROOM = 'proofkey/1 window ';

/**
 * Hands a redirect to the page that opened this window, if there is one, and closes the window. If the browser does not let it
 * close, this comes back when that page is done: true if it took the redirect.
 */
export async function handOver(redirect) {
  if (!stateOf(redirect)) return false;
  const { held } = await navigator.locks.query().catch(() => ({ held: [] }));
  // A page in another site's frame has separate locks and channels, so only there the window needs its opener.
  const framed = window.opener && window.opener !== window.opener.top ? window.opener : undefined;
  // Most often no login of this app has a window, and then no name has to be made.
  if (!framed && !held.some(({ name }) => name.startsWith(ROOM))) return false;
  const room = await roomOf(redirect);
  if (!framed && !held.some(({ name }) => name === room)) return false;
  const id = crypto.randomUUID();
  const channel = new BroadcastChannel(room);
  const verdict = new Promise((resolve) => {
    const hear = ({ origin, data }) => { if (origin === location.origin && data?.to === id) resolve(data.taken); };
    channel.addEventListener('message', hear);
    addEventListener('message', hear);
  });
  const waiting = new AbortController();
  const done = navigator.locks.request(room, { signal: waiting.signal }, () => {}).catch(() => {});
  channel.postMessage({ id, redirect });
  framed?.postMessage({ id, redirect }, location.origin);
  const taken = await Promise.race([verdict, done.then(() => new Promise((resolve) => { setTimeout(resolve, GRACE); }))]);
  channel.close();
  if (!taken) return false;
  // WebKit hangs, and the page that opened this window with it, if a window closes that waits for a lock.
  waiting.abort();
  window.close();
  await (window.closed ? new Promise(() => {}) : navigator.locks.request(room, () => {}).catch(() => {}));
  return true;
}

/** The name under which the two pages of a login meet. Only a page that has seen the login's state can make it. */
export async function roomOf(url) {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(stateOf(url)));
  return `${ROOM}${Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function stateOf(url) {
  return new URL(url).searchParams.get('state');
}
