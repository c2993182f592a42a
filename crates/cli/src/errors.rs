//! The libraries' errors as failures: which exit code, and what to do now.

use crate::failure::{Failure, Kind};
use crate::interrupt;
use crate::time::Span;
use proofkey_core::{Advice, AuthorizeError, CallbackError, ConfigError, ResponseError, ServerError};
use proofkey_ureq::{DiscoverError, ExchangeError, LoginError, TransportError};
use std::fmt;
use std::io::ErrorKind;

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Kind::Configuration.because(error)
    }
}

impl<E: fmt::Display> From<AuthorizeError<E>> for Failure {
    fn from(error: AuthorizeError<E>) -> Self {
        match error {
            AuthorizeError::Config(error) => error.into(),
            error => Kind::Unexpected.because(error),
        }
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        match &error {
            CallbackError::Server(words) => refused(words, error.advice(), &error),
            CallbackError::Client | CallbackError::Mode | CallbackError::Target => Kind::Configuration.because(error),
            _ => Kind::Refused.because(error).advise("start the login again"),
        }
    }
}

impl From<ResponseError> for Failure {
    fn from(error: ResponseError) -> Self {
        match &error {
            ResponseError::Server { error: words, .. } => refused(words, error.advice(), &error),
            ResponseError::Endpoint(_) | ResponseError::Issuer | ResponseError::NoS256 | ResponseError::Redirect(_) => {
                Kind::Configuration.because(error)
            }
            ResponseError::Status { status: 400..=499, .. } if error.advice() == Advice::Fix => {
                Kind::Refused.because(error)
            }
            _ => match error.advice() {
                Advice::Retry { after } => later(&error, after),
                _ => Kind::Network.because(error),
            },
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Deadline => Kind::TimedOut.because(error).advise("try again later"),
            TransportError::Insecure => Kind::Configuration.because(error),
            TransportError::BodyTooBig => Kind::Network.because(error),
            TransportError::Http(_) => {
                Kind::Network.because(error).advise("check the address and the network, then try again")
            }
        }
    }
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Config(error) => error.into(),
            ExchangeError::Response(error) => error.into(),
            ExchangeError::Transport(error) => error.into(),
        }
    }
}

impl From<DiscoverError> for Failure {
    fn from(error: DiscoverError) -> Self {
        match error {
            DiscoverError::Config(error) => error.into(),
            DiscoverError::Transport(error) => error.into(),
            DiscoverError::Response(ref inner) if inner.is_absence() => Kind::Network.because(error).advise(
                "give the issuer exactly as the server writes it, or its endpoints: \
                 --authorization-endpoint URL --token-endpoint URL",
            ),
            DiscoverError::Response(inner) => {
                let message = format!("the server's metadata: {inner}");
                Self { message, ..inner.into() }
            }
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Authorize(error) => error.into(),
            LoginError::Callback(error) => error.into(),
            LoginError::Cancelled => interrupt::failure(),
            LoginError::Config(error) => error.into(),
            LoginError::Exchange(error) => error.into(),
            LoginError::NotLoopback => {
                Kind::Configuration.because(error).advise("for any other redirect URI add --paste")
            }
            LoginError::Listen(ref inner) if inner.kind() == ErrorKind::AddrInUse => Kind::Configuration.because(error),
            LoginError::Listen(_) | LoginError::Open(_) => Kind::Unexpected.because(error),
            LoginError::TimedOut => Kind::TimedOut.because(error).advise("try again; --timeout SECONDS waits longer"),
        }
    }
}

/// What the server's own words call for.
fn refused(words: &ServerError, advice: Advice, error: &dyn fmt::Display) -> Failure {
    let advice = match (words.code(), advice) {
        (_, Advice::Retry { after }) => return later(error, after),
        ("invalid_grant", _) => {
            return Kind::LoginRequired.because(error).advise("sign in again with `proofkey login`");
        }
        ("access_denied", _) => "you, or the server's policy, said no; sign in again to say yes",
        ("invalid_client" | "unauthorized_client", _) => {
            "check the client id; the client must be registered as public, for code and refresh_token"
        }
        ("invalid_scope", _) => "check --scope: the client may not be allowed all of it",
        ("consent_required" | "interaction_required" | "login_required", _) => {
            "the server wants to see the user: sign in without `prompt=none`"
        }
        _ => "check client id, redirect URI and scope as they are registered at the server",
    };
    Kind::Refused.because(error).advise(advice)
}

/// The server is busy or down.
fn later(error: &dyn fmt::Display, after: Option<u32>) -> Failure {
    let failure = Kind::Network.because(error);
    match after {
        Some(seconds) => failure.advise(format_args!("try again in {}", Span(seconds.into()))),
        None => failure.advise("try again later"),
    }
}
