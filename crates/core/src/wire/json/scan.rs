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
pub(super) struct Scan<'s> {
    body: &'s [u8],
    rest: &'s [u8],
}

impl<'s> Scan<'s> {
    pub(super) fn new(body: &'s [u8], at: usize) -> Self {
        Self { body, rest: body.get(at..).unwrap_or_default() }
    }

    /// How much was read.
    pub(super) fn at(&self) -> usize {
        self.body.len().abs_diff(self.rest.len())
    }

    /// Behind the brace of the body's own object.
    pub(super) fn open(body: &'s [u8]) -> Result<Self, JsonError> {
        let mut scan = Self::new(body, if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 });
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
        if matches!(kind, Kind::List | Kind::Object) {
            self.nested()?
        } else {
            self.simple()?
        }
        Ok(Some(Member { name, kind, value: Span { start, end: self.at(), escaped: false } }))
    }

    /// An array or an object, with all that is in it.
    fn nested(&mut self) -> Result<(), JsonError> {
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
                self.simple()?;
            }
            let mut first = opens.is_some();
            self.space();
            while self.skip(if levels & 1 == 1 { b'}' } else { b']' }) {
                levels >>= 1;
                if levels == 1 {
                    return Ok(());
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
    fn simple(&mut self) -> Result<(), JsonError> {
        match self.rest.first() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b't') => self.word(b"true"),
            _ => self.number(),
        }
    }

    fn string(&mut self) -> Result<Span, JsonError> {
        self.byte(b'"')?;
        let start = self.at();
        self.run();
        let escaped = self.rest.first() != Some(&b'"');
        if escaped {
            self.escapes()?;
        }
        let end = self.at();
        self.advance(1);
        Ok(Span { start, end, escaped })
    }

    /// The rest of a string from an escape on, without its quote. Few have one.
    #[inline(never)]
    fn escapes(&mut self) -> Result<(), JsonError> {
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
        Ok(())
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
    fn broken(&self) -> JsonError {
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
mod tests;
