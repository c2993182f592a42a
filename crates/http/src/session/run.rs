//! [`Run`]: a pass with its tokens. The adapter does the I/O.

use super::clock::now;
use super::error::SessionError;
use super::held::{Held, View};
use super::told::Told;
use crate::error::ExchangeError;
use proofkey_core::session::{ClaimId, End, Event, Grace, Need, Outcome, Pass, Policy, Seen, Step, Trouble};
use proofkey_core::{Client, RefreshToken, RefreshTokenBuf, TokenRequest, TokensBuf};
use proofkey_store::{Answer, Ended, Op, Record, Row, Secret, StoreError, StoreFault};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// A pass on its way: it says what to do, and is told what came of it.
#[derive(Debug)]
pub struct Run {
    pass: Pass,
    step: Step,
    view: View,
    held: Option<Arc<Held>>,
    row: Option<Held>,
    /// What is held once it is written that the login has ended.
    ended: Option<Arc<Held>>,
    /// The refresh token may have been sent before, so its answer does not tell whether the server rotates.
    is_doubtful: bool,
    /// The value that is to be written.
    value: Zeroizing<Vec<u8>>,
    sent_at: u64,
    is_granted: bool,
    store_error: Option<StoreError>,
    exchange_error: Option<Arc<ExchangeError>>,
}

/// What a [`Run`] wants done.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// Exchange [`Run::request`], for at most this long, and tell [`Run::exchanged`].
    Exchange(Duration),
    /// Nothing more. [`Run::is_settled`] tells whether it goes on a second later, with [`Run::waited`].
    Over,
    /// Revoke the tokens of [`Run::record`], and tell [`Run::waited`].
    Revoke,
    /// Run [`Run::op`] on the store, and tell [`Run::stored`].
    Store,
    /// Wait, and tell [`Run::waited`].
    Wait(Duration),
}

impl Run {
    pub(super) fn begin(held: Option<Arc<Held>>, need: Need, policy: &Policy, view: View, id: ClaimId) -> Self {
        let mut policy = *policy;
        if policy.grace == Grace::Unknown && held.as_ref().is_some_and(|held| held.record.rotates == Some(false)) {
            policy.grace = Grace::Unlimited;
        }
        let (pass, step) = Pass::begin(held.as_ref().map(|held| held.pair), need, &policy, id, now());
        let mut run = Self {
            pass,
            step,
            view,
            held,
            row: None,
            ended: None,
            is_doubtful: false,
            value: Zeroizing::default(),
            sent_at: 0,
            is_granted: false,
            store_error: None,
            exchange_error: None,
        };
        run.prepare();
        run
    }

    /// What to do now.
    #[must_use]
    pub fn act(&self) -> Act {
        match self.step {
            Step::Send { within } => Act::Exchange(Duration::from_millis(within.into())),
            Step::Revoke => Act::Revoke,
            Step::Wait { milliseconds } => Act::Wait(Duration::from_millis(milliseconds.into())),
            Step::Claim { .. } | Step::End { .. } | Step::Load | Step::Release { .. } | Step::Save { .. } => Act::Store,
            _ => Act::Over,
        }
    }

    /// The operation of [`Act::Store`].
    #[must_use]
    pub fn op(&self) -> Op<'_> {
        match self.step {
            Step::Claim { version, id, seconds, over } => Op::Claim { version, id, seconds, over },
            Step::Release { id, pause } => Op::Release { id, pause },
            Step::Save { expect, id, version } | Step::End { expect, id, version, .. } => {
                Op::Write { expect: Some((expect, id)), version, value: Some(&self.value) }
            }
            _ => Op::Load,
        }
    }

    /// The record that is held.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.held.as_ref().map(|held| &*held.record)
    }

    /// The request of [`Act::Exchange`], with [`parameters`](Self::parameters).
    ///
    /// # Errors
    /// [`ExchangeError::Config`] if the record or the resource cannot be used.
    pub fn request<'r>(
        &'r self,
        client: Client<'r>,
        parameters: &'r [(&'r str, &'r str)],
    ) -> Result<TokenRequest<'r>, ExchangeError> {
        let token = self.record().and_then(|record| record.refresh_token.as_ref()).map_or("", Secret::expose);
        let request = client.refresh(RefreshToken::new(token).map_err(ExchangeError::Config)?);
        let request = request.with(parameters).map_err(ExchangeError::Config)?;
        Ok(match self.record().and_then(|record| record.user.as_ref()) {
            Some(user) => request.of_user(&user.sub),
            None => request,
        })
    }

    /// The parameters of [`request`](Self::request): the resource, if the session is for one (RFC 8707).
    #[must_use]
    pub fn parameters(&self) -> Vec<(&str, &str)> {
        self.view.resource.iter().map(|resource| ("resource", &**resource)).collect()
    }

    /// Tells what the store answered.
    pub fn stored(&mut self, answer: Result<Answer, StoreError>) {
        let event = self.event_of(answer).unwrap_or_else(|error| {
            self.store_error = Some(error);
            Event::Failed
        });
        if event == Event::Done {
            self.written();
        }
        self.ended = None;
        self.step = self.pass.step(event, now());
        self.prepare();
    }

    /// Tells what the server answered, and first of all the refresh token that it issued.
    pub fn exchanged(&mut self, (new, answer): (Option<RefreshTokenBuf>, Result<TokensBuf, ExchangeError>)) {
        let event = self.heard(new, answer);
        self.step = self.pass.step(event, now());
        self.prepare();
    }

    /// Tells that a wait is over, or a revocation.
    pub fn waited(&mut self) {
        self.step = self.pass.step(Event::Done, now());
        self.prepare();
    }

    /// Whether nothing is left to be saved.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.pass.is_settled()
    }

    /// What came of it.
    pub(super) fn outcome(&self) -> Result<Arc<Held>, SessionError> {
        let trouble = match self.step {
            Step::Done(Outcome::Use(trouble)) => trouble,
            Step::Done(Outcome::Fail(trouble)) => return Err(self.error_of(trouble)),
            _ => return Err(SessionError::Busy),
        };
        let held = self.held.as_ref().ok_or(SessionError::Busy)?;
        let trouble = trouble.map(|trouble| self.error_of(trouble));
        if trouble.is_none() && held.trouble.is_none() {
            return Ok(Arc::clone(held));
        }
        Ok(Arc::new(Held { trouble, ..(**held).clone() }))
    }

    /// Where its token comes from.
    pub(super) const fn told(&self) -> Told<'static> {
        if self.is_granted { Told::Refreshed } else { Told::Adopted }
    }

    /// The pair that is held at the end, even if it does not serve.
    pub(super) fn held(&self) -> Option<&Arc<Held>> {
        self.held.as_ref()
    }

    /// Does what needs no I/O: adopts, and makes the value that is to be written.
    fn prepare(&mut self) {
        match self.step {
            Step::Adopt => {
                self.held = self.row.take().map(Arc::new);
                self.waited();
            }
            Step::End { version, lost, .. } => {
                self.ended = self.held.as_ref().map(|held| {
                    let mut record = (*held.record).clone();
                    let why = self.exchange_error.as_ref().map(ToString::to_string).unwrap_or_default();
                    record.refresh_token = None;
                    record.ended = Some(Ended::new(why, lost));
                    Arc::new(Held::new(Arc::new(record), version, 0, &self.view, now()))
                });
                self.encode();
            }
            Step::Save { .. } => self.encode(),
            Step::Claim { over, .. } => self.is_doubtful |= over.is_some(),
            Step::Send { .. } => self.sent_at = now().seconds(),
            _ => self.value = Zeroizing::default(),
        }
    }

    fn encode(&mut self) {
        let held = self.ended.as_ref().or(self.held.as_ref());
        let bytes = held.and_then(|held| held.record.to_bytes());
        if let Some(bytes) = bytes {
            self.value = bytes;
        } else {
            self.stored(Err(StoreError::new(StoreFault::TooBig)));
        }
    }

    /// What was written is held, under its version.
    fn written(&mut self) {
        match (self.step, &self.held) {
            (Step::End { .. }, _) => self.held = self.ended.take(),
            (Step::Save { version, .. }, Some(held)) if held.pair.version() != version => {
                self.held = Some(Arc::new(Held { pair: held.pair.at(version), ..(**held).clone() }));
            }
            _ => {}
        }
    }

    fn event_of(&mut self, answer: Result<Answer, StoreError>) -> Result<Event, StoreError> {
        Ok(match answer? {
            Answer::Absent => Event::Absent,
            Answer::Busy { .. } => Event::Busy,
            Answer::Changed(row) => Event::Changed(self.see(row)?),
            Answer::Claimed(row) => Event::Claimed(self.see(row)?),
            Answer::Done => Event::Done,
            Answer::Fenced => Event::Fenced,
            Answer::Lapsed { id, age, row } => Event::Lapsed { id, age, row: self.see(row)? },
            Answer::Row(row) => Event::Row(self.see(row)?),
            Answer::SignedOut { .. } => Event::SignedOut,
            _ => return Err(StoreError::new(StoreFault::Setup)),
        })
    }

    fn see(&mut self, row: Row) -> Result<Seen, StoreError> {
        let held = Held::read(&row, &self.view, now())?;
        let seen = Seen::new(held.pair, row.age, row.pause);
        self.row = Some(held);
        Ok(seen)
    }

    fn heard(&mut self, new: Option<RefreshTokenBuf>, answer: Result<TokensBuf, ExchangeError>) -> Event {
        let Some(held) = self.held.clone() else { return Event::Failed };
        let version = self.pass.next_version();
        let now = now();
        match answer {
            Ok(tokens) => {
                let record = held.granted(&tokens, &self.view, self.sent_at, self.is_doubtful);
                let held = Held::new(Arc::new(record), version, 0, &self.view, now);
                let pair = held.pair;
                self.held = Some(Arc::new(held));
                self.is_granted = true;
                Event::Granted(pair)
            }
            Err(error) => {
                let event = match &error {
                    ExchangeError::Response(error) => Event::of_response(error),
                    ExchangeError::Transport(error) => Event::Unanswered(error.why()),
                    // Nothing was sent, or the tokens are another user's and are not used.
                    ExchangeError::Config(_)
                    | ExchangeError::IdToken(_)
                    | ExchangeError::Spent
                    | ExchangeError::UserInfo(_) => Event::Refused { ends: false, pause: 0 },
                };
                self.is_doubtful |= matches!(event, Event::Unanswered(_));
                self.exchange_error = Some(Arc::new(error));
                let Some(new) = new else { return event };
                let mut record = (*held.record).clone();
                record.refresh_token = Some(Secret::new(new.as_refresh_token().expose().to_owned()));
                let held = Held::new(Arc::new(record), version, 0, &self.view, now);
                let pair = held.pair;
                self.held = Some(Arc::new(held));
                Event::Kept(pair)
            }
        }
    }

    fn error_of(&self, trouble: Trouble) -> SessionError {
        let store = || self.store_error.clone().unwrap_or_else(|| StoreError::new(StoreFault::Unavailable));
        match (trouble, &self.exchange_error) {
            (Trouble::Ended(end), error) => {
                let stored = self.held.as_ref().and_then(|held| held.record.ended.as_ref());
                let said = error.as_ref().map(|error| Arc::from(error.to_string()));
                let why = match end {
                    End::AnswerLost { .. } | End::Refused => stored.map(|ended| Arc::from(&*ended.why)).or(said),
                    _ => None,
                };
                SessionError::Ended { end, why }
            }
            (Trouble::NoAnswer { since }, cause) => SessionError::NoAnswer { since, cause: cause.clone() },
            (Trouble::OtherKey, _) => SessionError::OtherKey,
            (Trouble::Paused { seconds }, _) => SessionError::Paused { seconds },
            (Trouble::Refused, Some(error)) => SessionError::Refused(error.clone()),
            (Trouble::Store, _) => SessionError::Store(store()),
            (Trouble::Unsaved, _) => SessionError::Unsaved(store()),
            (Trouble::Unsent, error) => SessionError::Unsent(error.clone()),
            (Trouble::Young, _) => SessionError::Young,
            _ => SessionError::Busy,
        }
    }
}
