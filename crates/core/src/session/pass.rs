//! [`Pass`]: from "a token is needed" to an outcome.

mod saving;

use super::{ClaimId, End, Event, Grace, Need, Now, Outcome, Pair, Policy, Renewal, Seen, Step, Trouble, Version};
use crate::flow::Unanswered;

/// One go from "a token is needed" to an [`Outcome`]: a state machine without I/O, clock, randomness or secret.
///
/// Its driver holds two pairs of tokens: the held one, and the row that was last read. It asks for a [`Step`], does it, and tells
/// the [`Event`] that came of it, until the step is [`Step::Done`]. It never decides anything itself.
///
/// ```text
///           need a token            row newer ─────────────────▶ Adopt, Done(Use)
///  begin ──▶ Load ── signed out, absent ──▶ Done(Ended)
///             │ still stale          │ row older: Save the held pair
///             ▼
///           Claim ── busy ──▶ Wait, Load       ── changed ──▶ Adopt
///             │  └─ lapsed ──▶ Wait 2 s, Load, Claim over exactly that claim
///             ▼
///           Send ── unsent ──▶ Release, Done(Unsent)   ── closed ──▶ Send once more ──▶ Done(NoAnswer): the claim stays
///             │  └─ refused ──▶ Load ── changed ──▶ Adopt                   ── lost ──▶ Done(NoAnswer): the claim stays
///             │                   └──── same ──▶ End, Done(Ended)
///             ▼ granted
///           Save ── done ──▶ Done(Use)
///             ├─ changed ──▶ Adopt
///             ├─ fenced, store down ──▶ Done(Unsaved), and once more a second later
///             ├─ signed out ──▶ Revoke, Done(Ended)
///             └─ absent ──▶ Done(Ended)
/// ```
///
/// ```
/// use proofkey_core::Lifetime;
/// use proofkey_core::session::{
///     ClaimId, Event, LoginId, Need, Now, Outcome, Pair, Pass, Policy, Renewal, Seen, Step, Version,
/// };
///
/// // A token of an hour, asked for at 1,000 s; now it is 4,700 s.
/// let version = Version::first(LoginId::new(1_000, None, 7));
/// let now = Now::new(4_700_000, 0);
/// let held = Pair::new(version, Lifetime::new(1_000, Some(3_600)), Renewal::Possible, now);
/// let (mut pass, step) = Pass::begin(Some(held), Need::Valid, &Policy::new(), ClaimId([1; 16]), now);
/// assert_eq!(step, Step::Load);
/// let row = Seen::new(held, 3_700, 0);
/// assert!(matches!(pass.step(Event::Row(row), now), Step::Claim { .. }));
/// assert!(matches!(pass.step(Event::Claimed(row), now), Step::Send { within: 15_000 }));
/// let new = Pair::new(pass.next_version(), Lifetime::new(4_700, Some(3_600)), Renewal::Possible, now);
/// assert!(matches!(pass.step(Event::Granted(new), now), Step::Save { .. }));
/// assert_eq!(pass.step(Event::Done, now), Step::Done(Outcome::Use(None)));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Pass {
    policy: Policy,
    need: Need,
    id: ClaimId,
    begun: Now,
    phase: Phase,
    held: Option<Pair>,
    /// The version that was there when the caller came.
    first: Option<Version>,
    /// The time before the claim was asked for.
    claimed: Now,
    /// The lapsed claim that was waited for.
    over: Option<ClaimId>,
    /// When the refresh token was sent without an answer, in seconds since 1970.
    lost: Option<u64>,
    sends: u8,
    /// The version in whose place the held pair must be written.
    unsaved: Option<Version>,
    /// The answer had a new refresh token and was otherwise unusable.
    is_flawed: bool,
    waits: u8,
    /// Steps are counted, so that no store can keep a pass going for ever.
    steps: u16,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Phase {
    /// The row, which becomes the held pair.
    Adopting(Seen),
    Claiming,
    /// After a refusal: has somebody else refreshed?
    Checking,
    Done(Outcome),
    Ending,
    Healing,
    Loading,
    Releasing(Trouble),
    /// Claims once more, to save.
    Renewing,
    Revoking,
    Saving,
    Sending,
    Waiting,
}

impl Pass {
    /// Begins: with the pair that the caller holds, and a claim that nobody else has.
    #[must_use]
    pub fn begin(held: Option<Pair>, need: Need, policy: &Policy, id: ClaimId, now: Now) -> (Self, Step) {
        let mut pass = Self {
            policy: *policy,
            need,
            id,
            begun: now,
            phase: Phase::Loading,
            held,
            first: held.map(|pair| pair.version),
            claimed: now,
            over: None,
            lost: None,
            sends: 0,
            unsaved: None,
            is_flawed: false,
            waits: 0,
            steps: 0,
        };
        let step = pass.good(now).unwrap_or(Step::Load);
        (pass, step)
    }

    /// Goes on. Never panics, and ends, whatever it is told: an event that does not answer the step is a failure of the store.
    pub fn step(&mut self, event: Event, now: Now) -> Step {
        self.steps = self.steps.saturating_add(1);
        if self.steps > STEPS_MAX && self.unsaved.is_none() && !matches!(self.phase, Phase::Releasing(_)) {
            return self.finish(Trouble::Busy, now);
        }
        match (self.phase, event) {
            (Phase::Done(_), _) if self.unsaved.is_some() => self.renew(now),
            (Phase::Done(outcome), _) => Step::Done(outcome),
            (Phase::Sending, event) => self.answered(event, now),
            (Phase::Saving | Phase::Renewing, event) => self.saved(event, now),
            (Phase::Adopting(row), Event::Done) => self.adopted(row, now),
            (Phase::Revoking, _) => self.done(Outcome::Fail(Trouble::Ended(End::SignedOut))),
            (Phase::Releasing(trouble), _) => self.finish(trouble, now),
            (Phase::Waiting, Event::Done) => self.to(Phase::Loading, Step::Load),
            (_, Event::Absent) => self.gone(End::Forgotten),
            (_, Event::SignedOut) => self.gone(End::SignedOut),
            (Phase::Loading | Phase::Checking, Event::Row(row)) | (_, Event::Changed(row)) => self.look(row, now),
            (Phase::Claiming, Event::Claimed(row)) if row.pause > 0 => {
                self.release(row.pause, Trouble::Paused { seconds: row.pause }, now)
            }
            (Phase::Claiming, Event::Claimed(_)) => self.send(now),
            (Phase::Claiming, Event::Lapsed { id, age, .. }) => self.lapsed(id, age, now),
            (Phase::Claiming, Event::Busy) if self.serves(now) => self.done(Outcome::Use(None)),
            (Phase::Claiming, Event::Busy) | (Phase::Healing | Phase::Ending, Event::Fenced) => self.wait(now),
            (Phase::Healing, Event::Done) => self.decide(0, u32::MAX, now),
            (Phase::Checking | Phase::Ending, _) => self.ended(now),
            _ => self.finish(Trouble::Store, now),
        }
    }

    /// The version of the pair that a refresh under this pass brings.
    #[must_use]
    pub fn next_version(&self) -> Version {
        self.held_version().next(self.id)
    }

    /// Whether nothing is left to be saved.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.unsaved.is_none()
    }

    /// Whether the held pair can be handed out, so that nobody needs to wait for a refresh.
    #[must_use]
    pub fn serves(&self, now: Now) -> bool {
        self.held.is_some_and(|held| {
            let is_enough = self.need.is_met_by_new() && self.is_new(held) && held.is_valid(now);
            is_enough || held.serves(self.need, now)
        })
    }

    /// Compares a row with what is held.
    fn look(&mut self, row: Seen, now: Now) -> Step {
        let seen = row.pair.version;
        self.first = self.first.or(Some(seen));
        match self.held {
            Some(held) if held.version == seen => {
                if matches!(self.phase, Phase::Checking) {
                    return self.end();
                }
                self.decide(row.pause, row.age, now)
            }
            // The store forgot what was written. An older login is never adopted.
            Some(held) if held.version.is_newer_than(seen) => {
                self.to(Phase::Healing, Step::Save { expect: seen, id: self.id, version: held.version })
            }
            _ => self.adopt(row),
        }
    }

    fn adopt(&mut self, row: Seen) -> Step {
        self.unsaved = None;
        self.to(Phase::Adopting(row), Step::Adopt)
    }

    fn adopted(&mut self, row: Seen, now: Now) -> Step {
        // It is another refresh token now: nothing of it was lost.
        (self.lost, self.over, self.sends) = (None, None, 0);
        self.held = Some(row.pair);
        self.decide(row.pause, row.age, now)
    }

    /// What the held pair calls for, now that it is what the store has.
    fn decide(&mut self, pause: u32, age: u32, now: Now) -> Step {
        let Some(held) = self.held else { return self.finish(Trouble::Store, now) };
        if let Some(step) = self.good(now) {
            return step;
        }
        let trouble = match held.renewal {
            Renewal::Ended(end) => Trouble::Ended(end),
            Renewal::NoRefreshToken => Trouble::Ended(End::NoRefreshToken),
            Renewal::OtherKey => Trouble::OtherKey,
            Renewal::Possible if pause > 0 => Trouble::Paused { seconds: pause },
            Renewal::Possible if self.need == Need::OtherThan(held.version) && age < YOUNG => Trouble::Young,
            Renewal::Possible => return self.claim(now),
        };
        self.finish(trouble, now)
    }

    #[inline(never)]
    fn claim(&mut self, now: Now) -> Step {
        self.claimed = now;
        // Whoever answers a lapsed claim may leave the next one: then the tries become rarer.
        let seconds = if self.over.is_some() { self.policy.claim.max(CLAIM_AGAIN) } else { self.policy.claim };
        let step = Step::Claim { version: self.held_version(), id: self.id, seconds, over: self.over };
        self.to(Phase::Claiming, step)
    }

    /// A holder died, or was not answered. Until its claim is answered it may still save, so it is given a moment.
    fn lapsed(&mut self, id: ClaimId, age: u32, now: Now) -> Step {
        let since = now.seconds().saturating_sub(age.into());
        if self.policy.grace == Grace::Unlimited {
            self.over = Some(id);
            return self.claim(now);
        }
        self.lost = Some(since);
        if self.policy.grace == Grace::None && self.serves(now) {
            return self.done(Outcome::Use(Some(Trouble::NoAnswer { since })));
        }
        if now.since(self.begun) >= PATIENCE {
            return self.finish(Trouble::NoAnswer { since }, now);
        }
        self.over = Some(id);
        self.to(Phase::Waiting, Step::Wait { milliseconds: LAPSE })
    }

    /// Waits for another holder, longer each time. If its claim lapses again, it is given a moment again.
    fn wait(&mut self, now: Now) -> Step {
        self.over = None;
        if now.since(self.begun) >= PATIENCE {
            return self.finish(Trouble::Busy, now);
        }
        let most = WAIT.saturating_mul(1 << self.waits.min(5)).min(WAIT_MAX);
        let part = self.id.0.get(usize::from(self.waits % 16)).copied().unwrap_or_default();
        self.waits = self.waits.saturating_add(1);
        let milliseconds = most.saturating_sub(most.saturating_mul(part.into()) / 512);
        self.to(Phase::Waiting, Step::Wait { milliseconds })
    }

    #[inline(never)]
    fn send(&mut self, now: Now) -> Step {
        let left = self.policy.sending().saturating_sub(now.since(self.claimed));
        if left < SEND_LEAST {
            return match self.lost {
                Some(since) => self.finish(Trouble::NoAnswer { since }, now),
                None => self.release(0, Trouble::Unsent, now),
            };
        }
        self.sends = self.sends.saturating_add(1);
        let within = left.min(u64::from(self.policy.send).saturating_mul(1000));
        self.to(Phase::Sending, Step::Send { within: u32::try_from(within).unwrap_or(u32::MAX) })
    }

    fn answered(&mut self, event: Event, now: Now) -> Step {
        match event {
            Event::Granted(pair) => self.granted(pair, false),
            Event::Kept(pair) => self.granted(pair, true),
            Event::Refused { ends: true, .. } => self.to(Phase::Checking, Step::Load),
            Event::Refused { ends: false, pause } => self.release(pause, Trouble::Refused, now),
            Event::Unanswered(Unanswered::Unsent) => self.release(0, Trouble::Unsent, now),
            // Nobody can say what was sent if the event is none of these.
            event => {
                let sent = self.claimed.seconds();
                if self.policy.grace == Grace::Unlimited {
                    return self.release(0, Trouble::NoAnswer { since: sent }, now);
                }
                let since = *self.lost.get_or_insert(sent);
                // What was cut off is not on its way any longer. What timed out may be, and arrive after the next one.
                let again = matches!(event, Event::Unanswered(Unanswered::Closed))
                    && self.sends < 2
                    && !(self.policy.grace == Grace::None && self.serves(now));
                if again { self.send(now) } else { self.finish(Trouble::NoAnswer { since }, now) }
            }
        }
    }

    fn end(&mut self) -> Step {
        let version = self.next_version();
        let expect = self.held_version();
        self.to(Phase::Ending, Step::End { expect, id: self.id, version, lost: self.lost })
    }

    fn ended(&mut self, now: Now) -> Step {
        let end = self.lost.map_or(End::Refused, |since| End::AnswerLost { since });
        self.finish(Trouble::Ended(end), now)
    }

    fn gone(&mut self, end: End) -> Step {
        self.unsaved = None;
        self.done(Outcome::Fail(Trouble::Ended(end)))
    }

    /// Gives the claim back, unless it must stay as the mark of a request without an answer.
    fn release(&mut self, pause: u32, trouble: Trouble, now: Now) -> Step {
        if self.lost.is_some() {
            return self.finish(trouble, now);
        }
        self.to(Phase::Releasing(trouble), Step::Release { id: self.id, pause })
    }

    /// Ends with the held pair if it serves: a failed refresh never displaces a token that still works.
    #[inline(never)]
    fn finish(&mut self, trouble: Trouble, now: Now) -> Step {
        self.done(if self.serves(now) { Outcome::Use(Some(trouble)) } else { Outcome::Fail(trouble) })
    }

    fn done(&mut self, outcome: Outcome) -> Step {
        self.to(Phase::Done(outcome), Step::Done(outcome))
    }

    const fn to(&mut self, phase: Phase, step: Step) -> Step {
        self.phase = phase;
        step
    }

    /// Whether the held pair was issued since the caller came.
    fn is_new(&self, held: Pair) -> bool {
        self.first.is_some_and(|first| first != held.version)
    }

    /// Done, if the held pair can be handed out and there is no reason to refresh.
    fn good(&mut self, now: Now) -> Option<Step> {
        let held = self.held.filter(|_| self.serves(now))?;
        match held.renewal {
            Renewal::Ended(end) => Some(self.done(Outcome::Use(Some(Trouble::Ended(end))))),
            Renewal::Possible if held.is_due(now) && !self.is_new(held) => None,
            _ => Some(self.done(Outcome::Use(None))),
        }
    }

    fn held_version(&self) -> Version {
        self.held.map_or(Version::NONE, |held| held.version)
    }
}

/// All in milliseconds.
const LAPSE: u32 = 2_000;
const PATIENCE: u64 = 30_000;
const SEND_LEAST: u64 = 1_000;
const WAIT: u32 = 50;
const WAIT_MAX: u32 = 1_000;
/// A claim over a lapsed one, in seconds.
const CLAIM_AGAIN: u16 = 60;
const STEPS_MAX: u16 = 1_000;
/// The age in seconds up to which a token is not renewed for a 401.
const YOUNG: u32 = 60;
