//! [`Login`]: a whole native login, from the browser to the tokens.

use crate::adapter::Http;
use crate::listener::Listener;
use getrandom::SysRng;
use proofkey_core::{Client, TokensBuf};
use proofkey_http::LoginError;
use std::io;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

/// The settings of a login.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    client: Client<'a>,
    scope: &'a [&'a str],
    extra: &'a [(&'a str, &'a str)],
    timeout: Duration,
    cancel: &'a AtomicBool,
}

/// The result of a login.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// What the server granted.
    pub tokens: TokensBuf,
    /// When the tokens were asked for: their lifetime counts from then on (see [`Lifetime`](proofkey_core::Lifetime)).
    pub requested_at: SystemTime,
}

impl<'a> Login<'a> {
    /// A login of `client`. Its redirect URI is `http://127.0.0.1/…` or `http://[::1]/…`, or `http://localhost/…` if the
    /// client is registered so: with the registered port, or without one if the server takes any (RFC 8252 section 7.3).
    /// The user has five minutes.
    #[must_use]
    pub const fn new(client: Client<'a>, scope: &'a [&'a str]) -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Self { client, scope, extra: &[], timeout: Duration::from_secs(300), cancel: &NEVER }
    }

    /// Adds parameters to the authorization URL, such as `("prompt", "consent")`.
    #[must_use]
    pub const fn with_extra(self, extra: &'a [(&'a str, &'a str)]) -> Self {
        Self { extra, ..self }
    }

    /// Sets how long the user has to sign in.
    #[must_use]
    pub const fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Cancels the login as soon as the flag is set.
    #[must_use]
    pub const fn with_cancel(self, cancel: &'a AtomicBool) -> Self {
        Self { cancel, ..self }
    }
}

impl Http {
    /// Logs a user in: listens on loopback, has `open` send the browser to the authorization URL, waits for the redirect,
    /// and exchanges the code. The port is closed when it returns.
    ///
    /// # Errors
    /// [`LoginError`]. An error of `open` ends the login; return `Ok` if the user can open the URL themselves.
    pub fn login(&self, login: Login<'_>, open: impl FnOnce(&str) -> io::Result<()>) -> Result<SignedIn, LoginError> {
        let until = Instant::now().checked_add(login.timeout).ok_or(LoginError::TimedOut)?;
        let listener = Listener::bind(login.client)?;
        let client = login.client.with_redirect_uri(listener.redirect_uri()).map_err(LoginError::Config)?;
        let (url, pending) = client.authorize(login.scope, &mut SysRng)?;
        let url = url.with(login.extra).map_err(LoginError::Config)?;
        open(&url.to_string()).map_err(LoginError::Open)?;
        listener.receive(client, pending, until, login.cancel, |request| {
            let requested_at = SystemTime::now();
            Ok(SignedIn { tokens: self.exchange(request)?, requested_at })
        })
    }
}
