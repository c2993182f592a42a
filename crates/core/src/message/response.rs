//! [`Response`]: an HTTP response, and what every endpoint's answer has in common.

use crate::error::{Excerpt, ResponseError, ServerError};
use crate::message::bearer::Refusal;
use crate::message::challenge::{Challenge, Param, challenges};
use crate::wire::bytes::all;
use crate::wire::date;
use crate::wire::json::{self, JsonError, Kind, Peek, Value};
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
    is_cut: bool,
    date: Option<&'b str>,
    retry_after: Option<&'b str>,
    nonce: Option<&'b str>,
    challenges: [&'b str; CHALLENGES],
    pub(crate) body: &'b mut [u8],
}

impl<'b> Response<'b> {
    /// A response without header fields. The body holds secrets, and is overwritten while it is read.
    #[must_use]
    pub const fn new(status: u16, body: &'b mut [u8]) -> Self {
        Self {
            status,
            content_type: None,
            is_coded: false,
            is_cut: false,
            date: None,
            retry_after: None,
            nonce: None,
            challenges: [""; CHALLENGES],
            body,
        }
    }

    /// Adds a header field, in any order; its name in any case. Give it every field, each by itself if one is repeated: those
    /// that do not matter are passed over.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &'b str) -> Self {
        match FIELDS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
            Some((_, Field::Authenticate)) => {
                if let Some(place) = self.challenges.iter_mut().find(|place| place.is_empty()) {
                    *place = value;
                }
            }
            Some((_, Field::Coding)) => {
                let is_plain = |coding: &[u8]| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity");
                self.is_coded |= !value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).all(is_plain);
            }
            Some((_, Field::Date)) => self.date = self.date.or(Some(value)),
            // One that comes twice is none (RFC 9449 section 8.1).
            Some((_, Field::Nonce)) => self.nonce = Some(self.nonce.map_or(value, |_| "")),
            Some((_, Field::RetryAfter)) => self.retry_after = self.retry_after.or(Some(value)),
            Some((_, Field::Type)) => {
                // A repeated field is as good as its worst value (openid-client saw servers that send it twice).
                let counts = self.content_type.is_none_or(is_json) && !value.trim_ascii().is_empty();
                self.content_type = if counts { Some(value) } else { self.content_type };
            }
            None => {}
        }
        self
    }

    /// Says that the connection broke before the whole body had come. A [`Flow`](crate::Flow) that can do without this answer
    /// goes on then.
    #[must_use]
    pub fn cut_off(self) -> Self {
        Self { is_cut: true, ..self }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// How an API refused the call that this answers, from the status and the `WWW-Authenticate` fields (RFC 6750 section 3);
    /// none if it did not.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal<'b>> {
        Refusal::of(self.status, self.challenges)
    }

    /// The nonce for the next proof to the server that answers (RFC 9449 section 8.2), from whatever answer brings one; none if
    /// there is not exactly one that can be sent.
    #[must_use]
    pub fn nonce(&self) -> Option<&'b str> {
        self.nonce.filter(|nonce| is_nonce(nonce))
    }

    /// The nonce that the server wants in a proof of possession (RFC 9449 sections 8 and 9), if that is why it refused. The
    /// response stays unread, so the step that it answers can be sent once more.
    ///
    /// ```
    /// use proofkey_core::Response;
    ///
    /// let mut body = *br#"{"error":"use_dpop_nonce"}"#;
    /// let response = Response::new(400, &mut body).with_header("DPoP-Nonce", "eyJ7S_zG");
    /// assert_eq!(response.wants_nonce(), Some("eyJ7S_zG"));
    /// ```
    #[must_use]
    pub fn wants_nonce(&self) -> Option<&'b str> {
        let nonce = self.nonce()?;
        let wanted = |error: &Param<'_>| *error == *"use_dpop_nonce";
        let is_challenged = || {
            let mut proofs = self.challenges.into_iter().flat_map(challenges).filter(Challenge::is_proof);
            proofs.any(|challenge| challenge.param("error").is_some_and(|error| wanted(&error)))
        };
        let is_refused = || self.peek("error").is_ok_and(|error| error.is("use_dpop_nonce"));
        (matches!(self.status, 400 | 401) && (is_challenged() || is_refused())).then_some(nonce)
    }

    pub(crate) const fn into_body(self) -> &'b [u8] {
        self.body
    }

    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// A look at a member, which leaves the body as it is.
    pub(crate) fn peek(&self, name: &str) -> Result<Peek<'_>, Unreadable<'b>> {
        readable(self.content_type, self.is_coded(), json::peek(self.body, name))
    }

    /// Seconds to wait. At most a day; none if the header is missing or makes no sense.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        date::retry_after(self.retry_after?, self.date)
    }

    /// The members of a JSON object in the body as far as they can be read, and what is wrong with the whole.
    #[inline]
    pub(crate) fn members<const N: usize>(self, names: &[&str; N]) -> ([Value<'b>; N], Result<(), Unreadable<'b>>) {
        let (declared, is_coded) = (self.content_type, self.is_coded());
        let (values, whole) = json::members(self.body, names);
        (values, readable(declared, is_coded, whole))
    }

    /// Whether the body may be in a content coding. Gzip shows itself also without a header field.
    fn is_coded(&self) -> bool {
        self.is_coded || self.body.starts_with(b"\x1f\x8b")
    }

    /// Whether the body is a signed or encrypted token.
    pub(crate) fn is_signed(&self) -> bool {
        self.content_type.is_some_and(|declared| is_kind(declared.as_bytes(), &["jwt"]))
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

/// What was read of a body, unless the header fields say that it cannot be right.
fn readable<'b, T>(declared: Option<&'b str>, is_coded: bool, read: Result<T, JsonError>) -> Result<T, Unreadable<'b>> {
    match (declared, read) {
        (Some(declared), _) if !is_json(declared) => Err(Unreadable::Type(declared)),
        // A body that its header calls coded may have been decoded on the way, as browsers do.
        (_, Err(_)) if is_coded => Err(Unreadable::Coding),
        (_, read) => read.map_err(|error| Unreadable::Json(error.at)),
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

/// RFC 9449 section 8.1: `NQCHAR`, at least one. A longer one than this would only fill requests.
pub(crate) fn is_nonce(text: &str) -> bool {
    (1..=NONCE_MAX).contains(&text.len())
        && all(text.as_bytes(), |byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
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

const NONCE_MAX: usize = 2048;

/// The header fields that matter.
#[derive(Clone, Copy)]
enum Field {
    Authenticate,
    Coding,
    Date,
    Nonce,
    RetryAfter,
    Type,
}

const FIELDS: [(&str, Field); 6] = [
    ("content-encoding", Field::Coding),
    ("content-type", Field::Type),
    ("date", Field::Date),
    ("dpop-nonce", Field::Nonce),
    ("retry-after", Field::RetryAfter),
    ("www-authenticate", Field::Authenticate),
];

/// How many fields with challenges are kept, the first ones.
const CHALLENGES: usize = 3;
