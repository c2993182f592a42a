//! Why a session ends early, in a word or two.

use core::convert::Infallible;
use core::fmt;
use proofkey_core::{AuthorizeError, CallbackError, ConfigError, IdTokenError, ResponseError, UserInfoError};
use proofkey_firmware::http::HttpError;

/// Why a session ends early.
pub(crate) enum Failure {
    Authorize,
    Callback(CallbackError),
    Config,
    Console,
    Expired,
    Http(HttpError),
    Metadata,
    Response(ResponseError),
    Session,
    User(&'static str),
}

impl Failure {
    /// Whether another session can begin.
    pub(crate) fn go_on(&self) -> fmt::Result {
        match self {
            Self::Console | Self::Http(HttpError::Garbled | HttpError::Silent) => Err(fmt::Error),
            _ => Ok(()),
        }
    }
}

/// The core's errors say more about themselves than a small screen has room for: their texts would take 4.7 KiB of flash.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, which) = match self {
            Self::Authorize => ("random generator", ""),
            Self::Callback(CallbackError::Issuer { .. }) => ("issuer", ""),
            Self::Callback(CallbackError::Server(error)) => ("server ", error.code()),
            Self::Callback(CallbackError::State) => ("state", ""),
            Self::Callback(_) => ("redirect", ""),
            Self::Config => ("configuration", ""),
            Self::Console => ("console", ""),
            Self::Expired => ("expired", ""),
            Self::Http(error) => (error.word(), ""),
            Self::Metadata => ("no metadata", ""),
            Self::Response(ResponseError::Duplicate(member)) => ("twice ", *member),
            Self::Response(ResponseError::Json(_)) => ("json", ""),
            Self::Response(ResponseError::Malformed(member)) => ("malformed ", *member),
            Self::Response(ResponseError::Missing(member)) => ("missing ", *member),
            Self::Response(ResponseError::Redirect(_)) => ("redirected", ""),
            Self::Response(ResponseError::Server { error, .. }) => ("server ", error.code()),
            Self::Response(ResponseError::TokenType(_)) => ("token type", ""),
            Self::Response(_) => ("response", ""),
            Self::Session => ("session", ""),
            Self::User(which) => ("user ", *which),
        };
        write!(f, "{what}{which}")
    }
}

impl From<AuthorizeError<Infallible>> for Failure {
    fn from(_: AuthorizeError<Infallible>) -> Self {
        Self::Authorize
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        Self::Callback(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(_: ConfigError) -> Self {
        Self::Config
    }
}

impl From<fmt::Error> for Failure {
    fn from(_: fmt::Error) -> Self {
        Self::Console
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<IdTokenError> for Failure {
    fn from(error: IdTokenError) -> Self {
        Self::User(match error {
            IdTokenError::Audience { .. } => "audience",
            IdTokenError::Encrypted => "encrypted",
            IdTokenError::Expired { .. } => "expired",
            IdTokenError::Issuer { .. } => "issuer",
            IdTokenError::Nonce => "nonce",
            IdTokenError::Party { .. } => "party",
            _ => "unreadable",
        })
    }
}

impl From<ResponseError> for Failure {
    fn from(error: ResponseError) -> Self {
        Self::Response(error)
    }
}

impl From<UserInfoError> for Failure {
    fn from(error: UserInfoError) -> Self {
        match error {
            UserInfoError::Response(error) => Self::Response(error),
            UserInfoError::Subject { .. } => Self::User("another"),
            _ => Self::User("unknown"),
        }
    }
}
