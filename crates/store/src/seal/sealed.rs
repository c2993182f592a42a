//! [`Sealed`].

use super::SealError;
use super::keys::{Keys, Purpose};
use crate::error::{StoreError, StoreFault};
use crate::key::Key;
use crate::op::{Answer, AsyncStore, BoxFuture, Op, Row, Store};
use proofkey_core::session::Version;

/// Encrypts what a store keeps: who reads the store, or a copy of it, learns no token.
///
/// A value is bound to its key and its version, so that it cannot be put under another key or version. What cannot be opened is
/// [`StoreFault::Corrupt`]: it was changed, its sealing key is not there, or it was written without sealing. A login or a sign-out
/// over such a row is written, and answers [`Answer::Done`]: there is nothing that could be revoked.
///
/// The limit: who can write the store can put an old row back, with its version. The store also sees versions, times, and which
/// keys there are, but their text only if it keeps it (use [`Key::digest`]).
///
/// ```
/// use proofkey_store::{Answer, Key, Keys, LoginId, Memory, Op, Sealed, SealingKey, Store, Version};
///
/// // From `openssl rand -base64 32`.
/// let current = SealingKey::from_base64("y3hPOVbtWr3N4yzn8sXqFLv1tBc9Y4TjZyK2pJmQ0aE=")?;
/// let store = Sealed::new(Memory::new(), Keys::new(current));
///
/// let key = Key::new("https://issuer.example", "my-app", "default");
/// let version = Version::first(LoginId::new(1_700_000_000, None, 7));
/// Store::run(&store, &key, Op::Write { expect: None, version, value: Some(b"a token") })?;
/// assert!(matches!(Store::run(&store, &key, Op::Load)?, Answer::Row(row) if *row.value == b"a token"));
/// assert!(matches!(Store::run(store.inner(), &key, Op::Load)?, Answer::Row(row) if *row.value != b"a token"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sealed<S> {
    inner: S,
    keys: Keys,
}

impl<S> Sealed<S> {
    /// Seals what goes into a store, and opens what comes out of it.
    #[must_use]
    pub const fn new(inner: S, keys: Keys) -> Self {
        Self { inner, keys }
    }

    /// The store with what is sealed.
    #[must_use]
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// Opens a row of the inner store of which only the [`Key::digest`] is known, as in a list of all rows. None if it cannot be
    /// opened.
    #[must_use]
    pub fn open_row(&self, digest: &str, row: Row) -> Option<Row> {
        let value = self.keys.open(Purpose::Row, &context(digest, row.version), &row.value)?;
        Some(Row { value, ..row })
    }

    /// The value to be written in place of the operation's own.
    fn seal(&self, key: &Key, op: &Op<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        let Op::Write { version, value: Some(value), .. } = op else { return Ok(None) };
        let sealed = self.keys.seal(Purpose::Row, &context(&key.digest(), *version), &[value]);
        sealed.map(Some).map_err(|error| match error {
            SealError::TooLong => StoreError::new(StoreFault::TooBig),
            error => StoreError::new(StoreFault::Setup).because(error),
        })
    }

    fn open(&self, key: &Key, answer: Answer) -> Result<Answer, StoreError> {
        let digest = key.digest();
        let row = |row| self.open_row(&digest, row).ok_or(StoreError::new(StoreFault::Corrupt));
        Ok(match answer {
            Answer::Changed(found) => Answer::Changed(row(found)?),
            Answer::Claimed(found) => Answer::Claimed(row(found)?),
            Answer::Displaced(found) => self.open_row(&digest, found).map_or(Answer::Done, Answer::Displaced),
            Answer::Lapsed { id, age, row: found } => Answer::Lapsed { id, age, row: row(found)? },
            Answer::Row(found) => Answer::Row(row(found)?),
            answer => answer,
        })
    }
}

impl<S: Store> Store for Sealed<S> {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let sealed = self.seal(key, &op)?;
        self.open(key, self.inner.run(key, with(op, sealed.as_deref()))?)
    }
}

impl<S: AsyncStore> AsyncStore for Sealed<S> {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            let sealed = self.seal(key, &op)?;
            self.open(key, self.inner.run(key, with(op, sealed.as_deref())).await?)
        })
    }
}

/// The operation with a sealed value in place of its own.
const fn with<'a>(op: Op<'a>, sealed: Option<&'a [u8]>) -> Op<'a> {
    match op {
        Op::Write { expect, version, .. } => Op::Write { expect, version, value: sealed },
        op => op,
    }
}

fn context(digest: &str, version: Version) -> Vec<u8> {
    [digest.as_bytes(), &version.to_bytes()].concat()
}
