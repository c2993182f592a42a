//! What the HTTP adapters of [`proofkey_core`] share. Programs use one of them: `proofkey-ureq` or `proofkey-reqwest`.

mod answer;
mod drive;
mod listen;

pub use answer::Answer;
pub use drive::{DriveError, Failure, Received, drive, drive_async, to_http};
pub use listen::{Bound, ListenError, bind};
