//! Other people's text in our errors: cut, and cleaned to printable ASCII.

use crate::wire::bytes::all;
use core::fmt;

/// A short piece of what the other side sent, such as the issuer in [`CallbackError::Issuer`](crate::CallbackError::Issuer): cut to
/// 120 characters and cleaned to printable ASCII, so that it is safe to log and to print on a terminal. It never holds a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(heapless::Vec<u8, EXCERPT_MAX>);

impl Excerpt {
    /// The text, perhaps empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    pub(crate) fn of(bytes: impl Iterator<Item = u8>) -> Self {
        let mut excerpt = heapless::Vec::new();
        clean(bytes, &mut excerpt);
        Self(excerpt)
    }
}

impl From<&str> for Excerpt {
    fn from(text: &str) -> Self {
        Self::of(text.bytes())
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The server's own words: an error code and perhaps a description, cut and cleaned to printable ASCII, so that
/// they are safe to log and to print on a terminal.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerError {
    code: heapless::Vec<u8, CODE_MAX>,
    description: heapless::Vec<u8, DESCRIPTION_MAX>,
}

impl ServerError {
    /// The error code, such as `access_denied` (RFC 6749 sections 4.1.2.1 and 5.2). At most 64 characters.
    #[must_use]
    pub fn code(&self) -> &str {
        text(&self.code)
    }

    /// The server's explanation for a developer. At most 200 characters.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        Some(text(&self.description)).filter(|description| !description.is_empty())
    }

    /// Of bytes from anywhere.
    pub(crate) fn new(code: impl Iterator<Item = u8>, description: impl Iterator<Item = u8>) -> Self {
        let mut error = Self { code: heapless::Vec::new(), description: heapless::Vec::new() };
        clean(code, &mut error.code);
        clean(description, &mut error.description);
        error
    }

    pub(crate) fn of_text(code: &str, description: &str) -> Self {
        let mut error = Self { code: heapless::Vec::new(), description: heapless::Vec::new() };
        clean_text(code, &mut error.code);
        clean_text(description, &mut error.description);
        error
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerError").field("code", &self.code()).field("description", &self.description()).finish()
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        self.description().map_or(Ok(()), |description| put(f, &[": ", description]))
    }
}

impl core::error::Error for ServerError {}

/// Cuts to what there is room for and makes everything but printable ASCII a `?`, one for each run.
fn clean(bytes: impl Iterator<Item = u8>, text: &mut heapless::VecView<u8>) {
    let mut in_run = false;
    for byte in bytes {
        let printable = matches!(byte, b' '..=b'~');
        if (printable || !in_run) && text.push(if printable { byte } else { b'?' }).is_err() {
            break;
        }
        in_run = !printable;
    }
}

/// The same of text, which mostly has nothing to clean.
fn clean_text(from: &str, text: &mut heapless::VecView<u8>) {
    let printable = all(from.as_bytes(), |byte| matches!(byte, b' '..=b'~'));
    if !printable || text.extend_from_slice(from.as_bytes()).is_err() {
        clean(from.bytes(), text);
    }
}

/// Writes the parts of a text. `write!` with texts and numbers in braces would bring their widths and fills into the program.
pub(crate) fn put(f: &mut fmt::Formatter<'_>, parts: &[&str]) -> fmt::Result {
    parts.iter().try_for_each(|part| f.write_str(part))
}

/// A number as text.
pub(crate) struct Decimal([u8; DIGITS], usize);

impl Decimal {
    pub(crate) fn of(number: usize) -> Self {
        let (mut digits, mut rest, mut start) = ([b'0'; DIGITS], number, DIGITS);
        for digit in digits.iter_mut().rev() {
            start = start.saturating_sub(1);
            *digit |= (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        Self(digits, start)
    }

    pub(crate) fn as_str(&self) -> &str {
        text(self.0.get(self.1..).unwrap_or_default())
    }
}

fn text(cleaned: &[u8]) -> &str {
    core::str::from_utf8(cleaned).unwrap_or_default()
}

const CODE_MAX: usize = 64;
const DESCRIPTION_MAX: usize = 200;
const EXCERPT_MAX: usize = 120;

/// Of the largest number of 64 bits.
const DIGITS: usize = 20;
