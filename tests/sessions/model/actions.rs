//! What can happen next.

use super::config::{Config, Fault};
use super::store::Store;
use super::world::{DIED, FORGOTTEN, Lag, Next, PAUSED, Rows, SENT_LATE, Stage, Stray, World};
use proofkey_core::session::Step;

/// One step of the exploration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// A request arrives whose sender does not listen.
    Arrive(usize),
    Begin(usize),
    Crash(usize),
    Forget,
    Go(usize, Option<Fault>),
    /// A party is late, for one of the reasons.
    Lag(usize, Fault),
    Login(usize),
    NoWrites,
    SignOut(usize),
    Tick,
    Vanish,
}

impl World {
    pub(crate) fn actions(&self, config: &Config, into: &mut Vec<Action>) {
        into.clear();
        for p in 0..config.parties {
            self.actions_of(config, p, into);
        }
        let strays = (0..self.strays.len()).filter(|index| self.strays[*index].is_some());
        into.extend(strays.map(Action::Arrive));
        if into.is_empty() && self.parties.iter().all(|party| party.is_idle() && party.passes == 0) {
            return;
        }
        if self.may(config, Fault::Forget) && self.store.before.is_some() {
            into.push(Action::Forget);
        }
        if self.may(config, Fault::Vanish) && self.store.cell.is_some() {
            into.push(Action::Vanish);
        }
        if self.may(config, Fault::NoWrites) && !self.writes_fail() {
            into.push(Action::NoWrites);
        }
        if self.next_time(config).is_some() {
            into.push(Action::Tick);
        }
    }

    fn actions_of(&self, config: &Config, p: usize, into: &mut Vec<Action>) {
        let party = &self.parties[p];
        let may = |fault| self.may(config, fault);
        let mut go = |fault| {
            if may(fault) {
                into.push(Action::Go(p, Some(fault)));
            }
        };
        match party.next {
            Next::Do(Step::Send { .. }) => go(Fault::NotSent),
            Next::Do(Step::Revoke) => {}
            Next::Do(step) => {
                let is_release = matches!(step, Step::Release { .. });
                if !(self.writes_fail() && matches!(step, Step::Save { .. } | Step::End { .. })) {
                    go(Fault::Down);
                    if !matches!(step, Step::Load) {
                        go(Fault::DownAfter);
                    }
                }
                if !is_release {
                    go(Fault::PauseAfter);
                }
                if party.is_unsaved() {
                    go(Fault::Partition);
                }
            }
            Next::Flying { .. } => {
                use Fault::{CutAfter, CutBefore, Flawed, Refused, SlowAnswer, SlowRequest};
                [CutBefore, Refused, Flawed, CutAfter, SlowAnswer, SlowRequest].into_iter().for_each(go);
            }
            _ => {}
        }
        if self.is_ready(config, p) {
            into.push(Action::Go(p, None));
        }
        // Without a trace of it, a party that ends is one that has not begun.
        let has_left_a_trace = party.is_unsaved()
            || matches!(party.next, Next::Flying { .. } | Next::Overdue { .. })
            || self.store.claimed_until(party.claim).is_some();
        let lags = party.lag != Lag::No;
        match party.next {
            Next::Idle if party.passes > 0 && self.may_begin(config, p) => into.push(Action::Begin(p)),
            Next::Do(step) if !lags => {
                if may(Fault::Pause) && (has_left_a_trace || matches!(step, Step::Claim { .. })) {
                    into.push(Action::Lag(p, Fault::Pause));
                }
                let is_send = matches!(step, Step::Send { .. });
                if may(Fault::Late)
                    && (is_send || matches!(step, Step::Save { .. } | Step::Claim { .. } | Step::End { .. }))
                {
                    into.push(Action::Lag(p, Fault::Late));
                }
                if may(Fault::Drowsy)
                    && party.is_unsaved()
                    && self.store.claimed_until(party.claim).is_some_and(|until| until > self.now)
                {
                    into.push(Action::Lag(p, Fault::Drowsy));
                }
            }
            _ => {}
        }
        if party.pass.is_some() && has_left_a_trace && may(Fault::Crash) {
            into.push(Action::Crash(p));
        }
        if party.is_idle() && self.sign_outs > 0 {
            into.push(Action::SignOut(p));
        }
        if party.is_idle() && self.logins > 0 {
            into.push(Action::Login(p));
        }
    }

    /// Parties are alike, so they begin in their order.
    fn may_begin(&self, config: &Config, p: usize) -> bool {
        (p == 0 || self.parties[p - 1].attempt > 0) && self.clone().begin(config, p)
    }

    pub(crate) fn apply(&mut self, config: &Config, action: Action) {
        match action {
            Action::Arrive(index) => self.arrive(config, index),
            Action::Begin(p) => {
                self.begin(config, p);
            }
            Action::Crash(p) => self.crash(p),
            Action::Forget => {
                self.forget(FORGOTTEN);
                self.store.cell = self.store.before.take().flatten();
            }
            Action::Go(p, fault) => self.go(config, p, fault),
            Action::Lag(p, fault) => {
                self.faults -= 1;
                let claimed = self.store.claimed_until(self.parties[p].claim);
                self.bent |= fault != Fault::Late;
                self.parties[p].lag = match fault {
                    Fault::Late => Lag::Until(self.now + 3_000),
                    Fault::Drowsy => Lag::Until(claimed.unwrap_or(self.now) + 1_000),
                    _ => Lag::Ever,
                };
            }
            Action::Login(p) => {
                self.logins -= 1;
                let family = self.server.login();
                self.parties[p].next = Next::Login(family, Stage::Load);
            }
            Action::NoWrites => {
                self.faults -= 1;
                self.no_writes = self.now + NO_WRITES;
            }
            Action::SignOut(p) => {
                self.sign_outs -= 1;
                self.parties[p].next = Next::SignOut(Stage::Load);
            }
            Action::Tick => self.tick(config),
            Action::Vanish => {
                self.forget(FORGOTTEN);
                self.store = Store { cell: None, before: None };
            }
        }
        if self.faults == 0 {
            self.store.before = None;
        }
    }

    fn forget(&mut self, row: usize) {
        self.faults -= 1;
        self.bent = true;
        self.count(row);
        self.wake();
    }

    fn crash(&mut self, p: usize) {
        self.faults -= 1;
        self.bent = true;
        if self.parties[p].is_unsaved() {
            self.count(DIED);
        }
        if let (Next::Flying { deadline }, Some(held)) = (self.parties[p].next, self.parties[p].held) {
            self.stray(Stray { family: held.family, token: held.token, deadline, row: 1 });
        }
        let party = &mut self.parties[p];
        (party.held, party.row, party.pass) = (None, None, None);
        (party.next, party.lag, party.outcome, party.tells) = (Next::Idle, Lag::No, None, 0);
        party.passes = party.passes.max(1);
    }

    /// The next moment at which anything changes, unless something has to happen before.
    pub(crate) fn next_time(&self, config: &Config) -> Option<u64> {
        let mut next = u64::MAX;
        let mut at = |time: u64| {
            if time > self.now {
                next = next.min(time);
            }
        };
        for (p, party) in self.parties.iter().enumerate() {
            match party.lag {
                Lag::Ever => continue,
                Lag::Until(time) if time <= self.now => return None,
                Lag::Until(time) => {
                    at(time);
                    continue;
                }
                Lag::No => {}
            }
            match party.next {
                Next::Flying { deadline } if deadline > self.now => at(deadline),
                Next::Overdue { deadline } => at(deadline),
                Next::Until(time) | Next::Poll(time) => at(time),
                Next::Again(time) if !self.writes_fail() => at(time),
                _ => {}
            }
            let begins = config.is_eager && party.is_idle() && party.passes > 0 && self.clone().begin(config, p);
            let is_ready = begins || self.is_ready(config, p);
            if is_ready && !matches!(party.next, Next::Flying { deadline } if deadline > self.now) {
                return None;
            }
        }
        at(self.no_writes);
        if let Some(cell) = &self.store.cell {
            at(cell.pause_until);
            if let Some(claim) = cell.claim {
                at(claim.until);
                if self.parties.iter().any(|party| party.lag == Lag::Ever) {
                    at(claim.until + LAPSE);
                }
            }
            if let Some(held) = cell.value {
                let end = u64::from(held.requested_at + held.lifetime) * 1000;
                at(end.saturating_sub(60_000));
                at(end);
            }
        }
        let is_open =
            self.strays.iter().any(Option::is_some) || self.parties.iter().any(|party| party.lag == Lag::Ever);
        if let Some(end) = self.server.next_grace_end(config.rotation, self.seconds()).filter(|_| is_open) {
            at(u64::from(end) * 1000);
        }
        (next < u64::MAX).then_some(next)
    }

    fn tick(&mut self, config: &Config) {
        let Some(target) = self.next_time(config) else { return };
        while self.now < target {
            let step = if self.writes_fail() { self.now + 1_000 } else { target };
            self.pass_time(step.min(target));
            for p in 0..config.parties {
                let party = &self.parties[p];
                let saves = matches!(party.next, Next::Again(time) if time <= self.now) && party.lag == Lag::No;
                if saves && self.writes_fail() {
                    // Renews its claim, and tries to save.
                    self.go(config, p, None);
                    while matches!(self.parties[p].next, Next::Do(Step::Claim { .. } | Step::Save { .. })) {
                        self.go(config, p, None);
                    }
                }
            }
        }
    }

    fn pass_time(&mut self, now: u64) {
        let before = self.now;
        self.now = now;
        for p in 0..self.parties.len() {
            let party = &self.parties[p];
            if party.lag != Lag::Ever && !self.bent {
                continue;
            }
            let until = self.store.claimed_until(party.claim).unwrap_or(0);
            let is_late = match party.next {
                Next::Do(Step::Send { .. }) => until <= now && party.lag != Lag::No,
                // What is sent in time is answered or given up before the claim ends.
                Next::Flying { .. } => (1..=now).contains(&until),
                _ => false,
            };
            if is_late {
                self.rows[SENT_LATE] = 1;
            } else if party.is_unsaved()
                && until + LAPSE <= now
                && (party.lag == Lag::Ever || self.rows == Rows::default())
            {
                self.rows[PAUSED] = 1;
            }
        }
        let lapses =
            self.store.cell.and_then(|cell| cell.claim).is_some_and(|claim| (before + 1..=now).contains(&claim.until));
        for party in &mut self.parties {
            match party.next {
                Next::Poll(end) if lapses || end <= now => party.next = Next::Ready,
                _ => {}
            }
        }
    }
}

const LAPSE: u64 = 2_000;
/// How long a store takes no writes: longer than a claim lives and is waited for.
const NO_WRITES: u64 = 40_000;
