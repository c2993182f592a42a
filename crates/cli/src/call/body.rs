//! The body of an answer as a member of a JSON object.

use base64ct::{Base64, Encoding};
use proofkey_core::ResponseBuf;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

/// The body: JSON as it is, text as a string, anything else in Base64.
#[derive(Debug)]
pub enum Body<'r> {
    /// Not UTF-8.
    Binary(&'r [u8]),
    /// JSON, on one line. Its numbers are those that the API wrote.
    Json(Box<RawValue>),
    /// Other text.
    Text(&'r str),
}

impl<'r> Body<'r> {
    /// Only a body that is declared as JSON and is valid counts as JSON.
    pub fn of(response: &'r ResponseBuf) -> Self {
        let Ok(text) = std::str::from_utf8(&response.body) else { return Self::Binary(&response.body) };
        let is_json = response.header("content-type").is_some_and(is_json);
        match serde_json::from_str::<&RawValue>(text).ok().filter(|_| is_json).and_then(on_one_line) {
            Some(json) => Self::Json(json),
            None => Self::Text(text),
        }
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Binary(bytes) => map.serialize_entry("body_base64", &Base64::encode_string(bytes))?,
            Self::Json(json) => map.serialize_entry("body", json)?,
            Self::Text(text) => map.serialize_entry("body", text)?,
        }
        map.end()
    }
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

/// Leaves out the white space between values.
fn on_one_line(json: &RawValue) -> Option<Box<RawValue>> {
    let (mut in_string, mut escaped) = (false, false);
    let is_kept = |c: &char| {
        let is_kept = in_string || !c.is_ascii_whitespace();
        in_string ^= *c == '"' && !escaped;
        escaped = in_string && *c == '\\' && !escaped;
        is_kept
    };
    RawValue::from_string(json.get().chars().filter(is_kept).collect()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_declared_and_valid() {
        for (content_type, body, expected) in [
            (
                "application/json",
                "{ \"a\" :\r\n 1.50e2 , \"b\": \" \\\" \\\\\" , \"a\":[ ] }",
                r#"{"body":{"a":1.50e2,"b":" \" \\","a":[]}}"#,
            ),
            (
                "Application/Problem+JSON; charset=utf-8",
                "12345678901234567890123",
                r#"{"body":12345678901234567890123}"#,
            ),
            ("text/json", " null\n", r#"{"body":null}"#),
            ("application/json", "{\"a\":", r#"{"body":"{\"a\":"}"#),
            ("application/json", "", r#"{"body":""}"#),
            ("application/json", "1 2", r#"{"body":"1 2"}"#),
            ("text/plain", "1", r#"{"body":"1"}"#),
            ("application/jsonp", "1", r#"{"body":"1"}"#),
            ("application/json", "\u{feff}1", "{\"body\":\"\u{feff}1\"}"),
        ] {
            let headers = vec![("content-type".to_owned(), content_type.to_owned())];
            let response = ResponseBuf { status: 200, headers, body: body.into() };
            assert_eq!(serde_json::to_string(&Body::of(&response)).unwrap(), expected, "{content_type}: {body}");
        }
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let response = ResponseBuf { status: 200, headers, body: deep.clone().into() };
        assert_eq!(serde_json::to_string(&Body::of(&response)).unwrap(), format!("{{\"body\":{deep}}}"));
        let response = ResponseBuf { status: 200, headers: Vec::new(), body: b"\xff\0".to_vec() };
        assert_eq!(serde_json::to_string(&Body::of(&response)).unwrap(), r#"{"body_base64":"/wA="}"#);
    }
}
