//! [`Held`]: a login as this process has it, and the [`Token`] that is handed out.

use super::clock::now;
use super::error::{CallError, SessionError};
use crate::error::ExchangeError;
use crate::identity::StepUp;
use proofkey_core::session::{End, Now, Pair, Renewal, Version};
use proofkey_core::{
    AccessToken, Client, Lifetime, RefreshToken, Refusal, ResponseBuf, Thumbprint, TokensBuf, UserInfoError,
    UserInfoRequest,
};
use proofkey_store::{Record, RecordError, ResourceToken, Row, Secret, StoreError, StoreFault};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A record with its version, and what is known of its tokens now.
#[derive(Clone)]
pub struct Held {
    pub(super) record: Arc<Record>,
    pub(super) pair: Pair,
    pub(super) resource: Option<Arc<str>>,
    pub(super) trouble: Option<SessionError>,
    /// No refresh ahead of time before then, in milliseconds of uptime.
    pub(super) quiet_until: u64,
    pub(super) looked: Looked,
}

/// The tick at which it was found last that the token is valid and that there is nothing to do. At the same tick both clocks
/// say the same, so that is not asked again.
pub(super) struct Looked(AtomicU64);

impl Looked {
    pub(super) fn is_at(&self, tick: u64) -> bool {
        self.0.load(Ordering::Relaxed) == tick
    }
}

impl Default for Looked {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

/// What differs from it has to be looked at.
impl Clone for Looked {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A valid access token. It is cheap to clone, and wiped from memory when its last clone is gone.
///
/// ```
/// # fn example(token: proofkey_http::session::Token) {
/// if let Some(why) = token.trouble() {
///     eprintln!("still valid, but: {why}");
/// }
/// println!("{:?}", token.access_token().authorization());
/// # }
/// ```
#[derive(Clone)]
pub struct Token(pub(super) Arc<Held>);

impl Token {
    /// The token, to call an API with.
    #[must_use]
    pub fn access_token(&self) -> AccessToken<'_> {
        let token = AccessToken::new(self.0.text()).expect("it was checked when it was held");
        if self.0.record.bound_to.is_some() { token.bound() } else { token }
    }

    /// The text of the token.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.text()
    }

    /// What is wrong although the token is valid: a refresh ahead of time failed, new tokens could not be saved, or this is the
    /// last token of a login that has ended.
    #[must_use]
    pub fn trouble(&self) -> Option<&SessionError> {
        self.0.trouble.as_ref()
    }

    /// The seconds that are left; none if the server does not say.
    #[must_use]
    pub fn remaining(&self) -> Option<u32> {
        self.0.pair.remaining(now())
    }

    /// The login that it belongs to. Its refresh token is in there too.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.0.record
    }

    /// Asks the server for more about the user who signed in.
    ///
    /// # Errors
    /// [`UserInfoError::NoUser`] if the login had no ID token; [`UserInfoError::OtherResource`] if this is the token of another resource
    /// (RFC 8707); [`ExchangeError::Config`] if the server has no userinfo endpoint.
    pub fn userinfo<'t>(&'t self, client: Client<'t>) -> Result<UserInfoRequest<'t>, ExchangeError> {
        if self.0.resource.is_some() {
            return Err(ExchangeError::UserInfo(UserInfoError::OtherResource));
        }
        let user = self.record().user.as_ref().ok_or(ExchangeError::UserInfo(UserInfoError::NoUser))?;
        client.userinfo(self.access_token(), &user.sub).map_err(ExchangeError::Config)
    }

    /// Whether it belongs to the same sign-in as the other one.
    #[must_use]
    pub fn is_of_same_login(&self, other: &Self) -> bool {
        self.version().login() == other.version().login()
    }

    /// The version of the login.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.pair.version()
    }
}

impl Held {
    /// A record of this version, as it is now. `age` is how long ago it was written, in seconds.
    pub(super) fn new(record: Arc<Record>, version: Version, age: u32, view: &View, now: Now) -> Self {
        let renewal = match &record.ended {
            Some(ended) => Renewal::Ended(ended.lost_at.map_or(End::Refused, |since| End::AnswerLost { since })),
            None if record.bound_to != view.bound_to => Renewal::OtherKey,
            None if record.refresh_token.is_none() => Renewal::NoRefreshToken,
            None if record.refresh_ends_at.is_some_and(|end| end <= now.seconds()) => Renewal::Ended(End::Expired),
            None => Renewal::Possible,
        };
        let requested = match &view.resource {
            None => Some((record.requested_at, record.expires_in)),
            Some(resource) => record.resources.get(&**resource).map(|token| (token.requested_at, token.expires_in)),
        };
        let pair = match requested {
            // The clock of who wrote it may differ, and the store knows how long ago that was.
            Some((at, expires_in)) => {
                let at = at.min(now.seconds().saturating_sub(age.into()));
                Pair::new(version, Lifetime::new(at, expires_in), renewal, now)
            }
            None => Pair::without_token(version, renewal),
        };
        let pair = pair.with_spread(view.spread);
        let why = record.ended.as_ref().map(|ended| Arc::from(&*ended.why));
        let trouble = match renewal {
            Renewal::Ended(end) => Some(SessionError::Ended { end, why }),
            Renewal::OtherKey => Some(SessionError::OtherKey),
            _ => None,
        };
        Self { record, pair, resource: view.resource.clone(), trouble, quiet_until: 0, looked: Looked::default() }
    }

    /// The record in a row.
    pub(super) fn read(row: &Row, view: &View, now: Now) -> Result<Self, StoreError> {
        let record = Record::from_bytes(&row.value).map_err(|error| {
            let fault = if matches!(error, RecordError::Newer(_)) { StoreFault::Newer } else { StoreFault::Corrupt };
            StoreError::new(fault).because(error)
        })?;
        check(&record)?;
        Ok(Self::new(Arc::new(record), row.version, row.age, view, now))
    }

    /// The record with the tokens of a refresh. If that is doubtful, an answer without a new refresh token does not tell whether the
    /// server rotates: in their grace some servers send none.
    pub(super) fn granted(&self, tokens: &TokensBuf, view: &View, requested_at: u64, is_doubtful: bool) -> Record {
        let mut record = (*self.record).clone();
        let new = tokens.refresh_token().map(|token| Secret::new(token.expose().to_owned()));
        let is_same = match (&new, &record.refresh_token) {
            (Some(new), Some(old)) => new.expose() == old.expose(),
            _ => new.is_none(),
        };
        if !is_same {
            record.rotates = Some(true);
        } else if !is_doubtful {
            record.rotates.get_or_insert(false);
        }
        record.refresh_token = new.or(record.refresh_token);
        record.refresh_ends_at = match tokens.refresh_expires_in() {
            Some(left) => Some(requested_at.saturating_add(left.into())),
            // That was the lifetime of the old one.
            None if !is_same => None,
            None => record.refresh_ends_at,
        };
        if let (Some(user), Some(token)) = (&mut record.user, tokens.id_token()) {
            user.id_token = Some(Secret::new(token.expose().to_owned()));
        }
        let access_token = Secret::new(tokens.access_token().expose().to_owned());
        match &view.resource {
            None => {
                record.access_token = access_token;
                record.requested_at = requested_at;
                record.expires_in = tokens.expires_in();
                record.set_granted_scope(tokens.scope());
            }
            Some(resource) => {
                let token = ResourceToken::new(access_token, requested_at, tokens.expires_in());
                record.resources.insert(resource.as_ref().to_owned(), token);
            }
        }
        record
    }

    /// Whether it is valid and there is nothing to do.
    #[cold]
    pub(super) fn look(&self, tick: u64) -> bool {
        // Not before the tick: what serves later has served then.
        let now = now();
        let is_idle = !(self.pair.is_due(now) || self.is_unsaved()) || self.is_quiet(now);
        let is_fresh = is_idle && self.pair.is_valid(now);
        if is_fresh {
            self.looked.0.store(tick, Ordering::Relaxed);
        }
        is_fresh
    }

    pub(super) fn is_quiet(&self, now: Now) -> bool {
        now.uptime_ms() < self.quiet_until
    }

    pub(super) const fn is_unsaved(&self) -> bool {
        matches!(self.trouble, Some(SessionError::Unsaved(_)))
    }

    fn text(&self) -> &str {
        let of = |resource: &Arc<str>| self.record.resources.get(&**resource).map(|token| &token.access_token);
        self.resource.as_ref().map_or(Some(&self.record.access_token), of).map_or("", Secret::expose)
    }
}

/// Checks that the tokens of a record can be sent.
pub(super) fn check(record: &Record) -> Result<(), StoreError> {
    let access = record.resources.values().map(|token| &token.access_token).chain([&record.access_token]);
    let fits = access.into_iter().all(|token| AccessToken::new(token.expose()).is_ok())
        && record.refresh_token.as_ref().is_none_or(|token| RefreshToken::new(token.expose()).is_ok());
    if fits { Ok(()) } else { Err(StoreError::new(StoreFault::Corrupt)) }
}

/// Whether an API refuses its token with a 401 that a newer one may mend.
#[must_use]
pub fn is_stale(response: &ResponseBuf) -> bool {
    Refusal::is_stale(response.status, response.headers("www-authenticate"))
}

/// The answer of an API, unless the API wants the user to sign in again.
///
/// # Errors
/// [`CallError::StepUp`].
pub fn answered(response: ResponseBuf) -> Result<ResponseBuf, CallError> {
    StepUp::of(&response).map_or(Ok(response), |step_up| Err(CallError::StepUp(step_up)))
}

/// How a session looks at a login.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// The resource that it needs tokens for.
    pub(super) resource: Option<Arc<str>>,
    /// How much earlier than others it refreshes.
    pub(super) spread: u8,
    /// The key of the client.
    pub(super) bound_to: Option<Thumbprint>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("pair", &self.pair).field("trouble", &self.trouble).finish_non_exhaustive()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("version", &self.version())
            .field("trouble", &self.trouble())
            .finish_non_exhaustive()
    }
}
