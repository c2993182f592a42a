// For CommonJS: the same as index.d.ts.
import type * as esm from './index.js' with { 'resolution-mode': 'import' };

export type { ClientOptions, Code, EndpointOptions, Extra, IssuerOptions, Options } from './index.js' with { 'resolution-mode': 'import' };
export declare const Proofkey: typeof esm.Proofkey;
export type Proofkey = esm.Proofkey;
export declare const ProofkeyError: typeof esm.ProofkeyError;
export type ProofkeyError = esm.ProofkeyError;
export declare const init: typeof esm.init;
