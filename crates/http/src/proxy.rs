//! Which proxy a request goes through, as curl reads the environment.

use crate::secure::is_localhost;
use std::ffi::OsString;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::{env, error, fmt};
use zeroize::Zeroizing;

/// In curl's order: the first that is not empty counts.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Which proxy an https request goes through, by CONNECT. Plain http never uses one, since it is for this machine only.
///
/// ```
/// use proofkey_http::Proxies;
///
/// let proxies = Proxies::new("proxy.example:3128")?.with_exceptions("intern.example, 10.0.0.0/8");
/// let proxy = proxies.find("ims.bentley.com")?.expect("a proxy");
/// assert_eq!(proxy.as_str(), "http://proxy.example:3128");
/// assert!(proxies.find("git.intern.example")?.is_none());
/// # Ok::<(), proofkey_http::ProxyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    chosen: Option<Result<Proxy, ProxyError>>,
    exceptions: String,
}

/// An `http://` or `https://` proxy, from [`Proxies::find`].
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    url: Zeroizing<String>,
}

/// A proxy that cannot be used. It holds no part of the URL, which may have a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyError {
    variable: Option<&'static str>,
    fault: ProxyFault,
}

/// What is wrong with a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyFault {
    /// It is not the URL of a proxy.
    NotUrl,
    /// The value of the variable is not UTF-8.
    NotUtf8,
    /// It is neither an `http://` nor an `https://` proxy. The scheme is known only if it is one of SOCKS.
    Unsupported(Option<&'static str>),
}

impl Proxies {
    /// Never a proxy.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The proxy of the environment, as curl reads it: `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`, and the
    /// exceptions of `no_proxy` or `NO_PROXY`. An empty variable counts as unset.
    #[must_use]
    pub fn from_env() -> Self {
        Self::read(|name| env::var_os(name))
    }

    /// One proxy for all https requests. Without a scheme it is `http://`; the port is 1080, or 443 for `https://`,
    /// unless the URL says otherwise.
    ///
    /// # Errors
    ///
    /// If it is not a URL, or the proxy is of a kind that is not supported.
    pub fn new(url: &str) -> Result<Self, ProxyError> {
        let proxy = Proxy::parse(url).map_err(|fault| ProxyError { variable: None, fault })?;
        Ok(Self { chosen: Some(Ok(proxy)), exceptions: String::new() })
    }

    /// Replaces the hosts that are connected to directly. The grammar is that of `NO_PROXY`: names (with their
    /// subdomains), addresses and CIDR blocks, separated by commas or blanks, or a single `*` for all hosts. As in curl,
    /// an entry with a port matches nothing.
    #[must_use]
    pub fn with_exceptions(self, no_proxy: &str) -> Self {
        Self { exceptions: no_proxy.to_owned(), ..self }
    }

    /// Replaces them by the hosts of `no_proxy` or `NO_PROXY`.
    #[must_use]
    pub fn with_exceptions_from_env(self) -> Self {
        Self { exceptions: exceptions(|name| env::var_os(name)), ..self }
    }

    /// The proxy for an https request to this host, an IPv6 address with or without brackets; none if the request is sent
    /// directly. A loopback address and `localhost` never have a proxy.
    ///
    /// # Errors
    ///
    /// If the proxy of the environment cannot be used. The request must not be sent directly instead.
    pub fn find(&self, host: &str) -> Result<Option<&Proxy>, ProxyError> {
        let Some(chosen) = &self.chosen else { return Ok(None) };
        if self.is_excepted(host) { Ok(None) } else { chosen.as_ref().map(Some).map_err(|error| *error) }
    }

    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let chosen = first(&VARIABLES, &variable).map(|(name, value)| {
            let value = value.into_string().map(Zeroizing::new).map_err(|_| ProxyFault::NotUtf8);
            let proxy = value.and_then(|value| Proxy::parse(&value));
            proxy.map_err(|fault| ProxyError { variable: Some(name), fault })
        });
        Self { chosen, exceptions: exceptions(variable) }
    }

    fn is_excepted(&self, host: &str) -> bool {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let ip = ipv4(host).map(IpAddr::V4).or_else(|| host.parse().ok());
        let name = host.strip_suffix('.').unwrap_or(host);
        if is_localhost(name) || ip.is_some_and(|ip| ip.to_canonical().is_loopback()) || self.exceptions == "*" {
            return true;
        }
        let mut entries = self.exceptions.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
        entries.any(|entry| ip.map_or_else(|| is_in_domain(name, entry), |ip| is_in_block(ip, entry)))
    }
}

impl Proxy {
    /// Its URL, always with a port and without a path: `http://user:password@proxy.example:1080`. User name and password
    /// are percent-encoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    fn parse(value: &str) -> Result<Self, ProxyFault> {
        if value.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(ProxyFault::NotUrl);
        }
        let (scheme, rest) = match value.split_once(":/") {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(known(scheme)?), rest),
            _ => (None, value),
        };
        // As in curl, one to three slashes.
        let rest = scheme.map_or(rest, |_| ["//", "/"].iter().find_map(|more| rest.strip_prefix(more)).unwrap_or(rest));
        let port = if scheme == Some("https") { 443 } else { 1080 };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, address) = authority.split_once('@').unwrap_or(("", authority));
        let end = if address.starts_with('[') { address.find(']').map(|at| at + 1) } else { address.find(':') };
        let (host, after) = address.split_at(end.unwrap_or(address.len()));
        let port = match after.strip_prefix(':') {
            Some("") if scheme.is_some() => port,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse::<NonZeroU16>().map_err(|_| ProxyFault::NotUrl)?.get()
            }
            None if after.is_empty() => port,
            _ => return Err(ProxyFault::NotUrl),
        };
        let host = normalised(host).ok_or(ProxyFault::NotUrl)?;
        let mut url = Zeroizing::new(String::with_capacity(3 * value.len() + 64));
        url.extend([scheme.unwrap_or("http"), "://"]);
        if !user.is_empty() {
            let (user, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
            escape(user, &mut url).ok_or(ProxyFault::NotUrl)?;
            if let Some(password) = password {
                url.push(':');
                escape(password, &mut url).ok_or(ProxyFault::NotUrl)?;
            }
            url.push('@');
        }
        url.extend([&*host, ":", &port.to_string()]);
        Ok(Self { url })
    }
}

impl ProxyError {
    /// The environment variable that names the proxy; none if the program does.
    #[must_use]
    pub const fn variable(&self) -> Option<&'static str> {
        self.variable
    }

    /// What is wrong with the proxy.
    #[must_use]
    pub const fn fault(&self) -> ProxyFault {
        self.fault
    }
}

/// The first of these variables that is not empty.
fn first(names: &[&'static str], variable: impl Fn(&str) -> Option<OsString>) -> Option<(&'static str, OsString)> {
    names.iter().find_map(|name| Some((*name, variable(name).filter(|value| !value.is_empty())?)))
}

fn exceptions(variable: impl Fn(&str) -> Option<OsString>) -> String {
    first(&EXCEPTIONS, variable).map(|(_, value)| value.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn known(scheme: &str) -> Result<&'static str, ProxyFault> {
    const SOCKS: [&str; 5] = ["socks", "socks4", "socks4a", "socks5", "socks5h"];
    let find = |names: &[&'static str]| names.iter().find(|name| name.eq_ignore_ascii_case(scheme)).copied();
    find(&["http", "https"]).ok_or_else(|| ProxyFault::Unsupported(find(&SOCKS)))
}

/// A host that the `http` and `url` crates both take.
fn normalised(host: &str) -> Option<String> {
    if let Some(literal) = host.strip_prefix('[') {
        let ip: Ipv6Addr = literal.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{ip}]"));
    }
    if let Some(ip) = ipv4(host) {
        return Some(ip.to_string());
    }
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next()?;
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number =
        hex.unwrap_or(last).bytes().all(|byte| byte.is_ascii_digit() || hex.is_some() && byte.is_ascii_hexdigit());
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_name && !is_number).then(|| host.to_ascii_lowercase())
}

/// Appends a user name or a password so that whoever decodes it reads the same; none if it has control characters
/// (RFC 7617 section 2) or is not UTF-8.
fn escape(text: &str, into: &mut String) -> Option<()> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.first_chunk::<2>().filter(|hex| *first == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let byte = match hex {
            Some(hex) => u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()?,
            None => *first,
        };
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(byte.into());
        } else {
            write!(into, "%{byte:02X}").ok()?;
        }
        decoded.push(byte);
        rest = &after[if hex.is_some() { 2 } else { 0 }..];
    }
    str::from_utf8(&decoded).ok()?.bytes().all(|byte| !byte.is_ascii_control()).then_some(())
}

/// An IPv4 address in any spelling that curl takes: `127.1`, `0x7f000001`, `0177.0.0.1`.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    let mut parts = host.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let last = parts.pop()?;
    if parts.len() > 3 || parts.iter().any(|part| *part > 255) || u64::from(last) >> (32 - 8 * parts.len()) != 0 {
        return None;
    }
    Some(parts.iter().zip([24, 16, 8]).fold(last, |bits, (part, shift)| bits | part << shift).into())
}

fn number(text: &str) -> Option<u32> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match hex {
        Some(hex) => (hex, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    // `from_str_radix` also takes a sign.
    if digits.starts_with('+') { None } else { u32::from_str_radix(digits, radix).ok() }
}

fn is_in_domain(name: &str, entry: &str) -> bool {
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    let (name, domain) = (name.as_bytes(), entry.strip_prefix('.').unwrap_or(entry).as_bytes());
    let Some((before, tail)) = name.len().checked_sub(domain.len()).map(|at| name.split_at(at)) else { return false };
    tail.eq_ignore_ascii_case(domain) && before.last().is_none_or(|byte| *byte == b'.')
}

fn is_in_block(ip: IpAddr, entry: &str) -> bool {
    let (block, length) = entry.split_once('/').unwrap_or((entry, "0"));
    let length = length.parse().ok().filter(|_| !length.starts_with('+')).unwrap_or(u32::MAX);
    let differ = |bits: u128, width: u32| match length {
        // As in curl, this is one address and not all.
        0 => bits != 0,
        _ => width.checked_sub(length).is_none_or(|rest| bits >> rest != 0),
    };
    match (ip, block.parse()) {
        (IpAddr::V4(ip), Ok(IpAddr::V4(block))) => !differ((ip.to_bits() ^ block.to_bits()).into(), 32),
        (IpAddr::V6(ip), Ok(IpAddr::V6(block))) => !differ(ip.to_bits() ^ block.to_bits(), 128),
        _ => false,
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.url.split_once("://").unwrap_or_default();
        write!(f, "Proxy({scheme}://{})", rest.rsplit('@').next().unwrap_or_default())
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.variable.unwrap_or("the proxy"))?;
        match self.fault {
            ProxyFault::NotUrl => {
                f.write_str(" is not the URL of a proxy; write http://HOST:PORT or https://HOST:PORT")
            }
            ProxyFault::NotUtf8 => f.write_str(" is not UTF-8"),
            ProxyFault::Unsupported(scheme) => {
                f.write_str(": ")?;
                match scheme {
                    Some(scheme) => write!(f, "{scheme}:// proxies")?,
                    None => f.write_str("proxies of this kind")?,
                }
                f.write_str(" are not supported; use an http:// or https:// proxy")
            }
        }
    }
}

impl error::Error for ProxyError {}

#[cfg(test)]
mod tests;
