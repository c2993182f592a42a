//! What proves that a request comes from the client that began the flow.

pub(crate) mod pkce;

pub(crate) use pkce::Nonce;
pub use pkce::{CodeChallenge, CodeVerifier, State};
