//! [`Login`]: a whole native login, from the browser to the tokens.

use crate::adapter::Http;
use crate::listener::Listener;
use getrandom::SysRng;
use proofkey_core::{Client, TokensBuf};
use proofkey_http::LoginError;
use std::io;
use std::time::{Duration, SystemTime};

/// The settings of a login.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    client: Client<'a>,
    scope: &'a [&'a str],
    extra: &'a [(&'a str, &'a str)],
    timeout: Duration,
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
        Self { client, scope, extra: &[], timeout: Duration::from_secs(300) }
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
}

impl Http {
    /// Logs a user in: listens on loopback, has `open` send the browser to the authorization URL, waits for the redirect,
    /// and exchanges the code. The port is closed when the future ends or is dropped. `open` must not wait for the user.
    ///
    /// # Errors
    /// [`LoginError`]. An error of `open` ends the login; return `Ok` if the user can open the URL themselves.
    pub async fn login(
        &self,
        login: Login<'_>,
        open: impl FnOnce(&str) -> io::Result<()>,
    ) -> Result<SignedIn, LoginError> {
        let listener = Listener::bind(login.client)?;
        let client = login.client.with_redirect_uri(listener.redirect_uri()).map_err(LoginError::Config)?;
        let (url, pending) = client.authorize(login.scope, &mut SysRng)?;
        let url = url.with(login.extra).map_err(LoginError::Config)?.to_string();
        open(&url).map_err(LoginError::Open)?;
        listener.receive(self, client, pending, login.timeout).await
    }
}
