//! [`Answer`]: a response as the HTTP library gives it.

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use proofkey_core::{Response, ResponseBuf};

/// A response whose header fields are still those of the HTTP library.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The response for a `read`, which overwrites the body.
    pub(crate) fn as_response(&mut self) -> Response<'_> {
        let Self { status, headers, body } = self;
        let field = |name: HeaderName| {
            let value = headers.get(name)?;
            Some(str::from_utf8(value.as_bytes()).unwrap_or(UNREADABLE))
        };
        // Where two content types stand, none can be trusted.
        let types = headers.get_all(CONTENT_TYPE).iter().count();
        let content_type = if types > 1 { Some(UNREADABLE) } else { field(CONTENT_TYPE) };
        Response { status: *status, content_type, date: field(DATE), retry_after: field(RETRY_AFTER), body }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_sees_the_same_in_both_forms() {
        let fields: [(&str, &[u8]); 4] = [
            ("content-type", b"application/json"),
            ("date", b"Thu, 26 Nov 2026 00:00:00 GMT"),
            ("retry-after", b"7"),
            ("x-other", b"\xe9"),
        ];
        let (mut answer, mut owned) = (answer(&fields), ResponseBuf::from(answer(&fields)));
        assert_eq!(owned.header("x-other"), Some("é"));
        for seen in [answer.as_response(), owned.as_response()] {
            let date = Some("Thu, 26 Nov 2026 00:00:00 GMT");
            assert_eq!((seen.content_type, seen.date, seen.retry_after), (Some("application/json"), date, Some("7")));
            assert_eq!((seen.status, &*seen.body), (429, &b"{}"[..]));
        }
    }

    #[test]
    fn a_field_that_is_missing_twice_there_or_no_text_is_not_made_up() {
        let mut none = answer(&[]);
        let none = none.as_response();
        assert_eq!((none.content_type, none.date, none.retry_after), (None, None, None));
        let json: (&str, &[u8]) = ("content-type", b"application/json");
        for fields in [&[json, json][..], &[("content-type", b"application/json; a=\xff")]] {
            assert_eq!(answer(fields).as_response().content_type, Some(","));
        }
    }

    fn answer(fields: &[(&'static str, &[u8])]) -> Answer {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_bytes(value).expect("a field"));
        }
        Answer { status: 429, headers, body: b"{}".to_vec() }
    }
}
