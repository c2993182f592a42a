//! One JSON object (RFC 8259), read in place, member by member, without recursion.

mod number;
mod peek;
mod scan;

pub(crate) use number::integer;
pub(crate) use peek::{Peek, peek};

use crate::wire::bytes::find;
use scan::{Member, Scan, Span};

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
    let mut whole = find_members(body, names, &mut found);
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

impl<'b> Value<'b> {
    /// The text of a member that is there, is read whole, and stands there once.
    pub(crate) fn readable(self) -> Option<&'b str> {
        let is_unreadable =
            matches!(self.kind, Kind::Absent | Kind::HalfString | Kind::List | Kind::Null | Kind::Repeated);
        (!is_unreadable).then_some(self.text)
    }
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
fn find_members(body: &mut [u8], names: &[&str], found: &mut [Found]) -> Result<(), JsonError> {
    let (mut at, mut first) = (Scan::open(body)?.at(), true);
    loop {
        let mut scan = Scan::new(body, at);
        let Some(Member { name, kind, value }) = scan.member(first)? else { return Ok(()) };
        (at, first) = (scan.at(), false);
        let raw = name.of(body);
        let says = |known: &str| if name.escaped { is_text(raw, known) } else { *raw == *known.as_bytes() };
        if let Some((_, found)) = names.iter().zip(&mut *found).find(|(known, _)| says(known)) {
            *found = if found.kind == Kind::Absent { decode(body, kind, value) } else { REPEATED };
        }
    }
}

const REPEATED: Found = Found { kind: Kind::Repeated, start: 0, end: 0 };

/// A string with escapes and an array are overwritten by the text that they stand for, which is never longer.
fn decode(body: &mut [u8], kind: Kind, Span { start, end, escaped }: Span) -> Found {
    let bytes = body.get_mut(start..end).unwrap_or_default();
    let (length, whole, broken) = match kind {
        Kind::String if escaped => (string(bytes), Kind::String, Kind::HalfString),
        Kind::List => (words(bytes), Kind::Words, Kind::List),
        kind => return Found { kind, start, end },
    };
    // Behind the text are spaces, so that no part of a character is left.
    bytes.iter_mut().skip(length.unwrap_or(0)).for_each(|byte| *byte = b' ');
    let end = length.and_then(|length| start.checked_add(length));
    Found { kind: if end.is_some() { whole } else { broken }, start, end: end.unwrap_or(start) }
}

/// Overwrites what is between the quotes of a string. Returns the length of its text.
fn string(bytes: &mut [u8]) -> Option<usize> {
    // Up to the first escape it stands where it belongs.
    let first = find(bytes, b'\\')?;
    unescape(bytes, first, first).map(|(_, length)| length)
}

/// Overwrites an array by its strings, joined by a space. Returns the length of the text.
fn words(bytes: &mut [u8]) -> Option<usize> {
    let (mut read, mut length) = (1, 0_usize);
    while let Some(byte) = bytes.get(read).copied() {
        read = read.checked_add(1)?;
        match byte {
            b'"' => {
                if length > 0 {
                    *bytes.get_mut(length)? = b' ';
                    length = length.checked_add(1)?;
                }
                let start = length;
                (read, length) = unescape(bytes, read, start)?;
                let word = bytes.get(start..length)?;
                if word.is_empty() || find(word, b' ').is_some() {
                    return None;
                }
            }
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' => {}
            _ => return None,
        }
    }
    Some(length)
}

/// Reads a string from `read` up to its closing quote or the end, and writes its text from `written` on. Returns both ends.
fn unescape(bytes: &mut [u8], mut read: usize, mut written: usize) -> Option<(usize, usize)> {
    while let Some(byte) = bytes.get(read).copied() {
        read = read.checked_add(1)?;
        let (character, length) = match byte {
            b'"' => break,
            b'\\' => escape(bytes.get(read..)?)?,
            byte => {
                *bytes.get_mut(written)? = byte;
                written = written.checked_add(1)?;
                continue;
            }
        };
        read = read.checked_add(length)?;
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            *bytes.get_mut(written)? = byte;
            written = written.checked_add(1)?;
        }
    }
    Some((read, written))
}

/// Whether what is between the quotes of a string stands for exactly `text`.
fn is_text(raw: &[u8], text: &str) -> bool {
    let (mut raw, mut text) = (raw, text.as_bytes());
    while let Some((byte, rest)) = raw.split_first() {
        let (behind, expected) = if *byte == b'\\' {
            let Some((character, length)) = escape(rest) else { return false };
            (rest.get(length..), text.strip_prefix(character.encode_utf8(&mut [0; 4]).as_bytes()))
        } else {
            (Some(rest), text.strip_prefix(&[*byte]))
        };
        let (Some(behind), Some(expected)) = (behind, expected) else { return false };
        (raw, text) = (behind, expected);
    }
    text.is_empty()
}

/// The character of an escape, and how many bytes say so behind the backslash.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    Some(match bytes {
        [b'b', ..] => ('\u{8}', 1),
        [b'f', ..] => ('\u{c}', 1),
        [b'n', ..] => ('\n', 1),
        [b'r', ..] => ('\r', 1),
        [b't', ..] => ('\t', 1),
        [b'u', bytes @ ..] => {
            let (unit, rest) = code_unit(bytes)?;
            if !matches!(unit, 0xd800..=0xdbff) {
                return char::from_u32(unit.into()).map(|character| (character, 5));
            }
            let (low, _) = code_unit(rest.strip_prefix(b"\\u")?)?;
            (char::decode_utf16([unit, low]).next()?.ok()?, 11)
        }
        [byte, ..] => (char::from(*byte), 1),
        [] => return None,
    })
}

fn code_unit(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<4>()?;
    let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))?;
    Some((u16::try_from(unit).ok()?, rest))
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
