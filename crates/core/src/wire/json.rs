//! One JSON object (RFC 8259), read in place, member by member, without recursion.

mod number;
mod peek;
mod scan;

pub(crate) use number::integer;
pub(crate) use peek::{Peek, peek};

use core::{cell::Cell, slice};
use scan::{Scan, Span};

/// The members of those names, in the order of the names; all others are only checked. If the body is not one JSON object,
/// those that stand before the fault are read all the same.
///
/// The body is UTF-8, of which one byte order mark is passed over, and nothing but white space stands around its object.
#[inline]
pub(crate) fn members<'b, const N: usize>(
    body: &'b mut [u8],
    names: &[&str; N],
) -> ([Value<'b>; N], Result<(), JsonError>) {
    let mut found = [const { Found { kind: Kind::Absent, start: 0, end: 0 } }; N];
    let mut whole = find(body, names, &mut found);
    let body: &'b [u8] = body;
    let text = core::str::from_utf8(body).unwrap_or_else(|error| {
        let at = error.valid_up_to();
        whole = whole.and(Err(JsonError { at }));
        body.get(..at).and_then(|valid| core::str::from_utf8(valid).ok()).unwrap_or_default()
    });
    let mut values = [const { Value { kind: Kind::Absent, text: "" } }; N];
    for (value, found) in values.iter_mut().zip(&found) {
        if let Some(text) = text.get(found.start..found.end) {
            *value = Value { kind: found.kind, text };
        }
    }
    (values, whole)
}

/// A body that is not exactly one JSON object, from the byte `at` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) at: usize,
}

/// The value of a member.
#[derive(Clone, Copy)]
pub(crate) struct Value<'b> {
    pub(crate) kind: Kind,
    /// What a string says, the words of an array with a space between them, or what else stands there.
    pub(crate) text: &'b str,
}

/// What a member is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Absent,
    False,
    /// A string in which half of a surrogate pair stands alone.
    HalfString,
    /// An array with an element that is not a string, is empty, has a space in it, or does not decode.
    List,
    Null,
    Number,
    Object,
    /// A member that stands there more than once.
    Repeated,
    String,
    True,
    /// An array of words, if of any.
    Words,
}

/// Where a value stands.
struct Found {
    kind: Kind,
    start: usize,
    end: usize,
}

/// Finds the members, and decodes their values in place.
fn find(body: &mut [u8], names: &[&str], found: &mut [Found]) -> Result<(), JsonError> {
    let mut at = Scan(body).open(if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 })?;
    let mut first = true;
    while let Some((name, value)) = Scan(body).member(at, first)? {
        at = value.end;
        first = false;
        // Without its quotes.
        let raw = body.get(name.start.wrapping_add(1)..name.end.wrapping_sub(1)).unwrap_or_default();
        let says = |known: &str| if name.escaped { unescapes_to(raw, known) } else { *raw == *known.as_bytes() };
        let known = names.iter().zip(&mut *found).find(|(known, _)| says(known));
        if let Some((_, found)) = known {
            *found = if found.kind == Kind::Absent { decode(body, value) } else { REPEATED };
        }
    }
    Ok(())
}

const REPEATED: Found = Found { kind: Kind::Repeated, start: 0, end: 0 };

fn decode(body: &mut [u8], Span { start, end, escaped }: Span) -> Found {
    let raw = body.get_mut(start..end).unwrap_or_default();
    let rewritten = |length: Option<usize>, whole, broken| Found {
        kind: if length.is_some() { whole } else { broken },
        start,
        end: start.wrapping_add(length.unwrap_or(0)),
    };
    let kind = match raw.first() {
        Some(b'"') if escaped => return rewritten(rewrite(raw, unescape_whole), Kind::String, Kind::HalfString),
        Some(b'"') => return Found { kind: Kind::String, start: start.wrapping_add(1), end: end.wrapping_sub(1) },
        Some(b'[') => return rewritten(rewrite(raw, join), Kind::Words, Kind::List),
        Some(b'f') => Kind::False,
        Some(b'n') => Kind::Null,
        Some(b't') => Kind::True,
        Some(b'{') => Kind::Object,
        _ => Kind::Number,
    };
    Found { kind, start, end }
}

/// Whether a string with escapes says exactly `name`.
#[cold]
fn unescapes_to(raw: &[u8], name: &str) -> bool {
    let mut expected = name.bytes();
    unescape(&mut raw.iter().copied(), |byte| (expected.next() == Some(byte)).then_some(())).is_some()
        && expected.next().is_none()
}

/// The string that stands in its quotes.
fn unescape_whole(mut input: Input<'_>, output: &mut Output<'_>) -> Option<()> {
    input.next();
    unescape(&mut input, |byte| output.put(byte))
}

/// The strings of an array, joined by a space.
fn join(mut input: Input<'_>, output: &mut Output<'_>) -> Option<()> {
    input.next();
    while let Some(byte) = input.next() {
        match byte {
            b'"' => {
                if output.written > 0 {
                    output.put(b' ')?;
                }
                let start = output.written;
                unescape(&mut input, |byte| if byte == b' ' { None } else { output.put(byte) })?;
                (output.written > start).then_some(())?;
            }
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' => {}
            _ => return None,
        }
    }
    Some(())
}

/// Says the bytes that a string stands for, up to its closing quote or the end of `input`.
fn unescape(input: &mut impl Iterator<Item = u8>, mut say: impl FnMut(u8) -> Option<()>) -> Option<()> {
    while let Some(byte) = input.next() {
        match byte {
            b'"' => break,
            b'\\' => {
                let character = escaped(input)?;
                character.encode_utf8(&mut [0; 4]).bytes().try_for_each(&mut say)?;
            }
            _ => say(byte)?,
        }
    }
    Some(())
}

/// The character of an escape, from behind its backslash on.
fn escaped(input: &mut impl Iterator<Item = u8>) -> Option<char> {
    Some(match input.next()? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = code_unit(input)?;
            if !matches!(unit, 0xd800..=0xdbff) {
                return char::from_u32(unit.into());
            }
            (input.next()? == b'\\' && input.next()? == b'u').then_some(())?;
            return char::decode_utf16([unit, code_unit(input)?]).next()?.ok();
        }
        byte => char::from(byte),
    })
}

fn code_unit(input: &mut impl Iterator<Item = u8>) -> Option<u16> {
    let mut digit = || char::from(input.next()?).to_digit(16);
    let unit = digit()? << 12 | digit()? << 8 | digit()? << 4 | digit()?;
    u16::try_from(unit).ok()
}

/// Lets `rule` write what it reads to the front of the same bytes, of which it never writes more than it has read. Behind
/// that are spaces, so that no part of a character is left. The length of what was written.
fn rewrite<'c>(bytes: &'c mut [u8], rule: impl FnOnce(Input<'c>, &mut Output<'c>) -> Option<()>) -> Option<usize> {
    let cells = Cell::from_mut(bytes).as_slice_of_cells();
    let mut output = Output { free: cells.iter(), written: 0 };
    let done = rule(Input(cells.iter()), &mut output);
    let written = if done.is_some() { output.written } else { 0 };
    cells.iter().skip(written).for_each(|cell| cell.set(b' '));
    done.map(|()| written)
}

struct Input<'c>(slice::Iter<'c, Cell<u8>>);

impl Iterator for Input<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.0.next().map(Cell::get)
    }
}

struct Output<'c> {
    free: slice::Iter<'c, Cell<u8>>,
    written: usize,
}

impl Output<'_> {
    fn put(&mut self, byte: u8) -> Option<()> {
        self.free.next()?.set(byte);
        self.written = self.written.saturating_add(1);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::{format, string::String};

    #[test]
    fn members_come_in_order() {
        for (body, shown) in [
            ("{}", ""),
            (" \t\r\n{ \n} \t", ""),
            ("\u{feff}{\"a\":1}", "a=1;"),
            (r#"{"a":"b"}"#, "a='b';"),
            ("\n{ \"a\" : \"b\" ,\t\"c\"\r:\nnull }\n", "a='b';c=nothing;"),
            (r#"{"c":0,"b":1,"a":2,"z":3}"#, "a=2;b=1;c=0;"),
            (r#"{"":"x"}"#, "='x';"),
            (r#"{"":"","":""}"#, "=repeated;"),
            (r#"{"a":null,"b":7,"a":null,"\u0061":1}"#, "a=repeated;b=7;"),
            (r#"{"a":true,"b":false}"#, "a=yes;b=no;"),
            (r#"{"a":[1, {"b":[]}],"c":{"a":{},"b":1}}"#, "a=?;c={};"),
            (r#"{"a":[[],{},"]}",[ ],{ }],"b":["x","y z"],"c":["x", "y\/z"]}"#, "a=?;b=?;c=[x y/z];"),
            (r#"{"a":-0,"b":1.50E+3,"c":0e-1,"d":123e65}"#, "a=-0;b=1.50E+3;c=0e-1;d=123e65;"),
            (r#"{"access\u005ftoken":"x"}"#, "access_token='x';"),
            ("{\"a\":\"\u{7f}é€😀\"}", "a='\u{7f}é€😀';"),
            (r#"{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000z"}"#, "a='\"\\/\u{8}\u{c}\n\r\tAé€😀\0z';"),
            (r#"{"a":"/* */ // {}[],:"}"#, "a='/* */ // {}[],:';"),
            (r#"{"a":"\ud800","b":"\udc00\ud800","c":"\ud83dx","d":"\ud83d\n","e":"\ud83d\u0041","f":1}"#, LONE),
            (r#"{"a":"\ud800\udc00\udbff\udfff","b":"\ud83d\nde00"}"#, "a='\u{10000}\u{10ffff}';b=?;"),
            (r#"{"a":["\udead"],"\ud800":2}"#, "a=?;"),
            ("{\"a\":\"é\\ud800\",\"b\":[\"\\/é\",7],\"c\":\"é\"}", "a=?;b=?;c='é';"),
        ] {
            assert_eq!(read(body.as_bytes()).as_deref(), Ok(shown), "{body}");
        }
    }

    const LONE: &str = "a=?;b=?;c=?;d=?;e=?;f=1;";

    #[test]
    fn an_error_names_its_byte() {
        for (body, at) in [
            (&b""[..], 0),
            (b"\xef\xbb\xbf x", 4),
            (b"{\"a\":1,\"b\":01}", 12),
            (b"\xef\xbb\xbf{\"a\":1,}", 10),
            (b"{\"a\":\"\x01\"}", 6),
            (b"{\"a\":\"\xff\"}", 6),
            (b"{\"a\":tru }", 8),
            (b"{\"a\":1} x", 8),
            (b"{\"a\":1", 6),
        ] {
            assert_eq!(read(body), Err(JsonError { at }), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn names_are_compared_after_unescaping() {
        for (raw, name, same) in [
            ("code", "code", true),
            (r"c\u006fde", "code", true),
            (r"\u0063\u006F\u0064\u0065", "code", true),
            (r"\ud83d\ude00\/", "😀/", true),
            ("", "", true),
            ("code", "Code", false),
            (r"c\u006fd", "code", false),
            (r"c\u006fdes", "code", false),
            (r"code\u0000", "code", false),
            (r"\u0063", "\\u0063", false),
            (r"code\ud800", "code", false),
        ] {
            let mut body = format!("{{\"{raw}\":1}}").into_bytes();
            let name_is = whole(&mut body, &[name]).map(|[value]| value.kind != Kind::Absent);
            assert_eq!(name_is, Ok(same), "{raw} {name}");
        }
    }

    #[test]
    fn arrays_of_words_are_joined() {
        for (array, joined) in [
            ("[]", Some("")),
            ("[ ]", Some("")),
            (r#"["a"]"#, Some("a")),
            (r#"["a","b"]"#, Some("a b")),
            ("[ \"openid\" ,\n\t\"e\\u006dail\" , \"a\\/b\", \"\u{e9}\" ]", Some("openid email a/b é")),
            (r#"["",""]"#, None),
            (r#"["a",""]"#, None),
            (r#"["a b"]"#, None),
            (r#"["a\u0020b"]"#, None),
            (r#"["\ud800"]"#, None),
            (r#"["\ud83d","\ude00"]"#, None),
            (r#"["a",1]"#, None),
            (r#"["a",null]"#, None),
            (r#"["a",["b"]]"#, None),
            (r#"["a",{"b":"c"}]"#, None),
        ] {
            let mut body = format!("{{\"a\":{array}}}").into_bytes();
            let found = whole(&mut body, &["a"])
                .map(|[value]| (value.kind == Kind::Words, value.kind == Kind::List, value.text));
            let expected = (joined.is_some(), joined.is_none(), joined.unwrap_or_default());
            assert_eq!(found, Ok(expected), "{array}");
        }
    }

    #[test]
    fn what_stands_before_a_fault_is_read() {
        for (body, found, at) in [
            (&b"{\"a\":\"b\",\"c\":\"d"[..], Some("b"), 16),
            (b"{\"a\":\"b\",", Some("b"), 9),
            (b"{\"a\":\"b\"", Some("b"), 8),
            (b"{\"a\":\"b", None, 7),
            (b"{\"a\":\"b\"}x", Some("b"), 9),
            (b"{\"c\":\"\xe2\x82", None, 8),
            (b"{\"a\":\"b\",\"c\":\"\xff\"}", Some("b"), 14),
            (b"{\"c\":\"\xff\",\"a\":\"b\"}", None, 6),
        ] {
            let mut bytes = body.to_vec();
            let ([value], whole) = members(&mut bytes, &["a"]);
            let value = Some(value.text).filter(|_| value.kind == Kind::String);
            let shown = String::from_utf8_lossy(body);
            assert_eq!(value, found, "{shown}");
            assert!(whole.is_err_and(|error| error.at >= at.min(error.at) && error.at <= body.len()), "{shown}");
        }
    }

    fn whole<'b, const N: usize>(body: &'b mut [u8], names: &[&str; N]) -> Result<[Value<'b>; N], JsonError> {
        let (values, whole) = members(body, names);
        whole.map(|()| values)
    }

    /// The members of some names, as `name=value;`. What does not decode is a question mark.
    fn read(body: &[u8]) -> Result<String, JsonError> {
        let names = ["a", "b", "c", "d", "e", "f", "access_token", ""];
        let mut body = body.to_vec();
        let found = whole(&mut body, &names)?;
        let show = |(name, value): (&&str, Value<'_>)| {
            let shown = match value.kind {
                Kind::Absent => return String::new(),
                Kind::False => String::from("no"),
                Kind::HalfString | Kind::List => String::from("?"),
                Kind::Null => String::from("nothing"),
                Kind::Number => String::from(value.text),
                Kind::Object => String::from("{}"),
                Kind::Repeated => String::from("repeated"),
                Kind::String => format!("'{}'", value.text),
                Kind::True => String::from("yes"),
                Kind::Words => format!("[{}]", value.text),
            };
            format!("{name}={shown};")
        };
        Ok(names.iter().zip(found).map(show).collect())
    }
}
