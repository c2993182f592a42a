//! What the HTTP adapters of [`proofkey_core`] share. Programs use one of them: `proofkey-ureq` or `proofkey-reqwest`.

mod answer;
mod listen;

pub use answer::Answer;
pub use listen::{Bound, ListenError, bind};
