//! The grammar of RFC 8259: where things begin and end.

use super::JsonError;

/// Where something stands, and whether it is a string with escapes.
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) escaped: bool,
}

/// A body. Each method is a rule of the grammar: given where a thing begins, it tells where the thing
/// ends, or where it breaks the rule.
#[derive(Clone, Copy)]
pub(super) struct Scan<'s>(pub(super) &'s [u8]);

impl Scan<'_> {
    /// The brace of the body's own object.
    pub(super) fn open(self, at: usize) -> Result<usize, JsonError> {
        self.expect(self.space(at), b'{')
    }

    /// A member of the body's own object; none at its end, which is the end of the body.
    #[inline]
    pub(super) fn member(self, at: usize, first: bool) -> Result<Option<(Span, Span)>, JsonError> {
        let at = self.space(at);
        if self.is(at, b'}') {
            let end = self.space(next(at));
            return if end == self.0.len() { Ok(None) } else { Err(self.broken(end)) };
        }
        let start = self.comma(at, first)?;
        let (end, escaped) = self.string(start)?;
        let name = Span { start, end, escaped };
        let start = self.colon(end)?;
        let (end, escaped) = match self.byte(start) {
            Some(b'"') => self.string(start)?,
            Some(b'[' | b'{') => (self.nested(start)?, false),
            _ => (self.simple(start)?, false),
        };
        Ok(Some((name, Span { start, end, escaped })))
    }

    /// An array or an object, with all that is in it.
    fn nested(self, mut at: usize) -> Result<usize, JsonError> {
        // A bit for each open level, the innermost lowest: 1 is an object, 0 an array. The outermost is the body's own
        // object, so a full word is 32 levels.
        let mut levels = 1_u32;
        loop {
            let opens = match self.byte(at) {
                Some(b'[') => Some(0),
                Some(b'{') => Some(1),
                _ => None,
            };
            if let Some(kind) = opens {
                if levels.leading_zeros() == 0 {
                    return Err(self.broken(at));
                }
                levels = levels << 1 | kind;
                at = next(at);
            } else {
                at = self.simple(at)?;
            }
            let mut first = opens.is_some();
            at = self.space(at);
            while self.is(at, if levels & 1 == 1 { b'}' } else { b']' }) {
                levels >>= 1;
                if levels == 1 {
                    return Ok(next(at));
                }
                first = false;
                at = self.space(next(at));
            }
            at = self.comma(at, first)?;
            if levels & 1 == 1 {
                at = self.colon(self.string(at)?.0)?;
            }
        }
    }

    /// Any value but an array or an object.
    fn simple(self, at: usize) -> Result<usize, JsonError> {
        match self.byte(at) {
            Some(b'"') => self.string(at).map(|(end, _)| end),
            Some(b'f') => self.word(at, b"false"),
            Some(b'n') => self.word(at, b"null"),
            Some(b't') => self.word(at, b"true"),
            _ => self.number(at),
        }
    }

    /// Where a string ends, and whether it has escapes.
    fn string(self, at: usize) -> Result<(usize, bool), JsonError> {
        let at = self.run(self.expect(at, b'"')?);
        if self.is(at, b'"') { Ok((next(at), false)) } else { Ok((self.escapes(at)?, true)) }
    }

    /// The rest of a string from an escape on. Few have one.
    #[inline(never)]
    fn escapes(self, mut at: usize) -> Result<usize, JsonError> {
        loop {
            at = self.expect(at, b'\\')?;
            at = match self.byte(at) {
                Some(b'"' | b'/' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => next(at),
                Some(b'u') => (0..4).try_fold(next(at), |at, _| self.one(at, u8::is_ascii_hexdigit))?,
                _ => return Err(self.broken(at)),
            };
            at = self.run(at);
            if self.is(at, b'"') {
                return Ok(next(at));
            }
        }
    }

    /// Characters that stand for themselves, if any.
    fn run(self, at: usize) -> usize {
        at.wrapping_add(plain(self.0.get(at..).unwrap_or_default()))
    }

    fn number(self, at: usize) -> Result<usize, JsonError> {
        let at = if self.is(at, b'-') { next(at) } else { at };
        let mut at = if self.is(at, b'0') { next(at) } else { self.digits(at)? };
        if self.is(at, b'.') {
            at = self.digits(next(at))?;
        }
        if let Some(b'E' | b'e') = self.byte(at) {
            at = next(at);
            let signed = matches!(self.byte(at), Some(b'+' | b'-'));
            at = self.digits(if signed { next(at) } else { at })?;
        }
        Ok(at)
    }

    fn digits(self, at: usize) -> Result<usize, JsonError> {
        let mut at = self.one(at, u8::is_ascii_digit)?;
        while let Some(b'0'..=b'9') = self.byte(at) {
            at = next(at);
        }
        Ok(at)
    }

    fn word(self, at: usize, word: &[u8]) -> Result<usize, JsonError> {
        word.iter().try_fold(at, |at, byte| self.expect(at, *byte))
    }

    fn colon(self, at: usize) -> Result<usize, JsonError> {
        Ok(self.space(self.expect(self.space(at), b':')?))
    }

    /// What separates a thing from the one before it.
    fn comma(self, at: usize, first: bool) -> Result<usize, JsonError> {
        if first { Ok(at) } else { Ok(self.space(self.expect(at, b',')?)) }
    }

    fn space(self, mut at: usize) -> usize {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte(at) {
            at = next(at);
        }
        at
    }

    fn expect(self, at: usize, byte: u8) -> Result<usize, JsonError> {
        self.one(at, |found| *found == byte)
    }

    fn one(self, at: usize, fits: impl FnOnce(&u8) -> bool) -> Result<usize, JsonError> {
        if self.byte(at).is_some_and(|byte| fits(&byte)) { Ok(next(at)) } else { Err(self.broken(at)) }
    }

    /// Out of line, else the two outcomes of a rule are computed as one sum, for which the next rule has to wait.
    #[cold]
    #[inline(never)]
    fn broken(self, at: usize) -> JsonError {
        JsonError { at: at.min(self.0.len()) }
    }

    fn is(self, at: usize, byte: u8) -> bool {
        self.byte(at) == Some(byte)
    }

    fn byte(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }
}

const fn next(at: usize) -> usize {
    at.wrapping_add(1)
}

/// How many bytes stand before the first quote, backslash or control character.
fn plain(bytes: &[u8]) -> usize {
    // Names are short. What is longer than they are is a token, and goes on by blocks.
    let (start, long) = bytes.split_at_checked(32).unwrap_or((bytes, &[]));
    let length = plain_words(start);
    if length < start.len() || long.is_empty() {
        return length;
    }
    let length = length.wrapping_add(clean_blocks(long));
    length.wrapping_add(plain_words(bytes.get(length..).unwrap_or_default()))
}

fn plain_words(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    let mut length = 0_usize;
    for word in words {
        let special = special(*word);
        if special != 0 {
            return length.wrapping_add(special.trailing_zeros() as usize / 8);
        }
        length = length.wrapping_add(word.len());
    }
    length.wrapping_add(rest.iter().take_while(|byte| !matches!(byte, ..b' ' | b'"' | b'\\')).count())
}

/// How many bytes are in the blocks before the first one that has a special byte.
fn clean_blocks(bytes: &[u8]) -> usize {
    let special = |byte: u8| (byte ^ 2 < b'!') | (byte == b'\\');
    let clean = |block: &&[u8; 32]| !block.iter().fold(false, |found, byte| found | special(*byte));
    bytes.as_chunks().0.iter().take_while(clean).count().wrapping_mul(32)
}

/// The high bit of each byte of `word` that is a quote, a backslash or a control character. A borrow may set some more
/// above the lowest of them, which is always right.
const fn special(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    // With one bit turned, the quote stands right behind the control characters.
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
                    assert_eq!(plain(&bytes), expected, "{length} {filler:?} {special} {count}");
                }
            }
            assert_eq!(plain(text.as_bytes()), text.len());
        }
    }

    fn is_object(body: &[u8]) -> bool {
        members(&mut body.to_vec(), &[]).1.is_ok()
    }
}
