//! Tests of the core alone: one file a flow, one test a behaviour. `tests/clauses.toml` says which clause each proves.

mod api;
mod authorize;
mod callback;
mod client;
mod device;
mod discovery;
mod end_session;
mod errors;
mod loopback;
mod loopback_heads;
mod loopback_pages;
mod metadata;
mod oidc;
mod owned;
mod pending;
mod pkce;
mod poll;
mod push;
mod revoke;
mod secrets;
mod session;
mod token_request;
mod token_response;
mod token_tolerance;
mod userinfo;
mod values;
