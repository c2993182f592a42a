//! [`Pass`]: the machine that decides about a session, as JavaScript drives it.
//!
//! Everything is a number. A row is what the tabs know of a pair of tokens:
//!
//! | index | holds |
//! |---|---|
//! | 0, 1, 2 | its version: when the login began, in milliseconds; a random part of 32 bits; how often it was refreshed |
//! | 3, 4 | when the access token was asked for, in seconds since 1970, and its lifetime in seconds; -1 if that is not known |
//! | 5 | 1 if there is a refresh token |
//! | 6, 7 | when this tab got it, by the wall clock and by the clock that is never set, in milliseconds |
//! | 8 | when its refresh token was sent without an answer so far, in milliseconds since 1970; or 0 |
//! | 9 | until when nobody is to refresh it, in milliseconds since 1970; or 0 |
//!
//! No row is an empty one.

use proofkey_core::session::{ClaimId, End, Event, LoginId, Need, Now, Outcome, Pair, Policy, Renewal};
use proofkey_core::session::{Seen, Step, Trouble, Version};
use proofkey_core::{Lifetime, Unanswered};
use wasm_bindgen::prelude::wasm_bindgen;

/// One go from "a token is needed" to an outcome. `package/drive.js` names the numbers of steps and events.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Pass {
    pass: proofkey_core::session::Pass,
    step: Step,
    deadline: f64,
    is_refused: bool,
    /// The last request had no answer, and may still be on its way.
    is_under_way: bool,
    /// The pause that the server asked for, in seconds.
    pause: u32,
}

#[wasm_bindgen]
impl Pass {
    /// Begins with the row that this tab has. `is_refused`: an API has refused its access token. `deadline` is the
    /// longest wait for an answer, in milliseconds.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(row: &[f64], is_refused: bool, deadline: f64, wall: f64, uptime: f64) -> Self {
        let now = now(wall, uptime);
        let policy = Policy::new().with_limits((deadline / 1000.0).ceil() as u16, 0);
        let held = read(row, now).map(|row| row.pair);
        let need = match held {
            Some(pair) if is_refused => Need::OtherThan(pair.version()),
            _ => Need::Valid,
        };
        let (pass, step) = proofkey_core::session::Pass::begin(held, need, &policy, CLAIM, now);
        Self { pass, step, deadline, is_refused, is_under_way: false, pause: 0 }
    }

    /// Takes what came of the last step, and says what to do next. Whoever asks for the first step tells nothing.
    ///
    /// The step is in the lower five bits. The rest belongs to it: the longest wait in milliseconds, a pause in seconds, or how
    /// often the login was refreshed by the version to write.
    pub fn step(&mut self, event: u32, row: &[f64], wall: f64, uptime: f64) -> f64 {
        let now = now(wall, uptime);
        if let Some(event) = self.event(event, read(row, now)) {
            self.step = self.pass.step(event, now);
        }
        let (step, value) = self.told(now);
        (u64::from(value) * 32 + step) as f64
    }
}

impl Pass {
    fn event(&mut self, event: u32, row: Option<Row>) -> Option<Event> {
        Some(match (event & 15, row) {
            (BEGIN, _) => return None,
            (ROW, row) => return Some(self.stored(row)),
            (GRANTED, Some(row)) => Event::Granted(row.pair),
            (KEPT, Some(row)) => Event::Kept(row.pair),
            (BUSY, _) => Event::Busy,
            (DONE, _) => Event::Done,
            (REFUSED, _) => {
                self.pause = event >> 4;
                Event::Refused { ends: false, pause: self.pause }
            }
            (ENDS, _) => Event::Refused { ends: true, pause: 0 },
            (CLOSED, _) => {
                self.is_under_way = false;
                Event::Unanswered(Unanswered::Closed)
            }
            (LOST, _) => {
                self.is_under_way = true;
                Event::Unanswered(Unanswered::Lost)
            }
            (UNSENT, _) => Event::Unanswered(Unanswered::Unsent),
            _ => Event::Failed,
        })
    }

    /// What the tabs have, in answer to a step. A lock never fails to exclude, so only the row tells what became of it.
    fn stored(&self, row: Option<Row>) -> Event {
        let Some(row) = row else {
            return if matches!(self.step, Step::Save { .. }) { Event::SignedOut } else { Event::Absent };
        };
        match self.step {
            Step::Claim { version, .. } if version != row.version() => Event::Changed(row.seen()),
            Step::Claim { over, .. } if row.sent > 0.0 && over != Some(claim_of(row.sent)) => {
                // Its age is for words that no page shows.
                Event::Lapsed { id: claim_of(row.sent), age: 0, row: row.seen() }
            }
            Step::Claim { .. } => Event::Claimed(row.seen()),
            Step::End { version, .. } | Step::Save { version, .. } if version == row.version() => Event::Done,
            Step::End { .. } | Step::Save { .. } => Event::Changed(row.seen()),
            _ => Event::Row(row.seen()),
        }
    }

    /// The step as a number, and what belongs to it.
    fn told(&mut self, now: Now) -> (u64, u32) {
        let rest = if self.pause > 0 { self.pause } else { REST };
        match self.step {
            Step::Adopt => (1, 0),
            Step::Claim { .. } => (2, if self.pass.serves(now) { 0 } else { PATIENCE }),
            Step::End { version, .. } => (3, version.refresh()),
            Step::Load => (4, 0),
            Step::Release { pause, .. } => (5, pause),
            Step::Revoke => (6, 0),
            Step::Save { version, .. } => (7, version.refresh()),
            Step::Send { within } => (8, within.min(self.deadline as u32)),
            Step::Wait { milliseconds } => (9, milliseconds),
            // The claim stays. In other stores it would live on for a while, and keep everybody from trying again. So this
            // one has a step of its own.
            Step::Done(_) if self.is_under_way => {
                self.is_under_way = false;
                (10, rest)
            }
            Step::Done(Outcome::Use(None)) => (11, 0),
            Step::Done(Outcome::Use(Some(Trouble::Paused { seconds }))) => (12, seconds),
            Step::Done(Outcome::Use(_)) => (12, rest),
            Step::Done(Outcome::Fail(trouble)) => match trouble {
                Trouble::Young | Trouble::Paused { .. } | Trouble::Ended(End::NoRefreshToken) if self.is_refused => {
                    (17, 0)
                }
                Trouble::Paused { seconds } => (13, seconds),
                Trouble::Busy => (14, 0),
                Trouble::Ended(End::Forgotten | End::SignedOut) => (16, 0),
                Trouble::Ended(_) => (15, 0),
                _ => (13, 0),
            },
            _ => (13, 0),
        }
    }
}

/// Whether the access token of this row can be handed out at once: it is valid, and either not due for a refresh or to be left
/// alone until `quiet`, in milliseconds since 1970.
#[wasm_bindgen(js_name = isReady)]
#[must_use]
pub fn is_ready(row: &[f64], quiet: f64, wall: f64, uptime: f64) -> bool {
    let now = now(wall, uptime);
    read(row, now).is_some_and(|row| row.pair.is_valid(now) && (!row.pair.is_due(now) || row.is_last || wall < quiet))
}

struct Row {
    pair: Pair,
    age: u32,
    pause: u32,
    sent: f64,
    is_last: bool,
}

impl Row {
    const fn version(&self) -> Version {
        self.pair.version()
    }

    const fn seen(&self) -> Seen {
        Seen::new(self.pair, self.age, self.pause)
    }
}

fn read(row: &[f64], now: Now) -> Option<Row> {
    let &[since, random, refresh, requested_at, expires_in, renewable, wall, uptime, sent, until] = row else {
        return None;
    };
    let version = Version::nth(LoginId::new(since as u64, None, random as u64), refresh as u32);
    let lifetime = Lifetime::new(requested_at as u64, (expires_in >= 0.0).then_some(expires_in as u32));
    let is_last = renewable == 0.0;
    let renewal = if is_last { Renewal::NoRefreshToken } else { Renewal::Possible };
    Some(Row {
        pair: Pair::new(version, lifetime, renewal, Now::new(wall as u64, uptime as u64)),
        age: now.seconds().saturating_sub(requested_at as u64) as u32,
        pause: ((until as u64).saturating_sub(now.seconds() * 1000) / 1000) as u32,
        sent,
        is_last,
    })
}

const fn now(wall: f64, uptime: f64) -> Now {
    Now::new(wall as u64, uptime as u64)
}

/// A lapsed claim is known by its time.
const fn claim_of(sent: f64) -> ClaimId {
    ClaimId((sent.to_bits() as u128).to_le_bytes())
}

/// All claims are this one, because a lock excludes all others and ends with the page that holds it.
const CLAIM: ClaimId = ClaimId([0; 16]);

/// How long to wait for another tab, in milliseconds.
const PATIENCE: u32 = 60_000;
/// The pause after a refresh that failed, in seconds: half of the time between due and expired. In other stores its claim would
/// have lapsed by then.
const REST: u32 = 30;

/// The events. A refusal has its pause in the upper bits.
const BEGIN: u32 = 0;
const DONE: u32 = 1;
const ROW: u32 = 2;
const BUSY: u32 = 3;
pub(crate) const GRANTED: u32 = 4;
pub(crate) const KEPT: u32 = 5;
pub(crate) const CLOSED: u32 = 6;
pub(crate) const LOST: u32 = 7;
const UNSENT: u32 = 8;
pub(crate) const REFUSED: u32 = 9;
pub(crate) const ENDS: u32 = 10;
