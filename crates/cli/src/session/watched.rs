//! The store of a login in use. It defers interrupts while the refresh token may be spent, and says what is waited for.

use crate::logins::Login;
use crate::{interrupt, output};
use proofkey_native::{Key, Store, StoreError};
use proofkey_ureq::proofkey_store::{self, Answer, Op, Row, StoreFault};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) struct Watched {
    store: Arc<Store>,
    /// Whether a claim that was left behind is waited for: it is not, if the refresh token is not spent by a use.
    rotates: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The row that was read already.
    read: Option<Row>,
    is_claimed: bool,
    is_busy: bool,
    is_told: bool,
}

impl Watched {
    pub(super) fn new(store: Arc<Store>, login: &Login) -> Self {
        let state = State { read: Some(login.row.clone()), ..State::default() };
        Self { store, rotates: login.record.rotates != Some(false), state: Mutex::new(state) }
    }
}

impl proofkey_store::Store for Watched {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match op {
            Op::Load => {
                if let Some(row) = state.read.take() {
                    return Ok(Answer::Row(row));
                }
                if state.is_busy {
                    state.tell("waiting for another process, which refreshes this sign-in");
                }
            }
            // What is read is soon spent.
            Op::Claim { .. } => interrupt::defer(),
            _ => {}
        }
        if !state.is_claimed && interrupt::is_pending() {
            return Err(StoreError::new(StoreFault::Unavailable));
        }
        let answer = self.store.run(key, op);
        match (op, &answer) {
            (Op::Claim { .. }, Ok(Answer::Claimed(_))) => state.is_claimed = true,
            (Op::Claim { .. }, answer) if !state.is_claimed => {
                interrupt::allow();
                state.is_busy = matches!(answer, Ok(Answer::Busy { .. }));
                if self.rotates && matches!(answer, Ok(Answer::Lapsed { .. })) {
                    state.tell("waiting for another process, which did not finish its refresh (2 seconds)");
                }
            }
            (Op::Write { .. }, Ok(Answer::Done)) | (Op::Release { .. }, _) => state.is_claimed = false,
            (Op::Write { .. }, Err(error)) => {
                state.tell(&format!("the new tokens cannot be stored yet, trying again: {error}"));
            }
            _ => {}
        }
        answer
    }
}

impl State {
    /// Tells a person, once.
    fn tell(&mut self, text: &str) {
        if !self.is_told && output::is_live() {
            output::note(text);
        }
        self.is_told = true;
    }
}
