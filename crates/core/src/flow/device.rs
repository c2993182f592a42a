//! The login of a device without a browser (RFC 8628): [`DeviceRequest`] and [`Prompt`]. The polls are in `poll.rs`.

use crate::check::{check_extra, is_shown};
use crate::client::Client;
use crate::endpoint::{Endpoint, Quirks};
use crate::error::{ConfigError, ResponseError, ServerError, UriFault};
use crate::flow::authorize::is_scope;
use crate::flow::token::seconds;
use crate::flow::{Flow, Poll, Step};
use crate::message::{Form, Identity, Request, Response, Thumbprint, error_of, refusal, string};
use crate::wire::form::FieldWriter;
use crate::wire::json::Kind;
use core::fmt;

impl<'a> Client<'a> {
    /// Begins a login in which the user confirms in a browser on another device (RFC 8628 section 3.1). `scope` may be empty: the
    /// server then applies its default.
    ///
    /// # Errors
    /// [`ConfigError::Endpoint`] if the server's device authorization endpoint is not known; [`ConfigError::Scope`].
    pub fn device(self, scope: &'a [&'a str]) -> Result<DeviceRequest<'a>, ConfigError> {
        let endpoint = self.server().endpoint(Endpoint::DeviceAuthorization);
        let endpoint = endpoint.ok_or(ConfigError::Endpoint(Endpoint::DeviceAuthorization, UriFault::Absent))?;
        if let Some(index) = scope.iter().position(|scope| !is_scope(scope)) {
            return Err(ConfigError::Scope(index));
        }
        let asking = Asking {
            identity: self.identity(),
            key: self.key(),
            quirks: self.server().quirks,
            token_endpoint: self.server().required(Endpoint::Token),
        };
        Ok(DeviceRequest { asking, endpoint, scope, extra: &[] })
    }
}

/// A request for a code that the user confirms on another device (RFC 8628 section 3.1).
///
/// ```
/// use proofkey_core::{Client, Flow, Response, Server, Step};
///
/// let server = Server::device("https://as.example/device", "https://as.example/token");
/// let request = Client::without_redirect("my-device", server)?.device(&["read"])?;
/// let mut body = String::new();
/// request.request().write_body(&mut body)?;
/// assert_eq!(body, "client_id=my-device&scope=read");
///
/// // The answer came at second 1000 of the caller's clock.
/// let mut body = *br#"{"device_code":"GmRh","user_code":"WDJB-MJHT","verification_uri":"https://as.example/go",
///     "expires_in":600,"interval":5}"#;
/// let (prompt, mut poll) = request.read(Response::new(200, &mut body), 1000)?;
/// assert_eq!((prompt.user_code(), prompt.verification_uri()), ("WDJB-MJHT", "https://as.example/go"));
///
/// // Show the prompt, then poll until the user has confirmed.
/// assert!(matches!(poll.step(1000), Step::Wait(6)));
/// assert!(matches!(poll.step(1006), Step::Send(_)));
/// let mut body = *br#"{"error":"authorization_pending"}"#;
/// assert!(!poll.hear(&Response::new(400, &mut body), 1006), "the user has not confirmed yet");
/// assert!(matches!(poll.step(1012), Step::Send(_)));
/// let mut body = *br#"{"access_token":"AT1","token_type":"Bearer"}"#;
/// let response = Response::new(200, &mut body);
/// assert!(poll.hear(&response, 1012));
/// assert_eq!(poll.read(response)?.access_token().expose(), "AT1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct DeviceRequest<'a> {
    asking: Asking<'a>,
    endpoint: &'a str,
    scope: &'a [&'a str],
    extra: &'a [(&'a str, &'a str)],
}

/// Who asks for a code and then polls, and where.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) identity: Identity<'a>,
    pub(super) key: Option<&'a Thumbprint>,
    pub(super) quirks: Quirks,
    pub(super) token_endpoint: &'a str,
}

impl<'a> DeviceRequest<'a> {
    /// Adds parameters of an extension or of the server's own, such as `("audience", "https://api.example")`, all in one call.
    /// Only `resource` may be given several times (RFC 8707 section 2).
    ///
    /// # Errors
    /// [`ConfigError::ExtraParameter`] if one is empty, repeated, or set by the protocol;
    /// [`ConfigError::ExtraParametersTwice`] for a second call.
    pub fn with(self, extra: &'a [(&'a str, &'a str)]) -> Result<Self, ConfigError> {
        check_extra(self.extra, extra, self.endpoint)?;
        Ok(Self { extra, ..self })
    }

    /// The request to send.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request::post(self.endpoint, self).with_identity(&self.asking.identity)
    }

    /// Reads the answer (section 3.2), which came at the second `now`: what to show to the user, and what to poll with.
    ///
    /// # Errors
    /// [`ResponseError`]. So that nothing dangerous is shown or opened, [`ResponseError::Malformed`] if an address is not http or
    /// https or has a character that a URL cannot have, or if the code to type has a control character.
    pub fn read<'b>(self, response: Response<'b>, now: u64) -> Result<(Prompt<'b>, Poll<'a, 'b>), ResponseError> {
        let status = response.status;
        if !matches!(status, 200 | 201) {
            return Err(refusal(response));
        }
        let retry_after = response.retry_after();
        let (members, whole) = response.members(&MEMBERS);
        whole?;
        let [device_code, user_code, uri, url, complete, expires_in, interval, error, description] = members;
        if let Some((code, description)) = error_of(error, description)? {
            return Err(ResponseError::Server { error: ServerError::of_text(code, description), status, retry_after });
        }
        let device_code = string("device_code", device_code)?.ok_or(ResponseError::Missing("device_code"))?;
        let user_code = string("user_code", user_code)?.ok_or(ResponseError::Missing("user_code"))?;
        if user_code.chars().any(is_hidden) {
            return Err(ResponseError::Malformed("user_code"));
        }
        // Google's name for it is `verification_url`.
        let uri = match string("verification_uri", uri)? {
            Some(uri) => uri,
            None => string("verification_url", url)?.ok_or(ResponseError::Missing("verification_uri"))?,
        };
        if !is_shown(uri) {
            return Err(ResponseError::Malformed("verification_uri"));
        }
        let complete = string("verification_uri_complete", complete).ok().flatten();
        if complete.is_some_and(|uri| !is_shown(uri)) {
            return Err(ResponseError::Malformed("verification_uri_complete"));
        }
        let expires_in = seconds(expires_in).ok_or(match expires_in.kind {
            Kind::Absent | Kind::Null => ResponseError::Missing("expires_in"),
            Kind::Repeated => ResponseError::Duplicate("expires_in"),
            _ => ResponseError::Type("expires_in"),
        })?;
        let interval = seconds(interval).unwrap_or(INTERVAL).max(1);
        let prompt = Prompt { user_code, uri, complete, expires_in };
        let poll = Poll::new(self.asking, device_code, expires_in, interval, now);
        Ok((prompt, poll))
    }
}

impl Flow for DeviceRequest<'_> {
    fn step(&mut self, _now: u64) -> Step<'_> {
        Step::Send(self.request())
    }
}

impl Form for DeviceRequest<'_> {
    fn write(&self, fields: &mut FieldWriter<'_>) -> fmt::Result {
        self.asking.identity.write_id(fields)?;
        if !self.scope.is_empty() {
            fields.list("&scope=", self.scope)?;
        }
        self.asking.identity.write_secret(fields)?;
        fields.extra(self.extra)
    }
}

impl fmt::Debug for DeviceRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceRequest")
            .field("client_id", &self.asking.identity.id)
            .field("endpoint", &self.endpoint)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// What to show to the user (RFC 8628 section 3.3): the address to open on any device, and the code to type there.
///
/// Always show both, also beside a QR code of the [`verification_uri_complete`](Self::verification_uri_complete): the user compares
/// the code with the one in the browser. Say as well to go on only if they started this login themselves. Whoever gets a victim to
/// confirm a code has the victim's tokens (RFC 10027). `Display` says all of that:
///
/// ```
/// # use proofkey_core::{Client, Response, Server};
/// # let server = Server::device("https://as.example/device", "https://as.example/token");
/// # let request = Client::without_redirect("my-device", server)?.device(&[])?;
/// # let mut body = *br#"{"device_code":"GmRh","user_code":"WDJB-MJHT","verification_uri":"https://as.example/go","expires_in":600}"#;
/// # let (prompt, _poll) = request.read(Response::new(200, &mut body), 0)?;
/// assert_eq!(
///     prompt.to_string(),
///     "To sign in, open https://as.example/go on any device and enter the code WDJB-MJHT\n\
///      Do this only if you started this sign-in yourself. Never enter a code that somebody sent you."
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Prompt<'b> {
    user_code: &'b str,
    uri: &'b str,
    complete: Option<&'b str>,
    expires_in: u32,
}

impl<'b> Prompt<'b> {
    /// The code that the user types, without control characters.
    #[must_use]
    pub const fn user_code(&self) -> &'b str {
        self.user_code
    }

    /// The address that the user opens: http or https.
    #[must_use]
    pub const fn verification_uri(&self) -> &'b str {
        self.uri
    }

    /// The same address with the code in it, for a QR code (section 3.3.1), if the server has one.
    #[must_use]
    pub const fn verification_uri_complete(&self) -> Option<&'b str> {
        self.complete
    }

    /// How many seconds the user has.
    #[must_use]
    pub const fn expires_in(&self) -> u32 {
        self.expires_in
    }
}

impl fmt::Debug for Prompt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt")
            .field("verification_uri", &self.uri)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Prompt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user_code, uri, .. } = self;
        writeln!(f, "To sign in, open {uri} on any device and enter the code {user_code}")?;
        if let Some(complete) = self.complete {
            writeln!(f, "Or open {complete} and check that it shows this code.")?;
        }
        f.write_str("Do this only if you started this sign-in yourself. Never enter a code that somebody sent you.")
    }
}

/// Whether a character is not seen, or changes how others are seen.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Seconds, if the server says nothing that can be used (section 3.2).
const INTERVAL: u32 = 5;

const MEMBERS: [&str; 9] = [
    "device_code",
    "user_code",
    "verification_uri",
    "verification_url",
    "verification_uri_complete",
    "expires_in",
    "interval",
    "error",
    "error_description",
];
