//! The loopback redirect receiver (RFC 8252 section 7.3) without sockets: octets in, a step out.
//!
//! Bind [`Loopback::ip`] and [`Loopback::port`] first, then begin the login with the redirect URI [`Loopback::at`] the
//! bound address. Feed what a connection sends to an [`Exchange`] of its own. A [`Step::Refuse`] is a stranger's: answer it,
//! and go on listening. Only [`Step::Callback`] carries the login's own state: hand it to
//! [`Pending::accept`](crate::Pending::accept), and answer [`Reply::SignedIn`] or [`Reply::Refused`].

mod reply;

pub use reply::Reply;

use crate::authorize::{Pending, Redirect, arrived};
use crate::client::Client;
use crate::wire::uri;
use core::fmt;
use core::mem;
use core::net::{IpAddr, SocketAddr};

/// The longest head of a request that is read, in octets.
pub const HEAD_MAX: usize = 64 * 1024;

/// Where to listen, read from a redirect URI.
#[derive(Clone, Copy, Debug)]
pub struct Loopback<'a> {
    ip: IpAddr,
    port: Option<u16>,
    path_and_query: &'a str,
}

impl<'a> Loopback<'a> {
    /// None where the redirect URI is not `http://` with a loopback address.
    #[must_use]
    pub fn of(redirect_uri: &'a str) -> Option<Self> {
        let parts = uri::split(redirect_uri)?;
        let (host, port) = parts.host_and_port()?;
        let ip = uri::ip_literal(host).filter(IpAddr::is_loopback)?;
        let path_and_query = redirect_uri.strip_prefix("http://")?.strip_prefix(parts.authority?)?;
        Some(Self { ip, port, path_and_query })
    }

    /// The address to bind.
    #[must_use]
    pub const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The port to bind; none where any will do.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The redirect URI at the address that was bound.
    pub fn at(&self, bound: SocketAddr) -> impl fmt::Display + 'a {
        At { bound, path_and_query: self.path_and_query }
    }
}

struct At<'a> {
    bound: SocketAddr,
    path_and_query: &'a str,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.bound, self.path_and_query)
    }
}

/// What to do after reading.
#[derive(Clone, Copy, Debug)]
pub enum Step<'r> {
    /// The redirect of this login.
    Callback(Redirect<'r>),
    /// The request is not whole yet: read on.
    More,
    /// Not the redirect of this login: answer, close, and go on listening.
    Refuse(Reply),
}

/// One HTTP request on one connection.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// How far the search for line ends has come.
    scanned: usize,
}

impl Exchange {
    /// A connection that has sent nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { scanned: 0 }
    }

    /// Reads all that the connection has sent so far. `client` is the one that began the login, with the redirect URI of
    /// the bound address. The work is linear, however small the pieces.
    pub fn read<'r>(&mut self, received: &'r [u8], client: Client<'_>, pending: &Pending) -> Step<'r> {
        if !received.iter().zip(b"GET ").all(|(octet, expected)| octet == expected) {
            return match refused_method(received) {
                Some(reply) => Step::Refuse(reply),
                None => Step::More,
            };
        }
        let seen = received.get(..HEAD_MAX).unwrap_or(received);
        let from = mem::replace(&mut self.scanned, seen.len());
        for (at, _) in seen.iter().enumerate().skip(from).filter(|(_, octet)| **octet == b'\n') {
            let Some(lines) = seen.get(..at).and_then(|text| text.strip_suffix(b"\r")) else {
                return Step::Refuse(Reply::BadRequest);
            };
            if lines.ends_with(b"\r\n") {
                return match read_head(lines, client, pending) {
                    Ok(redirect) => Step::Callback(redirect),
                    Err(reply) => Step::Refuse(reply),
                };
            }
        }
        if received.len() <= HEAD_MAX {
            return Step::More;
        }
        let line = received.iter().take(LINE_MAX).any(|octet| *octet == b'\n');
        Step::Refuse(if line { Reply::HeadTooLarge } else { Reply::UriTooLong })
    }
}

/// The answer to a request that is no `GET`, as soon as that is certain.
fn refused_method(received: &[u8]) -> Option<Reply> {
    let method = received.iter().take(METHOD_MAX).position(|octet| !octet.is_ascii_alphabetic());
    match method.and_then(|at| received.get(at)) {
        Some(b' ') if method != Some(0) => Some(Reply::MethodNotAllowed),
        Some(_) => Some(Reply::BadRequest),
        None if received.len() >= METHOD_MAX => Some(Reply::BadRequest),
        None => None,
    }
}

/// Reads a whole head, without its final empty line (RFC 9112 sections 2, 3 and 5).
fn read_head<'r>(head: &'r [u8], client: Client<'_>, pending: &Pending) -> Result<Redirect<'r>, Reply> {
    let mut lines =
        head.split_inclusive(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r\n").unwrap_or(line));
    let line = lines.next().and_then(|line| str::from_utf8(line).ok()).ok_or(Reply::BadRequest)?;
    let (target, version) = line.strip_prefix("GET ").and_then(|rest| rest.split_once(' ')).ok_or(Reply::BadRequest)?;
    if target.len() > TARGET_MAX {
        return Err(Reply::UriTooLong);
    }
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") || !is_target(target) {
        return Err(Reply::BadRequest);
    }
    let own = uri::split(client.redirect_uri()).ok_or(Reply::Misdirected)?;
    if !own.is_authority(read_fields(lines)?) {
        return Err(Reply::Misdirected);
    }
    let redirect = if target.starts_with('/') {
        Redirect::Target(target)
    } else if target
        .strip_prefix("http://")
        .and_then(|rest| rest.split(['/', '?']).next())
        .is_some_and(|authority| own.is_authority(authority))
    {
        Redirect::Url(target)
    } else {
        return Err(Reply::Misdirected);
    };
    if pending.matches(client, redirect) {
        Ok(redirect)
    } else if arrived(client, redirect) {
        Err(Reply::BadRequest)
    } else {
        Err(Reply::NotFound)
    }
}

/// Checks every header field, and finds the host. Values may hold any octet that does not end them (RFC 9110 section 5.5).
fn read_fields<'r>(lines: impl Iterator<Item = &'r [u8]>) -> Result<&'r str, Reply> {
    let (mut host, mut length) = (None, None);
    for (count, line) in lines.enumerate() {
        let mut parts = line.splitn(2, |octet| *octet == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else { return Err(Reply::BadRequest) };
        if count >= FIELDS_MAX {
            return Err(Reply::HeadTooLarge);
        }
        if name.is_empty()
            || !name.iter().copied().all(is_token)
            || value.iter().fold(false, |bad, octet| bad | (*octet != b'\t' && octet.is_ascii_control()))
        {
            return Err(Reply::BadRequest);
        }
        let value = value.trim_ascii();
        if name.eq_ignore_ascii_case(b"host") && host.replace(value).is_some() {
            return Err(Reply::BadRequest);
        }
        let body = name.eq_ignore_ascii_case(b"content-length") && (value != b"0" || length.replace(value).is_some());
        if body || name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Err(Reply::BadRequest);
        }
    }
    host.filter(|host| !host.is_empty()).and_then(|host| str::from_utf8(host).ok()).ok_or(Reply::BadRequest)
}

/// Origin form or absolute form (RFC 9112 section 3.2), of visible ASCII without a fragment.
fn is_target(target: &str) -> bool {
    let absolute = target.strip_prefix("http://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?']));
    (target.starts_with('/') || absolute) && target.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#')
}

const fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

const FIELDS_MAX: usize = 100;
const LINE_MAX: usize = TARGET_MAX + "GET  HTTP/1.1\r\n".len();
const METHOD_MAX: usize = 32;
const TARGET_MAX: usize = 48 * 1024;
