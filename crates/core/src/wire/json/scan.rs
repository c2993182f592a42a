//! The grammar of RFC 8259: where things begin and end.

use super::{JsonError, Kind};

/// A member of the body's own object. An array is a [`Kind::List`], whatever is in it.
pub(super) struct Member {
    pub(super) name: Span,
    pub(super) kind: Kind,
    pub(super) value: Span,
}

/// The place of a value, or of what is between the quotes of a string.
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it is a string with escapes.
    pub(super) escaped: bool,
}

impl Span {
    pub(super) fn of<'s>(&self, body: &'s [u8]) -> &'s [u8] {
        body.get(self.start..self.end).unwrap_or_default()
    }
}

/// A body that is being read. Each method is a rule of the grammar: it reads what the rule describes, or fails where the
/// body breaks the rule.
#[derive(Clone, Copy)]
pub(super) struct Scan<'s> {
    body: &'s [u8],
    rest: &'s [u8],
}

impl<'s> Scan<'s> {
    /// How much was read.
    fn at(self) -> usize {
        self.body.len().abs_diff(self.rest.len())
    }

    /// Behind the brace of the body's own object.
    pub(super) fn open(body: &'s [u8]) -> Result<Self, JsonError> {
        let mut scan = Self { body, rest: body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body) };
        scan.space();
        scan.byte(b'{')?;
        Ok(scan)
    }

    /// A member of the body's own object; none at its end, which is the end of the body.
    #[inline]
    pub(super) fn member(&mut self, first: bool) -> Result<Option<Member>, JsonError> {
        self.space();
        if self.skip(b'}') {
            self.space();
            return if self.rest.is_empty() { Ok(None) } else { Err(self.broken()) };
        }
        self.comma(first)?;
        let name = self.string()?;
        self.colon()?;
        let start = self.at();
        let kind = match self.rest.first() {
            Some(b'"') => return Ok(Some(Member { name, kind: Kind::String, value: self.string()? })),
            Some(b'[') => Kind::List,
            Some(b'{') => Kind::Object,
            Some(b'f') => Kind::False,
            Some(b'n') => Kind::Null,
            Some(b't') => Kind::True,
            _ => Kind::Number,
        };
        *self = if matches!(kind, Kind::List | Kind::Object) { self.nested()? } else { self.simple()? };
        Ok(Some(Member { name, kind, value: Span { start, end: self.at(), escaped: false } }))
    }

    /// An array or an object, with all that is in it.
    fn nested(mut self) -> Result<Self, JsonError> {
        // A bit for each open level, the innermost lowest: 1 is an object, 0 an array. The outermost is the body's own
        // object, so a full word is 32 levels.
        let mut levels = 1_u32;
        loop {
            let opens = match self.rest.first() {
                Some(b'[') => Some(0),
                Some(b'{') => Some(1),
                _ => None,
            };
            if let Some(kind) = opens {
                if levels.leading_zeros() == 0 {
                    return Err(self.broken());
                }
                levels = levels << 1 | kind;
                self.advance(1);
            } else {
                self = self.simple()?;
            }
            let mut first = opens.is_some();
            self.space();
            while self.skip(if levels & 1 == 1 { b'}' } else { b']' }) {
                levels >>= 1;
                if levels == 1 {
                    return Ok(self);
                }
                first = false;
                self.space();
            }
            self.comma(first)?;
            if levels & 1 == 1 {
                self.string()?;
                self.colon()?;
            }
        }
    }

    /// Any value but an array or an object.
    fn simple(mut self) -> Result<Self, JsonError> {
        match self.rest.first() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b't') => self.word(b"true"),
            _ => self.number(),
        }?;
        Ok(self)
    }

    fn string(&mut self) -> Result<Span, JsonError> {
        self.byte(b'"')?;
        let start = self.at();
        self.run();
        let escaped = self.rest.first() != Some(&b'"');
        if escaped {
            *self = self.escapes()?;
        }
        let end = self.at();
        self.advance(1);
        Ok(Span { start, end, escaped })
    }

    /// The rest of a string from an escape on, without its quote. Few have one.
    #[inline(never)]
    fn escapes(mut self) -> Result<Self, JsonError> {
        while self.rest.first() != Some(&b'"') {
            self.byte(b'\\')?;
            match self.rest.first() {
                Some(b'"' | b'/' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => self.advance(1),
                Some(b'u') => {
                    self.advance(1);
                    (0..4).try_for_each(|_| self.one(u8::is_ascii_hexdigit))?;
                }
                _ => return Err(self.broken()),
            }
            self.run();
        }
        Ok(self)
    }

    /// Characters that stand for themselves, if any.
    fn run(&mut self) {
        self.rest = behind_plain(self.rest);
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _ = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        self.one(u8::is_ascii_digit)?;
        while let Some(b'0'..=b'9') = self.rest.first() {
            self.advance(1);
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        word.iter().try_for_each(|byte| self.byte(*byte))
    }

    fn colon(&mut self) -> Result<(), JsonError> {
        self.space();
        self.byte(b':')?;
        self.space();
        Ok(())
    }

    /// The comma before all but the first.
    fn comma(&mut self, first: bool) -> Result<(), JsonError> {
        if !first {
            self.byte(b',')?;
            self.space();
        }
        Ok(())
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.rest.first() {
            self.advance(1);
        }
    }

    fn byte(&mut self, byte: u8) -> Result<(), JsonError> {
        self.one(|found| *found == byte)
    }

    fn one(&mut self, fits: impl FnOnce(&u8) -> bool) -> Result<(), JsonError> {
        if self.skips(fits) { Ok(()) } else { Err(self.broken()) }
    }

    /// Whether that byte comes next; then it is read.
    fn skip(&mut self, byte: u8) -> bool {
        self.skips(|found| *found == byte)
    }

    fn skips(&mut self, fits: impl FnOnce(&u8) -> bool) -> bool {
        match self.rest.split_first() {
            Some((byte, rest)) if fits(byte) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn advance(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    #[cold]
    #[inline(never)]
    fn broken(self) -> JsonError {
        JsonError { at: self.at() }
    }
}

/// The rest from the first quote, backslash or control character on.
#[inline(never)]
fn behind_plain(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    // Names are short. What is longer is a token, whose blocks are passed over whole.
    for _ in 0..4 {
        match behind_word(rest) {
            Ok(behind) => rest = behind,
            Err(special) => return special,
        }
    }
    while let Some((block, behind)) = rest.split_first_chunk::<32>()
        && block.as_chunks().0.iter().fold(0, |found, word| found | special(*word)) == 0
    {
        rest = behind;
    }
    loop {
        match behind_word(rest) {
            Ok(behind) => rest = behind,
            Err(special) => return special,
        }
    }
}

/// The rest behind eight plain bytes; as an error, the rest from the first special byte on, or none if there is none.
fn behind_word(bytes: &[u8]) -> Result<&[u8], &[u8]> {
    let Some((word, rest)) = bytes.split_first_chunk() else {
        let special = bytes.iter().position(|byte| matches!(byte, ..b' ' | b'"' | b'\\'));
        return Err(special.and_then(|at| bytes.get(at..)).unwrap_or_default());
    };
    match special(*word) {
        0 => Ok(rest),
        special => Err(bytes.get(special.trailing_zeros() as usize / 8..).unwrap_or_default()),
    }
}

/// The high bit of each byte of `word` that is a quote, a backslash or a control character. A borrow may set more bits above
/// the lowest of them, which is always right.
const fn special(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    // With one bit turned, the quote is right behind the control characters.
    let low = (word ^ each(2)).wrapping_sub(each(b'!'));
    let backslash = (word ^ each(b'\\')).wrapping_sub(each(1));
    (low | backslash) & !word & each(0x80)
}

const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::super::members;
    use super::*;
    use alloc::{format, string::String};

    #[test]
    fn values_that_are_none() {
        let rows = [
            r#"|,|:|}|]|x|a|'a'|$|*|<null>|\u0031|//|//1|1//|/**/1|1#|1;|1,|1 2|-x"#,
            r#"tru|True|TRUE|nul|nulll|truefalse|undefined|NaN|-NaN|Infinity|-Infinity|+Inf"#,
            r#"+1|-|--1|- 1|+-1|01|-01|00|-012|.5|-.5|1.|-1.|1.e1|0.e1|1e|1E|1e+|1E-|1eE2|1e+-1|1.2.3|1.5e1.5"#,
            r#"0x1|0x|0b1|1_000|1 000|1f|2@|１|1e１|٣"#,
            r#""|"a|"\"|"\|"\\\"|"a""b"|"a" "b"|"a"x|"a":1|""""#,
            r#""\x00"|"\a"|"\'"|"\ "|"\é"|"\U0041"|"\u"|"\u00"|"\u00A"|"\u00Zz"|"\u+041"|"\ud834\uDd"|"\uD800\u"|"\u00e"#,
            r#"[|[1|[1,|[,|[,1]|[1,]|[1,,2]|[1 2]|[1}|[1:2]|["a":1]|[a]|[1]]|[-]|[*]|["a"|["a]|[1]x|[][]|[""#,
            r#"{|{"a"|{"a":|{"a":1|{"a":1,|{"a":1,}|{,}|{,"a":1}|{"a"}|{"a",1}|{"a":}|{"a":1 "b":2}|{"a" "b"}|{"a"::1}"#,
            r#"{"a":1,,"b":2}|{a:1}|{'a':1}|{1:1}|{[]:1}|{null:1}|{"a":1]|{"a":1}}|{"a":1}x|{"a" 1}|{:1}|{"a":1;"b":2}"#,
            "\"\0\"|\"a\tb\"|\"a\nb\"|\"\u{1f}\"|\"1234567\u{1}\"|\"0123456789012345678901234567890123456789\r\"|[\"\n\"]",
            "\u{feff}1|\u{a0}1|\u{2028}1|\u{c}1|\u{b}1|\u{85}1|[\u{b}]|[1\u{c}]|1\0|\0",
        ];
        for value in rows.iter().flat_map(|row| row.split('|')) {
            let body = format!("{{\"k\":{value}}}");
            assert!(!is_object(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn values_that_are_some() {
        let rows = [
            r#"true|false|null|0|-0|1|-1|10|1.5|0.0|-0.10|1e1|1E+1|1e-01|0e+1|1.5e10|123456789012345678901234567890|1e9999"#,
            r#"""|"a"|" "|"\"\\\/\b\f\n\r\t"|"\u0000"|"\uFFFF\uabcd"|"\ud800"|"\udc00\ud800"|"'"|"é€😀"|"//"|"/*"|"]}""#,
            r#"[]|[ ]|[1]|[1, 2 ,3]|[[]]|[[],[ ],[[]]]|["]"]|[null,true,-1e1,"",{}]|{}|{ }|{"a":{}}|{"":[{"":{}}]}|{"a":1,"a":1}"#,
            "\"\u{7f}\"|\"\u{feff}\"|\"\u{2028}\"|\"\u{10ffff}\"| 1|1\t\r\n|[\n1\r]|{\t\"a\" : 1 }",
        ];
        for value in rows.iter().flat_map(|row| row.split('|')) {
            let body = format!("{{\"k\":{value}}}");
            assert!(is_object(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn bodies_that_are_no_object() {
        let rows = [
            &b"| |\n|null|true|1|\"x\"|[]|[{}]|}|{|{}x|{}\0|{}{}|{},|{}}|{} #|//\n{}|{}//|{/**/}|{,}|<html>|access_token=x"[..],
            b"{\"a\"}|{\"a\":1,}|{\"a\":1 \"b\":2}|{\"a\":1;\"b\":2}|{\"a\":1,,\"b\":2}|{a:1}|{\"a\":1]|\x0c{}|{\xc2\xa0}",
            b"\xef\xbb\xbf|\xef\xbb{}|\xef\xbb\xbf\xef\xbb\xbf{}|{}\xef\xbb\xbf| \xef\xbb\xbf{}",
            b"\xff\xfe{\0}\0|\xfe\xff\0{\0}|{\0}\0|\0{\0}",
            b"{\"a\":\"\xff\"}|{\"a\":\"\xc0\xaf\"}|{\"\xe9\":1}|{\"a\":\"\xed\xa0\x80\"}|{\"a\":\"\xf4\xbf\xbf\xbf\"}",
            b"{\"a\":\"\xe2\x82\"}|{\"a\":\"\xf8\x88\x80\x80\x80\"}|{\"a\":1}\xff|{\"a\":1\xe5}|{\"a\xc3\":1}|{\"\\\xff\":1}",
        ];
        for body in rows.iter().flat_map(|row| row.split(|byte| *byte == b'|')) {
            assert!(!is_object(body), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn every_prefix_of_a_body_is_an_error() {
        let body = "\u{feff} {\"a\":\"\\ud83d\\ude00é\",\"b\":[1.5e+3,{\"c\":null}, true],\"d\":-0,\"e\":{\"f\":[]} }";
        assert!(is_object(body.as_bytes()));
        for end in 0..body.len() {
            let prefix = body.as_bytes().get(..end).unwrap_or_default();
            assert!(!is_object(prefix), "{end}");
        }
    }

    #[test]
    fn thirty_two_levels_and_no_more() {
        for (open, close) in [("[", "]"), ("{\"\":", "}"), ("[{\"a\":", "}]")] {
            let each = close.len();
            let body = |levels: usize| {
                let inner = levels.saturating_sub(1).checked_div(each).unwrap_or(0);
                format!("{{\"k\":{}1{}}}", open.repeat(inner), close.repeat(inner))
            };
            let most = if each == 2 { 31 } else { 32 };
            assert!(is_object(body(most).as_bytes()), "{open}");
            for levels in [most.saturating_add(each), 500, 100_000] {
                assert!(!is_object(body(levels).as_bytes()), "{open} {levels}");
            }
            let unclosed = format!("{{\"k\":{}", open.repeat(100_000));
            assert!(!is_object(unclosed.as_bytes()), "{open}");
        }
        assert!(is_object(format!("{{\"k\":[{}[]]}}", "[],{\"a\":[{}]},".repeat(50_000)).as_bytes()));
    }

    #[test]
    fn a_string_of_any_length_ends_where_it_ends() {
        for (length, filler) in (0..100).flat_map(|length| [(length, "x"), (length, " "), (length, "\u{ff}")]) {
            let text = filler.repeat(length);
            for special in 0..=u8::MAX {
                for count in [1, 2, 40] {
                    let rest = [special].repeat(count);
                    let bytes = [text.as_bytes(), &rest, text.as_bytes(), b"\""].concat();
                    let ends = special < b' ' || matches!(special, b'"' | b'\\');
                    let expected = if ends { text.len() } else { bytes.len().saturating_sub(1) };
                    let expected = bytes.get(expected..).unwrap_or_default();
                    assert_eq!(behind_plain(&bytes), expected, "{length} {filler:?} {special} {count}");
                }
            }
            assert_eq!(behind_plain(text.as_bytes()), b"");
        }
    }

    fn is_object(body: &[u8]) -> bool {
        members(&mut body.to_vec(), &[]).1.is_ok()
    }
}
