//! Tests of the core alone: one file a flow, one test a behaviour. `tests/clauses.toml` tells which clause each proves.

mod authorize;
mod callback;
mod errors;
mod loopback;
mod loopback_pages;
mod metadata;
mod pkce;
mod revoke;
mod secrets;
mod token_response;
mod token_tolerance;
mod values;
