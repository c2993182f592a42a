//! The two values that cross the wire: a [`Request`] to send, a [`Response`] to read.

use crate::wire::date;
use crate::wire::form::{FieldWriter, Length, Value};
use core::fmt::{self, Write};

#[cfg(feature = "alloc")]
pub use owned::ResponseBuf;

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
/// Whoever sends it never follows a redirect, takes every status for a [`Response`], caps the body after
/// decompression, keeps one overall deadline, and uses plain http only towards a loopback address.
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
            Method::Get => &[("accept", "application/json")],
            Method::Post => &[("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")],
        }
    }

    /// Writes the body, which holds secrets: never log it.
    ///
    /// # Errors
    /// Where `out` fails.
    pub fn write_body<W: Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        self.form.map_or(Ok(()), |form| form.write(out))
    }

    /// The exact length of the body in octets.
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
        self.write_body(&mut body).map_or_else(|_| alloc::string::String::new(), |()| body)
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

/// The fields of a body. A field with an empty name is not written.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) fields: [(&'static str, Value<'a>); 5],
    pub(crate) extra: &'a [(&'a str, &'a str)],
}

impl Form<'_> {
    pub(crate) const UNUSED: (&'static str, Value<'static>) = ("", Value::Plain(""));

    fn write<W: Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        let mut writer = FieldWriter::new(out, "");
        for &(name, value) in self.fields.iter().filter(|(name, _)| !name.is_empty()) {
            writer.field(name, value)?;
        }
        self.extra.iter().try_for_each(|(name, value)| writer.field(name, Value::Plain(value)))
    }
}

/// An HTTP response from the authorization server. It is read in place: what is read borrows from `body`.
pub struct Response<'b> {
    /// The HTTP status, whatever it is.
    pub status: u16,
    /// The `Content-Type` header; several of them joined by a comma, as HTTP does.
    pub content_type: Option<&'b str>,
    /// The `Date` header, to which a `Retry-After` that is a date relates.
    pub date: Option<&'b str>,
    /// The `Retry-After` header (RFC 9110 section 10.2.3).
    pub retry_after: Option<&'b str>,
    /// The body without content coding. It holds secrets, and is overwritten while it is read.
    pub body: &'b mut [u8],
}

impl Response<'_> {
    /// Seconds to wait. At most a day; none where the header is missing or makes no sense.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        date::retry_after(self.retry_after?, self.date)
    }

    /// Whether the body calls itself JSON (`application/json`, `text/json` or any `+json`), JavaScript as the servers
    /// of Facebook and Weibo do, or nothing at all.
    pub(crate) fn may_be_json(&self) -> bool {
        let Some(content_type) = self.content_type else { return true };
        if content_type.contains(',') {
            return false;
        }
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let structured = media_type.rsplit_once('+').is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("json"));
        structured || JSON_TYPES.iter().any(|known| media_type.eq_ignore_ascii_case(known))
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("body_len", &self.body.len()).finish_non_exhaustive()
    }
}

const JSON_TYPES: [&str; 3] = ["application/json", "text/json", "text/javascript"];

#[cfg(feature = "alloc")]
mod owned {
    use super::Response;
    use alloc::{string::String, vec::Vec};
    use core::fmt;

    /// An HTTP response as an adapter returns it: the owned form of a [`Response`].
    #[derive(Clone, Default, PartialEq, Eq)]
    pub struct ResponseBuf {
        /// The HTTP status, whatever it is.
        pub status: u16,
        /// The header fields in the order of arrival, their names in lower case.
        pub headers: Vec<(String, String)>,
        /// The body without content coding.
        pub body: Vec<u8>,
    }

    impl ResponseBuf {
        /// The first header field of that name (lower case).
        #[must_use]
        pub fn header(&self, name: &str) -> Option<&str> {
            self.headers(name).next()
        }

        /// All header fields of that name (lower case), in the order of arrival.
        pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
            self.headers.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
        }

        /// The response for a `read`, which overwrites the body.
        pub fn as_response(&mut self) -> Response<'_> {
            let Self { status, headers, body } = self;
            let field = |name| headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
            // Where two content types stand, none can be trusted: a comma makes it unreadable.
            let types = headers.iter().filter(|(field, _)| field == "content-type").count();
            let content_type = if types > 1 { Some(",") } else { field("content-type") };
            Response { status: *status, content_type, date: field("date"), retry_after: field("retry-after"), body }
        }
    }

    impl fmt::Debug for ResponseBuf {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("ResponseBuf")
                .field("status", &self.status)
                .field("body_len", &self.body.len())
                .finish_non_exhaustive()
        }
    }

    #[cfg(feature = "zeroize")]
    impl Drop for ResponseBuf {
        fn drop(&mut self) {
            zeroize::Zeroize::zeroize(&mut self.body);
        }
    }
}
