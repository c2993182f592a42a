//! The `WWW-Authenticate` header field (RFC 9110 section 11.6.1), read without copying.

use core::fmt::{self, Write};

/// The challenges of one `WWW-Authenticate` field value, in order. What stands behind a syntax error is not read.
///
/// ```
/// use proofkey_core::challenges;
///
/// let mut found = challenges(r#"Basic realm="old", Bearer error="invalid_token", scope="read write""#);
/// assert_eq!(found.next().map(|challenge| challenge.scheme()), Some("Basic"));
/// let bearer = found.next().expect("a second challenge");
/// assert!(bearer.is_bearer() && bearer.param("error").is_some_and(|error| error == *"invalid_token"));
/// ```
#[must_use]
pub const fn challenges(field: &str) -> Challenges<'_> {
    Challenges { rest: field }
}

/// An iterator over challenges, from [`challenges`].
#[derive(Clone, Debug)]
pub struct Challenges<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Challenges<'a> {
    type Item = Challenge<'a>;

    // Once in a program, however many ask.
    #[inline(never)]
    fn next(&mut self) -> Option<Challenge<'a>> {
        loop {
            let rest = core::mem::take(&mut self.rest);
            let (scheme, rest) = token(list_start(rest))?;
            let params = scheme_end(rest)?;
            let mut parser = Params { rest: params };
            let mut seen = [false; ONCE.len()];
            let mut repeated = false;
            for (name, _) in &mut parser {
                for (_, seen) in ONCE.iter().zip(&mut seen).filter(|(once, _)| name.eq_ignore_ascii_case(once)) {
                    repeated |= core::mem::replace(seen, true);
                }
            }
            let read = params.len().saturating_sub(parser.rest.len());
            let rest = after_token68(params, parser.rest);
            if !(rest.is_empty() || rest.starts_with(',')) || begins_param(rest) {
                return None;
            }
            self.rest = rest;
            if !repeated {
                return Some(Challenge { scheme, params: params.get(..read).unwrap_or_default() });
            }
        }
    }
}

/// One challenge, from [`challenges`]: a scheme and its parameters.
#[derive(Clone, Copy, Debug)]
pub struct Challenge<'a> {
    scheme: &'a str,
    params: &'a str,
}

impl<'a> Challenge<'a> {
    /// The scheme as it was written.
    #[must_use]
    pub const fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// Whether the scheme is `Bearer`, in any case.
    #[must_use]
    pub fn is_bearer(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("bearer")
    }

    /// Whether the scheme is `DPoP`, in any case (RFC 9449 section 7.1).
    pub(crate) const fn is_proof(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("dpop")
    }

    /// The first parameter of that name, in any case: `error`, `error_description`, `scope`, `realm` and others.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Param<'a>> {
        Params { rest: self.params }.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The value of a parameter ([`Challenge::param`]). It compares and prints as what it stands for, without quotes and escapes.
#[derive(Clone, Copy)]
pub struct Param<'a> {
    raw: &'a str,
}

impl<'a> Param<'a> {
    /// The words of a value that is a list of them, such as `scope`.
    pub fn words(self) -> impl Iterator<Item = Self> + 'a {
        self.raw.split(' ').filter(|word| !word.is_empty()).map(|raw| Self { raw })
    }

    /// A number of seconds, without a sign. More than `u32::MAX` is that many.
    pub(crate) fn seconds(self) -> Option<u32> {
        let mut digits = self.characters().peekable();
        digits.peek()?;
        digits.try_fold(0_u32, |seconds, digit| Some(seconds.saturating_mul(10).saturating_add(digit.to_digit(10)?)))
    }

    fn characters(self) -> impl Iterator<Item = char> + 'a {
        let mut characters = self.raw.chars();
        core::iter::from_fn(move || match characters.next() {
            Some('\\') => characters.next(),
            other => other,
        })
    }
}

impl PartialEq<str> for Param<'_> {
    fn eq(&self, other: &str) -> bool {
        self.characters().eq(other.chars())
    }
}

/// Cleaned to printable ASCII, so that it is safe to log and to print on a terminal.
impl fmt::Display for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.characters().try_for_each(|letter| f.write_char(if matches!(letter, ' '..='~') { letter } else { '?' }))
    }
}

impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Reads `name=value` until something else comes, which it leaves.
struct Params<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a str, Param<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = token(list_start(self.rest))?;
        let rest = space(rest).strip_prefix('=')?;
        let (raw, rest) = quoted(space(rest)).or_else(|| token(space(rest)))?;
        let rest = space(rest);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
        self.rest = rest;
        Some((name, Param { raw }))
    }
}

/// What stands behind the scheme: spaces and more, a comma, or nothing.
fn scheme_end(rest: &str) -> Option<&str> {
    (rest.is_empty() || rest.starts_with(' ') || rest.starts_with(',')).then(|| behind(rest, |byte| byte == b' '))
}

/// Passes over the credentials of a scheme that has no parameters, such as `Negotiate YII=`.
fn after_token68<'a>(params: &'a str, rest: &'a str) -> &'a str {
    let end = params
        .bytes()
        .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-'..=b'/' | b'_' | b'~' | b'+'));
    let Some((text, padding)) = params.split_at_checked(end.unwrap_or(params.len())) else { return rest };
    let after = space(behind(padding, |byte| byte == b'='));
    if !text.is_empty() && (after.is_empty() || after.starts_with(',')) { after } else { rest }
}

/// Whether what was left unread is a broken parameter, and not the next challenge.
fn begins_param(rest: &str) -> bool {
    token(list_start(rest)).is_some_and(|(_, after)| space(after).starts_with('='))
}

fn list_start(text: &str) -> &str {
    behind(text, |byte| matches!(byte, b' ' | b'\t' | b','))
}

fn space(text: &str) -> &str {
    behind(text, |byte| matches!(byte, b' ' | b'\t'))
}

/// The rest of a text behind its first bytes that are such ones, which are ASCII.
fn behind(text: &str, is_such: fn(u8) -> bool) -> &str {
    let end = text.bytes().position(|byte| !is_such(byte));
    text.get(end.unwrap_or(text.len())..).unwrap_or_default()
}

fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !is_token(byte));
    text.split_at_checked(end.unwrap_or(text.len())).filter(|(token, _)| !token.is_empty())
}

/// A character of a token (RFC 9110 section 5.6.2).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// The content of a quoted string, its escapes still in it, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let content = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, letter) in content.char_indices() {
        match letter {
            _ if letter.is_control() && letter != '\t' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((content.get(..at)?, content.get(at.checked_add(1)?..)?)),
            _ => {}
        }
    }
    None
}

/// Parameters that may stand in a challenge once (RFC 6750 section 3, RFC 9470 section 3).
const ONCE: [&str; 7] = ["acr_values", "error", "error_description", "error_uri", "max_age", "realm", "scope"];

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::{format, string::String, vec::Vec};

    #[test]
    fn challenges_are_read() {
        for (field, expected) in VECTORS {
            let read: Vec<String> = challenges(field)
                .map(|challenge| {
                    let params = Params { rest: challenge.params }.map(|(name, value)| format!(" {name}={value}"));
                    format!("{}{}", challenge.scheme, params.collect::<String>())
                })
                .collect();
            assert_eq!(read.join(" | "), *expected, "{field:?}");
        }
    }

    #[test]
    fn names_are_found_in_any_case_and_values_compared_unescaped() {
        let field = r#"bEARER Error="invalid\_token", SCOPE="a  b" , error_description="say \"hi\", \\""#;
        let challenge = challenges(field).next().filter(Challenge::is_bearer);
        let param = |name| challenge.and_then(|challenge| challenge.param(name));
        assert!(param("error").is_some_and(|error| error == *"invalid_token"));
        assert!(param("error_description").is_some_and(|text| text == *"say \"hi\", \\"));
        let words: Vec<String> =
            param("scope").into_iter().flat_map(Param::words).map(|word| format!("{word}")).collect();
        assert_eq!(words, ["a", "b"]);
    }

    #[test]
    fn what_is_printed_is_printable() {
        let challenge = challenges("Bearer realm=\"a\tb\u{202e}é\"").next();
        let realm = challenge.and_then(|challenge| challenge.param("realm"));
        assert_eq!(realm.map(|realm| format!("{realm} {realm:?}")).as_deref(), Some("a?b?? \"a?b??\""));
    }

    const VECTORS: &[(&str, &str)] = &[
        ("", ""),
        (" , ,\t", ""),
        ("Bearer", "Bearer"),
        ("Bearer ", "Bearer"),
        ("Bearer,", "Bearer"),
        ("Bearer realm=x", "Bearer realm=x"),
        ("Bearer realm=\"x\"", "Bearer realm=x"),
        ("Bearer realm=\"\"", "Bearer realm="),
        ("Bearer   realm=x", "Bearer realm=x"),
        ("Bearer realm = \"x\"", "Bearer realm=x"),
        ("Bearer realm\t=\tx", "Bearer realm=x"),
        ("Bearer realm=x, error=y", "Bearer realm=x error=y"),
        ("Bearer realm=x,error=y", "Bearer realm=x error=y"),
        ("Bearer realm=x , , error=y,", "Bearer realm=x error=y"),
        ("Bearer ,realm=x", "Bearer realm=x"),
        ("Bearer realm=\"a,b=c\"", "Bearer realm=a,b=c"),
        ("Bearer realm=\"a\\\"b\"", "Bearer realm=a\"b"),
        ("Bearer realm=\"a\\\\\"", "Bearer realm=a\\"),
        ("Basic realm=x, Bearer error=y", "Basic realm=x | Bearer error=y"),
        ("Basic, Bearer", "Basic | Bearer"),
        ("Basic,Bearer realm=x", "Basic | Bearer realm=x"),
        ("Negotiate YII=, Bearer realm=x", "Negotiate | Bearer realm=x"),
        ("Negotiate YII==", "Negotiate"),
        ("NTLM TlRM/+~, Bearer", "NTLM | Bearer"),
        ("Bearer realm=x, Negotiate YII=, Digest qop=auth", "Bearer realm=x | Negotiate | Digest qop=auth"),
        ("DPoP algs=\"ES256 RS256\", error=\"use_dpop_nonce\"", "DPoP algs=ES256 RS256 error=use_dpop_nonce"),
        ("Bearer a=1, a=2", "Bearer a=1 a=2"),
        // What may stand once stands twice: that challenge is not used, others are.
        ("Bearer error=x, error=y", ""),
        ("Bearer scope=x, SCOPE=y, Basic realm=z", "Basic realm=z"),
        ("Bearer realm=x, realm=x", ""),
        // Syntax errors: nothing from there on.
        ("Bearer realm=\"x", ""),
        ("Bearer realm=\"x\\\"", ""),
        ("Bearer realm==", "Bearer"),
        ("Bearer a=1, realm=", ""),
        ("Bearer error=invalid_token, scope=\"x", ""),
        ("Bearer =x", ""),
        ("Bearer realm=x y", ""),
        ("Bearer realm=\"x\"y", ""),
        ("Bearer realm=x error=y", ""),
        ("Basic realm=x, Bearer realm=\"y", "Basic realm=x"),
        ("Bearer realm=\"a\u{7}b\"", ""),
        ("Bearer realm=\"a\nb\"", ""),
        ("Bearer\trealm=x", ""),
        ("Bearer realm=é", ""),
        ("\"Bearer\" realm=x", ""),
        ("=", ""),
        ("Bearer: realm=x", ""),
        ("Bearer {\"realm\":1}", ""),
    ];
}
