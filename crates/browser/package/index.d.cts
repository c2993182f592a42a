// The same for CommonJS. It is one module at run time, which Node 22 and bundlers give to `require`, too.
import type * as all from './index.js' with { 'resolution-mode': 'import' };

export type ClientOptions = all.ClientOptions;
export type Code = all.Code;
export type EndpointOptions = all.EndpointOptions;
export type Extra = all.Extra;
export type IssuerOptions = all.IssuerOptions;
export type Options = all.Options;
export type Proofkey = all.Proofkey;
export type ProofkeyError = all.ProofkeyError;
export declare const Proofkey: typeof all.Proofkey;
export declare const ProofkeyError: typeof all.ProofkeyError;
export declare const init: typeof all.init;
