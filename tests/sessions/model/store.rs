//! The real rules of a store over a row that can be copied and compared.

use super::config::Mutant;
use proofkey_core::Lifetime;
use proofkey_core::session::{ClaimId, End, Now, Pair, Renewal, Version};
use proofkey_store::rules::{self, Claim, State};
use proofkey_store::{Answer, Op, Row};
use zeroize::Zeroizing;

/// A pair of tokens as a driver holds it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Held {
    pub(crate) version: Version,
    pub(crate) family: u8,
    pub(crate) token: u8,
    /// In seconds.
    pub(crate) requested_at: u32,
    pub(crate) lifetime: u32,
    pub(crate) end: Option<End>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Store {
    pub(crate) cell: Option<Cell>,
    /// What it was before the last change.
    pub(crate) before: Option<Option<Cell>>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Cell {
    pub(crate) version: Version,
    pub(crate) value: Option<Held>,
    pub(crate) written_at: u64,
    pub(crate) claim: Option<Mark>,
    pub(crate) pause_until: u64,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Mark {
    pub(crate) id: ClaimId,
    pub(crate) made_at: u64,
    pub(crate) until: u64,
}

impl Store {
    /// Does one operation.
    pub(crate) fn run(&mut self, op: Op<'_>, now: u64, mutant: Option<Mutant>) -> Answer {
        let old = self.cell;
        let mut state = self.cell.map(Cell::state);
        let answer = Self::mutated(&mut state, op, now, mutant);
        self.cell = state.map(|state| Cell::of(&state));
        if self.cell != old {
            self.before = Some(old);
        }
        answer
    }

    fn mutated(state: &mut Option<State>, op: Op<'_>, now: u64, mutant: Option<Mutant>) -> Answer {
        let mut expected = None;
        match (mutant, op, state.as_mut()) {
            (Some(Mutant::ClaimDoesNotExclude), Op::Claim { .. }, Some(state)) => state.claim = None,
            (Some(Mutant::WriteWithoutFence), Op::Write { expect: Some((_, id)), .. }, Some(state))
                if state.value.is_some() =>
            {
                state.claim = None;
                expected = Some((state.version, id));
            }
            _ => {}
        }
        let op = match op {
            Op::Write { expect: Some(expect), version, value } => {
                Op::Write { expect: Some(expected.unwrap_or(expect)), version, value }
            }
            op => op,
        };
        let answer = rules::apply(state, op, now);
        match (mutant, op, &answer) {
            (
                Some(Mutant::LapsedTakenAtOnce),
                Op::Claim { version, id, seconds, .. },
                Answer::Lapsed { id: other, .. },
            ) => rules::apply(state, Op::Claim { version, id, seconds, over: Some(*other) }, now),
            _ => answer,
        }
    }

    /// The end of the claim with this id.
    pub(crate) fn claimed_until(&self, id: ClaimId) -> Option<u64> {
        self.cell?.claim.filter(|claim| claim.id == id).map(|claim| claim.until)
    }
}

impl Cell {
    fn state(self) -> State {
        let Self { version, value, written_at, claim, pause_until } = self;
        let value = value.map(|held| Zeroizing::new(held.to_bytes().to_vec()));
        let claim = claim.map(|Mark { id, made_at, until }| Claim { id, made_at, until: Some(until) });
        State { version, value, written_at, claim, pause_until }
    }

    fn of(state: &State) -> Self {
        let State { version, ref value, written_at, claim, pause_until } = *state;
        let value = value.as_ref().map(|bytes| Held::of(version, bytes));
        let claim = claim.map(|Claim { id, made_at, until }| Mark { id, made_at, until: until.unwrap_or(u64::MAX) });
        Self { version, value, written_at, claim, pause_until }
    }
}

impl Held {
    pub(crate) fn pair(&self, now: Now) -> Pair {
        let lifetime = Lifetime::new(self.requested_at.into(), Some(self.lifetime));
        Pair::new(self.version, lifetime, self.end.map_or(Renewal::Possible, Renewal::Ended), now)
    }

    pub(crate) fn read(row: &Row) -> Self {
        Self::of(row.version, &row.value)
    }

    pub(crate) fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        let (code, since) = match self.end {
            None => (0, 0),
            Some(End::AnswerLost { since }) => (1, since),
            Some(_) => (2, 0),
        };
        bytes[..3].copy_from_slice(&[self.family, self.token, code]);
        bytes[4..8].copy_from_slice(&self.requested_at.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.lifetime.to_be_bytes());
        bytes[12..].copy_from_slice(&since.to_be_bytes());
        bytes
    }

    fn of(version: Version, bytes: &[u8]) -> Self {
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let since = u64::from_be_bytes(bytes[12..].try_into().expect("eight bytes"));
        let end = match bytes[2] {
            0 => None,
            1 => Some(End::AnswerLost { since }),
            _ => Some(End::Refused),
        };
        Self { version, family: bytes[0], token: bytes[1], requested_at: number(4), lifetime: number(8), end }
    }
}
