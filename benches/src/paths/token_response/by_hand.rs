//! A reader of JSON that trusts its input: no white space between things, no check, no escape but that of one character.

use memchr::{memchr, memchr2};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens<'b> {
    pub(super) access_token: &'b str,
    pub(super) token_type: &'b str,
    pub(super) expires_in: Option<u32>,
    pub(super) refresh_token: Option<&'b str>,
    pub(super) scope: Option<&'b str>,
}

pub(super) fn tokens(body: &mut [u8]) -> Option<Tokens<'_>> {
    let mut tokens = Tokens::default();
    let mut rest = body.get_mut(1..)?;
    while let Some((name, value, after)) = member(rest) {
        rest = after;
        match name {
            b"access_token" => tokens.access_token = text(value)?,
            b"expires_in" => tokens.expires_in = std::str::from_utf8(value).ok()?.parse().ok(),
            b"refresh_token" => tokens.refresh_token = text(value),
            b"scope" => tokens.scope = text(value),
            b"token_type" => tokens.token_type = text(value)?,
            _ => {}
        }
    }
    Some(tokens)
}

/// The error and its description.
pub(super) fn error(body: &mut [u8]) -> Option<(&str, &str)> {
    let (mut error, mut description) = (None, None);
    let mut rest = body.get_mut(1..)?;
    while let Some((name, value, after)) = member(rest) {
        rest = after;
        match name {
            b"error" => error = text(value),
            b"error_description" => description = text(value),
            _ => {}
        }
    }
    error.zip(description)
}

/// `"name":value` and what stands behind the comma.
fn member(rest: &mut [u8]) -> Option<(&[u8], &mut [u8], &mut [u8])> {
    let (_, rest) = rest.split_at_mut_checked(1)?;
    let (name, rest) = rest.split_at_mut_checked(memchr(b'"', rest)?)?;
    let (_, rest) = rest.split_at_mut_checked(2)?;
    let (value, rest) = rest.split_at_mut_checked(value_end(rest)?)?;
    Some((name, value, rest.get_mut(1..)?))
}

fn value_end(value: &[u8]) -> Option<usize> {
    match value.first()? {
        b'"' => string_end(value, 0),
        b'[' | b'{' => {
            let (mut at, mut depth) = (0, 0);
            loop {
                match value.get(at)? {
                    b'"' => at = string_end(value, at)? - 1,
                    b'[' | b'{' => depth += 1,
                    b']' | b'}' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => memchr2(b',', b'}', value),
    }
}

/// Behind the quote that closes the string that begins at `start`.
fn string_end(value: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr2(b'"', b'\\', value.get(at..)?)?;
        if value.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn text(value: &mut [u8]) -> Option<&str> {
    let [_, text @ .., _] = value else { return None };
    let mut length = text.len();
    if let Some(first) = memchr(b'\\', text) {
        length = first;
        let mut at = first;
        while let Some(byte) = text.get(at).copied() {
            if byte == b'\\' {
                at += 1;
            }
            text[length] = text[at];
            length += 1;
            at += 1;
        }
    }
    std::str::from_utf8(text.get(..length)?).ok()
}
