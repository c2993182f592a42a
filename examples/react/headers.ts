/** What the host of this app sends with each file. Vite sends the same, and the README lists it. */
export function headers(issuer: string, api: string, nonce?: string) {
  // Only the development server needs a nonce, for what it adds to the page.
  const also = nonce ? ` 'nonce-${nonce}'` : '';
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      `script-src 'self' 'wasm-unsafe-eval'${also}`,
      `style-src 'self'${also}`,
      "img-src 'self'",
      `connect-src ${[...new Set(["'self'", origin(issuer), origin(api)])].join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types proofkey",
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}

function origin(url: string) {
  return new URL(url).origin;
}
