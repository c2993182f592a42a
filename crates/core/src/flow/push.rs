//! Pushed authorization requests (RFC 9126): the parameters of a login go to the server before the browser does.

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{AuthorizeError, ConfigError, ResponseError, ServerError, UriFault};
use crate::flow::authorize::behind;
use crate::flow::{AuthorizationUrl, Flow, Pending, Step};
use crate::message::{Form, Identity, Request, Response, error_of, refusal, string, unfit};
use crate::wire::bytes::all;
use crate::wire::form::{FieldWriter, Value};
use crate::wire::json::{self, Kind};
use core::fmt;
use rand_core::TryCryptoRng;

impl<'a> Client<'a> {
    /// Begins a login whose parameters are pushed (RFC 9126 section 2): the browser then only carries a reference to them,
    /// which nobody on the way can change. Send the request, send the browser to the [`PushedUrl`] that the answer makes, and
    /// keep the [`Pending`] until it comes back. `scope` may be empty: the server then applies its default.
    ///
    /// ```
    /// use proofkey_core::{Client, Endpoint, Response, Server};
    /// # use getrandom::SysRng;
    /// let server = Server::new("https://as.example/authorize", "https://as.example/token")
    ///     .with(Endpoint::PushedAuthorization, "https://as.example/par");
    /// let client = Client::new("my-app", "http://127.0.0.1:49152/callback", server)?;
    /// let (push, pending) = client.push(&["profile"], &mut SysRng)?;
    ///
    /// // Send `push.request()` with any HTTP client, and read what it answers:
    /// let mut body = *br#"{"request_uri":"urn:ietf:params:oauth:request_uri:6esc","expires_in":60}"#;
    /// let url = push.read(Response::new(201, &mut body))?;
    /// assert_eq!(url.expires_in(), 60);
    /// assert_eq!(
    ///     url.to_string(),
    ///     "https://as.example/authorize?client_id=my-app&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A6esc",
    /// );
    /// # let _ = pending;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a scope is invalid, the client has no redirect URI, or the random generator fails; [`ConfigError::Endpoint`] if the
    /// server has no endpoint for it that is known.
    pub fn push<R: TryCryptoRng + ?Sized>(
        self,
        scope: &'a [&'a str],
        rng: &mut R,
    ) -> Result<(PushRequest<'a>, Pending), AuthorizeError<R::Error>> {
        let endpoint = self.server().endpoint(Endpoint::PushedAuthorization);
        let endpoint = endpoint.ok_or(ConfigError::Endpoint(Endpoint::PushedAuthorization, UriFault::Absent))?;
        let (login, pending) = AuthorizationUrl::begin(self, scope, rng)?;
        Ok((PushRequest { endpoint, identity: self.identity(), login }, pending))
    }
}

/// A request to push the parameters of a login (RFC 9126 section 2.1).
pub struct PushRequest<'a> {
    endpoint: &'a str,
    identity: Identity<'a>,
    login: AuthorizationUrl<'a>,
}

impl<'a> PushRequest<'a> {
    /// Adds parameters of an extension or of the server's own, such as `("prompt", "consent")`, all in one call. Only
    /// `resource` may be given several times (RFC 8707 section 2).
    ///
    /// # Errors
    /// [`ConfigError::ExtraParameter`] if one is empty, repeated, or set by the protocol, as `request_uri` is;
    /// [`ConfigError::ExtraParametersTwice`] for a second call.
    pub fn with(self, extra: &'a [(&'a str, &'a str)]) -> Result<Self, ConfigError> {
        Ok(Self { login: self.login.with_checked(extra, self.endpoint)?, ..self })
    }

    /// The request to send.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request::post(self.endpoint, self).with_identity(&self.identity).with_key(self.login.client().key())
    }

    /// Reads the answer (section 2.2).
    ///
    /// # Errors
    /// [`ResponseError`]; begin again with a fresh [`Client::push`] then.
    pub fn read<'b>(self, response: Response<'b>) -> Result<PushedUrl<'b>, ResponseError>
    where
        'a: 'b,
    {
        let status = response.status;
        // Section 2.2 wants 201. Servers on frameworks whose default is 200 answer that.
        if !matches!(status, 200 | 201) {
            return Err(refusal(response));
        }
        let retry_after = response.retry_after();
        let ([request_uri, expires_in, error, description], whole) = response.members(&MEMBERS);
        whole?;
        if let Some((code, description)) = error_of(error, description)? {
            return Err(ResponseError::Server { error: ServerError::of_text(code, description), status, retry_after });
        }
        let request_uri = string("request_uri", request_uri)?.ok_or(ResponseError::Missing("request_uri"))?;
        if request_uri.len() > REQUEST_URI_MAX {
            return Err(ResponseError::TooBig("request_uri"));
        }
        if !all(request_uri.as_bytes(), |byte| byte.is_ascii_graphic()) {
            return Err(ResponseError::Malformed("request_uri"));
        }
        let expires_in = match (expires_in.kind, json::integer(expires_in.text)) {
            (Kind::Absent | Kind::Null, _) => return Err(ResponseError::Missing("expires_in")),
            (Kind::Number, Some(seconds @ 1..)) => seconds,
            (kind, _) => return Err(unfit("expires_in", kind)),
        };
        let client = self.login.client();
        let endpoint = client.server().required(Endpoint::Authorization);
        Ok(PushedUrl { endpoint, client_id: client.id(), request_uri, expires_in })
    }
}

impl Flow for PushRequest<'_> {
    fn step(&mut self, _now: u64) -> Step<'_> {
        Step::Send(self.request())
    }
}

impl Form for PushRequest<'_> {
    fn write(&self, fields: &mut FieldWriter<'_>) -> fmt::Result {
        self.login.write_fields(fields)?;
        self.identity.write_secret(fields)
    }
}

impl fmt::Debug for PushRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushRequest").field("endpoint", &self.endpoint).field("login", &self.login).finish()
    }
}

/// Where to send the user's browser once a login was pushed: the client's id and the reference, and nothing else (RFC 9126
/// section 4). It is `Display`; it holds no secret, but no log needs its reference. It is good for one login, and cannot be
/// copied.
pub struct PushedUrl<'a> {
    endpoint: &'a str,
    client_id: &'a str,
    request_uri: &'a str,
    expires_in: u32,
}

impl PushedUrl<'_> {
    /// How long the server keeps what was pushed: at least 1 second, counted from the request. A browser that comes later is
    /// refused; push again then, with a fresh [`Client::push`].
    #[must_use]
    pub const fn expires_in(&self) -> u32 {
        self.expires_in
    }
}

impl fmt::Display for PushedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = behind(self.endpoint, f)?;
        fields.field("&client_id=", Value::Plain(self.client_id))?;
        fields.field("&request_uri=", Value::Plain(self.request_uri))
    }
}

impl fmt::Debug for PushedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushedUrl")
            .field("endpoint", &self.endpoint)
            .field("client_id", &self.client_id)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

const MEMBERS: [&str; 4] = ["request_uri", "expires_in", "error", "error_description"];
/// In bytes. RFC 9101 section 5.2 asks for 512 at most; a browser has to carry it.
const REQUEST_URI_MAX: usize = 2048;
