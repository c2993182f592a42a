//! Opens the browser and stores logins for a native OAuth app.
//!
//! ```no_run
//! use proofkey_native::Store;
//! use proofkey_store::{Answer, Key, Op, Store as _};
//!
//! let store = Store::files("my-app")?;
//! let key = Key::new("https://as.example", "my-app", "default");
//! if let Answer::Row(row) = store.run(&key, Op::Load)? {
//!     println!("signed in, {} bytes, {} seconds ago", row.value.len(), row.age);
//! }
//! # Ok::<(), proofkey_native::StoreError>(())
//! ```
//!
//! A [`Store`] reads without a lock. Of all processes of a user, one at a time holds the claim to refresh a login. Logins are files
//! that only their owner can read; with the feature `keyring` they can be sealed with a key in the system's keyring.

mod browser;
mod cause;
mod folder;
mod store;

pub use browser::{OpenError, is_available, open};
pub use cause::StoreCause;
pub use folder::{Access, FolderError};
pub use proofkey_store::{Key, Record, Secret, StoreError};
pub use store::Store;
