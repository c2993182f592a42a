/** See index.d.ts. The WebAssembly module makes these errors as well. */
export class ProofkeyError extends Error {
  constructor(code, message, advice, retryAfter, serverCode) {
    super(message);
    Object.assign(this, { name: 'ProofkeyError', code, advice, retryAfter, serverCode });
  }
}
