//! The protocol for single-page apps: `proofkey-core` behind functions that JavaScript can call.
//!
//! There is no I/O, no clock and no randomness here. The JavaScript modules in `package/` send, keep and share, and know no
//! OAuth. Every flow has the same methods: `step` says what to do next, `hear` and `unanswered` take the result, and `read`
//! reads the last response. One loop in `package/http.js` drives them all.

mod client;
mod failure;
mod flow;
mod login;
mod message;
mod opaque;
mod outcome;
mod owner;
mod parts;
mod pass;
mod random;
mod tokens;
mod values;

pub use client::Client;
pub use failure::{Failure, ProofkeyError};
pub use flow::{Flow, Step};
pub use login::Login;
pub use message::{Request, Response};
pub use outcome::{Kept, Outcome, Server};
pub use pass::{Pass, is_ready};
pub use random::OutOfBytes;
pub use tokens::{Tokens, wants_refresh};

/// It takes a third of the code of the standard one.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
