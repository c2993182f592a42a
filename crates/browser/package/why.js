// Why the WebAssembly module does not load, and what to do. Only a page that fails to load it loads this.

/** What is wrong, as far as another look at the module's address tells. */
export async function why(source, error) {
  let url = source;
  try {
    url ??= new URL('wasm/proofkey_browser_bg.wasm', import.meta.url);
  } catch {
    return `this bundle does not know its own address. ${MOVED}`;
  }
  if (/Content.Security.Policy|\bCSP\b/i.test(error.message)) {
    return "the page's Content-Security-Policy forbids it: add 'wasm-unsafe-eval' to its script-src";
  }
  if (typeof url !== 'string' && !(url instanceof URL)) return error.message;
  let response;
  try {
    response = await fetch(url);
  } catch {
    return `${url} cannot be reached: the browser is offline, or the page's Content-Security-Policy does not allow it (connect-src)`;
  }
  response.body?.cancel();
  const { status, headers } = response;
  if (!response.ok) return `${url} answered ${status}. ${MOVED}`;
  if (/html/i.test(headers.get('content-type'))) return `${url} is an HTML page, not the module. ${MOVED}`;
  return `${url}: ${error.message}`;
}

const MOVED = "The bundler or server does not have the file there: call init with its address (import it from "
  + "'proofkey-browser/proofkey.wasm'), or import from 'proofkey-browser/inline', which contains it";
