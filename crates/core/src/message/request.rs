//! [`Request`]: an HTTP request, ready for an adapter to send.

use crate::wire::form::{FieldWriter, Length, Value};
use core::fmt::{self, Write};

/// The method of a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`, without a body.
    Get,
    /// `POST`, with a form as body.
    Post,
}

/// An HTTP request to the authorization server, for an adapter to send.
///
/// The adapter that sends it must never follow a redirect, must take every status as a [`Response`](crate::Response), cap the
/// body after decompression, keep one overall deadline, and use plain http only for a loopback address.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    url: Url<'a>,
    form: Option<Form<'a>>,
}

impl<'a> Request<'a> {
    pub(crate) const fn get(url: Url<'a>) -> Self {
        Self { url, form: None }
    }

    pub(crate) const fn post(endpoint: &'a str, form: Form<'a>) -> Self {
        Self { url: Url([endpoint, "", ""]), form: Some(form) }
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

    /// The header fields, in lower case, without `host` and `content-length`.
    #[must_use]
    pub const fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self.method() {
            Method::Get => &[ACCEPT, CODING],
            Method::Post => &[ACCEPT, CODING, ("content-type", "application/x-www-form-urlencoded")],
        }
    }

    /// Writes the body, which holds secrets: never log it.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write_body<W: Write + ?Sized>(&self, mut out: &mut W) -> fmt::Result {
        self.form.as_ref().map_or(Ok(()), |form| form.write(&mut out))
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

/// The URL of a [`Request`]. It is `Display` and never holds a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Url<'a>(pub(crate) [&'a str; 3]);

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

const ACCEPT: (&str, &str) = ("accept", "application/json");
/// Without it a server may choose any coding (RFC 9110 section 12.5.3).
const CODING: (&str, &str) = ("accept-encoding", "identity");

/// The fields of a body: each name between `&` and `=`. A field with an empty name is not written.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) fields: [(&'static str, Value<'a>); 4],
    pub(crate) extra: &'a [(&'a str, &'a str)],
}

impl Form<'_> {
    pub(crate) const UNUSED: (&'static str, Value<'static>) = ("", Value::Literal(""));

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        let mut writer = FieldWriter::new(out, "");
        for &(name, value) in self.fields.iter().filter(|(name, _)| !name.is_empty()) {
            writer.field(name, value)?;
        }
        writer.extra(self.extra)
    }
}
