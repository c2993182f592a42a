//! [`Response`]: an HTTP response, and what every endpoint's answer has in common.

use crate::error::{Excerpt, ResponseError, ServerError};
use crate::wire::date;
use crate::wire::json::{self, Kind, Value};
use core::fmt;

/// An HTTP response from the authorization server. It is read in place: what is read borrows from the body.
///
/// ```
/// use proofkey_core::Response;
///
/// let mut body = *br#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer"}"#;
/// let response = Response::new(200, &mut body).with_header("Content-Type", "application/json");
/// assert_eq!(response.status(), 200);
/// ```
pub struct Response<'b> {
    pub(crate) status: u16,
    content_type: Option<&'b str>,
    is_coded: bool,
    date: Option<&'b str>,
    retry_after: Option<&'b str>,
    pub(crate) body: &'b mut [u8],
}

impl<'b> Response<'b> {
    /// A response without header fields. The body holds secrets, and is overwritten while it is read.
    #[must_use]
    pub const fn new(status: u16, body: &'b mut [u8]) -> Self {
        Self { status, content_type: None, is_coded: false, date: None, retry_after: None, body }
    }

    /// Adds a header field, in any order; its name in any case. Give it every field, each by itself if one is repeated: those
    /// that do not matter are passed over.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &'b str) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            // A repeated field is as good as its worst value (openid-client saw servers that send it twice).
            let counts = self.content_type.is_none_or(is_json) && !value.trim_ascii().is_empty();
            self.content_type = if counts { Some(value) } else { self.content_type };
        } else if name.eq_ignore_ascii_case("content-encoding") {
            let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
            self.is_coded |= !value.split(',').map(str::trim_ascii).all(is_plain);
        } else if name.eq_ignore_ascii_case("date") {
            self.date = self.date.or(Some(value));
        } else if name.eq_ignore_ascii_case("retry-after") {
            self.retry_after = self.retry_after.or(Some(value));
        }
        self
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Seconds to wait. At most a day; none if the header is missing or makes no sense.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        date::retry_after(self.retry_after?, self.date)
    }

    /// The members of a JSON object in the body as far as they can be read, and what is wrong with the whole.
    #[inline]
    pub(crate) fn members<const N: usize>(self, names: &[&str; N]) -> ([Value<'b>; N], Result<(), Unreadable<'b>>) {
        let declared = self.content_type;
        // Also gzip that no header tells.
        let is_coded = self.is_coded || self.body.starts_with(b"\x1f\x8b");
        let (values, whole) = json::members(self.body, names);
        // A body that its header calls coded may have been decoded on the way, as browsers do.
        let whole = match (declared, whole) {
            (Some(declared), _) if !is_json(declared) => Err(Unreadable::Type(declared)),
            (_, Err(_)) if is_coded => Err(Unreadable::Coding),
            (_, whole) => whole.map_err(|error| Unreadable::Json(error.at)),
        };
        (values, whole)
    }

    /// Whether the body is a page for people, as firewalls and proxies send it.
    fn is_page(&self) -> bool {
        let is_html = |declared: &str| is_kind(declared.as_bytes(), &["html", "xml"]);
        self.content_type.is_some_and(is_html) || self.body.trim_ascii_start().starts_with(b"<")
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

/// What is wrong with a body as a whole. It is small, so that a good answer is not slowed down by the error it could have been.
#[derive(Clone, Copy)]
pub(crate) enum Unreadable<'b> {
    Coding,
    Json(usize),
    Type(&'b str),
}

impl From<Unreadable<'_>> for ResponseError {
    fn from(unreadable: Unreadable<'_>) -> Self {
        match unreadable {
            Unreadable::Coding => Self::ContentCoding,
            Unreadable::Json(at) => Self::Json(at),
            Unreadable::Type(found) => Self::ContentType(Excerpt::from(found)),
        }
    }
}

/// Whether every media type of a `Content-Type` is one under which servers send JSON: `application/json`, `text/json`, any
/// `+json`; JavaScript (Facebook, Weibo); plain text and bytes (servers that leave it to their framework's default).
fn is_json(content_type: &str) -> bool {
    // Mostly it is just that.
    if content_type == "application/json" {
        return true;
    }
    let mut quoted = false;
    let mut types = content_type.as_bytes().split(move |byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    });
    types.all(|one| one.trim_ascii().is_empty() || is_kind(one, &["json", "plain", "octet-stream", "javascript"]))
}

/// Whether what stands behind the last `/` or `+` of a media type is one of these.
fn is_kind(media_type: &[u8], kinds: &[&str]) -> bool {
    let end = media_type.iter().position(|byte| *byte == b';').unwrap_or(media_type.len());
    let name = media_type.get(..end).unwrap_or_default();
    let start = name.iter().rposition(|byte| matches!(byte, b'/' | b'+'));
    let kind = start.and_then(|start| name.get(start.saturating_add(1)..)).unwrap_or_default().trim_ascii_end();
    kinds.iter().any(|known| kind.eq_ignore_ascii_case(known.as_bytes()))
}

/// Reads the error of a response whose status is not a success.
pub(crate) fn refusal(response: Response<'_>) -> ResponseError {
    let status = response.status;
    if let 300..=399 = status {
        return ResponseError::Redirect(status);
    }
    let retry_after = response.retry_after();
    let is_page = response.is_page();
    let error = match response.members(&["error", "error_description"]) {
        ([error, description], Ok(())) => error_of(error, description).ok().flatten(),
        _ => None,
    };
    match error {
        Some((code, description)) => {
            ResponseError::Server { error: ServerError::of_text(code, description), status, retry_after }
        }
        None => ResponseError::Status { status, retry_after, is_page },
    }
}

/// The error code and its description of members that have been read; the description is empty if there is none.
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

/// Maps an unexpected JSON type to an error.
pub(crate) const fn unfit(member: &'static str, kind: Kind) -> ResponseError {
    match kind {
        Kind::HalfString => ResponseError::Malformed(member),
        Kind::Repeated => ResponseError::Duplicate(member),
        _ => ResponseError::Type(member),
    }
}

/// The longest member that is read, in bytes.
pub(crate) const MEMBER_MAX: usize = 256 * 1024;
