//! [`DeviceLogin`]: a whole login that the user confirms on another device, without its sockets.

use crate::drive::DriveError;
use crate::error::{ExchangeError, LoginError};
use crate::identity::{SignedIn, signed_in};
use crate::send::{Received, now};
use proofkey_core::{Client, DeviceRequest, Poll, Prompt, TokensBuf};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// The settings of a login that the user confirms in a browser on another device (RFC 8628): for a device, a container or a
/// remote shell, where no browser can be opened.
///
/// ```
/// use proofkey_core::{Client, Server};
/// use proofkey_http::DeviceLogin;
/// use std::time::Duration;
///
/// let server = Server::device("https://as.example/device", "https://as.example/token");
/// let client = Client::without_redirect("my-client-id", server)?;
/// let login = DeviceLogin::new(client, &["read"]).with_timeout(Duration::from_secs(300));
/// # let _ = login;
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DeviceLogin<'a> {
    client: Client<'a>,
    scope: &'a [&'a str],
    extra: &'a [(&'a str, &'a str)],
    timeout: Duration,
    cancel: Option<&'a AtomicBool>,
    /// None is a time that never comes.
    until: Option<Instant>,
}

impl<'a> DeviceLogin<'a> {
    /// A login of `client`, which needs no redirect URI. The user has as long as the server's code lives.
    #[must_use]
    pub const fn new(client: Client<'a>, scope: &'a [&'a str]) -> Self {
        Self { client, scope, extra: &[], timeout: Duration::MAX, cancel: None, until: None }
    }

    /// Adds parameters to the request for the code, such as `("audience", "https://api.example")`.
    #[must_use]
    pub const fn with_extra(self, extra: &'a [(&'a str, &'a str)]) -> Self {
        Self { extra, ..self }
    }

    /// Sets how long the user has, if that is shorter than the server's code lives. A poll that is under way is read all the same.
    #[must_use]
    pub const fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Cancels the login as soon as the flag is set, unless a poll is under way: its answer may have the tokens, and is read.
    #[must_use]
    pub const fn with_cancel(self, cancel: &'a AtomicBool) -> Self {
        Self { cancel: Some(cancel), ..self }
    }

    /// Begins: the user's time runs from now on. The request is what is to be driven first.
    ///
    /// # Errors
    /// [`LoginError::Config`], [`LoginError::Cancelled`].
    pub fn begin(&mut self) -> Result<DeviceRequest<'a>, LoginError> {
        self.until = Instant::now().checked_add(self.timeout);
        let request = self.client.device(self.scope).and_then(|request| request.with(self.extra));
        self.given_up().map_or(Ok(()), Err).and_then(|()| request.map_err(LoginError::Config))
    }

    /// Shows to the user what came of the request. The poll is what is to be driven next.
    ///
    /// # Errors
    /// [`LoginError::Device`] if there is no code; [`LoginError::Show`] if `show` fails.
    pub fn show<'b>(
        &self,
        request: DeviceRequest<'a>,
        driven: &'b mut Result<Received, DriveError>,
        show: impl FnOnce(&Prompt<'_>) -> io::Result<()>,
    ) -> Result<Poll<'a, 'b>, LoginError> {
        let failed = |error| Err(LoginError::Device(error));
        let answer = match driven {
            Ok((answer, Ok(()))) => answer,
            Ok((_, Err(error))) => return failed(ExchangeError::Transport(error.clone())),
            Err(error) => return failed(error.clone().into()),
        };
        match request.read(answer.as_response(), now()) {
            Ok((prompt, poll)) => show(&prompt).map(|()| poll).map_err(LoginError::Show),
            Err(error) => failed(ExchangeError::Response(error)),
        }
    }

    /// How to wait between two polls: one sleep after the other, until the time is over or the login given up.
    pub fn pause(&self, time: Duration) -> impl Iterator<Item = Duration> + Send {
        let end = Instant::now().checked_add(time);
        std::iter::from_fn(move || {
            let ends = [end, self.until].into_iter().flatten();
            let left = ends.map(|end| end.saturating_duration_since(Instant::now())).min().unwrap_or(LOOK);
            let left = if self.cancel.is_some() { left.min(LOOK) } else { left };
            (!left.is_zero() && self.goes_on()).then_some(left)
        })
    }

    /// Whether to go on polling.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.given_up().is_none()
    }

    /// Reads what came of the poll, whose last request was sent at this time.
    ///
    /// # Errors
    /// [`LoginError`].
    pub fn finish(
        &self,
        poll: Poll<'_, '_>,
        driven: Result<Received, DriveError>,
        requested_at: SystemTime,
    ) -> Result<SignedIn, LoginError> {
        let exchanged = match driven {
            Ok((mut answer, Ok(()))) => {
                poll.read(answer.as_response()).map(TokensBuf::from).map_err(ExchangeError::Response)
            }
            Ok((_, Err(error))) => Err(ExchangeError::Transport(error)),
            Err(DriveError::Over(last)) => {
                return Err(self.given_up().unwrap_or(LoginError::Expired { expired: poll.over(), last }));
            }
            Err(error) => Err(error.into()),
        };
        let (rules, is_asked) = (self.client.id_token_rules(), self.scope.contains(&"openid"));
        let signed_in = exchanged.and_then(|tokens| signed_in(tokens, &rules, is_asked, requested_at));
        signed_in.map_err(LoginError::Exchange)
    }

    fn given_up(&self) -> Option<LoginError> {
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Some(LoginError::Cancelled);
        }
        self.until.is_some_and(|until| Instant::now() >= until).then_some(LoginError::TimedOut)
    }
}

/// How often it looks whether the login was cancelled.
const LOOK: Duration = Duration::from_millis(20);
