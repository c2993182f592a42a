//! The rules of a store: what each [`Op`] does to the state of one row, and what it answers.
//!
//! For a store that can read a row, decide, and write it back as one atomic step: under a lock, in a transaction, or with a
//! compare-and-swap. [`Memory`](crate::Memory) is [`apply`] behind a lock.
//!
//! ```
//! use proofkey_store::{Answer, LoginId, Op, Version, rules};
//!
//! let mut row = None;
//! let version = Version::first(LoginId::new(1_700_000_000, None, 7));
//! let write = Op::Write { expect: None, version, value: Some(b"value") };
//! assert_eq!(rules::apply(&mut row, write, 0), Answer::Done);
//! assert!(matches!(rules::apply(&mut row, Op::Load, 2_500), Answer::Row(row) if row.age == 2));
//! ```

use crate::op::{Answer, Op, Row};
use proofkey_core::session::{ClaimId, Version};
use std::fmt;
use zeroize::Zeroizing;

/// What a store keeps for one key. Times are milliseconds of the store's own clock.
#[derive(Clone, PartialEq)]
pub struct State {
    /// The version of the value.
    pub version: Version,
    /// The value; none for a tombstone.
    pub value: Option<Zeroizing<Vec<u8>>>,
    /// When it was written.
    pub written_at: u64,
    /// The claim, also if it has lapsed.
    pub claim: Option<Claim>,
    /// The end of the pause; a time that has passed if there is none.
    pub pause_until: u64,
}

/// A claim that was not given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Claim {
    /// Who made it.
    pub id: ClaimId,
    /// When it was made or last renewed.
    pub made_at: u64,
    /// When it lapses; none if it ends with its holder's process, and that process still runs.
    pub until: Option<u64>,
}

/// Does one operation at `now`. `None` is a row that does not exist.
pub fn apply(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    if state.as_ref().is_some_and(|state| state.has_expired(now)) {
        *state = None;
    }
    match op {
        Op::Load => match state {
            None => Answer::Absent,
            Some(state) => state.row(now).map_or_else(|tombstone| tombstone, Answer::Row),
        },
        Op::Claim { version, id, seconds, over } => claim(state.as_mut(), version, id, seconds, over, now),
        Op::Release { id, pause } => release(state.as_mut(), id, pause, now),
        Op::Write { expect: Some((expected, id)), version, value } => {
            write_expecting(state.as_mut(), expected, id, State::new(version, value, now), now)
        }
        Op::Write { expect: None, version, value } => write(state, State::new(version, value, now), now),
    }
}

/// Whether a tombstone of this time has been kept for long enough.
pub(crate) fn is_over(written_at: u64, now: u64) -> bool {
    now.saturating_sub(written_at) >= millis(Op::TOMBSTONE_SECONDS)
}

fn claim(
    state: Option<&mut State>,
    version: Version,
    id: ClaimId,
    seconds: u16,
    over: Option<ClaimId>,
    now: u64,
) -> Answer {
    let Some(state) = state else { return Answer::Absent };
    let row = match state.row(now) {
        Err(tombstone) => return tombstone,
        Ok(row) if row.version != version => return Answer::Changed(row),
        Ok(row) => row,
    };
    match state.claim {
        Some(other) if other.id != id && other.is_live(now) => return Answer::Busy { left: other.left(now) },
        Some(other) if other.id != id && over != Some(other.id) => {
            return Answer::Lapsed { id: other.id, age: whole_seconds(now.saturating_sub(other.made_at)), row };
        }
        _ => {}
    }
    state.claim = Some(Claim { id, made_at: now, until: Some(now.saturating_add(millis(seconds.into()))) });
    Answer::Claimed(row)
}

fn release(state: Option<&mut State>, id: ClaimId, pause: u32, now: u64) -> Answer {
    let Some(state) = state else { return Answer::Absent };
    match state.claim {
        _ if state.value.is_none() => Answer::SignedOut { version: state.version },
        Some(claim) if claim.id != id => Answer::Fenced,
        Some(_) => {
            state.claim = None;
            state.pause_until = state.pause_until.max(now.saturating_add(millis(pause)));
            Answer::Done
        }
        None => Answer::Done,
    }
}

fn write_expecting(state: Option<&mut State>, expected: Version, id: ClaimId, new: State, now: u64) -> Answer {
    let Some(state) = state else { return Answer::Absent };
    match state.row(now) {
        Err(tombstone) => return tombstone,
        Ok(row) if row.version != expected => {
            return if row.version == new.version { Answer::Done } else { Answer::Changed(row) };
        }
        Ok(_) => {}
    }
    if state.claim.is_some_and(|claim| claim.id != id && claim.is_live(now)) {
        return Answer::Fenced;
    }
    *state = new;
    Answer::Done
}

fn write(state: &mut Option<State>, new: State, now: u64) -> Answer {
    let answer = match state {
        None => Answer::Done,
        Some(old) => match (new.version.is_newer_than(old.version), old.row(now)) {
            (true, Ok(row)) => Answer::Displaced(row),
            (true, Err(_)) => Answer::Done,
            (false, Ok(row)) => return Answer::Changed(row),
            (false, Err(tombstone)) => return tombstone,
        },
    };
    *state = Some(new);
    answer
}

impl State {
    fn new(version: Version, value: Option<&[u8]>, now: u64) -> Self {
        let value = value.map(|value| Zeroizing::new(value.to_vec()));
        Self { version, value, written_at: now, claim: None, pause_until: 0 }
    }

    /// Whether it is a tombstone that has been kept for long enough.
    #[must_use]
    pub fn has_expired(&self, now: u64) -> bool {
        self.value.is_none() && is_over(self.written_at, now)
    }

    /// The row, or the answer that it is a tombstone.
    fn row(&self, now: u64) -> Result<Row, Answer> {
        let value = self.value.clone().ok_or(Answer::SignedOut { version: self.version })?;
        let age = whole_seconds(now.saturating_sub(self.written_at));
        Ok(Row::new(self.version, value, age, seconds_left(self.pause_until, now)))
    }
}

impl Claim {
    fn is_live(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn left(&self, now: u64) -> Option<u16> {
        self.until.map(|until| u16::try_from(seconds_left(until, now)).unwrap_or(u16::MAX))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, value, written_at, claim, pause_until } = self;
        f.debug_struct("State")
            .field("version", version)
            .field("is_tombstone", &value.is_none())
            .field("written_at", written_at)
            .field("claim", claim)
            .field("pause_until", pause_until)
            .finish()
    }
}

fn millis(seconds: u32) -> u64 {
    u64::from(seconds).saturating_mul(1000)
}

fn whole_seconds(millis: u64) -> u32 {
    u32::try_from(millis / 1000).unwrap_or(u32::MAX)
}

fn seconds_left(until: u64, now: u64) -> u32 {
    u32::try_from(until.saturating_sub(now).div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofkey_core::session::LoginId;

    const VERSION: Version = Version::first(LoginId::new(1_700_000_000, None, 7));
    const CLAIM: Op<'_> = Op::Claim { version: VERSION, id: ClaimId([1; 16]), seconds: 25, over: None };
    const OTHER: Op<'_> = Op::Claim { version: VERSION, id: ClaimId([2; 16]), seconds: 25, over: None };

    #[test]
    fn a_claim_lives_to_the_millisecond() {
        let mut state = Some(State::new(VERSION, Some(b"value"), 0));
        assert!(matches!(apply(&mut state, CLAIM, 1_000), Answer::Claimed(_)));
        for (now, left) in [(1_000, 25), (1_001, 25), (2_000, 24), (25_001, 1), (25_999, 1)] {
            assert_eq!(apply(&mut state, OTHER, now), Answer::Busy { left: Some(left) }, "{now}");
        }
        for (now, seconds) in [(26_000, 25), (26_999, 25), (27_000, 26)] {
            assert!(matches!(apply(&mut state, OTHER, now), Answer::Lapsed { age, .. } if age == seconds), "{now}");
        }
    }

    #[test]
    fn a_clock_that_jumps_does_no_harm() {
        let mut state = Some(State::new(VERSION, Some(b"value"), u64::MAX));
        assert!(matches!(apply(&mut state, CLAIM, u64::MAX - 1), Answer::Claimed(row) if row.age == 0));
        assert_eq!(apply(&mut state, OTHER, 0), Answer::Busy { left: Some(u16::MAX) });
        assert!(matches!(apply(&mut state, OTHER, u64::MAX), Answer::Lapsed { age: 0, .. }));
        apply(&mut state, Op::Release { id: ClaimId([1; 16]), pause: u32::MAX }, u64::MAX);
        assert!(matches!(apply(&mut state, Op::Load, 0), Answer::Row(row) if (row.age, row.pause) == (0, u32::MAX)));

        let mut state = Some(State::new(VERSION, Some(b"value"), 0));
        assert!(matches!(apply(&mut state, Op::Load, u64::MAX), Answer::Row(row) if row.age == u32::MAX));
        let mut state = Some(State::new(VERSION, None, u64::MAX));
        assert_eq!(apply(&mut state, Op::Load, 0), Answer::SignedOut { version: VERSION });
    }
}
