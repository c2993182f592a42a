//! Where logins are kept.
//!
//! A [`Store`] (or an [`AsyncStore`]) holds one row for each [`Key`]: a [`Version`], an opaque value, and perhaps a claim. A claim
//! is the right to refresh: it ends by itself after some seconds of the store's own clock, and if its holder did not give it
//! back, it stays as the mark that the refresh token may be spent. Each [`Op`] is atomic.

mod error;
mod format;
mod key;
#[cfg(any(test, feature = "testing"))]
pub mod laws;
mod memory;
mod op;
mod record;
pub mod rules;
#[cfg(feature = "seal")]
mod seal;

pub use error::{StoreError, StoreFault};
pub use key::Key;
pub use memory::Memory;
pub use op::{Answer, AsyncStore, BoxFuture, Op, Row, Store};
pub use proofkey_core::session::{ClaimId, LoginId, Version};
pub use record::{Ended, Record, RecordError, ResourceToken, Secret};
#[cfg(feature = "seal")]
pub use seal::{Keys, Seal, SealError, Sealed, SealingKey};
