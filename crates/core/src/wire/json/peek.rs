//! A look at one member, which leaves the body as it is.

use super::scan::{Scan, Span};
use super::{JsonError, unescapes_to};

/// What a member is, before it is decoded.
#[derive(Clone, Copy)]
pub(crate) enum Peek<'s> {
    /// Missing, null or the empty string.
    Absent,
    /// Neither text nor absent.
    Other,
    Repeated,
    /// What stands between the quotes, with its escapes.
    Text(&'s [u8]),
}

impl Peek<'_> {
    pub(crate) fn is(self, text: &str) -> bool {
        matches!(self, Self::Text(raw) if unescapes_to(raw, text))
    }
}

/// Looks for a member of a body that [`members`](super::members) would read.
pub(crate) fn peek<'s>(body: &'s [u8], name: &str) -> Result<Peek<'s>, JsonError> {
    core::str::from_utf8(body).map_err(|error| JsonError { at: error.valid_up_to() })?;
    let mut at = Scan(body).open(if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 })?;
    let (mut found, mut first) = (None, true);
    while let Some((key, value)) = Scan(body).member(at, first)? {
        (at, first) = (value.end, false);
        if unescapes_to(inside(body, &key), name) {
            found = Some(if found.is_none() { kind(body, &value) } else { Peek::Repeated });
        }
    }
    Ok(found.unwrap_or(Peek::Absent))
}

fn kind<'s>(body: &'s [u8], value: &Span) -> Peek<'s> {
    match body.get(value.start) {
        Some(b'"') if inside(body, value).is_empty() => Peek::Absent,
        Some(b'"') => Peek::Text(inside(body, value)),
        Some(b'n') => Peek::Absent,
        _ => Peek::Other,
    }
}

/// What stands between the quotes of a string.
fn inside<'s>(body: &'s [u8], string: &Span) -> &'s [u8] {
    let quoted = body.get(string.start..string.end).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()
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
