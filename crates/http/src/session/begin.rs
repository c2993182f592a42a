//! [`Begin`]: a login or a sign-out, written without a claim.

use super::cell::{Cell, random};
use super::clock::now;
use super::error::SessionError;
use super::held::{Held, check};
use super::revoking::Revocation;
use crate::error::ExchangeError;
use crate::identity::SignedIn;
use crate::send::seconds;
use proofkey_core::session::{LoginId, Version};
use proofkey_store::{Answer, Op, Record, Row, StoreError, StoreFault, User};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A login or a sign-out on its way to the store: run [`op`](Self::op), tell what came of it, and again, until it is over.
#[derive(Debug)]
pub struct Begin<'c> {
    cell: &'c Cell,
    record: Option<Arc<Record>>,
    value: Option<Zeroizing<Vec<u8>>>,
    version: Version,
    tries: u8,
}

/// The result of a sign-out: the login is no longer stored.
#[derive(Debug)]
#[non_exhaustive]
pub struct SignedOut {
    /// What was stored, or held if it was newer or the store no longer has it.
    pub record: Option<Record>,
    /// What the server said to the revocation of its tokens; [`Revocation::Done`] if there was nothing to revoke. After an
    /// error they may still be valid.
    pub revocation: Result<Revocation, ExchangeError>,
}

impl SignedOut {
    /// A sign-out with what came of it.
    #[must_use]
    pub const fn new(record: Option<Record>, revocation: Result<Revocation, ExchangeError>) -> Self {
        Self { record, revocation }
    }
}

impl<'c> Begin<'c> {
    /// A login with what the server granted.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn login(cell: &'c Cell, signed_in: &SignedIn) -> Result<Self, SessionError> {
        let tokens = signed_in.tokens.as_tokens();
        let mut record =
            Record::of_login(cell.key().clone(), cell.client(), &[], tokens, seconds(signed_in.requested_at));
        record.user = signed_in.user.as_ref().map(|user| User::of(user.as_claims(), tokens.id_token()));
        Self::with(cell, record)
    }

    /// A login with a record of your own.
    ///
    /// # Errors
    /// [`SessionError::Store`] if the record is of another key or bound to one that the client is not bound to, is too long, or has a token that cannot be sent.
    pub fn with(cell: &'c Cell, record: Record) -> Result<Self, SessionError> {
        if record.key != *cell.key() || record.bound_to != cell.view().bound_to {
            return Err(StoreError::new(StoreFault::Setup).into());
        }
        check(&record)?;
        let value = record.to_bytes().ok_or(StoreError::new(StoreFault::TooBig))?;
        Self::new(cell, Some((Arc::new(record), value)))
    }

    /// A sign-out.
    ///
    /// # Errors
    /// [`SessionError::Busy`] if the system has no randomness.
    pub fn sign_out(cell: &'c Cell) -> Result<Self, SessionError> {
        Self::new(cell, None)
    }

    fn new(cell: &'c Cell, login: Option<(Arc<Record>, Zeroizing<Vec<u8>>)>) -> Result<Self, SessionError> {
        let (record, value) = login.unzip();
        let version = version(cell.version())?;
        Ok(Self { cell, record, value, version, tries: 0 })
    }

    /// The operation to run on the store.
    #[must_use]
    pub fn op(&self) -> Op<'_> {
        Op::Write { expect: None, version: self.version, value: self.value.as_ref().map(|value| value.as_slice()) }
    }

    /// Tells what the store answered. Over with the record that was there before; none if it must be run once more.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub fn stored(&mut self, answer: Result<Answer, StoreError>) -> Result<Option<Option<Record>>, SessionError> {
        let later = match answer? {
            Answer::Done => return Ok(Some(self.over(None))),
            Answer::Displaced(row) => return Ok(Some(self.over(Some(&row)))),
            Answer::SignedOut { .. } if self.record.is_none() => return Ok(Some(self.over(None))),
            // It was written, and the store has tried once more on its own.
            Answer::Changed(row) if row.version == self.version => return Ok(Some(self.over(None))),
            Answer::Changed(row) => row.version,
            Answer::SignedOut { version } => version,
            _ => return Err(StoreError::new(StoreFault::Setup).into()),
        };
        self.tries = self.tries.saturating_add(1);
        if self.tries > TRIES {
            return Err(SessionError::Busy);
        }
        self.version = version(Some(later))?;
        Ok(None)
    }

    fn over(&self, row: Option<&Row>) -> Option<Record> {
        let displaced = self.displaced(row);
        let record = self.record.clone();
        self.cell.hold(record.map(|record| Held::new(record, self.version, 0, self.cell.view(), now())));
        displaced
    }

    /// The newest that is known of what was there.
    fn displaced(&self, row: Option<&Row>) -> Option<Record> {
        let stored = row.and_then(|row| Some((row.version, Record::from_bytes(&row.value).ok()?)));
        let displaced = match (stored, self.cell.held()) {
            // It could not be saved yet.
            (Some((version, _)), Some((held, record)))
                if held.login() == version.login() && held.is_newer_than(version) =>
            {
                (*record).clone()
            }
            (Some((_, record)), _) => record,
            // This sign-out was done before, and the answer was lost.
            (None, Some((_, record))) if self.record.is_none() => (*record).clone(),
            (None, _) => return None,
        };
        // This login was stored before, and the answer was lost.
        let is_same = self.record.as_ref().is_some_and(|new| has_same_tokens(new, &displaced));
        (!is_same).then_some(displaced)
    }
}

fn has_same_tokens(one: &Record, other: &Record) -> bool {
    let tokens = |record: &Record| [Some(record.access_token.clone()), record.refresh_token.clone()];
    let [one, other] = [tokens(one), tokens(other)];
    one.iter().zip(&other).all(|pair| match pair {
        (Some(one), Some(other)) => one.expose() == other.expose(),
        (one, other) => one.is_none() && other.is_none(),
    })
}

/// A version of a new login, after an earlier one.
fn version(previous: Option<Version>) -> Result<Version, SessionError> {
    let bytes = random().map_err(|_| SessionError::Busy)?;
    let previous = previous.map(Version::login);
    Ok(Version::first(LoginId::new(now().seconds(), previous, u64::from_be_bytes(bytes))))
}

const TRIES: u8 = 8;
