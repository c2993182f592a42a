//! [`Request`]: an HTTP request, ready to be sent.

use crate::message::bearer::{AccessToken, Authorization};
use crate::message::identity::Identity;
use crate::message::thumbprint::Thumbprint;
use crate::wire::form::{FieldWriter, Length};
use crate::wire::uri;
use core::fmt::{self, Write};

/// The method of a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// `GET`, without a body.
    Get,
    /// `POST`, with a form as body.
    Post,
}

impl Method {
    /// The method as it is sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// An HTTP request to a server, for an adapter to send.
///
/// The adapter that sends it must never follow a redirect, must take every status as a [`Response`](crate::Response), cap the
/// body after decompression, keep one overall deadline, and use plain http only for a loopback address.
///
/// Without an HTTP library, [`write_head`](Self::write_head) and [`write_body`](Self::write_body) write all of it:
///
/// ```
/// use proofkey_core::{Client, RefreshToken, Server};
///
/// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
/// let refresh = client.refresh(RefreshToken::new("RT1")?);
/// let request = refresh.request();
/// assert_eq!((request.url().host(), request.url().port()), ("ims.bentley.com", 443));
/// let mut sent = String::new();
/// request.write_head(&mut sent).and_then(|()| request.write_body(&mut sent)).expect("a String takes all");
/// assert!(sent.starts_with("POST /connect/token HTTP/1.0\r\nhost: ims.bentley.com\r\n"));
/// assert!(sent.ends_with("\r\n\r\ngrant_type=refresh_token&client_id=my-app&refresh_token=RT1"));
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Request<'a> {
    url: Url<'a>,
    authorization: Option<Value<'a>>,
    key: Option<&'a Thumbprint>,
    proof: Option<&'a (dyn Content + Sync)>,
    form: Option<&'a (dyn Form + Sync)>,
}

/// The value of a header field, behind a pointer: a program that sends none has no code for it.
pub(crate) trait Content {
    fn write(&self, out: &mut dyn Write) -> fmt::Result;
}

/// The fields of a body, which each flow brings.
pub(crate) trait Form {
    fn write(&self, fields: &mut FieldWriter<'_>) -> fmt::Result;
}

impl<'a> Request<'a> {
    pub(crate) const fn get(url: Url<'a>) -> Self {
        Self { url, authorization: None, key: None, proof: None, form: None }
    }

    pub(crate) const fn post(endpoint: &'a str, form: &'a (dyn Form + Sync)) -> Self {
        Self { form: Some(form), ..Self::get(Url([endpoint, "", ""])) }
    }

    /// The key that must prove the request, if the client is bound to one.
    pub(crate) const fn with_key(self, key: Option<&'a Thumbprint>) -> Self {
        Self { key, ..self }
    }

    pub(crate) const fn with_authorization(self, authorization: Authorization<'a>) -> Self {
        Self { authorization: Some(Value::Authorization(authorization)), ..self }
    }

    /// Says in the header who asks, if the server wants it there.
    pub(crate) const fn with_identity(self, identity: &'a Identity<'a>) -> Self {
        match identity.is_in_header() {
            true => Self { authorization: Some(Value::Identity(identity)), ..self },
            false => self,
        }
    }

    /// Whether it must carry a proof of possession (RFC 9449): it is of a bound client's, or has a bound access token.
    #[must_use]
    pub fn needs_proof(&self) -> bool {
        self.key.is_some() || self.bound_token().is_some()
    }

    /// The key that must sign the proof, if the client says so. That of an access token is known by whoever keeps it.
    #[must_use]
    pub const fn key(&self) -> Option<&'a Thumbprint> {
        self.key
    }

    pub(crate) const fn proved(self, proof: &'a (dyn Content + Sync)) -> Self {
        Self { proof: Some(proof), ..self }
    }

    /// The access token, if it is bound to a key.
    pub(crate) fn bound_token(&self) -> Option<AccessToken<'a>> {
        match self.authorization {
            Some(Value::Authorization(authorization)) => authorization.bound_token(),
            _ => None,
        }
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        if self.form.is_some() { Method::Post } else { Method::Get }
    }

    /// Where to send it.
    #[must_use]
    pub const fn url(&self) -> Url<'a> {
        self.url
    }

    /// The header fields without `host` and `content-length`.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        let fixed: &'static [(&str, &str)] = match self.method() {
            Method::Get => &[ACCEPT, CODING],
            Method::Post => &[ACCEPT, CODING, ("content-type", "application/x-www-form-urlencoded")],
        };
        let fixed = fixed.iter().map(|(name, value)| Header { name, value: Value::Fixed(value) });
        fixed
            .chain(self.authorization.map(|value| Header { name: "authorization", value }))
            .chain(self.proof.map(|value| Header { name: "dpop", value: Value::Proof(value) }))
    }

    /// Writes the head: the request line and all header fields, down to the empty line before the body. It is of HTTP/1.0, so
    /// that the server sends the response in one piece and then closes the connection (RFC 9112 section 9.3). It may hold a
    /// secret: never log it.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write_head<W: Write + ?Sized>(&self, mut out: &mut W) -> fmt::Result {
        let out: &mut dyn Write = &mut out;
        let (authority, path) = self.url.parts();
        write!(out, "{} {} HTTP/1.0\r\nhost: {authority}\r\n", self.method().as_str(), Path(path))?;
        for header in self.headers() {
            write!(out, "{}: ", header.name)?;
            header.write_value(out)?;
            out.write_str("\r\n")?;
        }
        if self.form.is_some() {
            write!(out, "content-length: {}\r\n", self.body_len())?;
        }
        out.write_str("\r\n")
    }

    /// Writes the body, which holds secrets: never log it.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write_body<W: Write + ?Sized>(&self, mut out: &mut W) -> fmt::Result {
        self.form.map_or(Ok(()), |form| form.write(&mut FieldWriter::new(&mut out, "")))
    }

    /// The exact length of the body in bytes.
    #[must_use]
    pub fn body_len(&self) -> usize {
        let mut length = Length::default();
        self.write_body(&mut length).map_or(0, |()| length.0)
    }

    /// The body, which holds secrets: never log it.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn body(&self) -> alloc::string::String {
        let mut body = alloc::string::String::with_capacity(self.body_len());
        self.write_body(&mut body).map(|()| body).unwrap_or_default()
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method()).field("url", &self.url).finish_non_exhaustive()
    }
}

/// A header field of a [`Request`]. Its value may be a secret, so it is not printed.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    name: &'static str,
    value: Value<'a>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Authorization(Authorization<'a>),
    Fixed(&'static str),
    Identity(&'a Identity<'a>),
    Proof(&'a (dyn Content + Sync)),
}

impl Header<'_> {
    /// The name, in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The value, if every request of this kind has the same.
    #[must_use]
    pub const fn fixed(&self) -> Option<&'static str> {
        match self.value {
            Value::Fixed(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the value is a secret. HTTP libraries can mark it, so that it is not logged or kept in a table.
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        self.fixed().is_none()
    }

    /// Writes the value: printable ASCII.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write_value<W: Write + ?Sized>(&self, mut out: &mut W) -> fmt::Result {
        match self.value {
            Value::Authorization(authorization) => authorization.write(out),
            Value::Fixed(value) => out.write_str(value),
            Value::Identity(identity) => identity.write_header(&mut out),
            Value::Proof(proof) => proof.write(&mut out),
        }
    }

    /// The value: printable ASCII.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn value(&self) -> alloc::string::String {
        match self.value {
            Value::Authorization(authorization) => authorization.value(),
            Value::Fixed(value) => value.into(),
            Value::Identity(_) | Value::Proof(_) => {
                let mut value = alloc::string::String::with_capacity(ROOM);
                self.write_value(&mut value).map(|()| value).unwrap_or_default()
            }
        }
    }
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The URL of a [`Request`]. It is `Display` and never holds a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Url<'a>(pub(crate) [&'a str; 3]);

impl<'a> Url<'a> {
    /// Whether TLS is to be used. If not, the host is this machine.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0[0].starts_with("https:")
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &'a str {
        self.host_and_port().0.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port; 443 or 80 if the URL names none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.host_and_port().1.unwrap_or_else(|| if self.is_https() { 443 } else { 80 })
    }

    /// Path and query, as a request line has them: `/token?tenant=t`.
    pub fn path(&self) -> impl fmt::Display + use<'a> {
        Path(self.parts().1)
    }

    /// Writes it without query and fragment, as a proof names it (RFC 9449 section 4.2). The path is there, as it is sent.
    pub(crate) fn write_resource(&self, out: &mut dyn Write) -> fmt::Result {
        let (authority, path) = self.parts();
        out.write_str(if self.is_https() { "https://" } else { "http://" })?;
        out.write_str(authority)?;
        for part in path {
            let end = part.find(['?', '#']);
            out.write_str(part.get(..end.unwrap_or(part.len())).unwrap_or_default())?;
            if end.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn host_and_port(&self) -> (&'a str, Option<u16>) {
        uri::split(self.0[0]).and_then(|uri| uri.host_and_port()).unwrap_or_default()
    }

    /// The authority, and the pieces of path and query. The first part of a URL always has the authority.
    fn parts(&self) -> (&'a str, [&'a str; 4]) {
        let [first, second, third] = self.0;
        let after = first.strip_prefix("https://").or_else(|| first.strip_prefix("http://")).unwrap_or_default();
        let (authority, path) =
            after.split_at_checked(after.find(['/', '?']).unwrap_or(after.len())).unwrap_or_default();
        let is_rooted =
            [path, second, third].into_iter().find(|part| !part.is_empty()).is_some_and(|part| part.starts_with('/'));
        (authority, [if is_rooted { "" } else { "/" }, path, second, third])
    }
}

/// The pieces of path and query.
struct Path<'a>([&'a str; 4]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| f.write_str(part))
    }
}

impl fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| f.write_str(part))
    }
}

impl fmt::Debug for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A proof with a short URL and without a nonce; a secret of any length in use.
#[cfg(feature = "alloc")]
const ROOM: usize = 640;
const ACCEPT: (&str, &str) = ("accept", "application/json");
/// Without it a server may choose any coding (RFC 9110 section 12.5.3).
const CODING: (&str, &str) = ("accept-encoding", "identity");
