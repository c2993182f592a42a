//! [`Answer`]: a response as the `http` crate has it.

use http::{HeaderMap, HeaderValue};
use proofkey_core::{Response, ResponseBuf};

/// A response whose header fields are still those of the `http` crate. It is not `Debug`, since its body may hold secrets.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The response to `read`, which overwrites the body.
    #[must_use]
    pub fn as_response(&mut self) -> Response<'_> {
        let Self { status, headers, body } = self;
        let fields = headers.iter().map(|(name, value)| (name, str::from_utf8(value.as_bytes()).unwrap_or(UNREADABLE)));
        fields.fold(Response::new(*status, body), |response, (name, value)| response.with_header(name.as_str(), value))
    }
}

impl From<Answer> for ResponseBuf {
    fn from(Answer { status, headers, body }: Answer) -> Self {
        let text = |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
        let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        Self { status, headers, body }
    }
}

/// No content type, date or number of seconds.
const UNREADABLE: &str = ",";
