//! [`Answer`]: a response as the `http` crate has it.

use http::{HeaderMap, HeaderValue};
use proofkey_core::{Response, ResponseBuf};
use std::mem;
use zeroize::Zeroizing;

/// The most bytes that the body of an API's answer may have.
pub const API_BODY_MAX: usize = 64 * 1024 * 1024;
/// The most bytes that the body of an authorization server's answer may have.
pub const OAUTH_BODY_MAX: usize = 1024 * 1024;

/// A response whose header fields are still those of the `http` crate. Its body may hold secrets: it is wiped when it is
/// dropped, and not shown by `Debug`.
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// A response without a body so far.
    #[must_use]
    pub fn new(status: u16, headers: HeaderMap) -> Self {
        Self { status, headers, body: Zeroizing::default() }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Adds a part of the body, unless it is longer than `most` then. Its room doubles, but not beyond that; what it leaves is
    /// wiped.
    #[must_use]
    pub fn push(&mut self, part: &[u8], most: usize) -> bool {
        let body = &mut self.body;
        let Some(length) = body.len().checked_add(part.len()).filter(|length| *length <= most) else { return false };
        if length > body.capacity() {
            // Halves of what it may take: the old room and the new one together are less than twice that.
            let mut room = most;
            while room / 2 >= length {
                room /= 2;
            }
            let mut grown = Zeroizing::new(Vec::with_capacity(room));
            grown.extend_from_slice(body);
            *body = grown;
        }
        body.extend_from_slice(part);
        true
    }

    /// The response to `read`, which overwrites the body.
    #[must_use]
    pub fn as_response(&mut self) -> Response<'_> {
        response(self.status, &self.headers, &mut self.body)
    }
}

/// The head of an [`Answer`] whose body has not come yet.
#[must_use]
pub fn head(status: u16, headers: &HeaderMap) -> Response<'_> {
    response(status, headers, &mut [])
}

fn response<'b>(status: u16, headers: &'b HeaderMap, body: &'b mut [u8]) -> Response<'b> {
    let fields = headers.iter().map(|(name, value)| (name, str::from_utf8(value.as_bytes()).unwrap_or(UNREADABLE)));
    fields.fold(Response::new(status, body), |response, (name, value)| response.with_header(name.as_str(), value))
}

impl From<Answer> for ResponseBuf {
    fn from(Answer { status, headers, mut body }: Answer) -> Self {
        let text = |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
        let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        Self { status, headers, body: mem::take(&mut *body) }
    }
}

/// No content type, date or number of seconds.
const UNREADABLE: &str = ",";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_takes_no_more_room_than_it_may() {
        for (part, most) in [(1, 1_000), (7, 1_000), (300, 1_000), (1_000, 1_000), (16 * 1024, 1024 * 1024)] {
            let mut answer = Answer::new(200, HeaderMap::new());
            let (part, mut pushed) = (vec![b'x'; part], 0);
            while answer.push(&part, most) {
                pushed += part.len();
                assert_eq!(answer.body.len(), pushed);
                let room = answer.body.capacity();
                assert!(room <= most && room <= 2 * pushed + 1, "{room} for {pushed} of {most}");
            }
            assert!(pushed + part.len() > most, "{pushed}");
        }
    }
}
