/** See index.d.ts. The WebAssembly module makes these errors as well. */
export class ProofkeyError extends Error {
  constructor(code, message, advice, retryAfter, serverCode) {
    super(message);
    this.name = 'ProofkeyError';
    this.code = code;
    this.advice = advice;
    this.retryAfter = retryAfter;
    this.serverCode = serverCode;
  }
}
