//! One enum per place that can fail.

use proofkey_core::{Advice, AuthorizeError, CallbackError, ConfigError, NoMetadata, ResponseError, Unanswered};
use proofkey_http::{DriveError, Failure, ListenError};
use std::io::{self, ErrorKind};
use std::{error, fmt};

/// A request that got no response.
///
/// Whether it arrived is not known unless the error says so, and it is never sent again: a code or a rotated refresh
/// token may be spent.
#[derive(Debug)]
pub enum TransportError {
    /// The body is longer than the cap.
    BodyTooBig,
    /// It took longer than the overall deadline.
    Deadline,
    /// The HTTP library failed.
    Http(ureq::Error),
    /// The URL is neither https nor plain http to a loopback address. Nothing was sent.
    Insecure,
}

/// A token request or a revocation that failed.
#[derive(Debug)]
pub enum ExchangeError {
    /// The server has no known revocation endpoint.
    Config(ConfigError),
    /// The server refused, or its answer cannot be used.
    Response(ResponseError),
    /// The request was sent before. A code or a refresh token is sent once.
    Spent,
    /// There was no answer.
    Transport(TransportError),
}

/// A discovery that failed.
#[derive(Debug)]
pub enum DiscoverError {
    /// The issuer, the client id or the redirect URI cannot be used.
    Config(ConfigError),
    /// The server has no metadata at any well-known address.
    NoMetadata {
        /// The issuer that was asked for.
        issuer: String,
        /// What each address answered.
        tried: NoMetadata,
    },
    /// The server's metadata cannot be used, or it is busy or down.
    Response(ResponseError),
    /// There was no answer.
    Transport(TransportError),
}

/// A login that failed.
#[derive(Debug)]
pub enum LoginError {
    /// It could not begin.
    Authorize(AuthorizeError<getrandom::Error>),
    /// The redirect was the server's refusal, or a forgery.
    Callback(CallbackError),
    /// The caller gave it up.
    Cancelled,
    /// The client or an extra parameter cannot be used.
    Config(ConfigError),
    /// The code could not be exchanged.
    Exchange(ExchangeError),
    /// An address of the redirect URI cannot be listened at.
    Listen(ListenError),
    /// The redirect URI is not `http://` with a loopback address or `localhost`, so no listener can receive the redirect.
    NotLoopback,
    /// The browser could not be opened.
    Open(io::Error),
    /// The user did not come back in time.
    TimedOut,
}

impl Failure for TransportError {
    /// Closed also if the server sent something else than HTTP, or more than fits.
    fn why(&self) -> Unanswered {
        match self {
            Self::BodyTooBig => Unanswered::Closed,
            Self::Http(ureq::Error::Io(error)) if is_cut(error.kind()) => Unanswered::Closed,
            Self::Http(ureq::Error::LargeResponseHeader(..) | ureq::Error::Protocol(_)) => Unanswered::Closed,
            Self::Http(ureq::Error::ConnectionFailed | ureq::Error::HostNotFound) | Self::Insecure => {
                Unanswered::Unsent
            }
            Self::Deadline | Self::Http(_) => Unanswered::Lost,
        }
    }
}

/// Whether the other side ended the connection.
pub(crate) const fn is_cut(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
    )
}

impl From<DriveError<TransportError>> for ExchangeError {
    fn from(error: DriveError<TransportError>) -> Self {
        match error {
            DriveError::Over => Self::Spent,
            DriveError::Transport(error) => Self::Transport(error),
        }
    }
}

impl From<http::Error> for TransportError {
    fn from(error: http::Error) -> Self {
        Self::Http(ureq::Error::Http(error))
    }
}

impl ExchangeError {
    /// What to do now; none if nobody knows whether the request arrived.
    #[must_use]
    pub fn advice(&self) -> Option<Advice> {
        match self {
            Self::Config(_) | Self::Spent | Self::Transport(TransportError::Insecure) => Some(Advice::Fix),
            Self::Response(error) => Some(error.advice()),
            Self::Transport(_) => None,
        }
    }
}

impl DiscoverError {
    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Config(_) | Self::NoMetadata { .. } | Self::Transport(TransportError::Insecure) => Advice::Fix,
            Self::Response(error) => error.advice(),
            Self::Transport(_) => Advice::Retry { after: None },
        }
    }
}

impl LoginError {
    /// What to do now; none if nobody knows whether the code arrived.
    #[must_use]
    pub fn advice(&self) -> Option<Advice> {
        match self {
            Self::Callback(error) => Some(error.advice()),
            Self::Exchange(error) => error.advice(),
            Self::Cancelled | Self::TimedOut => Some(Advice::Reauthorize),
            Self::Authorize(_) | Self::Config(_) | Self::Listen(_) | Self::NotLoopback | Self::Open(_) => {
                Some(Advice::Fix)
            }
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyTooBig => f.write_str("the response is too long"),
            Self::Deadline => f.write_str("the server did not answer in time"),
            Self::Http(error) => write!(f, "no answer from the server: {error}"),
            Self::Insecure => f.write_str("plain http goes to loopback addresses only; write https://"),
        }
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Response(error) => error.fmt(f),
            Self::Spent => f.write_str("the request was sent before, and a code or a refresh token is sent once"),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for DiscoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::NoMetadata { issuer, tried } => tried.at(issuer).fmt(f),
            Self::Response(error) => write!(f, "the server's metadata: {error}"),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorize(error) => error.fmt(f),
            Self::Callback(error) => error.fmt(f),
            Self::Cancelled => f.write_str("the login was cancelled"),
            Self::Config(error) => error.fmt(f),
            Self::Exchange(error) => write!(f, "the code could not be exchanged for a token: {error}"),
            Self::Listen(error) => error.fmt(f),
            Self::NotLoopback => f.write_str(
                "a listener needs a redirect URI that starts with http://127.0.0.1, http://[::1] or http://localhost",
            ),
            Self::Open(error) => write!(f, "cannot open the browser: {error}"),
            Self::TimedOut => f.write_str("the sign-in was not finished in time"),
        }
    }
}

impl error::Error for TransportError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Http(error) => Some(error),
            Self::BodyTooBig | Self::Deadline | Self::Insecure => None,
        }
    }
}

impl error::Error for ExchangeError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Response(error) => Some(error),
            Self::Spent => None,
            Self::Transport(error) => Some(error),
        }
    }
}

impl error::Error for DiscoverError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::NoMetadata { .. } => None,
            Self::Response(error) => Some(error),
            Self::Transport(error) => Some(error),
        }
    }
}

impl error::Error for LoginError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Authorize(error) => Some(error),
            Self::Callback(error) => Some(error),
            Self::Config(error) => Some(error),
            Self::Exchange(error) => Some(error),
            Self::Listen(error) => Some(error),
            Self::Open(error) => Some(error),
            Self::Cancelled | Self::NotLoopback | Self::TimedOut => None,
        }
    }
}

impl From<ureq::Error> for TransportError {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::BodyExceedsLimit(_) => Self::BodyTooBig,
            ureq::Error::Timeout(_) => Self::Deadline,
            error => Self::Http(error),
        }
    }
}
