//! [`Revoking`]: the tokens of a login, revoked one after the other.

use crate::error::ExchangeError;
use proofkey_core::{AccessToken, Advice, Client, Endpoint, RefreshToken, ResponseError, Revocable};
use proofkey_store::Record;

/// What came of a revocation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Revocation {
    /// The server has revoked the tokens.
    Done,
    /// The server revokes tokens only for clients that authenticate themselves, which a public client cannot. They stay valid
    /// until they end.
    NotAllowed,
    /// The server has no revocation endpoint that is known. The tokens stay valid until they end.
    Unsupported,
}

/// Revokes the tokens of a record (RFC 7009): the refresh token first, since it makes new access tokens as long as it lives.
#[derive(Debug)]
pub struct Revoking<'r> {
    client: Client<'r>,
    record: &'r Record,
    /// What came of the refresh token.
    first: Option<Revocation>,
    end: Option<Result<Revocation, ExchangeError>>,
}

impl<'r> Revoking<'r> {
    /// The tokens of `record`.
    #[must_use]
    pub fn new(client: Client<'r>, record: &'r Record) -> Self {
        let end = client.server().endpoint(Endpoint::Revocation).is_none().then_some(Ok(Revocation::Unsupported));
        Self { client, record, first: None, end }
    }

    /// The next token to revoke; none if it is over.
    #[must_use]
    pub fn next(&self) -> Option<(Client<'r>, Revocable<'r>)> {
        let refresh = self.record.refresh_token.as_ref().filter(|_| self.first.is_none());
        let token = match refresh.map(|token| RefreshToken::new(token.expose())) {
            Some(token) => Revocable::Refresh(token.ok()?),
            None => Revocable::Access(AccessToken::new(self.record.access_token.expose()).ok()?),
        };
        self.end.is_none().then_some((self.client, token))
    }

    /// Takes note of what the server answered.
    pub fn hear(&mut self, answer: Result<(), ExchangeError>) {
        let is_refresh = self.first.is_none() && self.record.refresh_token.is_some();
        let answer = match answer {
            Ok(()) => Ok(Revocation::Done),
            Err(error) if wants_secret(&error) => Ok(Revocation::NotAllowed),
            Err(error) => Err(error),
        };
        match answer {
            Ok(Revocation::Done) if is_refresh => self.first = Some(Revocation::Done),
            // Some servers revoke refresh tokens only (RFC 7009 section 2.2.1), and that one is revoked.
            Ok(Revocation::NotAllowed) if self.first.is_some() => self.end = Some(Ok(Revocation::Done)),
            Err(ExchangeError::Response(error)) if self.first.is_some() && error.advice() == Advice::Fix => {
                self.end = Some(Ok(Revocation::Done));
            }
            answer => self.end = Some(answer),
        }
    }

    /// What came of it all.
    ///
    /// # Errors
    /// [`ExchangeError`]: the tokens may still be valid.
    pub fn end(self) -> Result<Revocation, ExchangeError> {
        self.end.unwrap_or_else(|| Ok(self.first.unwrap_or(Revocation::Unsupported)))
    }
}

/// Whether the server revokes tokens only for clients that authenticate themselves.
fn wants_secret(error: &ExchangeError) -> bool {
    match error {
        ExchangeError::Response(ResponseError::Server { error: words, status, .. }) => {
            *status == 401 || ["invalid_client", "unauthorized_client"].contains(&words.code())
        }
        ExchangeError::Response(ResponseError::Status { status, .. }) => *status == 401,
        _ => false,
    }
}
