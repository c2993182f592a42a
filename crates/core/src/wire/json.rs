//! One JSON object (RFC 8259), read in place, member by member, without recursion.

use core::cell::Cell;

/// The members of the object that a body consists of.
pub(crate) struct Object<'b> {
    rest: &'b mut [u8],
    length: usize,
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
        let length = body.len();
        core::str::from_utf8(body).map_err(|error| JsonError { at: error.valid_up_to() })?;
        let mut object = Self { rest: body, length, first: true, end: None };
        object.take(Scan::opening)?;
        Ok(object)
    }

    /// The next member; none once the object has ended, and nothing but white space stands behind it.
    /// After the end, and after an error, the answer stays the same.
    pub(crate) fn next(&mut self) -> Result<Option<(Text<'b>, Value<'b>)>, JsonError> {
        if let Some(end) = self.end {
            return end.map(|()| None);
        }
        let member = self.member();
        match &member {
            Ok(Some(_)) => self.first = false,
            Ok(None) => self.end = Some(Ok(())),
            Err(error) => self.end = Some(Err(*error)),
        }
        member
    }

    fn member(&mut self) -> Result<Option<(Text<'b>, Value<'b>)>, JsonError> {
        let first = self.first;
        let (_, more) = self.take(|scan| scan.member(first))?;
        if !more {
            return Ok(None);
        }
        let (name, escaped) = self.take(Scan::string)?;
        let name = Text::new(name, escaped);
        self.take(Scan::colon)?;
        let (value, escaped) = self.take(Scan::value)?;
        Ok(Some((name, Value::new(value, escaped))))
    }

    /// Takes the bytes that `rule` passes over, with what it tells of them.
    fn take<T>(&mut self, rule: impl FnOnce(&mut Scan<'_>) -> Result<T, JsonError>) -> Result<(&'b mut [u8], T), JsonError> {
        let mut scan = Scan { rest: self.rest, length: self.length };
        let told = rule(&mut scan)?;
        let passed = self.rest.len().saturating_sub(scan.rest.len());
        Ok((self.rest.split_off_mut(..passed).unwrap_or_default(), told))
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
        rewrite(self.raw, |input, output| unescape(input, |byte| output.put(byte)))
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
    rewrite(array, |input, output| {
        (input.next()? == b'[').then_some(())?;
        while let Some(byte) = input.next() {
            match byte {
                b'"' => {
                    if output.written > 0 {
                        output.put(b' ')?;
                    }
                    let start = output.written;
                    unescape(input, |byte| if byte == b' ' { None } else { output.put(byte) })?;
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

/// The steps of `\` escapes: what the bytes of a string say, up to its closing quote or the end of the input.
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
fn rewrite(bytes: &mut [u8], rule: impl FnOnce(&mut Cells<'_>, &mut Output<'_>) -> Option<()>) -> Option<&str> {
    let cells = Cell::from_mut(&mut *bytes).as_slice_of_cells();
    let mut output = Output { free: cells.iter(), written: 0 };
    rule(&mut cells.iter().map(Cell::get), &mut output)?;
    let written = output.written;
    core::str::from_utf8(bytes.get(..written)?).ok()
}

type Cells<'c> = core::iter::Map<core::slice::Iter<'c, Cell<u8>>, fn(&Cell<u8>) -> u8>;

struct Output<'c> {
    free: core::slice::Iter<'c, Cell<u8>>,
    written: usize,
}

impl Output<'_> {
    fn put(&mut self, byte: u8) -> Option<()> {
        self.free.next()?.set(byte);
        self.written = self.written.saturating_add(1);
        Some(())
    }
}

/// What is left of a body of `length` bytes. Each method is a rule of the grammar: it passes over what it names, or
/// fails where it stands.
struct Scan<'s> {
    rest: &'s [u8],
    length: usize,
}

impl Scan<'_> {
    fn opening(&mut self) -> Result<(), JsonError> {
        self.rest = self.rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.rest);
        self.space();
        self.expect(b'{')
    }

    /// Whether a member of the body's own object follows.
    fn member(&mut self, first: bool) -> Result<bool, JsonError> {
        let more = self.more(b'}', first)?;
        if !more {
            self.space();
            if !self.rest.is_empty() {
                return Err(self.error());
            }
        }
        Ok(more)
    }

    /// Whether one more thing stands before `close`.
    fn more(&mut self, close: u8, first: bool) -> Result<bool, JsonError> {
        self.space();
        if self.eat(close) {
            return Ok(false);
        }
        if !first {
            self.expect(b',')?;
            self.space();
        }
        Ok(true)
    }

    fn colon(&mut self) -> Result<(), JsonError> {
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(())
    }

    /// Any value; whether it is a string with escapes.
    fn value(&mut self) -> Result<bool, JsonError> {
        match self.rest.first() {
            Some(b'[' | b'{') => self.nested().map(|()| false),
            _ => self.simple(),
        }
    }

    /// An array or an object, with all that is in it.
    fn nested(&mut self) -> Result<(), JsonError> {
        // A bit for each open level, the innermost lowest: 1 is an object, 0 an array. The outermost is the body's own
        // object, so that a full word is `MOST_LEVELS` deep.
        let mut levels = 1_u32;
        loop {
            let opens = match self.rest.first() {
                Some(b'[') => Some(0),
                Some(b'{') => Some(1),
                _ => None,
            };
            if let Some(kind) = opens {
                if levels.leading_zeros() == 0 {
                    return Err(self.error());
                }
                levels = levels << 1 | kind;
                self.step();
            } else {
                self.simple()?;
            }
            let mut first = opens.is_some();
            while !self.more(if levels & 1 == 1 { b'}' } else { b']' }, first)? {
                first = false;
                levels >>= 1;
                if levels == 1 {
                    return Ok(());
                }
            }
            if levels & 1 == 1 {
                self.string()?;
                self.colon()?;
            }
        }
    }

    fn simple(&mut self) -> Result<bool, JsonError> {
        match self.rest.first() {
            Some(b'"') => return self.string(),
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            Some(b't') => self.word(b"true")?,
            _ => self.number()?,
        }
        Ok(false)
    }

    fn string(&mut self) -> Result<bool, JsonError> {
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            self.rest = self.rest.get(plain(self.rest)..).unwrap_or_default();
            if self.eat(b'"') {
                return Ok(escaped);
            }
            self.expect(b'\\')?;
            escaped = true;
            match self.rest.first() {
                Some(b'"' | b'/' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => self.step(),
                Some(b'u') => {
                    self.step();
                    for _ in 0..4 {
                        self.one(u8::is_ascii_hexdigit)?;
                    }
                }
                _ => return Err(self.error()),
            }
        }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        self.one(u8::is_ascii_digit)?;
        while self.one(u8::is_ascii_digit).is_ok() {}
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        word.iter().try_for_each(|byte| self.expect(*byte))
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.rest.first() {
            self.step();
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        self.one(|found| *found == byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.expect(byte).is_ok()
    }

    fn one(&mut self, fits: impl FnOnce(&u8) -> bool) -> Result<(), JsonError> {
        match self.rest.split_first() {
            Some((byte, rest)) if fits(byte) => self.rest = rest,
            _ => return Err(self.error()),
        }
        Ok(())
    }

    fn step(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn error(&self) -> JsonError {
        JsonError { at: self.length.saturating_sub(self.rest.len()) }
    }
}

/// How many bytes stand before the first quote, backslash or control character.
fn plain(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks();
    let mut length = 0_usize;
    for word in words {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return length.saturating_add(special.trailing_zeros() as usize / 8);
        }
        length = length.saturating_add(word.len());
    }
    length.saturating_add(tail.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | ..b' ')).count())
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
