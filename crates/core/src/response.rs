//! What is read: a [`Response`], and what every endpoint's answer has in common.

use crate::error::{ResponseError, ServerError};
use crate::wire::json::{self, Kind, Value};
use crate::wire::octets::all;
use crate::wire::{date, form};
use core::fmt;

#[cfg(feature = "alloc")]
pub use owned::ResponseBuf;

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
        let media_type = form::split_once(content_type, b';').0.trim_ascii();
        let is_json = JSON_TYPES.iter().any(|known| media_type.eq_ignore_ascii_case(known))
            || media_type.rsplit_once('+').is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("json"));
        is_json && all(content_type.as_bytes(), |octet| octet != b',')
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The error that a response is whose status is not 200.
pub(crate) fn refusal(response: &mut Response<'_>) -> ResponseError {
    let status = response.status;
    if let 300..=399 = status {
        return ResponseError::Redirect(status);
    }
    let retry_after = response.retry_after();
    let error = if response.may_be_json() { read_error(response.body) } else { None };
    match error {
        Some((code, description)) => {
            ResponseError::Server { error: ServerError::of_text(code, description), status, retry_after }
        }
        None => ResponseError::Status { status, retry_after },
    }
}

/// The error code and its description, which is empty where there is none.
fn read_error(body: &mut [u8]) -> Option<(&str, &str)> {
    let [error, description] = json::members(body, &["error", "error_description"]).ok()?;
    error_of(error, description).ok()?
}

/// The same of members that have been read.
pub(crate) fn error_of<'b>(
    error: Value<'b>,
    description: Value<'b>,
) -> Result<Option<(&'b str, &'b str)>, ResponseError> {
    // It only explains: one that cannot be read must not hide the code.
    let description = || string("error_description", description).ok().flatten().unwrap_or_default();
    Ok(string("error", error)?.map(|code| (code, description())))
}

/// A string member; null and the empty string count as absent.
pub(crate) fn string<'b>(member: &'static str, value: Value<'b>) -> Result<Option<&'b str>, ResponseError> {
    match value.kind {
        Kind::Absent | Kind::Null => Ok(None),
        Kind::String if value.text.len() > MEMBER_MAX => Err(ResponseError::TooBig(member)),
        Kind::String => Ok(Some(value.text).filter(|text| !text.is_empty())),
        kind => Err(unfit(member, kind)),
    }
}

/// What is wrong with a member that is none of what it may be.
pub(crate) const fn unfit(member: &'static str, kind: Kind) -> ResponseError {
    match kind {
        Kind::HalfString => ResponseError::Malformed(member),
        Kind::Repeated => ResponseError::Duplicate(member),
        _ => ResponseError::Type(member),
    }
}

/// The longest member that is read, in octets.
pub(crate) const MEMBER_MAX: usize = 256 * 1024;

const JSON_TYPES: [&str; 3] = ["application/json", "text/json", "text/javascript"];

#[cfg(feature = "alloc")]
mod owned {
    use super::Response;
    use alloc::{string::String, vec::Vec};
    use core::fmt;

    /// An HTTP response as an adapter returns it: the owned form of a [`Response`]. Wipe the body once it is read.
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
}
