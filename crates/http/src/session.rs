//! What the sessions of both adapters share: everything but the I/O.
//!
//! With the feature `tracing` each outcome is one event of the target `proofkey::session`, with the key and the cause, and never a
//! secret.

mod begin;
mod cell;
mod clock;
mod error;
mod held;
mod revoking;
mod run;
mod told;

pub use begin::{Begin, SignedOut};
pub use cell::{Came, Cell, Turn};
pub use clock::uptime;
pub use error::{CallError, SessionError};
pub use held::{Held, Token, answered, is_stale};
pub use revoking::{Revocation, Revoking};
pub use run::{Act, Run};
