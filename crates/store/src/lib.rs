//! Where logins are kept.
//!
//! A login is an access token and a refresh token, and the refresh token is often good for one use: of two programs that use it
//! at once, one may lose the login. So a store does more than keep bytes. It decides who refreshes, tells everyone else what came of
//! it, and remembers when the answer was lost.
//!
//! # What a store holds
//!
//! A [`Store`] (or an [`AsyncStore`]) holds one row for each [`Key`], that is for each server, client and account. A row is
//!
//! - a [`Version`]: which sign-in, and how often it was refreshed. A later one is newer;
//! - a value of opaque bytes: a [`Record`], as [`Record::to_bytes`] writes it. After a sign-out it is a tombstone for a day, so that
//!   a refresh that is still on its way does not bring the login back;
//! - perhaps a claim: the right to refresh. It ends by itself after some seconds of the store's own clock. If its holder did not give
//!   it back, it stays as the mark that the refresh token may be spent.
//!
//! There are four operations, each of them atomic. The table of [`Op`] tells what they answer.
//!
//! ```
//! use proofkey_store::{Answer, ClaimId, Key, LoginId, Memory, Op, Store, Version};
//!
//! let store: &dyn Store = &Memory::new();
//! let key = Key::new("https://issuer.example", "my-app", "alice");
//!
//! // Alice signs in.
//! let first = Version::first(LoginId::new(1_700_000_000, None, 7));
//! store.run(&key, Op::Write { expect: None, version: first, value: Some(b"the first pair") })?;
//!
//! // Two threads need a new token. One may refresh; the other one uses the old token, or waits.
//! let claim = |id| Op::Claim { version: first, id, seconds: 25, over: None };
//! let [mine, other] = [ClaimId([1; 16]), ClaimId([2; 16])]; // 16 random bytes each
//! assert!(matches!(store.run(&key, claim(mine))?, Answer::Claimed(row) if *row.value == b"the first pair"));
//! assert!(matches!(store.run(&key, claim(other))?, Answer::Busy { .. }));
//!
//! // The new pair is written under the claim and the version. To do so once more does no harm.
//! let second = first.next(mine);
//! let write = Op::Write { expect: Some((first, mine)), version: second, value: Some(b"the second pair") };
//! assert_eq!(store.run(&key, write)?, Answer::Done);
//! assert_eq!(store.run(&key, write)?, Answer::Done);
//!
//! // The other thread learns of it instead of sending the old refresh token.
//! assert!(matches!(store.run(&key, claim(other))?, Answer::Changed(row) if row.version == second));
//!
//! // Alice signs out. The pair to revoke is the one that was there.
//! let signed_out = Version::first(LoginId::new(1_700_000_900, Some(second.login()), 9));
//! let sign_out = Op::Write { expect: None, version: signed_out, value: None };
//! assert!(matches!(store.run(&key, sign_out)?, Answer::Displaced(row) if *row.value == b"the second pair"));
//! # Ok::<(), proofkey_store::StoreError>(())
//! ```
//!
//! You need not write this loop: the sessions of `proofkey-ureq` and `proofkey-reqwest` do (feature `session`).
//!
//! # Which store
//!
//! | | for | a claim ends |
//! |---|---|---|
//! | [`Memory`] | tests; logins that end with the process | by time |
//! | files and keyring, in `proofkey-native` | scripts and apps on one machine | with its holder's process |
//! | Redis, in `proofkey-redis` | fleets | by time |
//! | PostgreSQL, in `proofkey-postgres` | services that have one | by time |
//!
//! `Sealed` (feature `seal`) encrypts what any of them keeps. `Seal` is for a login that waits for the user to come back, in a
//! service that keeps no sessions: it makes a value for a cookie.
//!
//! # A store of your own
//!
//! It is one function. If your database can change a row as a whole (a lock, a transaction, a compare-and-swap), then read the row,
//! let [`rules::apply`] change it, and write it back. Then hold it to the `laws` (feature `testing`), with claims made at once,
//! claims that lapse, and keys and values of any kind.
//!
//! ```
//! use proofkey_store::{Answer, Key, Op, Store, StoreError, StoreFault, rules};
//! use std::collections::HashMap;
//! use std::sync::Mutex;
//! use std::time::Instant;
//!
//! struct MyStore {
//!     rows: Mutex<HashMap<String, rules::State>>,
//!     start: Instant,
//! }
//!
//! impl Store for MyStore {
//!     fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
//!         let mut rows = self.rows.lock().map_err(|_| StoreError::new(StoreFault::Unavailable))?;
//!         let now = self.start.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
//!         let mut row = rows.remove(&key.digest());
//!         let answer = rules::apply(&mut row, op, now);
//!         rows.extend(row.map(|row| (key.digest(), row)));
//!         Ok(answer)
//!     }
//! }
//! # let store = MyStore { rows: Mutex::default(), start: Instant::now() };
//! # let key = Key::new("https://issuer.example", "my-app", "alice");
//! # assert_eq!(store.run(&key, Op::Load)?, Answer::Absent);
//! # Ok::<(), StoreError>(())
//! ```
//!
//! # What no store can do
//!
//! A store that forgets what it has acknowledged (a failover to a replica that was behind, a restart without `fsync`) can bring back
//! an old refresh token. Read and write at the primary. Whoever can write the store can put an old row back, also if it is sealed.

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
pub use record::{Ended, Record, RecordError, ResourceToken, Secret, User};
#[cfg(feature = "seal")]
pub use seal::{Keys, Seal, SealError, Sealed, SealingKey};
