//! [`Cell`]: one login in this process, shared by its threads or tasks.

use super::clock::{now, tick};
use super::error::SessionError;
use super::held::{Held, Token, View};
use super::run::Run;
use super::told::{Told, tell};
use arc_swap::ArcSwapOption;
use proofkey_core::session::{ClaimId, End, Need, Now, Policy, Version};
use proofkey_core::{Client, ClientBuf};
use proofkey_store::{Answer, Key, Record, StoreError};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One login in this process: the token that is handed out, and what the last pass came to.
#[derive(Debug)]
pub struct Cell {
    key: Key,
    client: Arc<ClientBuf>,
    policy: Policy,
    view: View,
    current: ArcSwapOption<Held>,
    passes: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Why the last pass failed, and what it was for.
    failed: Option<(Need, SessionError)>,
    /// How many passes in a row had trouble.
    troubles: u32,
    /// No refresh for a 401, nor any after a refusal, before then, in milliseconds of uptime.
    quiet_until: u64,
    /// A pass whose tokens are not saved yet.
    unsaved: Option<Box<Run>>,
}

/// How far a caller is that needs a token.
#[derive(Debug)]
pub enum Turn {
    /// It has it, or knows why not.
    Over(Result<Token, SessionError>),
    /// It must drive this pass, and then [`Cell::publish`] it.
    Run(Box<Run>),
    /// First it must try to save what this pass could not save, and then take its turn again.
    Save(Box<Run>),
}

/// What there was when a caller came.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    passes: u64,
    version: Option<Version>,
}

impl Cell {
    /// A login that is not loaded yet; for tokens for `resource`, if there is one.
    #[must_use]
    pub fn new(key: Key, client: Arc<ClientBuf>, policy: Policy, resource: Option<&str>) -> Self {
        // Without randomness all refresh at the same time, which does no harm.
        let [spread] = random().unwrap_or_default();
        let bound_to = client.as_client().key().copied();
        let view = View { resource: resource.map(Arc::from), spread, bound_to };
        let current = ArcSwapOption::empty();
        Self { key, client, policy, view, current, passes: AtomicU64::new(0), state: Mutex::default() }
    }

    /// The same login, for another resource.
    #[must_use]
    pub fn for_resource(&self, resource: &str) -> Self {
        Self::new(self.key.clone(), Arc::clone(&self.client), self.policy, Some(resource))
    }

    /// The resource that its tokens are for, if not for the login as a whole.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.view.resource.as_deref()
    }

    /// The key of the login.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> Client<'_> {
        self.client.as_client()
    }

    /// The token, if it can be handed out at once: it is valid, and there is nothing to do.
    #[must_use]
    #[inline]
    pub fn fresh(&self) -> Option<Token> {
        let held = self.current.load_full()?;
        let tick = tick();
        (held.looked.is_at(tick) || held.look(tick)).then(|| Token(held))
    }

    /// The token, if it can be handed out at once for this need.
    #[must_use]
    pub fn fresh_for(&self, need: Need) -> Option<Token> {
        self.fresh().filter(|Token(held)| held.pair.serves(need, now()))
    }

    /// The token, if it is good for this need, although a refresh may be due.
    #[must_use]
    pub fn valid(&self, need: Need) -> Option<Token> {
        self.current.load_full().filter(|held| held.pair.serves(need, now())).map(Token)
    }

    /// What there is, for a caller that now waits for its [`turn`](Self::turn).
    #[must_use]
    pub fn come(&self) -> Came {
        Came { passes: self.passes.load(Ordering::Acquire), version: self.version() }
    }

    /// What a caller does that has waited for its turn. No two runs are under way at once.
    #[must_use]
    pub fn turn(&self, need: Need, came: Came) -> Turn {
        let mut state = self.lock();
        if let Some(mut run) = state.unsaved.take() {
            run.waited();
            return Turn::Save(run);
        }
        let others = self.passes.load(Ordering::Acquire) != came.passes;
        if others && let Some(token) = self.valid(need).or_else(|| self.new_since(need, came)) {
            return Turn::Over(Ok(token));
        }
        let is_quiet = now().uptime_ms() < state.quiet_until
            && match need {
                Need::New => false,
                Need::OtherThan(_) => true,
                _ => matches!(state.failed, Some((_, SessionError::Refused(_)))),
            };
        if let Some((failed, error)) = &state.failed
            && (others || is_quiet)
            && (*failed == need || is_quiet)
        {
            return Turn::Over(Err(error.clone()));
        }
        drop(state);
        match random() {
            Ok(id) => {
                let held = self.current.load_full();
                Turn::Run(Box::new(Run::begin(held, need, &self.policy, self.view.clone(), ClaimId(id))))
            }
            Err(_) => Turn::Over(Err(SessionError::Busy)),
        }
    }

    /// Takes what a run has come to, also before it is saved.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn publish(&self, need: Need, run: &Run) -> Result<Token, SessionError> {
        let outcome = run.outcome();
        match &outcome {
            Ok(held) => tell(&self.key, held.trouble.as_ref().map_or_else(|| run.told(), Told::Trouble)),
            Err(error) => tell(&self.key, Told::Failed(error)),
        }
        let now = now();
        let mut state = self.lock();
        match &outcome {
            Ok(held) if held.trouble.is_none() => {
                state.troubles = 0;
                state.quiet_until = 0;
                state.failed = None;
                // If it is still due, another process is refreshing it: that is looked at again, but not at each call.
                let quiet_until = if held.pair.is_due(now) { now.uptime_ms().saturating_add(PAUSE) } else { 0 };
                self.current.store(Some(Arc::new(Held { quiet_until, ..(**held).clone() })));
            }
            Ok(held) => {
                // What is not saved is tried each second: until then it can be lost.
                let soon = now.uptime_ms().saturating_add(PAUSE);
                let quiet_until = if held.is_unsaved() { soon } else { state.trouble(now) };
                let held = Arc::new(Held { quiet_until, ..(**held).clone() });
                self.current.store(Some(held));
                state.failed = None;
            }
            Err(error) => {
                state.quiet_until = state.trouble(now);
                state.failed = Some((need, error.clone()));
                match error {
                    SessionError::Ended { end: End::Forgotten | End::SignedOut, .. } => self.current.store(None),
                    _ => self.current.store(run.held().cloned()),
                }
            }
        }
        drop(state);
        self.passes.fetch_add(1, Ordering::AcqRel);
        outcome.map(Token)
    }

    /// Puts a run aside whose tokens are not saved yet. Who comes next, for a token or with [`unsaved`](Self::unsaved), goes on
    /// with it.
    pub fn put_aside(&self, run: Box<Run>) {
        self.lock().unsaved = Some(run);
    }

    /// The run that was put aside, ready to try once more; none if everything is saved.
    #[must_use]
    pub fn unsaved(&self) -> Option<Box<Run>> {
        let mut run = self.lock().unsaved.take()?;
        run.waited();
        Some(run)
    }

    /// What a caller with this need gets of a run that it went on with, and that is still not saved.
    ///
    /// # Errors
    /// [`SessionError::Unsaved`] if that does not serve.
    pub fn serve(&self, need: Need, result: Result<Token, SessionError>) -> Result<Token, SessionError> {
        let token = result?;
        let error = token.trouble().cloned().filter(|_| !token.0.pair.serves(need, now()));
        error.map_or(Ok(token), Err)
    }

    /// What the store has, without a refresh: tell what it answered to [`Op::Load`](proofkey_store::Op::Load). None if nobody is
    /// signed in.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub fn peek(&self, answer: Result<Answer, StoreError>) -> Result<Option<Token>, SessionError> {
        Ok(match answer? {
            Answer::Row(row) => {
                let held = Held::read(&row, &self.view, now())?;
                let is_newer = self.version().is_none_or(|version| held.pair.version().is_newer_than(version));
                let held = Arc::new(held);
                if is_newer {
                    self.current.store(Some(Arc::clone(&held)));
                }
                Some(Token(held))
            }
            _ => None,
        })
    }

    /// Takes a login that was begun, or none after a sign-out.
    pub(super) fn hold(&self, held: Option<Held>) -> Option<Token> {
        let held = held.map(Arc::new);
        tell(&self.key, if held.is_some() { Told::Began } else { Told::SignedOut });
        let mut state = self.lock();
        *state = State::default();
        self.current.store(held.clone());
        held.map(Token)
    }

    /// The record that is held, and its version.
    pub(super) fn held(&self) -> Option<(Version, Arc<Record>)> {
        self.current.load().as_ref().map(|held| (held.pair.version(), Arc::clone(&held.record)))
    }

    pub(super) fn view(&self) -> &View {
        &self.view
    }

    pub(super) fn version(&self) -> Option<Version> {
        self.current.load().as_ref().map(|held| held.pair.version())
    }

    /// The token, if it was issued since the caller came: then it is as new as it can be.
    fn new_since(&self, need: Need, came: Came) -> Option<Token> {
        let held = self.current.load_full()?;
        let is_newer = came.version.is_some_and(|version| held.pair.version().is_newer_than(version));
        let is_enough = is_newer && need.is_met_by_new() && held.pair.is_valid(now());
        is_enough.then(|| Token(held))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a pass with trouble, and returns when the next one may begin that is not urgent: 1 to 30 s later.
    fn trouble(&mut self, now: Now) -> u64 {
        let pause = PAUSE.saturating_mul(1 << self.troubles.min(5)).min(30_000);
        self.troubles = self.troubles.saturating_add(1);
        now.uptime_ms().saturating_add(pause)
    }
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// In milliseconds.
const PAUSE: u64 = 1_000;
