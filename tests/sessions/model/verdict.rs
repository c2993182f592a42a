//! What a path comes to: everybody who lives needs a token twice more, and nothing goes wrong.

use super::config::Config;
use super::server::Life;
use super::world::{FORGOTTEN, Next, World};
use proofkey_core::session::{End, Outcome, Trouble};

/// How a path ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Fine,
    Lost,
    Broken(&'static str),
}

impl World {
    /// Whether the login lives on.
    pub(crate) fn verdict(&self, config: &Config) -> Verdict {
        let (world, ends) = self.ends(config);
        if let Some(rule) = world.broken {
            return Verdict::Broken(rule);
        }
        let last = &ends[config.parties..];
        let all = |outcome| last.iter().all(|end| *end == outcome);
        if world.is_signed_out() {
            return world.signed_out(all(Outcome::Fail(Trouble::Ended(End::SignedOut))));
        }
        if !all(Outcome::Use(None)) {
            return Self::ended(last);
        }
        // Only a store that forgets can bring back what has ended.
        let has_come_back = ends.iter().any(|end| *end != Outcome::Use(None));
        if has_come_back && world.rows[FORGOTTEN] == 0 {
            return Verdict::Broken("a login had ended, and came back");
        }
        world.kept()
    }

    /// What each party gets twice, and what is then.
    pub(crate) fn ends(&self, config: &Config) -> (Self, Vec<Outcome>) {
        let mut world = self.clone();
        (world.faults, world.strays) = (0, [None; 2]);
        let mut ends = Vec::new();
        for round in 0..2 {
            if round > 0 || !config.is_eager {
                world.now += 1_000_000;
            }
            for p in 0..config.parties {
                ends.push(world.need(config, p));
            }
        }
        (world, ends)
    }

    /// Drives one party alone until it has what it needs, or will not get it.
    fn need(&mut self, config: &Config, p: usize) -> Outcome {
        let mut outcome = Outcome::Fail(Trouble::Busy);
        for _ in 0..5 {
            self.parties[p].passes = 1;
            if !self.begin(config, p) {
                return Outcome::Use(None);
            }
            while self.broken.is_none() {
                match self.parties[p].next {
                    Next::Idle => break,
                    Next::Until(time) | Next::Again(time) => self.now = self.now.max(time),
                    Next::Poll(_) => {
                        self.now += 1_000;
                        self.parties[p].next = Next::Ready;
                    }
                    _ => {}
                }
                self.go(config, p, None);
            }
            outcome = self.parties[p].outcome.unwrap_or(outcome);
            if matches!(outcome, Outcome::Use(None) | Outcome::Fail(Trouble::Ended(_))) {
                break;
            }
            self.now += 100_000;
        }
        outcome
    }

    fn kept(&self) -> Verdict {
        let Some(row) = self.store.cell.and_then(|cell| cell.value) else {
            return Verdict::Broken("the store is empty at the end");
        };
        if self.parties.iter().any(|party| party.held.is_some_and(|held| held.version.is_newer_than(row.version))) {
            return Verdict::Broken("a party has a newer pair than the store");
        }
        if self.server.life(row.family) != Life::Live {
            return Verdict::Lost;
        }
        if self.server.current(row.family) != row.token {
            return Verdict::Broken("the store does not have the newest pair at the end");
        }
        self.others_are_revoked(Some(row.family))
    }

    fn signed_out(&self, all_know: bool) -> Verdict {
        if !all_know {
            return Verdict::Broken("not everybody knows that the user signed out");
        }
        self.others_are_revoked(None)
    }

    /// A login that the user left is not left alive, unless somebody ended in the middle of that.
    fn others_are_revoked(&self, but: Option<u8>) -> Verdict {
        let alive =
            (0..self.server.count()).any(|family| Some(family) != but && self.server.life(family) == Life::Live);
        if alive && !self.bent && self.rows.iter().all(|count| *count == 0) {
            return Verdict::Broken("a login that the user left is still alive");
        }
        Verdict::Fine
    }

    fn ended(last: &[Outcome]) -> Verdict {
        let agree = last.iter().all(|end| matches!(end, Outcome::Fail(Trouble::Ended(_))));
        if agree { Verdict::Lost } else { Verdict::Broken("somebody gets neither a token nor an end") }
    }
}
