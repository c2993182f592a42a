//! `application/x-www-form-urlencoded`, as RFC 6749 appendix B asks for queries and bodies.

use core::cmp::Ordering;
use core::fmt::{self, Write};

/// Writes `name=value` fields, the separators between them, and nothing else.
///
/// The writer is a trait object, so that the code of it is there once, whatever is written to.
pub(crate) struct FieldWriter<'w> {
    out: &'w mut dyn Write,
    separator: &'static str,
}

impl<'w> FieldWriter<'w> {
    /// Fields that follow `separator`: empty for a body, `?` or `&` behind an endpoint.
    pub(crate) fn new(out: &'w mut dyn Write, separator: &'static str) -> Self {
        Self { out, separator }
    }

    /// A field whose name is the protocol's own: none of them has a character to encode.
    pub(crate) fn field(&mut self, name: &str, value: Value<'_>) -> fmt::Result {
        self.separate()?;
        self.out.write_str(name)?;
        self.out.write_char('=')?;
        value.write(self.out)
    }

    /// One field whose value is `values` joined by a space.
    pub(crate) fn list(&mut self, name: &str, values: &[&str]) -> fmt::Result {
        self.field(name, Value::Literal(""))?;
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.out.write_char('+')?;
            }
            encode(value, self.out)?;
        }
        Ok(())
    }

    /// Fields with names from elsewhere.
    pub(crate) fn extra(&mut self, extra: &[(&str, &str)]) -> fmt::Result {
        for (name, value) in extra {
            self.separate()?;
            encode(name, self.out)?;
            self.out.write_char('=')?;
            encode(value, self.out)?;
        }
        Ok(())
    }

    fn separate(&mut self) -> fmt::Result {
        self.out.write_str(core::mem::replace(&mut self.separator, "&"))
    }
}

/// A value on its way into a form.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    /// As it came out of another form. Only made of what `printable` has accepted.
    Encoded(&'a str),
    /// Of characters that stand for themselves.
    Literal(&'a str),
    Plain(&'a str),
}

impl Value<'_> {
    fn write(self, out: &mut dyn Write) -> fmt::Result {
        match self {
            Self::Encoded(raw) if !raw.bytes().all(is_literal) => {
                decode(raw).flatten().try_for_each(|byte| encode_byte(byte, out))
            }
            Self::Encoded(text) | Self::Literal(text) => out.write_str(text),
            Self::Plain(text) => encode(text, out),
        }
    }
}

/// The raw `name` and `value` of each field in a query, in order. Empty fields are passed over.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = query;
    core::iter::from_fn(move || {
        while !rest.is_empty() {
            let (field, others) = cut(rest, b'&');
            rest = others;
            if !field.is_empty() {
                return Some(cut(field, b'='));
            }
        }
        None
    })
}

/// What stands before the first such character, which is ASCII, and what behind it.
fn cut(text: &str, character: u8) -> (&str, &str) {
    let at = text.bytes().position(|byte| byte == character).unwrap_or(text.len());
    (text.get(..at).unwrap_or_default(), text.get(at.wrapping_add(1)..).unwrap_or_default())
}

/// Whether a raw name or value stands for exactly `text`.
pub(crate) fn is(raw: &str, text: &str) -> bool {
    // What is shorter stands for less, and in what is as long only a plus can stand for something else.
    match raw.len().cmp(&text.len()) {
        Ordering::Less => false,
        Ordering::Equal => raw == text || raw.contains('+') && decode(raw).eq(text.bytes().map(Ok)),
        Ordering::Greater => decode(raw).eq(text.bytes().map(Ok)),
    }
}

/// Whether a raw value stands for printable ASCII only (RFC 6749 appendix A: `VSCHAR`).
pub(crate) fn printable(raw: &str) -> bool {
    let plain = raw.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~') & (byte != b'%'));
    plain || decode(raw).all(|byte| matches!(byte, Ok(b' '..=b'~')))
}

/// The octets that a raw name or value stands for.
pub(crate) fn decode(raw: &str) -> impl Iterator<Item = Result<u8, BadEscape>> {
    let mut bytes = raw.bytes();
    core::iter::from_fn(move || {
        Some(match bytes.next()? {
            b'%' => hex(bytes.next()).zip(hex(bytes.next())).map(|(high, low)| high << 4 | low).ok_or(BadEscape),
            b'+' => Ok(b' '),
            byte => Ok(byte),
        })
    })
}

/// A `%` that is not followed by two hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadEscape;

fn encode(text: &str, out: &mut dyn Write) -> fmt::Result {
    let mut rest = text;
    loop {
        let end = rest.bytes().position(|byte| !is_literal(byte)).unwrap_or(rest.len());
        // Literal characters are ASCII, so that both parts are whole text.
        let (literal, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.write_str(literal)?;
        let mut letters = tail.chars();
        let Some(letter) = letters.next() else { return Ok(()) };
        letter.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| encode_byte(byte, out))?;
        rest = letters.as_str();
    }
}

fn encode_byte(byte: u8, out: &mut dyn Write) -> fmt::Result {
    match byte {
        b' ' => out.write_char('+'),
        byte if is_literal(byte) => out.write_char(char::from(byte)),
        byte => {
            out.write_char('%')?;
            out.write_char(hex_digit(byte >> 4))?;
            out.write_char(hex_digit(byte & 15))
        }
    }
}

fn is_literal(byte: u8) -> bool {
    LITERAL.get(usize::from(byte >> 5)).is_some_and(|bits| bits >> (byte & 31) & 1 == 1)
}

/// A bit for each ASCII character that stands for itself: letters, digits and `*-._`.
const LITERAL: [u32; 4] = [0, 0x03ff_6400, 0x87ff_fffe, 0x07ff_fffe];

fn hex(digit: Option<u8>) -> Option<u8> {
    char::from(digit?).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

/// Counts what would be written.
#[derive(Default)]
pub(crate) struct Length(pub(crate) usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::{string::String, vec::Vec};

    #[test]
    fn c035_rfc6749_appendix_b_encodes_and_decodes() {
        assert_eq!(body(Value::Plain(" %&+£€")), "v=+%25%26%2B%C2%A3%E2%82%AC");
        let octets: Result<Vec<u8>, _> = decode("+%25%26%2B%C2%A3%E2%82%AC").collect();
        assert_eq!(octets.as_deref(), Ok(" %&+£€".as_bytes()));
    }

    #[test]
    fn encoded_values_are_encoded_anew() {
        for (raw, expected) in [("a+b", "a+b"), ("a%20b", "a+b"), ("a%2Bb", "a%2Bb"), ("%61~", "a%7E")] {
            assert_eq!(body(Value::Encoded(raw)), alloc::format!("v={expected}"));
        }
    }

    #[test]
    fn a_list_is_joined_by_a_space() {
        let mut out = String::new();
        let mut fields = FieldWriter::new(&mut out, "?");
        assert!(fields.list("scope", &["a", "b:c"]).is_ok() && fields.extra(&[("n m", "1")]).is_ok());
        assert_eq!(out, "?scope=a+b%3Ac&n+m=1");
    }

    #[test]
    fn pairs_skip_the_empty_and_keep_the_order() {
        let found: Vec<_> = pairs("&&a=1&&b&c=x=y?z&").collect();
        assert_eq!(found, [("a", "1"), ("b", ""), ("c", "x=y?z")]);
    }

    #[test]
    fn names_are_compared_after_decoding() {
        assert!(is("c%6Fde", "code") && is("code", "code") && is("%63%6f%64%65", "code"));
        for other in ["Code", "code[]", "%20code", "cod", "codee", "code%", "code%00"] {
            assert!(!is(other, "code"), "{other}");
        }
    }

    #[test]
    fn bad_escapes_and_unprintable_octets_are_seen() {
        for raw in ["%", "%2", "%zz", "%u0041", "%+1", "%00x", "%0D%0Ax", "%7F", "%C3%A9", "%FF", "é"] {
            assert!(!printable(raw), "{raw}");
        }
        assert!(printable("a+b%20~!%22"));
    }

    fn body(value: Value<'_>) -> String {
        let mut out = String::new();
        assert!(FieldWriter::new(&mut out, "").field("v", value).is_ok());
        out
    }
}
