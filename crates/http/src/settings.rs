//! [`Settings`]: how requests are sent.

use crate::error::TransportError;
use crate::proxy::Proxies;
use crate::tls::{self, Roots};
use rustls::ClientConfig;
use std::time::Duration;

/// How an adapter with a client of its own calls itself (RFC 9110 section 10.1.5).
pub const USER_AGENT: &str = concat!("proofkey/", env!("CARGO_PKG_VERSION"));

/// How an `Http` sends its requests: through which proxy, whom it trusts, how long it waits, which connections it keeps.
///
/// ```
/// use proofkey_http::{Proxies, Settings};
/// use std::time::Duration;
///
/// let settings = Settings::new()
///     .with_proxies(Proxies::new("http://proxy.example:3128")?.with_exceptions("intern.example"))
///     .with_connect_timeout(Duration::from_secs(5))
///     .with_deadline(Duration::from_secs(20));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    proxies: Option<Proxies>,
    roots: Option<Roots>,
    deadline: Duration,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    read: Option<Duration>,
    kept: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl Settings {
    /// The proxies of the environment ([`Proxies::from_env`]), the certificate authorities that the operating system trusts,
    /// 10 seconds to connect and 30 for the whole answer, and a connection of its own for each request.
    #[must_use]
    pub const fn new() -> Self {
        let (proxies, roots) = (None, None);
        // Without a limit, reqwest waits for the first of two addresses of one family until the deadline is over.
        let connect = Some(Duration::from_secs(10));
        let (first_byte, read, kept) = (None, None, None);
        Self { proxies, roots, deadline: Duration::from_secs(30), connect, first_byte, read, kept }
    }

    /// Uses these proxies in place of the environment's, or of those of your own client. Plain http, which goes to this machine
    /// only, never takes a proxy.
    #[must_use]
    pub fn with_proxies(self, proxies: Proxies) -> Self {
        Self { proxies: Some(proxies), ..self }
    }

    /// Also trusts the certificate authorities in `pem`: a company's own, or one for tests.
    ///
    /// # Errors
    /// [`TransportKind::Tls`](crate::TransportKind::Tls) if `pem` has no certificate, or one that is broken.
    pub fn with_root_certificates(self, pem: &[u8]) -> Result<Self, TransportError> {
        Ok(Self { roots: Some(Roots::System(tls::certificates(pem)?)), ..self })
    }

    /// Trusts the certificate authorities in `pem`, and no others.
    ///
    /// # Errors
    /// [`TransportKind::Tls`](crate::TransportKind::Tls) if `pem` has no certificate, or one that is broken.
    pub fn with_only_root_certificates(self, pem: &[u8]) -> Result<Self, TransportError> {
        Ok(Self { roots: Some(Roots::Only(tls::certificates(pem)?)), ..self })
    }

    /// Sets how long to wait for an answer in all: from the first look-up of a name to the last byte of the body. Of a streaming
    /// call it covers the head alone.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline: limited(deadline), ..self }
    }

    /// Sets how long it may take to connect: look-up, proxy and TLS included. With `reqwest`, addresses of one family share it.
    #[must_use]
    pub fn with_connect_timeout(self, timeout: Duration) -> Self {
        Self { connect: Some(limited(timeout)), ..self }
    }

    /// Sets how long the server may take to begin its answer once it has the request. With `reqwest`, what is left of the time to
    /// connect is added.
    #[must_use]
    pub fn with_first_byte_timeout(self, timeout: Duration) -> Self {
        Self { first_byte: Some(limited(timeout)), ..self }
    }

    /// Sets how long the server may be silent in the middle of its answer.
    #[must_use]
    pub fn with_read_timeout(self, timeout: Duration) -> Self {
        Self { read: Some(limited(timeout)), ..self }
    }

    /// Keeps connections for so long after their last use. Without it, each request has a connection of its own.
    ///
    /// A request is never sent twice, on a kept connection either. The price: if the server closes an idle connection just as
    /// a request is written, nobody knows whether the request arrived. So choose less than the server's own idle limit. After
    /// such a failure, each request has a connection of its own for five minutes.
    #[must_use]
    pub fn with_kept_connections(self, idle: Duration) -> Self {
        Self { kept: Some(limited(idle)), ..self }
    }

    /// The proxies that were set.
    #[must_use]
    pub const fn proxies(&self) -> Option<&Proxies> {
        self.proxies.as_ref()
    }

    /// Whether certificate authorities were set.
    #[must_use]
    pub const fn has_roots(&self) -> bool {
        self.roots.is_some()
    }

    /// The whole time for an answer.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The time to connect.
    #[must_use]
    pub const fn connect_timeout(&self) -> Option<Duration> {
        self.connect
    }

    /// The time until the answer begins.
    #[must_use]
    pub const fn first_byte_timeout(&self) -> Option<Duration> {
        self.first_byte
    }

    /// The longest silence in the middle of an answer.
    #[must_use]
    pub const fn read_timeout(&self) -> Option<Duration> {
        self.read
    }

    /// How long an idle connection is kept, if it is.
    #[must_use]
    pub const fn kept_connections(&self) -> Option<Duration> {
        self.kept
    }

    /// The TLS of https requests.
    ///
    /// # Errors
    /// [`TransportKind::Tls`](crate::TransportKind::Tls) if the system has no certificate authorities.
    pub fn tls(&self) -> Result<ClientConfig, TransportError> {
        tls::client_config(self.roots.clone().unwrap_or(Roots::System(Vec::new())))
    }

    /// A TLS that trusts nobody, for clients that only speak plain http: it loads nothing.
    ///
    /// # Errors
    /// As [`tls`](Self::tls).
    pub fn no_tls() -> Result<ClientConfig, TransportError> {
        tls::client_config(Roots::Only(Vec::new()))
    }
}

/// A time that every clock can add to now: a century is forever here.
fn limited(time: Duration) -> Duration {
    time.min(Duration::from_secs(100 * 365 * 24 * 60 * 60))
}
