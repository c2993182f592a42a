//! The encodings on the wire. Nothing here knows OAuth.

pub(crate) mod date;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod uri;

/// A character of a token (RFC 9110 section 5.6.2).
pub(crate) const fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}
