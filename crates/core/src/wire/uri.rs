//! Absolute URIs (RFC 3986), split but never normalised.

use crate::wire::bytes::find;
use crate::wire::form::cut_at;
use core::net::IpAddr;

/// The parts of an absolute URI, as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uri<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) authority: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fragment: Option<&'a str>,
}

/// Splits an absolute URI at the delimiters of RFC 3986 section 3; none if there is no scheme.
pub(crate) fn split(uri: &str) -> Option<Uri<'_>> {
    let (scheme, rest) = cut_at(uri, b':')?;
    let mut letters = scheme.bytes();
    let starts = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
    if !starts || !letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')) {
        return None;
    }
    let (rest, fragment) = cut(rest, b'#');
    let (rest, query) = cut(rest, b'?');
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.bytes().position(|byte| byte == b'/');
            let (authority, path) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
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

    /// Host and port as written. None if the authority is missing, its host is not one ([`is_host`]), it names a user, or
    /// the port is not a number up to 65535.
    pub(crate) fn host_and_port(&self) -> Option<(&'a str, Option<u16>)> {
        let authority = self.authority?;
        let first = |wanted| authority.bytes().position(|byte| byte == wanted);
        if first(b'@').is_some() {
            return None;
        }
        let host_end = if authority.starts_with('[') {
            first(b']')?.checked_add(1)?
        } else {
            first(b':').unwrap_or(authority.len())
        };
        let (host, rest) = authority.split_at_checked(host_end)?;
        if !is_host(host) {
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

/// Whether this can be a host: a name of letters, digits, `-`, `_` and `.`, an IPv4 address in dotted decimal, or an IPv6
/// literal. Browsers read a name whose last label is a number as an IPv4 address, in any notation.
fn is_host(host: &str) -> bool {
    if host.starts_with('[') {
        return ip_literal(host).is_some();
    }
    let name = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let mut ends_in_number = false;
    let mut labels = name.split(|byte| *byte == b'.').map(|label| {
        ends_in_number = is_number(label);
        is_label(label)
    });
    let is_name = labels.all(|fits| fits) && name.len() <= NAME_MAX;
    is_name && (!ends_in_number || ip_literal(host).is_some())
}

/// The IP address that a host names literally.
pub(crate) fn ip_literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

fn is_number(label: &[u8]) -> bool {
    match label {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        digits => digits.iter().all(u8::is_ascii_digit),
    }
}

/// A label of a name. One that begins with `xn--` is Punycode (RFC 3492): something must follow, and not end with the
/// delimiter.
fn is_label(label: &[u8]) -> bool {
    let is_decodable = match label {
        [b'x' | b'X', b'n' | b'N', b'-', b'-', rest @ ..] => rest.last().is_some_and(|last| *last != b'-'),
        _ => true,
    };
    is_decodable
        && (1..=LABEL_MAX).contains(&label.len())
        && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether browsers show the host as it is written here: in lower case, an IPv6 address in its short form (RFC 5952).
pub(crate) fn is_as_shown(host: &str) -> bool {
    let is_lower_case = !host.bytes().any(|byte| byte.is_ascii_uppercase());
    is_lower_case && (!host.starts_with('[') || is_short(host.trim_matches(['[', ']']).as_bytes()))
}

/// Whether an IPv6 address has no dots, no leading zeros, and no zero groups that it could leave out.
fn is_short(address: &[u8]) -> bool {
    let groups = || address.split(|byte| *byte == b':');
    let has_gap = groups().any(<[u8]>::is_empty);
    let could_be_left_out = |pair: (&[u8], &[u8])| match pair {
        (b"0", b"") | (b"", b"0") => true,
        pair => pair == (b"0", b"0") && !has_gap,
    };
    !groups().zip(groups().skip(1)).any(could_be_left_out)
        && groups().all(|group| group == b"0" || !(group.starts_with(b"0") || find(group, b'.').is_some()))
}

/// Whether a path has a segment that browsers resolve: `.` or `..`, also in escapes.
pub(crate) fn has_dot_segment(path: &str) -> bool {
    path.as_bytes().split(|byte| *byte == b'/').any(|segment| {
        let (mut rest, mut dots) = (segment, 0_u8);
        while let [b'.', others @ ..] | [b'%', b'2', b'e' | b'E', others @ ..] = rest {
            (rest, dots) = (others, dots.saturating_add(1));
        }
        rest.is_empty() && matches!(dots, 1 | 2)
    })
}

pub(crate) fn cut(text: &str, delimiter: u8) -> (&str, Option<&str>) {
    cut_at(text, delimiter).map_or((text, None), |(head, tail)| (head, Some(tail)))
}

/// RFC 1035 section 2.3.4.
const LABEL_MAX: usize = 63;
const NAME_MAX: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_host_is_a_name_or_an_address() {
        let labels = |count: usize| "a.".repeat(count);
        let label = |length: usize| "a".repeat(length);
        for good in [
            "as.example",
            "as.example.",
            "AS-1_x.example",
            "localhost",
            "a",
            "1a.2b",
            "10.example",
            "xn--bcher-kva.example",
            "xn-.example",
            "0xg",
            "127.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::ffff:1.2.3.4]",
            &label(63),
            &labels(127),
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            ".",
            ".a",
            "a..b",
            "a..",
            "256.0.0.1",
            "127.0.0.1.",
            "1.2.3",
            "1",
            "01.2.3.4",
            "a.1",
            "a.0x1F",
            "0x.0x.0",
            "0X7f000001",
            "%43%7C",
            "a%C2%ADb",
            "xn--",
            "xn--.example",
            "a.XN--",
            "xn--a-",
            "a b",
            "a~b",
            "a!b",
            "a*b",
            "a,b",
            "é",
            "[0:1.23.23]",
            "[0::0::0]",
            "[::1",
            "[]",
            "[v1.a]",
            "[fe80::1%25lo]",
            &label(64),
            &labels(128),
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }

    #[test]
    fn browsers_show_some_hosts_and_paths_otherwise() {
        for good in [
            "as.example",
            "127.0.0.1",
            "[::1]",
            "[2001:db8::1]",
            "[2001:db8:0:1::]",
            "[::1:0:0:0]",
            "[::]",
            "[1::]",
            "[1:2:3:4:5:6:7:8]",
            "[1:0:3:4:5:6:7:8]",
            "[1:0:0:4::8]",
        ] {
            assert!(is_as_shown(good), "{good}");
        }
        for bad in [
            "As.example",
            "[0:0:0:0:0:0:0:1]",
            "[::0001]",
            "[2001:DB8::1]",
            "[2001:db8::0:1]",
            "[01::]",
            "[1:0:0:4:5:6:7:8]",
            "[::ffff:1.2.3.4]",
        ] {
            assert!(!is_as_shown(bad), "{bad}");
        }
        for bad in ["/.", "/..", "/./cb", "/a/../cb", "/%2e/cb", "/a/%2E%2e", "/.%2e/cb", "/%2e.", "/a/."] {
            assert!(has_dot_segment(bad), "{bad}");
        }
        for good in ["", "/", "/cb", "/...", "/.a", "/a.", "/a..b", "/%2e%2e%2e", "/%252e", "/.well-known/x", "//"] {
            assert!(!has_dot_segment(good), "{good}");
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
}
