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
        let parts = uri::split(redirect_uri).filter(|parts| parts.scheme == "http")?;
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
    /// How far the search for the end of the head has come.
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
        let from = self.scanned.saturating_sub(3);
        let window = received.get(from..).unwrap_or_default();
        let end = window.windows(4).position(|four| four == b"\r\n\r\n").map(|at| from.saturating_add(at));
        self.scanned = received.len();
        match end {
            Some(end) if end <= HEAD_MAX => match read_head(received.get(..end).unwrap_or_default(), client, pending) {
                Ok(redirect) => Step::Callback(redirect),
                Err(reply) => Step::Refuse(reply),
            },
            _ if received.len() > HEAD_MAX => {
                let line = received.iter().take(TARGET_MAX).any(|octet| *octet == b'\n');
                Step::Refuse(if line { Reply::HeadTooLarge } else { Reply::UriTooLong })
            }
            _ => Step::More,
        }
    }
}

/// The answer to a request that is no `GET`, as soon as that is certain.
fn refused_method(received: &[u8]) -> Option<Reply> {
    let method = received.iter().take(METHOD_MAX).position(|octet| !octet.is_ascii_alphabetic());
    match method.and_then(|at| received.get(at)) {
        Some(b' ') => Some(Reply::MethodNotAllowed),
        Some(_) => Some(Reply::BadRequest),
        None if received.len() >= METHOD_MAX => Some(Reply::BadRequest),
        None => None,
    }
}

/// Reads a whole head, without its final empty line (RFC 9112 sections 2, 3 and 5).
fn read_head<'r>(head: &'r [u8], client: Client<'_>, pending: &Pending) -> Result<Redirect<'r>, Reply> {
    let head = core::str::from_utf8(head).map_err(|_| Reply::BadRequest)?;
    let mut lines = head.split("\r\n");
    let line = lines.next().and_then(|line| line.strip_prefix("GET ")).ok_or(Reply::BadRequest)?;
    let (target, version) = line.split_once(' ').ok_or(Reply::BadRequest)?;
    if target.len() > TARGET_MAX {
        return Err(Reply::UriTooLong);
    }
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") || !is_target(target) {
        return Err(Reply::BadRequest);
    }
    let host = read_fields(lines)?;
    let authority = authority_of(client.redirect_uri());
    if host != authority {
        return Err(Reply::Misdirected);
    }
    let redirect = if target.starts_with('/') {
        Redirect::Target(target)
    } else if target.strip_prefix("http://").is_some_and(|rest| rest.split(['/', '?']).next() == Some(authority)) {
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

/// Checks every header field, and finds the host.
fn read_fields<'r>(lines: impl Iterator<Item = &'r str>) -> Result<&'r str, Reply> {
    let mut host = None;
    for (count, line) in lines.enumerate() {
        let (name, value) = line.split_once(':').ok_or(Reply::BadRequest)?;
        let value = value.trim_matches([' ', '\t']);
        if count >= FIELDS_MAX {
            return Err(Reply::HeadTooLarge);
        }
        if name.is_empty()
            || !name.bytes().all(is_token)
            || value.bytes().any(|octet| octet != b'\t' && octet.is_ascii_control())
        {
            return Err(Reply::BadRequest);
        }
        if name.eq_ignore_ascii_case("host") && host.replace(value).is_some() {
            return Err(Reply::BadRequest);
        }
        let body = name.eq_ignore_ascii_case("content-length") && value != "0";
        if body || name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Reply::BadRequest);
        }
    }
    host.filter(|host| !host.is_empty()).ok_or(Reply::BadRequest)
}

fn authority_of(redirect_uri: &str) -> &str {
    uri::split(redirect_uri).and_then(|parts| parts.authority).unwrap_or_default()
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
const METHOD_MAX: usize = 32;
const TARGET_MAX: usize = 48 * 1024;
