//! What a store does: [`Op`] in, [`Answer`] out.

use crate::error::StoreError;
use crate::key::Key;
use proofkey_core::session::{ClaimId, Version};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use zeroize::Zeroizing;

/// One atomic operation on the row of a key.
///
/// | it finds | `Load` | `Claim` | `Release` | `Write` with `expect` | `Write` without |
/// |---|---|---|---|---|---|
/// | no row | `Absent` | `Absent` | `Absent` | `Absent` | written: `Done` |
/// | a tombstone | `SignedOut` | `SignedOut` | `SignedOut` | `SignedOut` | as below |
/// | another version | `Row` | `Changed` | as below | `Changed`, but `Done` if it is the one to be written | see below |
/// | no claim, or its own | `Row` | `Claimed` | `Done` | written: `Done` | see below |
/// | a live claim of another | `Row` | `Busy` | `Fenced` | `Fenced` | see below |
/// | a lapsed claim of another | `Row` | `Claimed` if `over` names it, else `Lapsed` | `Fenced` | written: `Done` | see below |
///
/// `Write` without `expect` is a login or a sign-out. It asks for no claim. It is refused (`Changed`, or `SignedOut` at a tombstone)
/// unless its version is newer than the row's, also than that of a tombstone, so that of two that race the later one stays.
/// Else it is written, and the answer is `Displaced` with the row that was there, or `Done` if there was none or a tombstone.
///
/// A claim that is made again under its own id is renewed, also if it has lapsed and nobody has taken it over. What is written
/// ends the claim and the pause. `Release` without a claim is `Done` and changes nothing. A longer pause that is there already
/// stays: two may have been asked for a pause in turn.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Op<'a> {
    /// Reads the row.
    Load,
    /// Claims the right to refresh this version.
    Claim {
        /// The version that the caller holds.
        version: Version,
        /// The caller's claim.
        id: ClaimId,
        /// How long it lives, by the store's clock.
        seconds: u16,
        /// The lapsed claim that it answers.
        over: Option<ClaimId>,
    },
    /// Gives a claim back: the refresh token was not spent.
    Release {
        /// The caller's claim.
        id: ClaimId,
        /// Seconds in which nobody is to refresh, since the server asked for a pause.
        pause: u32,
    },
    /// Writes a value, or a tombstone that is kept for [`Self::TOMBSTONE_SECONDS`].
    Write {
        /// The version that must be there and the caller's claim; none for a login or a sign-out.
        expect: Option<(Version, ClaimId)>,
        /// The version that is written.
        version: Version,
        /// The value; none for a tombstone.
        value: Option<&'a [u8]>,
    },
}

impl Op<'_> {
    /// How long a tombstone is kept: a day.
    pub const TOMBSTONE_SECONDS: u32 = 24 * 60 * 60;
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// There is no row.
    Absent,
    /// Another claim is live.
    Busy {
        /// How many seconds are left of it; none if it ends with its holder's process.
        left: Option<u16>,
    },
    /// The row has another version than was expected.
    Changed(Row),
    /// The claim was made or renewed, and this is the row.
    Claimed(Row),
    /// It was written, and this row was there before.
    Displaced(Row),
    /// It was done.
    Done,
    /// Another claim is live, so nothing was done.
    Fenced,
    /// A claim lapsed without being given back: the refresh token may be spent.
    Lapsed {
        /// The claim.
        id: ClaimId,
        /// How many seconds ago it was made or last renewed.
        age: u32,
        /// The row.
        row: Row,
    },
    /// The row.
    Row(Row),
    /// The user signed out: a tombstone.
    SignedOut {
        /// Its version.
        version: Version,
    },
}

/// What a store holds for a key.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The version of the value.
    pub version: Version,
    /// The value, which is opaque to the store.
    pub value: Zeroizing<Vec<u8>>,
    /// How many seconds ago it was written, by the store's clock.
    pub age: u32,
    /// Seconds that are left of a pause in which nobody is to refresh.
    pub pause: u32,
}

impl Row {
    /// A row that was written `age` seconds ago, with `pause` seconds left of a pause.
    #[must_use]
    pub const fn new(version: Version, value: Zeroizing<Vec<u8>>, age: u32, pause: u32) -> Self {
        Self { version, value, age, pause }
    }
}

/// A store that blocks, such as files. It is shared by threads.
pub trait Store: Send + Sync {
    /// Does one operation on the row of a key, as a whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`]. It may have been done all the same; doing it once more under the same claim does no harm.
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError>;
}

/// A [`Store`] that waits without blocking a thread, such as a database.
pub trait AsyncStore: Send + Sync {
    /// As [`Store::run`]. If the future is dropped, it may have been done all the same.
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>>;
}

/// A boxed future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<S: Store + ?Sized> Store for Arc<S> {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        (**self).run(key, op)
    }
}

impl<S: Store + ?Sized> Store for Box<S> {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        (**self).run(key, op)
    }
}

impl<S: AsyncStore + ?Sized> AsyncStore for Arc<S> {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        (**self).run(key, op)
    }
}

impl<S: AsyncStore + ?Sized> AsyncStore for Box<S> {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        (**self).run(key, op)
    }
}

impl fmt::Debug for Op<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load => f.write_str("Load"),
            Self::Claim { version, id, seconds, over } => f
                .debug_struct("Claim")
                .field("version", version)
                .field("id", id)
                .field("seconds", seconds)
                .field("over", over)
                .finish(),
            Self::Release { id, pause } => f.debug_struct("Release").field("id", id).field("pause", pause).finish(),
            Self::Write { expect, version, value } => f
                .debug_struct("Write")
                .field("expect", expect)
                .field("version", version)
                .field("is_tombstone", &value.is_none())
                .finish(),
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, age, pause, .. } = self;
        f.debug_struct("Row").field("version", version).field("age", age).field("pause", pause).finish_non_exhaustive()
    }
}
