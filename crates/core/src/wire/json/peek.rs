//! A look at one member, which leaves the body as it is.

use super::scan::{Member, Scan};
use super::{JsonError, Kind, is_text};

/// A member that was not decoded.
#[derive(Clone, Copy)]
pub(crate) enum Peek<'s> {
    /// Missing, null or the empty string.
    Absent,
    /// Neither text nor absent.
    Other,
    Repeated,
    /// What is between the quotes, with its escapes.
    Text(&'s [u8]),
}

impl Peek<'_> {
    pub(crate) fn is(self, text: &str) -> bool {
        matches!(self, Self::Text(raw) if is_text(raw, text))
    }
}

/// Looks for a member of a body that [`members`](super::members) would read.
pub(crate) fn peek<'s>(body: &'s [u8], name: &str) -> Result<Peek<'s>, JsonError> {
    core::str::from_utf8(body).map_err(|error| JsonError { at: error.valid_up_to() })?;
    let mut scan = Scan::open(body)?;
    let (mut found, mut first) = (None, true);
    while let Some(Member { name: key, kind, value }) = scan.member(first)? {
        first = false;
        if is_text(key.of(body), name) {
            found = Some(match (kind, value.of(body)) {
                _ if found.is_some() => Peek::Repeated,
                (Kind::Null, _) | (Kind::String, []) => Peek::Absent,
                (Kind::String, raw) => Peek::Text(raw),
                _ => Peek::Other,
            });
        }
    }
    Ok(found.unwrap_or(Peek::Absent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_seen_as_it_will_be_read() {
        let is = |body: &str| match peek(body.as_bytes(), "error") {
            Ok(Peek::Absent) => "absent",
            Ok(Peek::Other) => "other",
            Ok(Peek::Repeated) => "repeated",
            Ok(found @ Peek::Text(_)) => {
                if found.is("use it") {
                    "yes"
                } else {
                    "text"
                }
            }
            Err(_) => "broken",
        };
        for (body, expected) in [
            ("{}", "absent"),
            ("\u{feff} {\"error\":null}", "absent"),
            ("{\"error\":\"\"}", "absent"),
            ("{\"errors\":\"use it\"}", "absent"),
            ("{\"a\":{\"error\":\"use it\"}}", "absent"),
            ("{\"error\":[\"use it\"]}", "other"),
            ("{\"error\":7}", "other"),
            ("{\"error\":\"use\"}", "text"),
            ("{\"error\":\"\\ud800\"}", "text"),
            ("{\"error\":\"use it\",\"error\":\"use it\"}", "repeated"),
            ("{\"error\":\"\",\"error\":null}", "repeated"),
            ("{\"\\u0065rror\":\"us\\u0065 it\"}", "yes"),
            ("{\"error\":\"use it\"", "broken"),
            ("{\"error\":\"use it\"}x", "broken"),
            ("[\"error\"]", "broken"),
        ] {
            assert_eq!(is(body), expected, "{body}");
        }
        assert!(peek(b"{\"a\":\"\xff\"}", "error").is_err());
    }
}
