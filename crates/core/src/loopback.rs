//! The loopback redirect receiver (RFC 8252 section 7.3) without sockets: bytes in, a step out.
//!
//! Bind [`Loopback::addresses`] at [`Loopback::port`] first, then begin the login with the redirect URI [`Loopback::at`] the
//! bound address. Feed what a connection sends to an [`Connection`] of its own. On [`Verdict::Refuse`], answer and keep
//! listening: the request came from a stranger. Only [`Verdict::Callback`] carries the login's own state: pass it to
//! [`Pending::accept`](crate::Pending::accept), and answer [`Reply::SignedIn`] or [`Reply::Refused`].

mod reply;

pub use reply::Reply;

use crate::client::Client;
use crate::flow::{Pending, Redirect, arrived};
use crate::wire::uri::{self, Uri};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::{fmt, iter, mem};

/// The longest request head that is read, in bytes.
pub const HEAD_MAX: usize = 64 * 1024;

/// Where to listen, read from a redirect URI.
///
/// ```
/// use proofkey_core::loopback::Loopback;
///
/// let loopback = Loopback::of("http://127.0.0.1/callback").expect("a loopback address");
/// let listener = std::net::TcpListener::bind((loopback.addresses().next().expect("an address"), 0))?;
/// let redirect_uri = loopback.at(listener.local_addr()?).to_string();
/// assert!(redirect_uri.starts_with("http://127.0.0.1:") && redirect_uri.ends_with("/callback"));
/// assert!(Loopback::of("https://app.example/callback").is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Loopback<'a> {
    /// None for `localhost`.
    literal: Option<IpAddr>,
    port: Option<u16>,
    path_and_query: &'a str,
}

impl<'a> Loopback<'a> {
    /// Reads a redirect URI. None unless it is `http://` with a loopback address, or with exactly `localhost`.
    #[must_use]
    pub fn of(redirect_uri: &'a str) -> Option<Self> {
        let parts = uri::split(redirect_uri)?;
        let (host, port) = parts.host_and_port()?;
        let literal = match host {
            LOCALHOST => None,
            host => Some(uri::ip_literal(host).filter(IpAddr::is_loopback)?),
        };
        let path_and_query = redirect_uri.strip_prefix("http://")?.strip_prefix(parts.authority?)?;
        Some(Self { literal, port, path_and_query })
    }

    /// The addresses to bind, all at the same port: the literal address, or 127.0.0.1 and `::1` for `localhost`, since
    /// a browser may try either. Leave out an address that this machine does not have. A port that is taken at one of them
    /// must end the login: whoever holds it would receive the code.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let second = self.literal.is_none().then_some(IPV6);
        iter::once(self.literal.unwrap_or(IPV4)).chain(second)
    }

    /// The address to bind instead if this machine has none of [`addresses`](Self::addresses): `::1` for 127.0.0.1 without
    /// a port (RFC 8252 section 7.3).
    #[must_use]
    pub fn stand_in(&self) -> Option<IpAddr> {
        (self.literal == Some(IPV4) && self.port.is_none()).then_some(IPV6)
    }

    /// The port to bind. None if any port will do.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The redirect URI at the address that was bound. For `localhost`, only the port of `bound` counts.
    pub fn at(&self, bound: SocketAddr) -> impl fmt::Display + 'a {
        At { loopback: *self, bound }
    }
}

struct At<'a> {
    loopback: Loopback<'a>,
    bound: SocketAddr,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { loopback: Loopback { literal, path_and_query, .. }, bound } = *self;
        match literal {
            Some(_) => write!(f, "http://{bound}{path_and_query}"),
            None => write!(f, "http://{LOCALHOST}:{}{path_and_query}", bound.port()),
        }
    }
}

/// What to do after reading.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'r> {
    /// The redirect of this login.
    Callback(Redirect<'r>),
    /// The request is not whole yet: read on.
    More,
    /// Not the redirect of this login: answer, close, and go on listening.
    Refuse(Reply),
}

/// One HTTP request on one connection.
///
/// ```
/// use getrandom::SysRng;
/// use proofkey_core::loopback::{Connection, Reply, Verdict};
/// use proofkey_core::{Client, Server};
///
/// let client = Client::new("my-app", "http://127.0.0.1:49152/callback", Server::ITWIN)?;
/// let (_url, pending) = client.authorize(&["itwin-platform"], &mut SysRng)?;
///
/// let mut connection = Connection::new();
/// let stranger = b"GET /callback?code=C&state=guessed HTTP/1.1\r\nhost: 127.0.0.1:49152\r\n\r\n";
/// assert!(matches!(connection.read(stranger, client, &pending), Verdict::Refuse(Reply::BadRequest)));
///
/// let mut connection = Connection::new();
/// let target = format!("/callback?code=C&state={}", pending.state().expose());
/// let browser = format!("GET {target} HTTP/1.1\r\nhost: 127.0.0.1:49152\r\n\r\n");
/// assert!(matches!(connection.read(&browser.as_bytes()[..20], client, &pending), Verdict::More));
/// let Verdict::Callback(redirect) = connection.read(browser.as_bytes(), client, &pending) else { unreachable!() };
/// let request = pending.accept(client, redirect)?;
/// print!("{}", Reply::SignedIn);
/// # let _ = request;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// How far the search for line ends has come.
    scanned: usize,
}

impl Connection {
    /// A connection that has sent nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { scanned: 0 }
    }

    /// Reads all that the connection has sent so far. `client` is the one that began the login, with the redirect URI of
    /// the bound address. The work is linear, however small the pieces.
    pub fn read<'r>(&mut self, received: &'r [u8], client: Client<'_>, pending: &Pending) -> Verdict<'r> {
        if !received.iter().zip(b"GET ").all(|(byte, expected)| byte == expected) {
            return match refused_method(received) {
                Some(reply) => Verdict::Refuse(reply),
                None => Verdict::More,
            };
        }
        let seen = received.get(..HEAD_MAX).unwrap_or(received);
        let from = mem::replace(&mut self.scanned, seen.len());
        for (at, _) in seen.iter().enumerate().skip(from).filter(|(_, byte)| **byte == b'\n') {
            let Some(lines) = seen.get(..at).and_then(|text| text.strip_suffix(b"\r")) else {
                return Verdict::Refuse(Reply::BadRequest);
            };
            if lines.ends_with(b"\r\n") {
                return match read_head(lines, client, pending) {
                    Ok(redirect) => Verdict::Callback(redirect),
                    Err(reply) => Verdict::Refuse(reply),
                };
            }
        }
        if received.len() <= HEAD_MAX {
            return Verdict::More;
        }
        let line = received.iter().take(LINE_MAX).any(|byte| *byte == b'\n');
        Verdict::Refuse(if line { Reply::HeadTooLarge } else { Reply::UriTooLong })
    }
}

/// The answer to a request that is not a `GET`, as soon as that is certain.
fn refused_method(received: &[u8]) -> Option<Reply> {
    let method = received.iter().take(METHOD_MAX).position(|byte| !byte.is_ascii_alphabetic());
    match method.and_then(|at| received.get(at)) {
        Some(b' ') if method != Some(0) => Some(Reply::MethodNotAllowed),
        Some(_) => Some(Reply::BadRequest),
        None if received.len() >= METHOD_MAX => Some(Reply::BadRequest),
        None => None,
    }
}

/// Reads a whole head, without its final empty line (RFC 9112 sections 2, 3 and 5).
fn read_head<'r>(head: &'r [u8], client: Client<'_>, pending: &Pending) -> Result<Redirect<'r>, Reply> {
    let mut lines = head.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r\n").unwrap_or(line));
    let line = lines.next().and_then(|line| str::from_utf8(line).ok()).ok_or(Reply::BadRequest)?;
    let (target, version) = line.strip_prefix("GET ").and_then(|rest| rest.split_once(' ')).ok_or(Reply::BadRequest)?;
    if target.len() > TARGET_MAX {
        return Err(Reply::UriTooLong);
    }
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") || !is_target(target) {
        return Err(Reply::BadRequest);
    }
    let own = uri::split(client.redirect_uri()).ok_or(Reply::Misdirected)?;
    if !is_own(&own, read_fields(lines)?) {
        return Err(Reply::Misdirected);
    }
    let redirect = match target.strip_prefix("http://") {
        None => Redirect::Target(target),
        Some(rest) => {
            let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            if !is_own(&own, authority) {
                return Err(Reply::Misdirected);
            }
            // The authority is checked. What is left is a request target, unless the path is empty.
            if rest.starts_with('/') { Redirect::Target(rest) } else { Redirect::Url(target) }
        }
    };
    if pending.matches(client, redirect) {
        Ok(redirect)
    } else if arrived(client, redirect) {
        Err(Reply::BadRequest)
    } else {
        Err(Reply::NotFound)
    }
}

/// Whether a request to `authority` is meant for the listener. At `localhost` the address that it stands for counts as
/// well: a proxy, or WSL, may write that.
fn is_own(own: &Uri<'_>, authority: &str) -> bool {
    // A client with plain http has no other host that begins so.
    let port = own.authority.filter(|_| own.scheme == "http").and_then(|own| own.strip_prefix(LOCALHOST));
    let theirs = ADDRESSES.into_iter().find_map(|address| authority.strip_prefix(address));
    own.is_authority(authority) || theirs.is_some_and(|theirs| Uri { authority: port, ..*own }.is_authority(theirs))
}

/// Checks every header field, and finds the host. Values may hold any byte that does not end them (RFC 9110 section 5.5).
fn read_fields<'r>(lines: impl Iterator<Item = &'r [u8]>) -> Result<&'r str, Reply> {
    let (mut host, mut length) = (None, None);
    for (count, line) in lines.enumerate() {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else { return Err(Reply::BadRequest) };
        if count >= FIELDS_MAX {
            return Err(Reply::HeadTooLarge);
        }
        if name.is_empty()
            || !name.iter().copied().all(is_token)
            || value.iter().fold(false, |bad, byte| bad | (*byte != b'\t' && byte.is_ascii_control()))
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
    (target.starts_with('/') || absolute) && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

const ADDRESSES: [&str; 2] = ["127.0.0.1", "[::1]"];
const IPV4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const IPV6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const LOCALHOST: &str = "localhost";
const FIELDS_MAX: usize = 100;
const LINE_MAX: usize = TARGET_MAX + "GET  HTTP/1.1\r\n".len();
const METHOD_MAX: usize = 32;
const TARGET_MAX: usize = 48 * 1024;
