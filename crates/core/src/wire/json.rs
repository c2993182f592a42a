//! One JSON object (RFC 8259), read in place, member by member, without recursion.

mod number;
mod scan;

pub(crate) use number::integer;

use core::{cell::Cell, slice};
use scan::{Scan, Span};

/// The members of the object that a body consists of.
pub(crate) struct Object<'b> {
    rest: &'b mut [u8],
    length: usize,
    first: bool,
}

/// A body that is not exactly one JSON object, from the byte `at` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) at: usize,
}

/// An array is its raw bytes, whose syntax has been checked.
pub(crate) enum Value<'b> {
    Array(&'b mut [u8]),
    Bool(bool),
    Null,
    Number(&'b str),
    Object,
    String(Text<'b>),
}

/// A string as it was written between its quotes.
pub(crate) struct Text<'b> {
    raw: &'b mut [u8],
    escaped: bool,
}

impl<'b> Object<'b> {
    /// Begins to read a body: UTF-8, of which one byte order mark is passed over.
    pub(crate) fn new(body: &'b mut [u8]) -> Result<Self, JsonError> {
        core::str::from_utf8(body).map_err(|error| JsonError { at: error.valid_up_to() })?;
        let length = body.len();
        let start = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let scan = Scan(body);
        let opened = scan.expect(scan.space(start), b'{').map_err(|broken| broken.in_body(length))?;
        Ok(Self { rest: body.get_mut(opened..).unwrap_or_default(), length, first: true })
    }

    /// The next member; none once the object has ended, and nothing but white space stands behind it.
    /// Neither the end nor an error is passed over, so from there on the answer stays the same.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(Text<'b>, Value<'b>)>, JsonError> {
        let member = Scan(self.rest).member(self.first).map_err(|broken| broken.in_body(self.length))?;
        Ok(member.map(|(name, value)| self.take(name, value)))
    }

    #[inline]
    fn take(&mut self, name: Span, value: Span) -> (Text<'b>, Value<'b>) {
        let (member, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(value.end).unwrap_or_default();
        let (member, raw) = member.split_at_mut_checked(value.start).unwrap_or_default();
        self.rest = rest;
        self.first = false;
        let quoted = member.get_mut(name.start..name.end).unwrap_or_default();
        (Text::new(quoted, name.escaped), Value::new(raw, value.escaped))
    }
}

impl<'b> Value<'b> {
    fn new(raw: &'b mut [u8], escaped: bool) -> Self {
        match raw.first() {
            Some(b'"') => Self::String(Text::new(raw, escaped)),
            Some(b'[') => Self::Array(raw),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'{') => Self::Object,
            _ => Self::Number(core::str::from_utf8(raw).unwrap_or_default()),
        }
    }
}

impl<'b> Text<'b> {
    fn new(quoted: &'b mut [u8], escaped: bool) -> Self {
        let raw = if let [_, raw @ .., _] = quoted { raw } else { &mut [] };
        Self { raw, escaped }
    }

    /// What the string says, unescaped in place; none where half of a surrogate pair stands alone.
    pub(crate) fn decode(self) -> Option<&'b str> {
        if !self.escaped {
            return core::str::from_utf8(self.raw).ok();
        }
        rewrite(self.raw, |cells, output| unescape(&mut cells.map(Cell::get), |byte| output.put(byte)))
    }

    /// Whether the string says exactly `name`.
    #[inline]
    pub(crate) fn is(&self, name: &str) -> bool {
        if self.escaped { self.unescapes_to(name) } else { *self.raw == *name.as_bytes() }
    }

    #[cold]
    fn unescapes_to(&self, name: &str) -> bool {
        let mut expected = name.bytes();
        unescape(&mut self.raw.iter().copied(), |byte| (expected.next() == Some(byte)).then_some(())).is_some()
            && expected.next().is_none()
    }
}

/// The strings of a raw array, joined by a space in place; none where an element is no string, is empty, has a space
/// in it, or does not decode.
pub(crate) fn join(array: &mut [u8]) -> Option<&str> {
    rewrite(array, |cells, output| {
        let mut input = cells.map(Cell::get);
        (input.next()? == b'[').then_some(())?;
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
    })
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

/// Lets `rule` write what it reads to the front of the same bytes. It never writes more than it has read.
fn rewrite(
    bytes: &mut [u8],
    rule: impl FnOnce(slice::Iter<'_, Cell<u8>>, &mut Output<'_>) -> Option<()>,
) -> Option<&str> {
    let cells = Cell::from_mut(&mut *bytes).as_slice_of_cells();
    let mut output = Output { free: cells.iter(), written: 0 };
    rule(cells.iter(), &mut output)?;
    let written = output.written;
    core::str::from_utf8(bytes.get(..written)?).ok()
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
    use alloc::{format, string::String, vec::Vec};

    #[test]
    fn members_come_in_order() {
        for (body, shown) in [
            ("{}", ""),
            (" \t\r\n{ \n} \t", ""),
            ("\u{feff}{\"a\":1}", "a=1;"),
            (r#"{"a":"b"}"#, "a='b';"),
            ("\n{ \"a\" : \"b\" ,\t\"c\"\r:\nnull }\n", "a='b';c=null;"),
            (r#"{"":"","":""}"#, "='';='';"),
            (r#"{"a":true,"a":false}"#, "a=true;a=false;"),
            (r#"{"a":[1, {"b":[]}],"c":{"d":{}}}"#, r#"a=[1, {"b":[]}];c={};"#),
            (r#"{"a":[[],{},"]}",[ ],{ }]}"#, r#"a=[[],{},"]}",[ ],{ }];"#),
            (r#"{"a":-0,"b":1.50E+3,"c":0e-1,"d":123e65}"#, "a=-0;b=1.50E+3;c=0e-1;d=123e65;"),
            (r#"{"access\u005ftoken":"x"}"#, "access_token='x';"),
            ("{\"a\":\"\u{7f}é€😀\"}", "a='\u{7f}é€😀';"),
            (r#"{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000z"}"#, "a='\"\\/\u{8}\u{c}\n\r\tAé€😀\0z';"),
            (r#"{"a":"/* */ // {}[],:"}"#, "a='/* */ // {}[],:';"),
            (r#"{"a":"\ud800","b":"\udc00\ud800","c":"\ud83dx","d":"\ud83d\n","e":"\ud83d\u0041","f":1}"#, LONE),
            (r#"{"a":"\ud800\udc00\udbff\udfff","b":"\ud83d\nde00"}"#, "a='\u{10000}\u{10ffff}';b=?;"),
            (r#"{"a":["\udead"],"\ud800":2}"#, r#"a=["\udead"];?=2;"#),
        ] {
            assert_eq!(read(body.as_bytes()).as_deref(), Ok(shown), "{body}");
        }
    }

    const LONE: &str = "a=?;b=?;c=?;d=?;e=?;f=1;";

    #[test]
    fn an_error_names_its_byte_and_stays() {
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
        let (mut broken, mut whole) = (*b"{\"a\":x}", *b"{}");
        let (mut broken, mut whole) = (Object::new(&mut broken).ok(), Object::new(&mut whole).ok());
        for _ in 0..3 {
            let again = broken.as_mut().map(|object| object.next().err());
            assert_eq!(again, Some(Some(JsonError { at: 5 })));
            assert!(whole.as_mut().is_some_and(|object| matches!(object.next(), Ok(None))));
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
            let name_is =
                Object::new(&mut body).ok().and_then(|mut object| object.next().ok()?).map(|(found, _)| found.is(name));
            assert_eq!(name_is, Some(same), "{raw} {name}");
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
            assert_eq!(join(&mut array.as_bytes().to_vec()), joined, "{array}");
        }
    }

    /// All members, as `name=value;`. What does not decode is a question mark.
    fn read(body: &[u8]) -> Result<String, JsonError> {
        let mut body = body.to_vec();
        let mut object = Object::new(&mut body)?;
        let mut members = Vec::new();
        while let Some(member) = object.next()? {
            members.push(member);
        }
        let show = |(name, value): (Text<'_>, Value<'_>)| {
            let value = match value {
                Value::Array(raw) => String::from_utf8_lossy(raw).into_owned(),
                Value::Object => String::from("{}"),
                Value::Bool(value) => format!("{value}"),
                Value::Null => String::from("null"),
                Value::Number(number) => String::from(number),
                Value::String(text) => text.decode().map_or_else(|| String::from("?"), |text| format!("'{text}'")),
            };
            format!("{}={value};", name.decode().unwrap_or("?"))
        };
        Ok(members.into_iter().map(show).collect())
    }
}
