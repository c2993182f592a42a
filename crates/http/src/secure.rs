//! What a request may be sent to.

use std::net::IpAddr;

/// Whether a request may go to this scheme and host: https, or plain http to a loopback address or `localhost`. An IPv6
/// address has its brackets or not.
///
/// ```
/// use proofkey_http::is_secure;
///
/// assert!(is_secure(Some("https"), Some("as.example")));
/// assert!(is_secure(Some("http"), Some("127.0.0.1")));
/// assert!(!is_secure(Some("http"), Some("as.example")));
/// ```
#[must_use]
pub fn is_secure(scheme: Option<&str>, host: Option<&str>) -> bool {
    let host = host.unwrap_or_default();
    match scheme {
        Some("https") => true,
        Some("http") => is_localhost(host) || address(host).is_some_and(|ip| ip.is_loopback()),
        _ => false,
    }
}

/// Whether it is the name that is always this machine's, whatever a name server says (RFC 6761 section 6.3). [`is_secure`] takes it.
#[must_use]
pub fn is_localhost(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
}

/// The address that a host names literally.
#[must_use]
pub fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for (scheme, host, expected) in [
            ("https", "as.example", true),
            ("http", "127.0.0.1", true),
            ("http", "127.8.8.8", true),
            ("http", "[::1]", true),
            ("http", "LOCALHOST", true),
            ("http", "as.example", false),
            ("http", "localhost.evil.example", false),
            ("http", "app.localhost", false),
            ("http", "192.168.1.1", false),
            ("http", "[::2]", false),
            ("ftp", "127.0.0.1", false),
        ] {
            assert_eq!(is_secure(Some(scheme), Some(host)), expected, "{scheme} {host}");
        }
        assert!(!is_secure(None, Some("127.0.0.1")) && !is_secure(Some("http"), None));
    }
}
