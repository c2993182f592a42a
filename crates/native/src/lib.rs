//! Opens the browser and stores tokens for a native OAuth app.
//!
//! ```no_run
//! use proofkey_native::{Key, Record, Secret, Store};
//! use std::time::Duration;
//!
//! let store = Store::files()?;
//! let key = Key { issuer: "https://as.example".into(), client_id: "my-app".into(), account: "default".into() };
//! let lock = store.lock(&key, Duration::from_secs(10))?;
//! let mut record = lock.load()?.unwrap_or_else(|| Record::new(key.clone(), Secret::new("the access token".into())));
//! let room = lock.reserve()?;
//! // Refresh here: a full disk or a read-only folder has already been an error, so no token is spent in vain.
//! record.expires_in = Some(3600);
//! room.save(&record)?;
//! # Ok::<(), proofkey_native::StoreError>(())
//! ```
//!
//! A [`Store`] reads without a lock and writes only under one, which other processes respect, so that two of them never
//! refresh the same token at once. Records are files that only their owner can read, or entries of the system's keyring.

mod browser;
mod error;
mod folder;
mod store;

pub use browser::{OpenError, is_available, open};
pub use error::StoreError;
pub use folder::{Access, FolderError};
pub use proofkey_store::{Key, Record, Secret};
pub use store::{Lock, Reservation, Store};
