//! The hosts that the token may be sent to (RFC 9700 section 4.9).

use http::Uri;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A host that may receive the token: matched exactly, at the scheme's default port if none is given.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct ApiHost {
    host: String,
    port: Option<u16>,
}

impl ApiHost {
    fn admits(&self, target: &Target) -> bool {
        self.host == target.host && self.port.unwrap_or(target.default_port) == target.port
    }
}

impl FromStr for ApiHost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let target = Target::of(&format!("https://{text}/"));
        match target {
            Some(Target { host, port, .. }) if !text.contains(['/', '?', '#', '*']) => {
                Ok(Self { port: text.ends_with(&format!(":{port}")).then_some(port), host })
            }
            _ => Err("write HOST or HOST:PORT, without scheme, path or wildcard"),
        }
    }
}

impl TryFrom<String> for ApiHost {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ApiHost> for String {
    fn from(host: ApiHost) -> Self {
        host.to_string()
    }
}

impl fmt::Display for ApiHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Scheme, host and port of a URL: they decide who sees the token.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    default_port: u16,
    https: bool,
}

impl Target {
    /// Parses an absolute http or https URL without a user name.
    pub fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        let (https, default_port) = match uri.scheme_str()? {
            "http" => (false, 80),
            "https" => (true, 443),
            _ => return None,
        };
        let host = authority.host();
        let rest = authority.as_str().strip_prefix(host)?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if rest.is_empty() => default_port,
            None => return None,
        };
        (!host.is_empty()).then(|| Self { host: host.to_ascii_lowercase(), port, default_port, https })
    }

    /// The host as `--api-host` takes it.
    pub fn api_host(&self) -> ApiHost {
        ApiHost { host: self.host.clone(), port: (self.port != self.default_port).then_some(self.port) }
    }

    /// Whether the URL names this machine.
    pub fn is_loopback(&self) -> bool {
        let literal = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        self.host == "localhost"
            || self.host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback())
            || literal.and_then(|host| host.parse().ok()).is_some_and(|ip: Ipv6Addr| ip.is_loopback())
    }

    /// Whether nobody on the network can read the request.
    pub fn is_private(&self) -> bool {
        self.https || self.is_loopback()
    }

    /// Whether the token may go there: to a host that is allowed, or back to the server that issued it. The token of a server
    /// on this machine may go to any port of this machine.
    pub fn is_allowed<'h>(&self, mut allowed: impl Iterator<Item = &'h ApiHost>, token_endpoint: &str) -> bool {
        let home = Self::of(token_endpoint);
        allowed.any(|host| host.admits(self))
            || home.is_some_and(|home| home == *self || (home.is_loopback() && self.is_loopback()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(url: &str, hosts: &[&str], token_endpoint: &str) -> bool {
        let hosts: Vec<ApiHost> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        let Some(target) = Target::of(url) else { return false };
        target.is_private() && target.is_allowed(hosts.iter(), token_endpoint)
    }

    #[test]
    fn the_token_goes_to_named_hosts_only() {
        for (url, fine) in [
            ("https://api.example.com/x", true),
            ("https://API.EXAMPLE.com/x?y", true),
            ("https://api.example.com:443/", true),
            ("https://api.example.com:444/", false),
            ("http://api.example.com/", false),
            ("https://api.example.com.evil.example/", false),
            ("https://evil.example/api.example.com", false),
            ("https://api.example.com@evil.example/", false),
            ("https://evil.example@api.example.com/", false),
            ("https://api.example.com@api.example.com/", false),
            ("https://evil.example\\@api.example.com/", false),
            ("https://evil.example#@api.example.com/", false),
            ("https://sub.api.example.com/", false),
            ("https://other.example:8443/", true),
            ("https://other.example/", false),
            ("https://as.example/userinfo", true),
            ("http://as.example/userinfo", false),
            ("https://127.0.0.1/", false),
            ("api.example.com/x", false),
            ("/x", false),
            ("ftp://api.example.com/x", false),
        ] {
            let hosts = ["api.example.com", "Other.example:8443"];
            assert_eq!(allowed(url, &hosts, "https://as.example/token"), fine, "{url}");
        }
    }

    #[test]
    fn a_server_on_this_machine_serves_apis_on_this_machine() {
        for url in ["http://127.0.0.1:8080/x", "http://[::1]:9/x", "https://localhost/x", "http://127.9.9.9/"] {
            assert!(allowed(url, &[], "http://127.0.0.1:4000/token"), "{url}");
            assert!(!allowed(url, &[], "https://as.example/token"), "{url}");
        }
        for url in
            ["http://127.0.0.1.evil.example/", "http://0.0.0.0/", "https://as.example/", "http://localhost.evil/"]
        {
            assert!(!allowed(url, &[], "http://127.0.0.1:4000/token"), "{url}");
        }
        assert!(allowed("http://127.0.0.1:8080/x", &["127.0.0.1:8080"], "https://as.example/token"));
    }

    #[test]
    fn a_host_is_no_url() {
        for bad in ["", "https://h", "h/", "h/p", "h?q", "h#f", "u@h", "*.h", "h:", "h:x", "h:70000", "h h", ":1"] {
            assert!(bad.parse::<ApiHost>().is_err(), "{bad:?}");
        }
        for good in ["h", "h:1", "h:443", "[::1]", "[::1]:8080", "127.0.0.1:80"] {
            assert_eq!(good.parse::<ApiHost>().unwrap().to_string(), good);
        }
    }
}
