//! [`SessionError`].

use crate::error::{ExchangeError, TransportError};
use crate::identity::StepUp;
use proofkey_core::Advice;
use proofkey_core::session::End;
use proofkey_store::StoreError;
use std::sync::Arc;
use std::{error, fmt};

/// Why a session has no valid token, or what is wrong although it has one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// Another process refreshes the login, and is not done after half a minute.
    Busy,
    /// The login has ended: the user has to sign in again.
    Ended {
        /// How.
        end: End,
        /// What the server said, if it did.
        why: Option<Arc<str>>,
    },
    /// The refresh token was sent, and nobody knows whether the server spent it. It is tried again later.
    NoAnswer {
        /// When it was sent, in seconds since 1970.
        since: u64,
        /// What went wrong, if this program sent it.
        cause: Option<Arc<ExchangeError>>,
    },
    /// The refresh token is bound to a key that is not here.
    OtherKey,
    /// The server asked for a pause.
    Paused {
        /// The seconds that are left of it.
        seconds: u32,
    },
    /// The server refused, or its answer cannot be used. The login goes on.
    Refused(Arc<ExchangeError>),
    /// The store failed.
    Store(StoreError),
    /// An API refuses a token that was issued within the last minute: the next one would be refused too.
    Young,
    /// The tokens that the server issued are in use, and could not be saved yet. If this program ends before they are, the
    /// login is lost.
    Unsaved(StoreError),
    /// The request was not sent.
    Unsent(Option<Arc<ExchangeError>>),
}

impl SessionError {
    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Ended { .. } => Advice::Reauthorize,
            Self::OtherKey | Self::Young => Advice::Fix,
            Self::Busy | Self::NoAnswer { .. } => Advice::Retry { after: None },
            Self::Paused { seconds } => Advice::Retry { after: Some(*seconds) },
            Self::Refused(error) | Self::Unsent(Some(error)) => error.advice().unwrap_or(Advice::Retry { after: None }),
            Self::Unsent(None) => Advice::Retry { after: None },
            Self::Store(error) | Self::Unsaved(error) => error.advice(),
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("another process is refreshing this login and is not done; try again"),
            Self::Ended { end, why } => {
                f.write_str(match end {
                    End::AnswerLost { .. } => {
                        "the login has ended: an answer with new tokens was lost, and the server refuses the old ones"
                    }
                    End::Expired => "the login has expired",
                    End::Forgotten => "not signed in",
                    End::NoRefreshToken => "the access token has ended, and there is no refresh token",
                    End::SignedOut => "signed out",
                    _ => "the server has ended the login",
                })?;
                why.as_ref().map_or(Ok(()), |why| write!(f, " ({why})"))?;
                f.write_str("; sign in again")
            }
            Self::NoAnswer { cause: None, .. } => {
                f.write_str("a refresh was sent and not answered, so nobody knows whether it counts; try again")
            }
            Self::NoAnswer { cause: Some(error), .. } => {
                write!(f, "the refresh was not answered, so nobody knows whether it counts: {error}; try again")
            }
            Self::OtherKey => f.write_str("the login is bound to a key that is not here"),
            Self::Paused { seconds } => write!(f, "the server asked for a pause; try again in {seconds} s"),
            Self::Refused(error) => write!(f, "the token was not refreshed: {error}"),
            Self::Store(error) => error.fmt(f),
            Self::Young => f.write_str(
                "the API refuses a token that is new, so another one would not help; check the scope and the API's address",
            ),
            Self::Unsaved(error) => write!(f, "new tokens could not be saved yet: {error}"),
            Self::Unsent(Some(error)) => write!(f, "the token was not refreshed: {error}"),
            Self::Unsent(None) => f.write_str("the token was not refreshed in time; try again"),
        }
    }
}

impl error::Error for SessionError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::NoAnswer { cause: Some(error), .. } | Self::Refused(error) | Self::Unsent(Some(error)) => {
                Some(&**error)
            }
            Self::Store(error) | Self::Unsaved(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A call of an API that got no response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// There is no token to call it with.
    Session(SessionError),
    /// The API wants the user to sign in better, or more recently (RFC 9470): sign in again with these parameters.
    StepUp(StepUp),
    /// There was no answer.
    Transport(TransportError),
    /// The userinfo endpoint was not asked, or its answer cannot be used.
    UserInfo(ExchangeError),
}

impl CallError {
    /// What to do now; none if nobody knows whether the request arrived.
    #[must_use]
    pub fn advice(&self) -> Option<Advice> {
        match self {
            Self::Session(error) => Some(error.advice()),
            Self::StepUp(_) => Some(Advice::Reauthorize),
            Self::Transport(error) => error.advice(),
            Self::UserInfo(error) => error.advice(),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::StepUp(step_up) => {
                f.write_str("the API wants the user to sign in again")?;
                step_up.max_age().map_or(Ok(()), |seconds| write!(f, ", at most {seconds} s ago"))?;
                step_up.acr_values().map_or(Ok(()), |values| write!(f, ", in one of these ways: {values}"))
            }
            Self::Transport(error) => error.fmt(f),
            Self::UserInfo(error) => error.fmt(f),
        }
    }
}

impl error::Error for CallError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Session(error) => Some(error),
            Self::StepUp(_) => None,
            Self::Transport(error) => Some(error),
            Self::UserInfo(error) => Some(error),
        }
    }
}
