//! [`Login`]: a whole native login, without its sockets.

use crate::drive::DriveError;
use crate::error::LoginError;
use crate::listen::{Bound, bind};
use crate::read::read_push;
use crate::send::{Received, seconds};
use getrandom::SysRng;
use proofkey_core::loopback::Loopback;
use proofkey_core::{Client, Endpoint, Feature, Flow, Pending, PushRequest, TokenRequest};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// The settings of a login.
///
/// ```
/// use proofkey_core::{Client, Server};
/// use proofkey_http::Login;
/// use std::time::Duration;
///
/// let client = Client::new("my-client-id", "http://127.0.0.1/callback", Server::ITWIN)?;
/// let login = Login::new(client, &["itwin-platform", "offline_access"])
///     .with_extra(&[("prompt", "login")])
///     .with_timeout(Duration::from_secs(120));
/// # let _ = login;
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    client: Client<'a>,
    scope: &'a [&'a str],
    extra: &'a [(&'a str, &'a str)],
    timeout: Duration,
    cancel: Option<&'a AtomicBool>,
    push: bool,
}

impl<'a> Login<'a> {
    /// A login of `client`. Its redirect URI is `http://127.0.0.1/…` or `http://[::1]/…`, or `http://localhost/…` if the
    /// client is registered so: with the registered port, or without one if the server takes any (RFC 8252 section 7.3).
    /// The user has five minutes.
    #[must_use]
    pub const fn new(client: Client<'a>, scope: &'a [&'a str]) -> Self {
        Self { client, scope, extra: &[], timeout: Duration::from_secs(300), cancel: None, push: false }
    }

    /// Adds parameters to the authorization request, such as `("prompt", "consent")`.
    #[must_use]
    pub const fn with_extra(self, extra: &'a [(&'a str, &'a str)]) -> Self {
        Self { extra, ..self }
    }

    /// Sets how long the user has to sign in.
    #[must_use]
    pub const fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Cancels the login as soon as the flag is set, as long as the redirect has not come. A code that has come is exchanged.
    #[must_use]
    pub const fn with_cancel(self, cancel: &'a AtomicBool) -> Self {
        Self { cancel: Some(cancel), ..self }
    }

    /// Sends the parameters to the server before the browser is sent there, so that its URL has nothing but a reference to them
    /// (RFC 9126). If the server requires that, or if the client is bound to a key and the server takes it, it is done without
    /// being asked for.
    #[must_use]
    pub const fn with_push(self) -> Self {
        Self { push: true, ..self }
    }

    /// Whether the parameters are pushed: if asked for, if the server requires it, and if the client is bound to a key and the
    /// server takes pushes.
    #[must_use]
    pub const fn must_push(&self) -> bool {
        let server = self.client.server();
        let can_push = server.endpoint(Endpoint::PushedAuthorization).is_some();
        self.push || server.has(Feature::PushRequired) || (self.client.key().is_some() && can_push)
    }

    /// The request for the tokens of this login, which began at `began`: with a `max_age` among the extra parameters the ID token must
    /// say when the user signed in.
    #[must_use]
    pub fn expects<'r>(&self, request: TokenRequest<'r>, began: SystemTime) -> TokenRequest<'r> {
        let max_age = self.extra.iter().find(|(name, _)| *name == "max_age");
        match max_age.and_then(|(_, age)| age.parse().ok()) {
            Some(max_age) => request.with_max_age(max_age, seconds(began)),
            None => request,
        }
    }

    /// How long the user has.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }

    /// Binds the addresses of the redirect URI.
    ///
    /// # Errors
    /// [`LoginError::NotLoopback`], [`LoginError::Listen`].
    pub fn bind(&self) -> Result<Bound, LoginError> {
        let loopback = Loopback::of(self.client.redirect_uri()).ok_or(LoginError::NotLoopback)?;
        bind(&loopback).map_err(LoginError::Listen)
    }

    /// Begins the login with the redirect URI that was bound: the client with it, how to get the URL for the browser, and what
    /// to wait for.
    ///
    /// # Errors
    /// [`LoginError::Config`], [`LoginError::Authorize`].
    pub fn begin<'b>(&'b self, redirect_uri: &'b str) -> Result<(Client<'b>, Start<'b>, Pending), LoginError> {
        let client = self.client.with_redirect_uri(redirect_uri).map_err(LoginError::Config)?;
        if self.must_push() {
            let (request, pending) = client.push(self.scope, &mut SysRng)?;
            let request = request.with(self.extra).map_err(LoginError::Config)?;
            return Ok((client, Start::Push(Push { request, login: self, sent_at: Instant::now() }), pending));
        }
        let (url, pending) = client.authorize(self.scope, &mut SysRng)?;
        let url = url.with(self.extra).map_err(LoginError::Config)?.to_string();
        Ok((client, Start::Open(url), pending))
    }
}

/// How a login gets the URL for the browser.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each login")]
pub enum Start<'a> {
    /// This is the URL.
    Open(String),
    /// The answer to this has it.
    Push(Push<'a>),
}

/// A [`Login`] whose parameters are pushed (RFC 9126).
#[derive(Debug)]
pub struct Push<'a> {
    request: PushRequest<'a>,
    login: &'a Login<'a>,
    sent_at: Instant,
}

impl<'a> Push<'a> {
    /// What is to be driven.
    pub fn flow(&mut self) -> &mut (dyn Flow + Send + 'a) {
        &mut self.request
    }

    /// The URL for the browser, to be opened at once.
    ///
    /// # Errors
    /// [`LoginError::Push`]; [`LoginError::PushExpired`] if the answer came so late that the server has forgotten what was
    /// pushed; [`LoginError::Cancelled`].
    pub fn read(self, driven: Result<Received, DriveError>) -> Result<String, LoginError> {
        let url = read_push(self.request, driven).map_err(LoginError::Push)?;
        if self.login.is_cancelled() {
            return Err(LoginError::Cancelled);
        }
        if self.sent_at.elapsed() >= Duration::from_secs(url.expires_in().into()) {
            return Err(LoginError::PushExpired);
        }
        Ok(url.to_string())
    }
}
