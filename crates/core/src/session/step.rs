//! What a pass asks for, and what it is told: [`Step`], [`Event`], [`Outcome`].

use super::{ClaimId, Pair, Version};
use crate::error::ResponseError;
use crate::flow::Unanswered;

/// What a pass wants done. Its driver does it, and tells what came of it as an [`Event`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Take the row that was last read for the held pair, and say [`Event::Done`].
    Adopt,
    /// Claim the right to refresh this version. The store answers [`Event::Claimed`], [`Event::Changed`], [`Event::Busy`],
    /// [`Event::Lapsed`], [`Event::Absent`], [`Event::SignedOut`] or [`Event::Failed`].
    Claim {
        /// The version.
        version: Version,
        /// The claim.
        id: ClaimId,
        /// How long it lives, by the store's clock.
        seconds: u16,
        /// The lapsed claim that it answers.
        over: Option<ClaimId>,
    },
    /// It is over. After [`Trouble::Unsaved`] it goes on: tell it [`Event::Done`] a second later.
    Done(Outcome),
    /// The login has ended: note that in the held pair, then as [`Save`](Self::Save).
    End {
        /// The version that must be in the store.
        expect: Version,
        /// The claim.
        id: ClaimId,
        /// The version that is written.
        version: Version,
        /// When an earlier answer was lost, in seconds since 1970.
        lost: Option<u64>,
    },
    /// Read the row: [`Event::Row`], [`Event::Absent`], [`Event::SignedOut`] or [`Event::Failed`].
    Load,
    /// Give the claim back: [`Event::Done`], whatever the store says.
    Release {
        /// The claim.
        id: ClaimId,
        /// Seconds in which nobody is to refresh.
        pause: u32,
    },
    /// Revoke the held pair at the server: [`Event::Done`], whatever it says.
    Revoke,
    /// Write the held pair: [`Event::Done`], [`Event::Changed`], [`Event::Fenced`], [`Event::Absent`], [`Event::SignedOut`] or
    /// [`Event::Failed`].
    Save {
        /// The version that must be in the store.
        expect: Version,
        /// The claim.
        id: ClaimId,
        /// The version that is written.
        version: Version,
    },
    /// Send the held refresh token: [`Event::Granted`], [`Event::Kept`], [`Event::Refused`] or [`Event::Unanswered`].
    Send {
        /// The longest wait for an answer, in milliseconds.
        within: u32,
    },
    /// Wait, and say [`Event::Done`].
    Wait {
        /// For so many milliseconds.
        milliseconds: u32,
    },
}

/// What came of a [`Step`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// There is no row.
    Absent,
    /// Another claim is live.
    Busy,
    /// The row has another version.
    Changed(Seen),
    /// The claim is made.
    Claimed(Seen),
    /// It is done.
    Done,
    /// The store failed, and nobody knows whether it did what it was asked for.
    Failed,
    /// Another claim is live, so nothing was written.
    Fenced,
    /// The server answered: this is the held pair now. Its version is the one that the pass writes.
    Granted(Pair),
    /// The server's answer had a new refresh token and no usable access token: this is the held pair now, with the old access
    /// token.
    Kept(Pair),
    /// A claim lapsed without being given back.
    Lapsed {
        /// The claim.
        id: ClaimId,
        /// How many seconds ago it was made.
        age: u32,
        /// The row.
        row: Seen,
    },
    /// The server refused.
    Refused {
        /// Whether it no longer takes the refresh token ([`ResponseError::ends_login`]).
        ends: bool,
        /// Seconds in which it wants no request.
        pause: u32,
    },
    /// The row.
    Row(Seen),
    /// The user signed out.
    SignedOut,
    /// The server did not answer in a way that tells whether it spent the refresh token.
    Unanswered(Unanswered),
}

/// A row as a pass sees it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Seen {
    pub(super) pair: Pair,
    pub(super) age: u32,
    pub(super) pause: u32,
}

impl Seen {
    /// A row with this pair, written `age` seconds ago, with `pause` seconds left of a pause.
    #[must_use]
    pub const fn new(pair: Pair, age: u32, pause: u32) -> Self {
        Self { pair, age, pause }
    }
}

impl Event {
    /// The event of an answer to a refresh that has no usable tokens.
    ///
    /// Only a refusal in so many words says that the refresh token was not spent. A 5xx without one may come from a gateway in
    /// front of a server that did its work, and so may a page or a body that cannot be read.
    #[must_use]
    pub fn of_response(error: &ResponseError) -> Self {
        let refused = |ends, pause: Option<u32>| {
            let pause = pause.unwrap_or_default();
            Self::Refused { ends, pause: if pause < PAUSE_MAX { pause } else { PAUSE_MAX } }
        };
        match error {
            _ if error.ends_login() => refused(true, None),
            ResponseError::Server { status: 429, retry_after, .. }
            | ResponseError::Status { status: 429, retry_after, .. } => refused(false, retry_after.or(Some(PAUSE))),
            ResponseError::Server { retry_after, .. }
            | ResponseError::Status { status: 503, retry_after: retry_after @ Some(_), .. } => {
                refused(false, *retry_after)
            }
            ResponseError::Status { status: 502, .. } => Self::Unanswered(Unanswered::Closed),
            ResponseError::Status { status: 408 | 500..=599, .. } => Self::Unanswered(Unanswered::Lost),
            ResponseError::Redirect(_) | ResponseError::Status { .. } => refused(false, None),
            _ => Self::Unanswered(Unanswered::Lost),
        }
    }
}

/// The result of a pass.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// There is no token for what is needed.
    Fail(Trouble),
    /// The held pair serves, although something may be wrong.
    Use(Option<Trouble>),
}

/// What went wrong with a pass.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Trouble {
    /// Somebody else refreshes, and is not done.
    Busy,
    /// The login has ended.
    Ended(End),
    /// Nobody knows whether the server spent the refresh token. The claim stays as the mark.
    NoAnswer {
        /// When it was sent, in seconds since 1970.
        since: u64,
    },
    /// The refresh token is bound to a key that is not here.
    OtherKey,
    /// The server asked for a pause.
    Paused {
        /// Seconds that are left of it.
        seconds: u32,
    },
    /// The server refused, or its answer cannot be used, and the login goes on.
    Refused,
    /// The store failed. Nothing was sent.
    Store,
    /// The new pair is in use, and could not be saved yet.
    Unsaved,
    /// The request was not sent.
    Unsent,
    /// The token was issued within the last minute, so that an API that refuses it would refuse the next one too.
    Young,
}

/// How a login ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum End {
    /// The server refuses the refresh token, and an earlier answer to it was lost: that one had the next refresh token.
    AnswerLost {
        /// When that request was sent, in seconds since 1970.
        since: u64,
    },
    /// The refresh token has ended.
    Expired,
    /// The store has nothing of it.
    Forgotten,
    /// The access token has ended, and there is no refresh token.
    NoRefreshToken,
    /// The server refuses the refresh token.
    Refused,
    /// The user signed out.
    SignedOut,
}

/// The pause after a 429 without `Retry-After`, in seconds.
const PAUSE: u32 = 10;
/// The longest pause that is kept, in seconds: a longer one may come from a wrong clock.
const PAUSE_MAX: u32 = 3600;
