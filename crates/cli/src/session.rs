//! A stored login in use: what the tool adds to a session.

mod watched;

use crate::failure::{Failure, Kind};
use crate::logins::Login;
use crate::network::Network;
use crate::time::{Span, Utc};
use crate::{interrupt, output};
use proofkey_ureq::{End, Session, SessionError, Token};
use std::sync::Arc;
use watched::Watched;

/// A login and its session.
#[derive(Debug)]
pub struct InUse {
    /// The login, with the tokens that the session has.
    pub login: Login,
    session: Session,
}

impl InUse {
    /// Begins with what was read.
    ///
    /// # Errors
    /// If the record was tampered with.
    pub fn new(login: Login, network: &Network) -> Result<Self, Failure> {
        let store = Watched::new(Arc::clone(&login.store), &login);
        let session = Session::new(&login.signing(network.http())?, login.client()?, store, login.record.key.clone());
        session.peek().map_err(|error| failure(&login, error))?;
        Ok(Self { login, session })
    }

    /// An access token that is valid for at least `min_valid` seconds, as far as its lifetime is known.
    ///
    /// # Errors
    /// [`Kind::LoginRequired`] if the user must sign in again, or the reason why there is no new token.
    pub fn token(&mut self, min_valid: u32) -> Result<Token, Failure> {
        if min_valid == 0 {
            return self.obtain(Session::access_token);
        }
        // Tokens from a refresh may have another lifetime than the first one.
        if self.login.is_refreshed() || self.login.record.refresh_token.is_none() {
            self.check_lifetime(min_valid)?;
        }
        let token = self.obtain(|session| session.access_token_for(min_valid))?;
        self.long_enough(token, min_valid)
    }

    /// A new access token, even if this one is still valid.
    ///
    /// # Errors
    /// As [`token`](Self::token).
    pub fn refreshed(&mut self, min_valid: u32) -> Result<Token, Failure> {
        let token = self.obtain(Session::refresh)?;
        self.long_enough(token, min_valid)
    }

    /// Another token of this login after an API refused this one; none if there is none that may do better.
    ///
    /// # Errors
    /// [`Kind::Interrupted`].
    pub fn renewed(&mut self, refused: &Token) -> Result<Option<Token>, Failure> {
        let renewed = interrupt::finished(self.session.renew(refused));
        match renewed? {
            Ok(token) if token.is_of_same_login(refused) => self.keep(token).map(Some),
            Ok(_) | Err(SessionError::Young | SessionError::Ended { end: End::NoRefreshToken, .. }) => Ok(None),
            Err(error) => {
                let Failure { message, .. } = failure(&self.login, error);
                output::warn(format_args!("the API refused the token, and there is no newer one: {message}"));
                Ok(None)
            }
        }
    }

    fn obtain(&mut self, get: impl FnOnce(&Session) -> Result<Token, SessionError>) -> Result<Token, Failure> {
        let token = interrupt::finished(get(&self.session))?.map_err(|error| failure(&self.login, error))?;
        self.keep(token)
    }

    fn keep(&mut self, token: Token) -> Result<Token, Failure> {
        if token.version() != self.login.row.version {
            self.login.take(&token);
            self.login.remember();
        }
        if let Some(trouble) = token.trouble() {
            self.warn(&token, trouble);
        }
        Ok(token)
    }

    fn warn(&self, token: &Token, trouble: &SessionError) {
        let sign_in = self.login.name.command("login");
        match trouble {
            SessionError::Ended { end, why } => output::warn(format_args!(
                "this is the last token of this sign-in: {}; when it has ended, sign in again with `{sign_in}`",
                ended(*end, why.as_deref())
            )),
            SessionError::Unsaved(error) => output::warn(format_args!(
                "what the server answered could not be stored: {}; when the access token has ended, sign in again with \
                 `{sign_in}`",
                Failure::from(error.clone()).message
            )),
            trouble => output::warn(format_args!(
                "the token was not refreshed, and this one ends in {}: {}",
                Span(token.remaining().unwrap_or_default().into()),
                failure(&self.login, trouble.clone()).message
            )),
        }
    }

    fn long_enough(&self, token: Token, min_valid: u32) -> Result<Token, Failure> {
        if token.record().expires_in.is_none() && min_valid > 0 {
            output::warn(format_args!(
                "the server does not say how long this token is valid, so --min-valid cannot be checked; \
                 `{}` gets a new one",
                self.login.name.command("token --refresh")
            ));
        }
        self.check_lifetime(min_valid).map(|()| token)
    }

    /// Compares the lifetime of the server's tokens with the requested one.
    fn check_lifetime(&self, min_valid: u32) -> Result<(), Failure> {
        match self.login.record.expires_in {
            Some(given) if given < min_valid => Err(Kind::Configuration
                .because(format_args!(
                    "this server's tokens are valid for {given} seconds at most, and --min-valid asks for {min_valid}"
                ))
                .advise(format_args!("ask for --min-valid {given} or less"))),
            _ => Ok(()),
        }
    }
}

/// Why there is no token, or no new one.
fn failure(login: &Login, error: SessionError) -> Failure {
    let name = &login.name;
    let sign_in = |why: &str| {
        Kind::LoginRequired
            .because(format_args!("{why} ({name})"))
            .advise(format_args!("sign in again with `{}`", name.command("login")))
    };
    match error {
        SessionError::Ended { end: End::Forgotten | End::SignedOut, .. } => sign_in("signed out in the meantime"),
        SessionError::Ended { end: End::NoRefreshToken, .. } if login.ended().is_none() => {
            sign_in("the access token has ended or ends too soon, and there is no refresh token")
        }
        SessionError::Ended { end, why } => {
            sign_in(&format!("sign-in expired: {}", ended(end, why.as_deref().or_else(|| login.ended()))))
        }
        SessionError::NoAnswer { since, cause } => {
            let cause = cause.map(|cause| Failure::from(Arc::unwrap_or_clone(cause)).at(login.token_endpoint()));
            let lost =
                format!("the server may have spent the refresh token at {}, and its answer is not known", Utc(since));
            match cause {
                Some(failure) => Failure { message: format!("{}; {lost}", failure.message), ..failure },
                None => Kind::Network.because(lost).advise("try again"),
            }
        }
        SessionError::Refused(error) | SessionError::Unsent(Some(error)) => {
            let failure = Failure::from(Arc::unwrap_or_clone(error)).at(login.token_endpoint());
            if failure.kind == Kind::LoginRequired { sign_in(&failure.message) } else { failure }
        }
        SessionError::Paused { seconds } => Kind::Network
            .because("the server is busy and asked for a pause, so nothing was sent")
            .advise(format_args!("try again in {}", Span(seconds.into())))
            .at(login.token_endpoint()),
        error => error.into(),
    }
}

/// Why the server no longer accepts the refresh token.
fn ended(end: End, why: Option<&str>) -> String {
    let why = why.unwrap_or("the server has ended it");
    match end {
        End::AnswerLost { since } => {
            format!("the answer to the refresh at {} was lost, and the server refuses the old token: {why}", Utc(since))
        }
        End::Expired => "the refresh token has reached its end".to_owned(),
        _ => why.to_owned(),
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Busy => Kind::TimedOut.because(error),
            SessionError::Ended { .. } => {
                Kind::LoginRequired.because(error).advise_command("sign in again with", "login")
            }
            SessionError::OtherKey | SessionError::Young => Kind::Configuration.because(error),
            SessionError::Refused(error) | SessionError::Unsent(Some(error)) => Arc::unwrap_or_clone(error).into(),
            SessionError::Store(error) => error.into(),
            SessionError::Unsaved(ref inner) => {
                let Self { message, .. } = inner.clone().into();
                Kind::Unexpected.because(format_args!("what the server answered could not be stored: {message}"))
            }
            error => Kind::Network.because(error),
        }
    }
}
