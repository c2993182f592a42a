// A page that is reloaded, or closed and opened again, is still signed in: a shared worker takes part in the session, and stays
// for ten seconds after the last page. It only works in a browser that lets a worker outlive its pages (`extendedLifetime`).
import { hold } from './session.js';

/** Keeps the session of this name beyond this page. Returns what undoes it. What fails here fails silently. */
export function keep(name, worker) {
  const page = `proofkey/1 page ${crypto.randomUUID()}`;
  const { held, release } = hold(page);
  // The worker knows by this lock when the page is gone.
  held.then(() => open({ name, extendedLifetime: true }, worker).port.postMessage(page)).catch(() => {});
  return release;
}

function open(options, worker) {
  if (typeof worker === 'function') return worker(options);
  // Bundlers look for `new SharedWorker(new URL(` in the code; Trusted Types want more than that.
  const SharedWorker = function SharedWorker(url) {
    return new globalThis.SharedWorker(trusted(url), options);
  };
  return worker ? new SharedWorker(worker) : new SharedWorker(new URL('./worker.js', import.meta.url));
}

let policy;

function trusted(url) {
  policy ??= globalThis.trustedTypes?.createPolicy('proofkey', { createScriptURL: (text) => text });
  return globalThis.TrustedScriptURL && url instanceof TrustedScriptURL ? url : policy?.createScriptURL(url) ?? url;
}
