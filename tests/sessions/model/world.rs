//! The state that is explored: parties, a store, a server, messages on their way, and one clock.

use super::config::{Config, Fault};
use super::server::Server;
use super::store::{Cell, Held, Store};
use proofkey_core::session::{ClaimId, Event, LoginId, Now, Outcome, Pass, Step, Version};

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct World {
    /// Milliseconds.
    pub(crate) now: u64,
    pub(crate) parties: [Party; 3],
    pub(crate) store: Store,
    pub(crate) server: Server,
    /// Requests whose senders no longer listen.
    pub(crate) strays: [Option<Stray>; 2],
    /// Until when the store takes no writes.
    pub(crate) no_writes: u64,
    pub(crate) faults: u8,
    pub(crate) sign_outs: u8,
    pub(crate) logins: u8,
    /// How often what is in the table of losses has happened.
    pub(crate) rows: Rows,
    /// A party stopped or ended, or the store forgot: claims may overlap.
    pub(crate) bent: bool,
    /// A rule that was broken.
    pub(crate) broken: Option<&'static str>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Party {
    pub(crate) number: u8,
    pub(crate) attempt: u8,
    pub(crate) passes: u8,
    pub(crate) tells: u8,
    pub(crate) claim: ClaimId,
    pub(crate) begun: u64,
    pub(crate) held: Option<Held>,
    pub(crate) row: Option<Held>,
    pub(crate) pass: Option<Pass>,
    pub(crate) next: Next,
    pub(crate) lag: Lag,
    pub(crate) outcome: Option<Outcome>,
}

/// What a party does next.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Next {
    Idle,
    Do(Step),
    /// The request is on its way.
    Flying {
        deadline: u64,
    },
    /// No answer will come.
    Overdue {
        deadline: u64,
    },
    Until(u64),
    /// Waits for another party, at most until then.
    Poll(u64),
    Ready,
    Answered(Event),
    /// Saves once more.
    Again(u64),
    SignOut(Stage),
    /// With the new login.
    Login(u8, Stage),
}

/// Of a sign-out or a login.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Stage {
    Load,
    Write(Version, Option<u8>),
    Revoke(u8),
}

/// Whether a party is late.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Lag {
    No,
    Until(u64),
    Ever,
}

/// A request whose sender no longer listens.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Stray {
    pub(crate) family: u8,
    pub(crate) token: u8,
    pub(crate) deadline: u64,
    /// The row of the table that it is if the server takes it.
    pub(crate) row: u8,
}

impl World {
    pub(crate) fn new(config: &Config) -> Self {
        let version = Version::first(LoginId::new(START / 1000 - 1000, None, 1));
        let lifetime = 1000 + config.left;
        let requested_at = u32::try_from(START / 1000).expect("small") - 1000;
        let held = Held { version, family: 0, token: 0, requested_at, lifetime, end: None };
        let cell = Cell { version, value: Some(held), written_at: START - 1_000_000, claim: None, pause_until: 0 };
        let party = |number: u8| Party {
            number,
            attempt: 0,
            passes: if usize::from(number) < config.parties { config.passes } else { 0 },
            tells: 0,
            claim: ClaimId([0; 16]),
            begun: 0,
            held: Some(held),
            row: None,
            pass: None,
            next: Next::Idle,
            lag: Lag::No,
            outcome: None,
        };
        Self {
            now: START,
            parties: [party(0), party(1), party(2)],
            store: Store { cell: Some(cell), before: None },
            server: Server::new(),
            strays: [None; 2],
            no_writes: 0,
            faults: config.faults,
            sign_outs: config.sign_outs,
            logins: config.logins,
            rows: Rows::default(),
            bent: false,
            broken: None,
        }
    }

    pub(crate) fn time(&self) -> Now {
        Now::new(self.now, self.now)
    }

    pub(crate) fn seconds(&self) -> u32 {
        u32::try_from(self.now / 1000).expect("small")
    }

    pub(crate) fn may(&self, config: &Config, fault: Fault) -> bool {
        self.faults > 0 && config.kinds & fault.bit() != 0
    }

    pub(crate) fn writes_fail(&self) -> bool {
        self.now < self.no_writes
    }

    pub(crate) fn break_rule(&mut self, rule: &'static str) {
        self.broken = self.broken.or(Some(rule));
    }

    pub(crate) fn count(&mut self, row: usize) {
        self.rows[row] = (self.rows[row] + 1).min(2);
    }

    /// Wakes who waits for others.
    pub(crate) fn wake(&mut self) {
        for party in &mut self.parties {
            if matches!(party.next, Next::Poll(_)) {
                party.next = Next::Ready;
            }
        }
    }

    /// Whether the user signed out last.
    pub(crate) fn is_signed_out(&self) -> bool {
        self.store.cell.is_some_and(|cell| cell.value.is_none())
    }
}

impl Party {
    /// Whether it holds a new pair that it has not saved.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| !pass.is_settled())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.next == Next::Idle
    }
}

/// How often each row of the table has happened.
pub(crate) type Rows = [u8; ROWS.len()];

/// The table of what can be lost.
pub(crate) const ROWS: [&str; 6] = [
    "the answer is lost after the server committed",
    "the holder dies before it has saved",
    "the holder pauses past its claim after the commit, or cannot reach the store",
    "the holder pauses past its claim before the send",
    "a send that timed out is overtaken by a later one",
    "the store forgets a write or a claim",
];
pub(crate) const LOST: usize = 0;
pub(crate) const DIED: usize = 1;
pub(crate) const PAUSED: usize = 2;
pub(crate) const SENT_LATE: usize = 3;
pub(crate) const OVERTAKEN: usize = 4;
pub(crate) const FORGOTTEN: usize = 5;

pub(crate) const START: u64 = 1_000_000_000;
/// Of new access tokens, in seconds.
pub(crate) const LIFETIME: u32 = 600;
