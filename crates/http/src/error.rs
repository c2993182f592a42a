//! One enum for each place that can fail, the same for every adapter.

use crate::listen::ListenError;
use crate::proxy::ProxyError;
use proofkey_core::{
    Advice, AuthorizeError, CallbackError, CodeExpired, ConfigError, IdTokenError, NoMetadata, ResponseError,
    Unanswered, UserInfoError,
};
use std::sync::Arc;
use std::{error, fmt, io};

/// A request that got no response. It holds no URL, header or body.
///
/// It is never sent again by itself: a code or a rotated refresh token may be spent.
#[derive(Clone, Debug)]
pub struct TransportError {
    kind: TransportKind,
    sent: bool,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportKind {
    /// The body is longer than the cap.
    BodyTooBig,
    /// The server closed the connection, or sent something else than an HTTP response.
    Closed,
    /// There is no connection: no such name, no route, nobody listens.
    Connect,
    /// It took longer than it may: the overall deadline, or the limit of a phase.
    Deadline,
    /// The HTTP library failed, or does not take the request.
    Http,
    /// The URL is neither https nor plain http to this machine. Nothing was sent.
    Insecure,
    /// There can be no proof of possession: the key that the tokens are bound to is not here, or cannot sign. Nothing was sent.
    Proof,
    /// The proxy cannot be used: it wants a password (407), or it is of a kind that is not supported. Nothing was sent.
    Proxy,
    /// TLS could not be set up: a certificate is not trusted, or there are no certificate authorities.
    Tls,
}

impl TransportError {
    /// A failure of a transport. `sent` is false only if it is certain that nothing left.
    #[must_use]
    pub const fn new(kind: TransportKind, sent: bool) -> Self {
        Self { kind, sent, source: None }
    }

    /// Adds what the HTTP library says.
    #[must_use]
    pub fn because(self, source: impl error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> TransportKind {
        self.kind
    }

    /// Whether the request may have arrived. False only if it is certain that it did not.
    #[must_use]
    pub const fn was_sent(&self) -> bool {
        self.sent
    }

    /// What to do now; none if nobody knows whether the request arrived.
    #[must_use]
    pub const fn advice(&self) -> Option<Advice> {
        match self.kind {
            TransportKind::Insecure | TransportKind::Proof | TransportKind::Proxy | TransportKind::Tls => {
                Some(Advice::Fix)
            }
            TransportKind::Connect | TransportKind::Deadline if !self.sent => Some(Advice::Retry { after: None }),
            _ => None,
        }
    }

    /// Why there is no answer, as a [`Flow`](proofkey_core::Flow) wants to know it.
    #[must_use]
    pub const fn why(&self) -> Unanswered {
        match self.kind {
            TransportKind::BodyTooBig | TransportKind::Closed => Unanswered::Closed,
            _ if !self.sent => Unanswered::Unsent,
            _ => Unanswered::Lost,
        }
    }
}

/// The `http` crate does not take it, so nothing is sent.
impl From<http::Error> for TransportError {
    fn from(error: http::Error) -> Self {
        Self::new(TransportKind::Http, false).because(error)
    }
}

impl From<ProxyError> for TransportError {
    fn from(error: ProxyError) -> Self {
        Self::new(TransportKind::Proxy, false).because(error)
    }
}

/// A request to the authorization server that failed: for tokens or userinfo, a revocation, or a push.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The server has no known endpoint for it.
    Config(ConfigError),
    /// The ID token of the answer does not say who signed in here. The tokens were granted, and are dropped.
    IdToken(IdTokenError),
    /// The server refused, or its answer cannot be used.
    Response(ResponseError),
    /// The request was sent before. A code or a refresh token is sent once.
    Spent,
    /// There was no answer.
    Transport(TransportError),
    /// The userinfo endpoint's answer cannot be used.
    UserInfo(UserInfoError),
}

/// A discovery that failed.
#[derive(Debug)]
#[non_exhaustive]
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
#[non_exhaustive]
pub enum LoginError {
    /// It could not begin.
    Authorize(AuthorizeError<io::Error>),
    /// The redirect was the server's refusal, or a forgery.
    Callback(CallbackError),
    /// The caller gave it up.
    Cancelled,
    /// The client or an extra parameter cannot be used.
    Config(ConfigError),
    /// There is no code that the user could confirm on another device.
    Device(ExchangeError),
    /// The code could not be exchanged.
    Exchange(ExchangeError),
    /// Nobody confirmed the code of a device before it expired.
    Expired {
        /// How it ended.
        expired: CodeExpired,
        /// Why the last poll got no answer, if that is so.
        last: Option<TransportError>,
    },
    /// An address of the redirect URI cannot be listened at.
    Listen(ListenError),
    /// The redirect URI is not `http://` with a loopback address or `localhost`, so no listener can receive the redirect.
    NotLoopback,
    /// The browser could not be opened.
    Open(io::Error),
    /// The parameters could not be pushed (RFC 9126). The browser was not opened.
    Push(ExchangeError),
    /// The answer to the push came so late that the server has forgotten what was pushed. The browser was not opened.
    PushExpired,
    /// The code could not be shown.
    Show(io::Error),
    /// The user did not come back in time.
    TimedOut,
}

impl<E: Into<io::Error>> From<AuthorizeError<E>> for LoginError {
    fn from(error: AuthorizeError<E>) -> Self {
        Self::Authorize(error.map_random(Into::into))
    }
}

impl ExchangeError {
    /// What to do now; none if nobody knows whether the request arrived.
    #[must_use]
    pub fn advice(&self) -> Option<Advice> {
        match self {
            Self::Config(_) | Self::Spent => Some(Advice::Fix),
            Self::IdToken(error) => Some(error.advice()),
            Self::Response(error) => Some(error.advice()),
            Self::Transport(error) => error.advice(),
            Self::UserInfo(error) => Some(error.advice()),
        }
    }
}

impl DiscoverError {
    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Config(_) | Self::NoMetadata { .. } => Advice::Fix,
            Self::Response(error) => error.advice(),
            // Nothing is lost by asking once more.
            Self::Transport(error) => error.advice().unwrap_or(Advice::Retry { after: None }),
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
            // Nothing is lost by asking once more.
            Self::Device(error) | Self::Push(error) => error.advice().or(Some(Advice::Retry { after: None })),
            Self::Cancelled | Self::Expired { .. } | Self::PushExpired | Self::TimedOut => Some(Advice::Reauthorize),
            Self::Authorize(_)
            | Self::Config(_)
            | Self::Listen(_)
            | Self::NotLoopback
            | Self::Open(_)
            | Self::Show(_) => Some(Advice::Fix),
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportKind::BodyTooBig => "the response is too long",
            TransportKind::Closed => "the server closed the connection without an HTTP response",
            TransportKind::Connect => "no connection to the server",
            TransportKind::Deadline => "the server did not answer in time",
            TransportKind::Http => "no answer from the server",
            TransportKind::Insecure => "plain http goes to loopback addresses only; write https://",
            TransportKind::Proof => "no proof that the tokens are ours",
            TransportKind::Proxy => "no way through the proxy",
            TransportKind::Tls => "no secure connection to the server",
        })?;
        let mut cause = error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::IdToken(error) => error.fmt(f),
            Self::Response(error) => error.fmt(f),
            Self::Spent => f.write_str("the request was sent before, and a code or a refresh token is sent once"),
            Self::Transport(error) => error.fmt(f),
            Self::UserInfo(error) => error.fmt(f),
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
            Self::Device(error) => write!(f, "the server gave no code to confirm: {error}"),
            Self::Exchange(error) => write!(f, "the code could not be exchanged for a token: {error}"),
            Self::Expired { expired, last: None } => expired.fmt(f),
            Self::Expired { expired, last: Some(error) } => write!(f, "{expired}: {error}"),
            Self::Listen(error) => error.fmt(f),
            Self::NotLoopback => f.write_str(
                "a listener needs a redirect URI that starts with http://127.0.0.1, http://[::1] or http://localhost",
            ),
            Self::Open(error) => write!(f, "cannot open the browser: {error}"),
            Self::Push(error) => write!(f, "sending the login request to the server failed: {error}"),
            Self::PushExpired => f.write_str("the server's answer to the login request came after it had expired"),
            Self::Show(error) => write!(f, "cannot show the code: {error}"),
            Self::TimedOut => f.write_str("the sign-in was not finished in time"),
        }
    }
}

impl error::Error for TransportError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.source.as_deref()?)
    }
}

impl error::Error for ExchangeError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::IdToken(error) => Some(error),
            Self::Response(error) => Some(error),
            Self::Spent => None,
            Self::Transport(error) => Some(error),
            Self::UserInfo(error) => Some(error),
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
            Self::Device(error) | Self::Exchange(error) => Some(error),
            Self::Expired { last, .. } => last.as_ref().map(|error| error as _),
            Self::Listen(error) => Some(error),
            Self::Open(error) | Self::Show(error) => Some(error),
            Self::Push(error) => Some(error),
            Self::Cancelled | Self::NotLoopback | Self::PushExpired | Self::TimedOut => None,
        }
    }
}
