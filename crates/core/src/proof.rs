//! What proves that a request comes from the client that began the flow, or that holds the key.

mod dpop;
pub(crate) mod pkce;

pub use dpop::{Proof, Provable, PublicKey, Unsigned};
pub(crate) use pkce::Nonce;
pub use pkce::{CodeChallenge, CodeVerifier, State};
