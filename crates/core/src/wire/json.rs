//! One JSON object (RFC 8259), read in place, member by member, without recursion.

use core::{cell::Cell, slice};

/// The members of the object that a body consists of.
pub(crate) struct Object<'b> {
    rest: &'b mut [u8],
    passed: usize,
    first: bool,
    end: Option<Result<(), JsonError>>,
}

/// A body that is not exactly one JSON object, from the byte `at` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) at: usize,
}

/// Arrays and objects are their raw bytes, whose syntax has been checked.
pub(crate) enum Value<'b> {
    Array(&'b mut [u8]),
    Bool(bool),
    Null,
    Number(&'b str),
    Object(&'b mut [u8]),
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
        let scan = Scan(body);
        let start = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let passed = scan.expect(scan.space(start), b'{')?;
        Ok(Self { rest: body.get_mut(passed..).unwrap_or_default(), passed, first: true, end: None })
    }

    /// The next member; none once the object has ended, and nothing but white space stands behind it.
    /// After the end, and after an error, the answer stays the same.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(Text<'b>, Value<'b>)>, JsonError> {
        if let Some(end) = self.end {
            return end.map(|()| None);
        }
        let end = match Scan(self.rest).member(self.first) {
            Ok(Some((name, value))) => return Ok(Some(self.take(name, value))),
            Ok(None) => Ok(()),
            Err(JsonError { at }) => Err(JsonError { at: self.passed.saturating_add(at) }),
        };
        self.end = Some(end);
        end.map(|()| None)
    }

    #[inline]
    fn take(&mut self, name: Span, value: Span) -> (Text<'b>, Value<'b>) {
        let (member, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(value.end).unwrap_or_default();
        let (member, raw) = member.split_at_mut_checked(value.start).unwrap_or_default();
        self.rest = rest;
        self.passed = self.passed.saturating_add(value.end);
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
            Some(b'{') => Self::Object(raw),
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
    pub(crate) fn is(&self, name: &str) -> bool {
        if !self.escaped {
            return *self.raw == *name.as_bytes();
        }
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

/// A valid number, truncated, at most `u32::MAX`; none where it is negative.
pub(crate) fn integer(number: &str) -> Option<u32> {
    if let Some(value) = decimal(number.bytes()) {
        return Some(value);
    }
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |digits| (true, digits));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if digits().all(|digit| digit == b'0') {
        return Some(0);
    }
    // How many digits stand before the point, once the exponent has moved it. Past the last digit zeros follow, of
    // which ten saturate any value.
    let before = i64::try_from(whole.len()).ok()?.saturating_add(power(exponent)?);
    let before = usize::try_from(before).unwrap_or(if before < 0 { 0 } else { usize::MAX });
    let zeros = before.saturating_sub(digits().count()).min(10);
    let value = digits().take(before).chain(core::iter::repeat_n(b'0', zeros)).fold(0_u32, |value, digit| {
        value.saturating_mul(10).saturating_add(digit.wrapping_sub(b'0').into())
    });
    (!negative).then_some(value)
}

fn decimal(mut digits: impl Iterator<Item = u8>) -> Option<u32> {
    digits.try_fold(0_u32, |value, digit| {
        digit.is_ascii_digit().then(|| value.saturating_mul(10).saturating_add(digit.wrapping_sub(b'0').into()))
    })
}

fn power(exponent: &str) -> Option<i64> {
    let (sign, digits) = match exponent.as_bytes() {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    digits.iter().try_fold(0_i64, |power, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(power.saturating_mul(10).saturating_add(i64::from(digit).saturating_mul(sign)))
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
fn rewrite(bytes: &mut [u8], rule: impl FnOnce(slice::Iter<'_, Cell<u8>>, &mut Output<'_>) -> Option<()>) -> Option<&str> {
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

/// Where something stands, and whether it is a string with escapes.
struct Span {
    start: usize,
    end: usize,
    escaped: bool,
}

/// What is left of a body. Each method is a rule of the grammar: given where a thing begins, it tells where the thing
/// ends, or where it breaks the rule.
#[derive(Clone, Copy)]
struct Scan<'s>(&'s [u8]);

impl Scan<'_> {
    /// A member of the body's own object; none at its end, which is the end of the body.
    #[inline]
    fn member(self, first: bool) -> Result<Option<(Span, Span)>, JsonError> {
        let at = self.space(0);
        if let Ok(at) = self.expect(at, b'}') {
            let at = self.space(at);
            return if self.byte(at).is_none() { Ok(None) } else { Err(JsonError { at }) };
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
                    return Err(JsonError { at });
                }
                levels = levels << 1 | kind;
                at = next(at);
            } else {
                at = self.simple(at)?;
            }
            let mut first = opens.is_some();
            at = self.space(at);
            while let Ok(behind) = self.expect(at, if levels & 1 == 1 { b'}' } else { b']' }) {
                levels >>= 1;
                if levels == 1 {
                    return Ok(behind);
                }
                first = false;
                at = self.space(behind);
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

    fn string(self, at: usize) -> Result<(usize, bool), JsonError> {
        let mut at = self.expect(at, b'"')?;
        let mut escaped = false;
        loop {
            at = at.saturating_add(plain(self.0.get(at..).unwrap_or_default()));
            if let Ok(end) = self.expect(at, b'"') {
                return Ok((end, escaped));
            }
            escaped = true;
            at = self.expect(at, b'\\')?;
            at = match self.byte(at) {
                Some(b'"' | b'/' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => next(at),
                Some(b'u') => (0..4).try_fold(next(at), |at, _| self.one(at, |byte| byte.is_ascii_hexdigit()))?,
                _ => return Err(JsonError { at }),
            };
        }
    }

    fn number(self, at: usize) -> Result<usize, JsonError> {
        let at = self.expect(at, b'-').unwrap_or(at);
        let mut at = self.expect(at, b'0').or_else(|_| self.digits(at))?;
        if let Ok(fraction) = self.expect(at, b'.') {
            at = self.digits(fraction)?;
        }
        if let Ok(exponent) = self.one(at, |byte| matches!(byte, b'E' | b'e')) {
            at = self.digits(self.one(exponent, |byte| matches!(byte, b'+' | b'-')).unwrap_or(exponent))?;
        }
        Ok(at)
    }

    fn digits(self, at: usize) -> Result<usize, JsonError> {
        let mut at = self.one(at, |byte| byte.is_ascii_digit())?;
        while let Ok(next) = self.one(at, |byte| byte.is_ascii_digit()) {
            at = next;
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
        self.one(at, |found| found == byte)
    }

    fn one(self, at: usize, fits: impl FnOnce(u8) -> bool) -> Result<usize, JsonError> {
        if self.byte(at).is_some_and(fits) { Ok(next(at)) } else { Err(JsonError { at }) }
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
    let (blocks, _) = bytes.as_chunks::<32>();
    let length = blocks.iter().take_while(|block| !block.iter().fold(false, |found, byte| found | is_special(*byte))).count().wrapping_mul(32);
    let (words, tail) = bytes.get(length..).unwrap_or_default().as_chunks();
    let mut length = length;
    for word in words {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return length.wrapping_add(special.trailing_zeros() as usize / 8);
        }
        length = length.wrapping_add(word.len());
    }
    length.wrapping_add(tail.iter().take_while(|byte| !is_special(**byte)).count())
}

const fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// The high bit of each byte of `word` that is a quote, a backslash or a control character. A borrow may set some more
/// above the lowest of them, which is always right.
const fn special(word: u64) -> u64 {
    let control = word.wrapping_sub(EACH * 0x20);
    let quote = (word ^ (EACH * b'"' as u64)).wrapping_sub(EACH);
    let backslash = (word ^ (EACH * b'\\' as u64)).wrapping_sub(EACH);
    (control | quote | backslash) & !word & (EACH * 0x80)
}

/// The value 1 in each byte.
const EACH: u64 = u64::MAX / 0xff;
