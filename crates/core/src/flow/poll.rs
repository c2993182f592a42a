//! Polling until the user has confirmed a device (RFC 8628 section 3.4): [`Poll`].

use crate::check::check_extra;
use crate::endpoint::Quirk;
use crate::error::{ConfigError, ResponseError};
use crate::flow::device::Asking;
use crate::flow::token::read_tokens;
use crate::flow::{Flow, NoRoom, RefreshToken, Step, Tokens, Unanswered};
use crate::message::{Form, Request, Response};
use crate::wire::form::{FieldWriter, Value};
use core::fmt;

/// Asks again and again whether the user has confirmed (RFC 8628 section 3.4). It is a [`Flow`]: [`step`](Flow::step) says when to
/// wait and when to send, and ends when the code expires. [`read`](Self::read) consumes it, so no code is used twice.
///
/// It waits from each *answer* on, and a second more than it has to: some servers never recover from a poll that is too early.
/// `slow_down` makes it slower by 5 seconds for good. No answer, a 429, a server that is down, and an answer that is not JSON double
/// the wait: the user may still confirm. Every other answer is the last one.
///
/// Its times are seconds on one clock of the caller's choice, also one that starts when the device does.
///
/// It borrows the device code from the first answer. A device with one buffer for all answers moves the code out of it, with
/// [`kept_in`](Self::kept_in).
pub struct Poll<'a, 'b> {
    asking: Asking<'a>,
    device_code: &'b str,
    extra: &'a [(&'a str, &'a str)],
    /// When the last answer came.
    last: u64,
    end: u64,
    interval: u32,
    /// How long to wait from the last answer on.
    wait: u32,
    trouble: Option<Trouble>,
}

impl<'a, 'b> Poll<'a, 'b> {
    /// Begins with a wait: the code has come at the second `now`.
    pub(super) const fn new(
        asking: Asking<'a>,
        device_code: &'b str,
        expires_in: u32,
        interval: u32,
        now: u64,
    ) -> Self {
        Self {
            asking,
            device_code,
            extra: &[],
            last: now,
            end: now.saturating_add(expires_in as u64),
            interval,
            wait: interval.saturating_add(1),
            trouble: None,
        }
    }

    /// Adds parameters of an extension or of the server's own to each poll, such as `resource`, all in one call.
    ///
    /// # Errors
    /// [`ConfigError::ExtraParameter`] if one is empty, repeated, or set by the protocol;
    /// [`ConfigError::ExtraParametersTwice`] for a second call.
    pub fn with(self, extra: &'a [(&'a str, &'a str)]) -> Result<Self, ConfigError> {
        check_extra(self.extra, extra, self.asking.token_endpoint)?;
        Ok(Self { extra, ..self })
    }

    /// Moves the device code into `room`, so that the buffer of the first answer is free for the next. It is a secret: wipe the
    /// room when the login is over.
    ///
    /// # Errors
    /// [`NoRoom`] if the code is longer. RFC 8628 gives no limit; most servers stay below 256 bytes.
    ///
    /// ```
    /// # use proofkey_core::{Client, Response, Server};
    /// # let server = Server::device("https://as.example/device", "https://as.example/token");
    /// # let request = Client::without_redirect("my-device", server)?.device(&[])?;
    /// let mut buffer = *br#"{"device_code":"GmRh","user_code":"WDJB","verification_uri":"https://as.example/go","expires_in":600}"#;
    /// let mut room = [0; 256];
    /// let (prompt, poll) = request.read(Response::new(200, &mut buffer), 0)?;
    /// println!("{prompt}");
    /// let poll = poll.kept_in(&mut room)?;
    /// buffer.fill(0);
    /// let mut body = String::new();
    /// poll.request().write_body(&mut body)?;
    /// assert!(body.ends_with("&device_code=GmRh"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kept_in<'c>(self, room: &'c mut [u8]) -> Result<Poll<'a, 'c>, NoRoom> {
        let needed = self.device_code.len();
        let short = NoRoom::new(needed, room.len());
        let (place, _) = room.split_at_mut_checked(needed).ok_or(short)?;
        place.copy_from_slice(self.device_code.as_bytes());
        let device_code = core::str::from_utf8(place).unwrap_or_default();
        let Self { asking, device_code: _, extra, last, end, interval, wait, trouble } = self;
        Ok(Poll { asking, device_code, extra, last, end, interval, wait, trouble })
    }

    /// How many seconds to wait before the next poll; 0 if it is due; none if the code expires before.
    #[must_use]
    pub fn due(&self, now: u64) -> Option<u32> {
        // A clock that was set back says nothing about how much time has passed.
        let wait = self.wait.saturating_sub(u32::try_from(now.saturating_sub(self.last)).unwrap_or(u32::MAX));
        let set_back = self.last.saturating_sub(now);
        let at = now.saturating_add(set_back).saturating_add(wait.into());
        (at < self.end).then_some(wait)
    }

    /// The request to send when it is [`due`](Self::due).
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request::post(self.asking.token_endpoint, self).with_identity(&self.asking.identity).with_key(self.asking.key)
    }

    /// Reads the last answer, as [`TokenRequest::read`](crate::TokenRequest::read) does.
    ///
    /// # Errors
    /// [`ResponseError`]: the user or the server has refused, or the answer cannot be used.
    pub fn read(self, response: Response<'_>) -> Result<Tokens<'_>, ResponseError> {
        read_tokens(response, self.asking.key.is_some(), self.asking.quirks, None, &mut None)
    }

    /// [`read`](Self::read), and first of all the refresh token, as
    /// [`TokenRequest::read_keeping`](crate::TokenRequest::read_keeping) does.
    pub fn read_keeping(self, response: Response<'_>) -> (Option<RefreshToken<'_>>, Result<Tokens<'_>, ResponseError>) {
        let mut new = None;
        let tokens = read_tokens(response, self.asking.key.is_some(), self.asking.quirks, None, &mut new);
        (new, tokens)
    }

    /// Why it ended, if it is [`Step::Over`].
    #[must_use]
    pub const fn over(&self) -> CodeExpired {
        CodeExpired { trouble: self.trouble }
    }

    /// Takes a clock that was set back as one that stood still since the last answer.
    fn look(&mut self, now: u64) {
        let set_back = self.last.saturating_sub(now);
        self.last = self.last.saturating_sub(set_back);
        self.end = self.end.saturating_sub(set_back);
    }

    fn wait(&mut self, interval: u32, pause: Option<u32>, now: u64) {
        (self.last, self.interval) = (now, interval);
        self.wait = interval.saturating_add(1).max(pause.unwrap_or(0));
    }
}

impl Flow for Poll<'_, '_> {
    fn step(&mut self, now: u64) -> Step<'_> {
        self.look(now);
        match self.due(now) {
            None => Step::Over,
            Some(0) => Step::Send(self.request()),
            Some(wait) => Step::Wait(wait),
        }
    }

    fn hear(&mut self, response: &Response<'_>, now: u64) -> bool {
        let status = response.status();
        let (interval, trouble) =
            match response.peek(if self.asking.quirks.has(Quirk::ErrorInMessage) { "message" } else { "error" }) {
                _ if response.is_cut() => (self.interval.saturating_mul(2), Some(Trouble::Unanswered)),
                // Whatever the status: GitHub answers with 200, Auth0 with 403 and 429.
                Ok(error) if error.is("authorization_pending") => (self.interval, None),
                Ok(error) if error.is("slow_down") => (self.interval.saturating_add(5), None),
                Ok(_) if !matches!(status, 429 | 500..=599) => return true,
                _ => (self.interval.saturating_mul(2), Some(Trouble::Status(status))),
            };
        self.look(now);
        self.trouble = trouble;
        self.wait(interval, response.retry_after(), now);
        false
    }

    fn unanswered(&mut self, _why: Unanswered, now: u64) -> bool {
        self.look(now);
        // If no poll was due, then the head of this answer has been heard, and only its body is missing.
        if self.due(now) == Some(0) {
            self.trouble = Some(Trouble::Unanswered);
            self.wait(self.interval.saturating_mul(2), None, now);
        }
        true
    }
}

impl Form for Poll<'_, '_> {
    fn write(&self, fields: &mut FieldWriter<'_>) -> fmt::Result {
        fields.field("&grant_type=", Value::Literal("urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"))?;
        self.asking.identity.write_id(fields)?;
        fields.field("&device_code=", Value::Plain(self.device_code))?;
        self.asking.identity.write_secret(fields)?;
        fields.extra(self.extra)
    }
}

impl fmt::Debug for Poll<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poll")
            .field("client_id", &self.asking.identity.id)
            .field("endpoint", &self.asking.token_endpoint)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// A login of a device that nobody confirmed before its code expired, or before the next poll was allowed: from
/// [`Poll::over`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeExpired {
    trouble: Option<Trouble>,
}

/// What the last poll came to, if the server did not simply say to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Status(u16),
    Unanswered,
}

impl fmt::Display for CodeExpired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the code expired before the sign-in was confirmed")?;
        match self.trouble {
            None => Ok(()),
            Some(Trouble::Status(status)) => write!(f, "; the server last answered with status {status}"),
            Some(Trouble::Unanswered) => f.write_str("; the server last gave no answer"),
        }
    }
}

impl core::error::Error for CodeExpired {}
