// A page for the redirects of sign-in windows and frames, and nothing else: it hands its redirect over and closes. It loads no
// WebAssembly module. See "A page for windows" in README.md.
import { handOver } from './handover.js';

const { href, pathname } = location;
// Other scripts, and the history, are not to find the code.
history.replaceState(null, '', pathname);
handOver(href).catch(() => false).then((isTaken) => {
  const text = document.querySelector(isTaken ? '[data-done]' : '[data-lost]');
  if (text) text.hidden = false;
  else {
    document.body.append(isTaken ? 'You may close this window.'
      : 'No page waits for this sign-in any more. You may close this window and sign in again.');
  }
});
