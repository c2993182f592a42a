//! A party obeys its pass, as a driver does.

use super::config::{Config, Fault, Mutant};
use super::server::{Life, Reply};
use super::store::Held;
use super::world::{FORGOTTEN, LIFETIME, LOST, Lag, Next, OVERTAKEN, Stage, Stray, World};
use proofkey_core::Unanswered;
use proofkey_core::session::{ClaimId, End, Event, LoginId, Outcome, Pass, Seen, Step, Trouble, Version};
use proofkey_store::{Answer, Op};

impl World {
    /// Whether the party has something to do now.
    pub(crate) fn is_ready(&self, config: &Config, p: usize) -> bool {
        let party = &self.parties[p];
        match party.next {
            Next::Idle => false,
            Next::Until(time) => time <= self.now,
            Next::Again(time) => time <= self.now && !self.writes_fail(),
            Next::SignOut(Stage::Write(..)) | Next::Login(_, Stage::Write(..)) => !self.writes_fail(),
            Next::Poll(_) => false,
            Next::Overdue { deadline } => deadline <= self.now,
            Next::Flying { .. } | Next::Do(_) | Next::Ready | Next::Answered(_) => p < config.parties,
            Next::SignOut(_) | Next::Login(..) => true,
        }
    }

    /// Begins a pass, unless there is nothing to do.
    pub(crate) fn begin(&mut self, config: &Config, p: usize) -> bool {
        let now = self.time();
        let party = &mut self.parties[p];
        party.attempt += 1;
        let mut id = [0; 16];
        (id[0], id[1]) = (party.number + 1, party.attempt);
        party.claim = ClaimId(id);
        let held = party.held.map(|held| held.pair(now));
        let (pass, step) = Pass::begin(held, config.need, &config.policy, party.claim, now);
        if matches!(step, Step::Done(_)) {
            return false;
        }
        party.passes = party.passes.saturating_sub(1);
        (party.begun, party.tells, party.outcome) = (self.now, 0, None);
        (party.pass, party.next) = (Some(pass), Next::Do(step));
        true
    }

    /// Does the next step of a party, with a fault or without.
    pub(crate) fn go(&mut self, config: &Config, p: usize, fault: Option<Fault>) {
        self.parties[p].lag = Lag::No;
        if fault.is_some() {
            self.faults -= 1;
        }
        match self.parties[p].next {
            Next::Do(Step::Send { within }) => self.send(config, p, within, fault),
            Next::Do(Step::Revoke) => self.revoke(config, p),
            Next::Do(step) => self.store_step(config, p, step, fault),
            Next::Flying { deadline } => self.answer(config, p, deadline, fault),
            Next::Overdue { .. } => self.tell(config, p, Event::Unanswered(Unanswered::Lost)),
            Next::Answered(event) => self.tell(config, p, event),
            Next::Until(_) | Next::Ready | Next::Again(_) => self.tell(config, p, Event::Done),
            Next::SignOut(stage) => self.user_step(config, p, None, stage),
            Next::Login(family, stage) => self.user_step(config, p, Some(family), stage),
            Next::Idle | Next::Poll(_) => {}
        }
    }

    fn store_step(&mut self, config: &Config, p: usize, step: Step, fault: Option<Fault>) {
        let claim = self.parties[p].claim;
        let mut value = self.parties[p].held;
        let op = |value| match step {
            Step::Claim { version, id, seconds, over } => Op::Claim { version, id, seconds, over },
            Step::Release { id, pause } => Op::Release { id, pause },
            Step::Save { expect, id, version } | Step::End { expect, id, version, .. } => {
                Op::Write { expect: Some((expect, id)), version, value }
            }
            _ => Op::Load,
        };
        if let (Step::End { version, lost, .. }, Some(held)) = (step, &mut value) {
            (held.version, held.end) = (version, Some(lost.map_or(End::Refused, |since| End::AnswerLost { since })));
            self.parties[p].held = value;
        }
        if let (Step::Save { version, .. }, Some(held)) = (step, &mut value) {
            held.version = version;
        }
        let bytes = value.map(Held::to_bytes);
        let op = op(bytes.as_ref().map(|bytes| &bytes[..]));
        let is_write = matches!(op, Op::Write { .. });
        let is_unsaved = self.parties[p].is_unsaved();
        let renews = is_unsaved && matches!(op, Op::Claim { .. });
        let fails = matches!(fault, Some(Fault::Down | Fault::Partition)) || (is_write && self.writes_fail());
        let event = if fails {
            Event::Failed
        } else if renews && config.mutant == Some(Mutant::ClaimNotRenewed) {
            let Some(row) = self.seen(p) else { return self.tell(config, p, Event::Failed) };
            Event::Claimed(row)
        } else {
            let answer = self.run(config, op);
            if is_write && answer == Answer::Done {
                self.parties[p].held = value;
            }
            self.event_of(p, answer)
        };
        match fault {
            Some(Fault::DownAfter) => self.tell(config, p, Event::Failed),
            Some(Fault::PauseAfter) => {
                self.bent = true;
                (self.parties[p].next, self.parties[p].lag) = (Next::Answered(event), Lag::Ever);
            }
            Some(Fault::Partition) => {
                self.bent = true;
                self.tell(config, p, event);
                if self.parties[p].pass.is_some() {
                    self.parties[p].lag = Lag::Ever;
                }
            }
            _ => match (config.mutant, event) {
                (Some(Mutant::RevokedOnAbsent), Event::Absent) if is_write => self.tell(config, p, Event::SignedOut),
                _ => self.tell(config, p, event),
            },
        }
        debug_assert!(claim == self.parties[p].claim);
    }

    /// Does an operation, and wakes who waits if it changed something for others.
    pub(crate) fn run(&mut self, config: &Config, op: Op<'_>) -> Answer {
        let key = |world: &Self| world.store.cell.map(|cell| (cell.version, cell.claim.map(|claim| claim.id)));
        let before = key(self);
        let answer = self.store.run(op, self.now, config.mutant);
        if !self.may(config, Fault::Forget) {
            self.store.before = None;
        }
        if key(self) != before {
            self.wake();
        }
        answer
    }

    fn event_of(&mut self, p: usize, answer: Answer) -> Event {
        let now = self.time();
        let mut see = |row: proofkey_store::Row| {
            let held = Held::read(&row);
            self.parties[p].row = Some(held);
            Seen::new(held.pair(now), row.age, row.pause)
        };
        match answer {
            Answer::Absent => Event::Absent,
            Answer::Busy { .. } => Event::Busy,
            Answer::Changed(row) => Event::Changed(see(row)),
            Answer::Claimed(row) => Event::Claimed(see(row)),
            Answer::Done => Event::Done,
            Answer::Fenced => Event::Fenced,
            Answer::Lapsed { id, age, row } => Event::Lapsed { id, age, row: see(row) },
            Answer::Row(row) => Event::Row(see(row)),
            Answer::SignedOut { .. } => Event::SignedOut,
            _ => Event::Failed,
        }
    }

    fn seen(&self, p: usize) -> Option<Seen> {
        self.parties[p].row.map(|row| Seen::new(row.pair(self.time()), 0, 0))
    }

    fn send(&mut self, config: &Config, p: usize, within: u32, fault: Option<Fault>) {
        if fault == Some(Fault::NotSent) {
            return self.tell(config, p, Event::Unanswered(Unanswered::Unsent));
        }
        if !self.bent {
            if self.parties.iter().any(|party| matches!(party.next, Next::Flying { .. })) {
                self.break_rule("two parties send at the same time");
            }
            // A sign-out or a new login ends all claims.
            let is_current = self.store.cell.map(|cell| cell.version) == self.parties[p].held.map(|held| held.version);
            let claimed = self.store.claimed_until(self.parties[p].claim);
            if is_current && claimed.is_none_or(|until| until <= self.now) {
                self.break_rule("sent without a claim");
            }
        }
        self.parties[p].next = Next::Flying { deadline: self.now + u64::from(within) };
    }

    fn answer(&mut self, config: &Config, p: usize, deadline: u64, fault: Option<Fault>) {
        let Some(held) = self.parties[p].held else { return };
        let Held { family, token, .. } = held;
        match fault {
            Some(Fault::CutBefore) => return self.tell(config, p, Event::Unanswered(Unanswered::Closed)),
            Some(Fault::Refused) => return self.tell(config, p, Event::Refused { ends: false, pause: 5 }),
            Some(Fault::SlowRequest) => {
                self.stray(Stray { family, token, deadline, row: 0 });
                self.parties[p].next = Next::Overdue { deadline };
                return;
            }
            _ => {}
        }
        let reply = self.server.refresh(family, token, config.rotation, self.seconds());
        let is_lost = matches!(fault, Some(Fault::CutAfter | Fault::SlowAnswer));
        if is_lost && matches!(reply, Reply::Granted(new) if new != token) {
            self.count(LOST);
        }
        match (fault, reply) {
            (Some(Fault::CutAfter), _) => self.tell(config, p, Event::Unanswered(Unanswered::Closed)),
            (Some(Fault::SlowAnswer), _) => self.parties[p].next = Next::Overdue { deadline },
            (_, Reply::Refused) => self.tell(config, p, Event::Refused { ends: true, pause: 0 }),
            (fault, Reply::Granted(token)) => {
                let Some(pass) = &self.parties[p].pass else { return };
                let is_flawed = fault == Some(Fault::Flawed);
                let (requested_at, lifetime) =
                    if is_flawed { (held.requested_at, held.lifetime) } else { (self.seconds(), LIFETIME) };
                let new = Held { version: pass.next_version(), token, requested_at, lifetime, ..held };
                self.parties[p].held = Some(new);
                let pair = new.pair(self.time());
                self.tell(config, p, if is_flawed { Event::Kept(pair) } else { Event::Granted(pair) });
            }
        }
    }

    pub(crate) fn stray(&mut self, stray: Stray) {
        if let Some(slot) = self.strays.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(stray);
        }
    }

    /// A request arrives although nobody listens for the answer.
    pub(crate) fn arrive(&mut self, config: &Config, index: usize) {
        let Some(Stray { family, token, deadline, row }) = self.strays[index].take() else { return };
        let (was, is_overtaken) = (self.server.life(family), token != self.server.current(family));
        match self.server.refresh(family, token, config.rotation, self.seconds()) {
            Reply::Granted(new) if new != token && is_overtaken => self.count(OVERTAKEN),
            Reply::Granted(new) if new != token => self.count(row.into()),
            Reply::Refused if was == Life::Live && self.now > deadline + LATE => self.count(OVERTAKEN),
            _ => {}
        }
    }

    fn revoke(&mut self, config: &Config, p: usize) {
        let Some(held) = self.parties[p].held else { return };
        if (self.sign_outs, self.logins) == (config.sign_outs, config.logins) {
            self.break_rule("revoked a login that nobody has ended");
        }
        self.server.revoke(held.family);
        self.tell(config, p, Event::Done);
    }

    /// Tells a pass what happened, and does what it wants that needs no one else.
    fn tell(&mut self, config: &Config, p: usize, event: Event) {
        let now = self.time();
        let mut event = self.mutated(config, p, event);
        loop {
            let party = &mut self.parties[p];
            party.tells = party.tells.saturating_add(1);
            let Some(pass) = &mut party.pass else { return };
            let step = pass.step(event, now);
            if party.tells > TELLS_MAX && !party.is_unsaved() {
                return self.break_rule("a pass runs for ever");
            }
            match step {
                Step::Adopt => {
                    let is_older = matches!((party.held, party.row), (Some(held), Some(row)) if row.version.login() < held.version.login());
                    party.held = party.row;
                    event = Event::Done;
                    if is_older {
                        self.break_rule("an older login was adopted");
                    }
                }
                Step::Done(outcome) => return self.done(config, p, outcome),
                Step::Wait { milliseconds: wait @ 2_000.. } => {
                    party.next = Next::Until(self.now + u64::from(wait));
                    return;
                }
                Step::Wait { .. } => {
                    party.next = Next::Poll(party.begun + PATIENCE);
                    return;
                }
                step => {
                    party.next = Next::Do(step);
                    return;
                }
            }
        }
    }

    fn mutated(&mut self, config: &Config, p: usize, event: Event) -> Event {
        match (config.mutant, event) {
            (Some(Mutant::SentAgainAfterTimeOut), Event::Unanswered(Unanswered::Lost)) => {
                Event::Unanswered(Unanswered::Closed)
            }
            (Some(Mutant::OlderLoginAdopted), Event::Row(_) | Event::Changed(_)) => {
                let party = &mut self.parties[p];
                let is_older = matches!((party.held, party.row), (Some(held), Some(row)) if row.version.login() < held.version.login());
                if is_older && !party.is_unsaved() {
                    party.held = None;
                    let (pass, _) = Pass::begin(None, config.need, &config.policy, party.claim, self.time());
                    self.parties[p].pass = Some(pass);
                    self.break_rule("an older login was adopted");
                }
                event
            }
            _ => event,
        }
    }

    fn done(&mut self, config: &Config, p: usize, outcome: Outcome) {
        let now = self.now;
        let party = &mut self.parties[p];
        party.outcome = Some(outcome);
        if party.is_unsaved() {
            (party.next, party.tells) = (Next::Again(now + 1_000), 0);
            return;
        }
        (party.pass, party.row, party.next, party.tells) = (None, None, Next::Idle, 0);
        let held = party.held;
        let (Outcome::Use(Some(Trouble::Ended(end))) | Outcome::Fail(Trouble::Ended(end))) = outcome else { return };
        let is_true = match end {
            End::SignedOut => self.sign_outs < config.sign_outs,
            End::Forgotten => self.rows[FORGOTTEN] > 0,
            _ => held.is_some_and(|held| self.server.life(held.family) != Life::Live),
        };
        if !is_true && config.mutant.is_none() {
            self.break_rule("a login was said to have ended, and it has not");
        }
    }

    /// A step of a sign-out or of a login, whose tokens are of this family.
    fn user_step(&mut self, config: &Config, p: usize, family: Option<u8>, stage: Stage) {
        let next = |stage| family.map_or(Next::SignOut(stage), |family| Next::Login(family, stage));
        self.parties[p].next = match stage {
            Stage::Load => {
                let (previous, seen) = match self.run(config, Op::Load) {
                    Answer::Row(row) => (Some(row.version.login()), Some(Held::read(&row).family)),
                    Answer::SignedOut { version } => (Some(version.login()), None),
                    _ => (None, None),
                };
                let login = LoginId::new(self.now / 1000, previous, u64::from(self.parties[p].number) + 10);
                next(Stage::Write(Version::first(login), seen))
            }
            Stage::Write(version, seen) => {
                let held = family.map(|family| Held {
                    version,
                    family,
                    token: 0,
                    requested_at: self.seconds(),
                    lifetime: LIFETIME,
                    end: None,
                });
                let bytes = held.map(Held::to_bytes);
                let value = bytes.as_ref().map(|bytes| &bytes[..]);
                match self.run(config, Op::Write { expect: None, version, value }) {
                    Answer::Changed(_) => next(Stage::Load),
                    Answer::SignedOut { .. } if family.is_some() => next(Stage::Load),
                    answer => {
                        self.parties[p].held = held;
                        let displaced = match answer {
                            Answer::Displaced(row) => Some(Held::read(&row).family),
                            Answer::Done => None,
                            _ => seen,
                        };
                        displaced.map_or(Next::Idle, |family| next(Stage::Revoke(family)))
                    }
                }
            }
            Stage::Revoke(family) => {
                self.server.revoke(family);
                Next::Idle
            }
        };
    }
}

const PATIENCE: u64 = 30_000;
const TELLS_MAX: u8 = 120;
/// How late a request arrives whose sender does not listen any more, unless another one overtakes it. A request that is later
/// is a row of the table.
const LATE: u64 = 8_000;
