//! Absolute URIs (RFC 3986), split but never normalised.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The parts of an absolute URI, as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uri<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) authority: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fragment: Option<&'a str>,
}

/// Splits an absolute URI at the delimiters of RFC 3986 section 3; none where there is no scheme.
pub(crate) fn split(uri: &str) -> Option<Uri<'_>> {
    let (scheme, rest) = uri.split_once(':')?;
    let mut letters = scheme.bytes();
    let starts = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
    if !starts || !letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')) {
        return None;
    }
    let (rest, fragment) = cut(rest, '#');
    let (rest, query) = cut(rest, '?');
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
            (Some(authority), path)
        }
        None => (None, rest),
    };
    Some(Uri { scheme, authority, path, query, fragment })
}

/// Whether every character may stand in a URI, and every `%` begins an escape (RFC 3986 section 2).
pub(crate) fn is_clean(uri: &str) -> bool {
    let mut bytes = uri.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => {
                let mut digit = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
                digit() && digit()
            }
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            byte => byte.is_ascii_graphic(),
        };
        if !fits {
            return false;
        }
    }
    true
}

impl<'a> Uri<'a> {
    /// Whether `authority` is this one, as written or as browsers show it: without the default port.
    pub(crate) fn is_authority(&self, authority: &str) -> bool {
        let port = if self.scheme == "https" { ":443" } else { ":80" };
        self.authority.is_some_and(|own| own == authority || own.strip_suffix(port) == Some(authority))
    }

    /// Host and port as written. None where the authority is missing, has no host, a user or a bad port.
    pub(crate) fn host_and_port(&self) -> Option<(&'a str, Option<u16>)> {
        let authority = self.authority?;
        if authority.contains('@') {
            return None;
        }
        let host_end = match authority.strip_prefix('[') {
            Some(literal) => literal.find(']')?.checked_add(2)?,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (host, rest) = authority.split_at_checked(host_end)?;
        if host.is_empty() || (!host.starts_with('[') && host.contains(['[', ']'])) {
            return None;
        }
        match rest.strip_prefix(':') {
            None if rest.is_empty() => Some((host, None)),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some((host, Some(digits.parse().ok()?)))
            }
            _ => None,
        }
    }
}

/// The address that a host names literally.
pub(crate) fn ip_literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

fn cut(text: &str, delimiter: char) -> (&str, Option<&str>) {
    match text.split_once(delimiter) {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_without_normalising() {
        let uri = split("https://as.example:443/a/../b?q=%61?#f#g");
        let expected = Uri {
            scheme: "https",
            authority: Some("as.example:443"),
            path: "/a/../b",
            query: Some("q=%61?"),
            fragment: Some("f#g"),
        };
        assert_eq!(uri, Some(expected));
        assert_eq!(split("com.example.app:/cb").map(|uri| (uri.authority, uri.path)), Some((None, "/cb")));
        assert_eq!(split("https://as.example?x").map(|uri| (uri.authority, uri.path)), Some((Some("as.example"), "")));
        for bad in ["", "/cb", "//h/cb", "1a:/x", ":x", "a b:/x", "as.example/cb"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn host_and_port_are_strict() {
        let read = |uri| split(uri).and_then(|uri| uri.host_and_port());
        assert_eq!(read("http://127.0.0.1:49152/cb"), Some(("127.0.0.1", Some(49152))));
        assert_eq!(read("http://[::1]:7/cb"), Some(("[::1]", Some(7))));
        assert_eq!(read("https://h"), Some(("h", None)));
        for bad in [
            "https:///p",
            "https://u@h",
            "https://:80",
            "https://h:",
            "https://h:65536",
            "https://h:+1",
            "https://[::1",
            "https://[::1]x",
            "https://a]b",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_uri_characters_are_clean() {
        assert!(is_clean("https://h/a?b=%20c#'!$&()*+,;=:@[]~-._"));
        for bad in [
            "https://h/ ",
            "https://h/%",
            "https://h/%2",
            "https://h/%zz",
            "a\tb",
            "a\\b",
            "a\"b",
            "a|b",
            "a^b",
            "a{b}",
            "a`b",
            "a<b>",
            "é",
            "a\u{7f}",
        ] {
            assert!(!is_clean(bad), "{bad}");
        }
    }

    #[test]
    fn only_literal_addresses_are_addresses() {
        assert!(ip_literal("127.0.0.1").is_some_and(|ip| ip.is_loopback()));
        assert!(ip_literal("[::1]").is_some_and(|ip| ip.is_loopback()));
        for bad in
            ["localhost", "127.1", "0x7f000001", "2130706433", "::1", "[127.0.0.1]", "127.0.0.01", "[fe80::1%25lo]"]
        {
            assert_eq!(ip_literal(bad), None, "{bad}");
        }
    }
}
