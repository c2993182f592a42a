//! A new pair is saved before anything else, however long that takes.

use super::{Pass, Phase, STEPS_MAX};
use crate::session::{End, Event, Now, Outcome, Pair, Renewal, Seen, Step, Trouble, Version};

impl Pass {
    pub(super) fn granted(&mut self, pair: Pair, is_flawed: bool) -> Step {
        let expect = self.held_version();
        let version = self.next_version();
        self.held = Some(pair.at(version));
        self.lost = None;
        self.is_flawed = is_flawed;
        self.save(expect)
    }

    fn save(&mut self, expect: Version) -> Step {
        self.unsaved = Some(expect);
        self.to(Phase::Saving, Step::Save { expect, id: self.id, version: self.held_version() })
    }

    pub(super) fn saved(&mut self, event: Event, now: Now) -> Step {
        let Some(expect) = self.unsaved else { return self.finish(Trouble::Store, now) };
        let renewing = matches!(self.phase, Phase::Renewing);
        match event {
            Event::Claimed(_) | Event::Lapsed { .. } if renewing => self.save(expect),
            Event::Done if !renewing => {
                self.unsaved = None;
                self.settled(now)
            }
            Event::Changed(row) => self.conflict(row, now),
            Event::SignedOut => {
                self.unsaved = None;
                self.to(Phase::Revoking, Step::Revoke)
            }
            Event::Absent => self.gone(End::Forgotten),
            _ => self.not_yet(now),
        }
    }

    /// Somebody else has written while the held pair could not be saved.
    fn conflict(&mut self, row: Seen, now: Now) -> Step {
        let held = self.held_version();
        let seen = row.pair.version;
        if seen == held {
            self.unsaved = None;
            return self.settled(now);
        }
        // Of this login: another holder has answered our lapsed claim. If it was refused, ours is the one that lives.
        let is_ended = matches!(row.pair.renewal, Renewal::Ended(_));
        if seen.login() == held.login() && is_ended && !held.is_newer_than(seen) {
            let version = seen.next(self.id);
            self.held = self.held.map(|pair| pair.at(version));
            return self.save_over(seen, now);
        }
        // The store forgot what was written. An earlier login than that of the row is dropped and not revoked: many servers would
        // end both (RFC 7009 section 2.1).
        if held.is_newer_than(seen) { self.save_over(seen, now) } else { self.adopt(row) }
    }

    /// Saves over another row than expected. A store that has another one each time is left alone for a second.
    fn save_over(&mut self, seen: Version, now: Now) -> Step {
        if self.steps < STEPS_MAX {
            return self.save(seen);
        }
        (self.steps, self.unsaved) = (0, Some(seen));
        self.not_yet(now)
    }

    fn not_yet(&mut self, now: Now) -> Step {
        let serves = self.held.is_some_and(|held| held.is_valid(now));
        let trouble = Trouble::Unsaved;
        self.done(if serves { Outcome::Use(Some(trouble)) } else { Outcome::Fail(trouble) })
    }

    fn settled(&mut self, now: Now) -> Step {
        if self.is_flawed { self.finish(Trouble::Refused, now) } else { self.done(Outcome::Use(None)) }
    }

    /// Renews the claim, to save what is not saved yet.
    pub(super) fn renew(&mut self, now: Now) -> Step {
        let Some(version) = self.unsaved else { return self.finish(Trouble::Store, now) };
        let step = Step::Claim { version, id: self.id, seconds: self.policy.claim, over: None };
        self.to(Phase::Renewing, step)
    }
}
