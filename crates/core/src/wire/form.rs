//! `application/x-www-form-urlencoded`, as RFC 6749 appendix B asks for queries and bodies.

use crate::wire::bytes::{all, find};
use core::fmt::{self, Write};

/// Writes `name=value` fields, the separators between them, and nothing else.
///
/// The writer is a trait object, so that the code of it is there once, whatever is written to.
pub(crate) struct FieldWriter<'w> {
    out: &'w mut dyn Write,
    separator: Option<&'static str>,
}

impl<'w> FieldWriter<'w> {
    /// Fields that follow `separator`: empty for a body, `?` or `&` behind an endpoint.
    pub(crate) fn new(out: &'w mut dyn Write, separator: &'static str) -> Self {
        Self { out, separator: Some(separator) }
    }

    /// A field of the protocol's own: its name between `&` and `=`, with no character to encode.
    pub(crate) fn field(&mut self, name: &str, value: Value<'_>) -> fmt::Result {
        self.name(name)?;
        value.write(self.out)
    }

    /// One field whose value is `values` joined by a space.
    pub(crate) fn list(&mut self, name: &str, values: &[&str]) -> fmt::Result {
        self.name(name)?;
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.out.write_str("+")?;
            }
            encode(value, self.out)?;
        }
        Ok(())
    }

    /// Fields with names from elsewhere.
    pub(crate) fn extra(&mut self, extra: &[(&str, &str)]) -> fmt::Result {
        for (name, value) in extra {
            self.name("&")?;
            encode(name, self.out)?;
            self.out.write_str("=")?;
            encode(value, self.out)?;
        }
        Ok(())
    }

    /// The name with its `&`, in place of which the first field has the separator.
    fn name(&mut self, name: &str) -> fmt::Result {
        let Some(first) = self.separator.take() else { return self.out.write_str(name) };
        if !first.is_empty() {
            self.out.write_str(first)?;
        }
        self.out.write_str(name.get(1..).unwrap_or_default())
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
            Self::Encoded(raw) if !is_all_literal(raw) => {
                let mut characters = decode(raw).flatten().map(char::from);
                characters.try_for_each(|character| encode(character.encode_utf8(&mut [0; 4]), out))
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
            let (field, others) = cut(rest, find(rest.as_bytes(), b'&'));
            rest = others;
            if !field.is_empty() {
                // Names are short.
                return Some(cut(field, field.bytes().position(|byte| byte == b'=')));
            }
        }
        None
    })
}

/// What stands before and behind the first `delimiter`, which is ASCII; all and nothing if there is none.
pub(crate) fn split_once(text: &str, delimiter: u8) -> (&str, &str) {
    cut(text, find(text.as_bytes(), delimiter))
}

/// What is before and behind the first delimiter; none without one.
pub(crate) fn cut_at(text: &str, delimiter: u8) -> Option<(&str, &str)> {
    find(text.as_bytes(), delimiter).map(|at| cut(text, Some(at)))
}

/// What stands before and behind the byte `at`; all and nothing if there is none.
fn cut(text: &str, at: Option<usize>) -> (&str, &str) {
    let (before, rest) = text.split_at_checked(at.unwrap_or(text.len())).unwrap_or((text, ""));
    (before, rest.get(1..).unwrap_or_default())
}

/// Whether a raw name or value may stand for something else than itself.
pub(crate) fn is_escaped(raw: &str) -> bool {
    raw.bytes().any(|byte| matches!(byte, b'%' | b'+'))
}

/// Whether a raw name or value stands for exactly `text`.
pub(crate) fn is(raw: &str, text: &str) -> bool {
    let mut bytes = decode(raw);
    text.bytes().all(|byte| bytes.next() == Some(Ok(byte))) && bytes.next().is_none()
}

/// Whether a raw value stands for printable ASCII only (RFC 6749 appendix A: `VSCHAR`).
pub(crate) fn printable(raw: &str) -> bool {
    all(raw.as_bytes(), |byte| matches!(byte, b' '..=b'~') & (byte != b'%'))
        || decode(raw).all(|byte| matches!(byte, Ok(b' '..=b'~')))
}

/// The bytes that a raw name or value stands for.
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

pub(crate) fn encode(text: &str, out: &mut dyn Write) -> fmt::Result {
    if is_all_literal(text) {
        return out.write_str(text);
    }
    for bytes in text.as_bytes().chunks(64) {
        // No byte gets longer than an escape.
        let mut encoded = [0; 192];
        let mut length = 0_usize;
        for &byte in bytes {
            let free = encoded.get_mut(length..).and_then(|free| free.first_chunk_mut::<3>()).ok_or(fmt::Error)?;
            let count = if is_literal(byte) {
                free[0] = byte;
                1
            } else if byte == b' ' {
                free[0] = b'+';
                1
            } else {
                *free = [b'%', hex_digit(byte >> 4), hex_digit(byte & 15)];
                3
            };
            length = length.checked_add(count).ok_or(fmt::Error)?;
        }
        out.write_str(
            encoded.get(..length).and_then(|encoded| core::str::from_utf8(encoded).ok()).unwrap_or_default(),
        )?;
    }
    Ok(())
}

fn is_all_literal(text: &str) -> bool {
    let (blocks, rest) = text.as_bytes().as_chunks::<8>();
    blocks.iter().all(|block| block.iter().fold(true, |all, &byte| all & is_literal(byte)))
        && rest.iter().all(|&byte| is_literal(byte))
}

/// Whether a character stands for itself.
fn is_literal(byte: u8) -> bool {
    LITERAL.get(usize::from(byte)).copied().unwrap_or_default()
}

#[expect(clippy::indexing_slicing, reason = "the compiler would say so")]
static LITERAL: [bool; 256] = {
    let mut literal = [false; 256];
    let characters = b"*-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    let mut index = 0;
    while index < characters.len() {
        literal[characters[index] as usize] = true;
        index += 1;
    }
    literal
};

fn hex(digit: Option<u8>) -> Option<u8> {
    char::from(digit?).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn hex_digit(value: u8) -> u8 {
    b"0123456789ABCDEF".get(usize::from(value)).copied().unwrap_or_default()
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
    fn form_values_are_encoded_and_decoded() {
        assert_eq!(body(Value::Plain(" %&+£€")), "v=+%25%26%2B%C2%A3%E2%82%AC");
        let bytes: Result<Vec<u8>, _> = decode("+%25%26%2B%C2%A3%E2%82%AC").collect();
        assert_eq!(bytes.as_deref(), Ok(" %&+£€".as_bytes()));
    }

    #[test]
    fn encoded_values_are_encoded_anew() {
        for (raw, expected) in [("a+b", "a+b"), ("a%20b", "a+b"), ("a%2Bb", "a%2Bb"), ("%61~", "a%7E")] {
            assert_eq!(body(Value::Encoded(raw)), alloc::format!("v={expected}"));
        }
    }

    #[test]
    fn every_byte_of_a_long_text_is_encoded() {
        for length in 0..100 {
            let (text, encoded) = ("é/*-._zZ9 ".repeat(length), "%C3%A9%2F*-._zZ9+".repeat(length));
            assert_eq!(body(Value::Plain(&text)), alloc::format!("v={encoded}"));
            assert_eq!(body(Value::Plain(&" ".repeat(length))), alloc::format!("v={}", "+".repeat(length)));
            assert_eq!(body(Value::Encoded(&"%7e%41".repeat(length))), alloc::format!("v={}", "%7EA".repeat(length)));
        }
        for byte in 0..=u8::MAX {
            let literal = byte.is_ascii_alphanumeric() || b"*-._".contains(&byte);
            assert_eq!(is_literal(byte), literal, "{byte}");
        }
    }

    #[test]
    fn a_text_is_split_at_the_first_delimiter() {
        for (text, before, behind) in [
            ("", "", ""),
            ("a", "a", ""),
            ("#", "", ""),
            ("##", "", "#"),
            ("a#", "a", ""),
            ("#a#b", "", "a#b"),
            ("a#b", "a", "b"),
        ] {
            assert_eq!(split_once(text, b'#'), (before, behind), "{text}");
        }
    }

    #[test]
    fn a_list_is_joined_by_a_space() {
        let mut out = String::new();
        let mut fields = FieldWriter::new(&mut out, "?");
        assert!(fields.list("&scope=", &["a", "b:c"]).is_ok() && fields.extra(&[("n m", "1")]).is_ok());
        assert_eq!(out, "?scope=a+b%3Ac&n+m=1");
    }

    #[test]
    fn pairs_skip_the_empty_and_keep_the_order() {
        let found: Vec<_> = pairs("&&a=1&&b&c=x=y?z&").collect();
        assert_eq!(found, [("a", "1"), ("b", ""), ("c", "x=y?z")]);
        for length in 0..100 {
            let (name, value, empty) = ("n".repeat(length), "=".repeat(length), "&".repeat(length));
            let query = alloc::format!("{empty}{name}={value}&{empty}b");
            assert_eq!(pairs(&query).collect::<Vec<_>>(), [(&*name, &*value), ("b", "")]);
        }
    }

    #[test]
    fn names_are_compared_after_decoding() {
        assert!(is("c%6Fde", "code") && is("code", "code") && is("%63%6f%64%65", "code"));
        assert!(is("a+b", "a b") && is("a%20b", "a b") && is("a b", "a b") && is("%2B", "+") && !is("+", "%"));
        for other in ["Code", "code[]", "%20code", "cod", "codee", "code%", "code%00"] {
            assert!(!is(other, "code"), "{other}");
        }
    }

    #[test]
    fn bad_escapes_and_unprintable_bytes_are_seen() {
        for raw in ["%", "%2", "%zz", "%u0041", "%+1", "%00x", "%0D%0Ax", "%7F", "%C3%A9", "%FF", "é"] {
            assert!(!printable(raw), "{raw}");
        }
        assert!(printable("a+b%20~!%22"));
    }

    fn body(value: Value<'_>) -> String {
        let mut out = String::new();
        assert!(FieldWriter::new(&mut out, "").field("&v=", value).is_ok());
        out
    }
}
