//! The sockets of a loopback redirect URI (RFC 8252 section 7.3).

use proofkey_core::loopback::Loopback;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::{error, fmt};

/// Where a login listens.
#[derive(Debug)]
pub struct Bound {
    /// A socket for each address, all at the same port. None of them blocks.
    pub sockets: Vec<(TcpListener, SocketAddr)>,
    /// The redirect URI with that port.
    pub redirect_uri: String,
}

/// An address that cannot be listened at.
#[derive(Debug)]
pub struct ListenError {
    /// The address. Its port is 0 if any port would do.
    pub address: SocketAddr,
    /// What the system says.
    pub source: io::Error,
}

/// Binds the addresses of a redirect URI, all at one port. An address that this machine does not have is left out, as long
/// as there is another one.
///
/// ```
/// use proofkey_core::loopback::Loopback;
/// use proofkey_http::bind;
///
/// let loopback = Loopback::of("http://127.0.0.1/callback").ok_or("not a loopback address")?;
/// let bound = bind(&loopback)?;
/// assert_eq!(bound.redirect_uri, format!("http://{}/callback", bound.sockets[0].1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ListenError`] if an address cannot be bound, because its port is taken, or if this machine has none of them. If the
/// redirect URI has no port, a few other ports are tried first.
pub fn bind(loopback: &Loopback<'_>) -> Result<Bound, ListenError> {
    let sockets = bind_with(loopback, |address| {
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let bound = socket.local_addr()?;
        Ok((socket, bound))
    })?;
    let redirect_uri = sockets.first().map(|(_, first)| loopback.at(*first).to_string()).unwrap_or_default();
    Ok(Bound { sockets, redirect_uri })
}

/// Each socket with its address.
type Sockets<S> = Vec<(S, SocketAddr)>;

fn bind_with<S>(
    loopback: &Loopback<'_>,
    mut listen: impl FnMut(SocketAddr) -> io::Result<(S, SocketAddr)>,
) -> Result<Sockets<S>, ListenError> {
    let others = if loopback.port().is_none() { OTHER_PORTS } else { 0 };
    for _ in 0..others {
        match bind_once(loopback, &mut listen) {
            // The port that the system chose at one address is taken at the other, or reserved there.
            Err(error) if error.is_taken() => {}
            bound => return bound,
        }
    }
    bind_once(loopback, &mut listen)
}

fn bind_once<S>(
    loopback: &Loopback<'_>,
    mut listen: impl FnMut(SocketAddr) -> io::Result<(S, SocketAddr)>,
) -> Result<Sockets<S>, ListenError> {
    let (mut bound, mut missing) = (Sockets::new(), None);
    let mut port = loopback.port().unwrap_or(0);
    for ip in loopback.addresses().chain(loopback.stand_in()) {
        if !bound.is_empty() && loopback.stand_in() == Some(ip) {
            break;
        }
        let address = SocketAddr::new(ip, port);
        match listen(address) {
            Ok((socket, address)) => {
                port = address.port();
                bound.push((socket, address));
            }
            Err(source) if is_missing(&source) => drop(missing.get_or_insert(ListenError { address, source })),
            Err(source) => return Err(ListenError { address, source }),
        }
    }
    match missing {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}

/// Whether this machine does not have the address, or has nothing of its family.
fn is_missing(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(FAMILY_MISSING)
}

impl ListenError {
    /// Whether another port may do. Windows denies permission for one that it reserves, or that another user has.
    fn is_taken(&self) -> bool {
        match self.source.kind() {
            ErrorKind::AddrInUse => true,
            ErrorKind::PermissionDenied => self.address.port() >= UNPRIVILEGED,
            _ => false,
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, source } = self;
        match address.port() {
            0 => write!(f, "cannot listen at {}: {source}", address.ip())?,
            _ => write!(f, "cannot listen at {address}: {source}")?,
        }
        match source.kind() {
            ErrorKind::AddrInUse => f.write_str("; is another login running, or does another program use this port?"),
            ErrorKind::PermissionDenied if self.is_taken() => f.write_str(
                "; another user has this port, or the system reserves it (Windows lists those with `netsh int ipv4 show excludedportrange tcp`)",
            ),
            _ => Ok(()),
        }
    }
}

impl error::Error for ListenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(unix)]
const FAMILY_MISSING: i32 = libc::EAFNOSUPPORT;
/// `WSAEAFNOSUPPORT`.
#[cfg(not(unix))]
const FAMILY_MISSING: i32 = 10047;
const OTHER_PORTS: u32 = 15;
const UNPRIVILEGED: u16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    const MISSING: [fn() -> io::Error; 2] =
        [|| ErrorKind::AddrNotAvailable.into(), || io::Error::from_raw_os_error(FAMILY_MISSING)];

    /// Binds without sockets: what was asked for, and what came of it.
    fn tried(
        redirect_uri: &str,
        fault: impl Fn(usize, SocketAddr) -> Option<io::Error>,
    ) -> (Vec<String>, Result<Vec<String>, String>) {
        let mut asked = Vec::new();
        let bound = bind_with(&Loopback::of(redirect_uri).unwrap(), |address| {
            asked.push(address.to_string());
            let bound = SocketAddr::new(address.ip(), if address.port() == 0 { 50000 } else { address.port() });
            fault(asked.len(), address).map_or(Ok(((), bound)), Err)
        });
        let bound = bound.map(|bound| bound.iter().map(|(_, bound)| bound.to_string()).collect());
        (asked, bound.map_err(|error| format!("{} {:?}", error.address, error.source.kind())))
    }

    #[test]
    fn every_address_of_the_redirect_uri_is_bound() {
        for (redirect_uri, asked, bound) in [
            ("http://127.0.0.1/cb", "127.0.0.1:0", "127.0.0.1:50000"),
            ("http://127.0.0.1:7/cb", "127.0.0.1:7", "127.0.0.1:7"),
            ("http://[::1]/cb", "[::1]:0", "[::1]:50000"),
            ("http://localhost/cb", "127.0.0.1:0 [::1]:50000", "127.0.0.1:50000 [::1]:50000"),
            ("http://localhost:7/cb", "127.0.0.1:7 [::1]:7", "127.0.0.1:7 [::1]:7"),
        ] {
            let (seen, outcome) = tried(redirect_uri, |_, _| None);
            assert_eq!(
                (seen.join(" ").as_str(), outcome.unwrap().join(" ").as_str()),
                (asked, bound),
                "{redirect_uri}"
            );
        }
    }

    #[test]
    fn a_missing_address_family_is_skipped() {
        for missing in MISSING {
            for (redirect_uri, v4, v6) in [
                ("http://127.0.0.1/cb", Ok("[::1]:50000"), Ok("127.0.0.1:50000")),
                ("http://127.0.0.1:7/cb", Err("127.0.0.1:7"), Ok("127.0.0.1:7")),
                ("http://127.0.0.2/cb", Err("127.0.0.2:0"), Ok("127.0.0.2:50000")),
                ("http://[::1]/cb", Ok("[::1]:50000"), Err("[::1]:0")),
                ("http://localhost/cb", Ok("[::1]:50000"), Ok("127.0.0.1:50000")),
                ("http://localhost:7/cb", Ok("[::1]:7"), Ok("127.0.0.1:7")),
            ] {
                for (is_v4, expected) in [(true, v4), (false, v6)] {
                    let (_, bound) = tried(redirect_uri, |_, address| (address.is_ipv4() == is_v4).then(missing));
                    match (bound, expected) {
                        (Ok(bound), expected) => assert_eq!(Ok(bound.join(" ").as_str()), expected, "{redirect_uri}"),
                        (Err(error), expected) => {
                            let told = expected.map_err(|address| error.starts_with(&format!("{address} ")));
                            assert_eq!(told, Err(true), "{redirect_uri}: {error}");
                        }
                    }
                }
            }
            let (asked, bound) = tried("http://localhost/cb", |_, _| Some(missing()));
            assert_eq!((asked.join(" ").as_str(), bound.is_err()), ("127.0.0.1:0 [::1]:0", true));
        }
    }

    #[test]
    fn a_taken_or_forbidden_address_is_not_skipped() {
        for kind in [ErrorKind::AddrInUse, ErrorKind::PermissionDenied] {
            for (ip, address) in [("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7")] {
                let at = |_, address: SocketAddr| (address.ip().to_string() == ip).then(|| kind.into());
                let (_, bound) = tried("http://localhost:7/cb", at);
                assert_eq!(bound, Err(format!("{address} {kind:?}")));
            }
            let (asked, bound) = tried("http://127.0.0.1:7/cb", |_, _| Some(kind.into()));
            assert_eq!((asked.join(" "), bound), ("127.0.0.1:7".to_owned(), Err(format!("127.0.0.1:7 {kind:?}"))));
        }
    }

    #[test]
    fn another_port_is_tried_if_any_will_do_but_not_forever() {
        for kind in [ErrorKind::AddrInUse, ErrorKind::PermissionDenied] {
            let taken = |until| move |count, _| (count % 2 == 0 && count <= until).then(|| kind.into());
            let (asked, bound) = tried("http://localhost/cb", taken(2));
            assert_eq!(asked.join(" "), "127.0.0.1:0 [::1]:50000 127.0.0.1:0 [::1]:50000");
            assert_eq!(bound.unwrap().join(" "), "127.0.0.1:50000 [::1]:50000");
            let (asked, bound) = tried("http://localhost/cb", taken(usize::MAX));
            assert_eq!((asked.len(), bound), (32, Err(format!("[::1]:50000 {kind:?}"))));
        }
        let (asked, bound) = tried("http://localhost/cb", |_, _| Some(ErrorKind::PermissionDenied.into()));
        assert_eq!((asked.len(), bound), (1, Err("127.0.0.1:0 PermissionDenied".to_owned())));
    }

    #[test]
    fn both_sockets_use_the_port_of_the_redirect_uri() {
        let Bound { sockets, redirect_uri } = bind(&Loopback::of("http://localhost/cb?a=b").unwrap()).unwrap();
        let addresses: Vec<_> = sockets.iter().map(|(socket, _)| socket.local_addr().unwrap()).collect();
        let port = addresses[0].port();
        assert_eq!(addresses, [format!("127.0.0.1:{port}"), format!("[::1]:{port}")].map(|at| at.parse().unwrap()));
        assert_eq!(redirect_uri, format!("http://localhost:{port}/cb?a=b"));
        for (socket, address) in sockets {
            assert_eq!(socket.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
            let _stream = TcpStream::connect(address).unwrap();
        }
    }

    #[test]
    fn an_error_names_the_address_and_asks_only_what_can_be() {
        let (used, denied, missing) = (ErrorKind::AddrInUse, ErrorKind::PermissionDenied, ErrorKind::AddrNotAvailable);
        for (address, kind, start, asks, reserved) in [
            ("[::1]:3000", used, "cannot listen at [::1]:3000: address in use", true, false),
            ("127.0.0.1:80", denied, "cannot listen at 127.0.0.1:80: permission denied", false, false),
            ("127.0.0.1:8080", denied, "cannot listen at 127.0.0.1:8080: permission denied", false, true),
            ("127.0.0.1:0", missing, "cannot listen at 127.0.0.1: address not available", false, false),
        ] {
            let error = ListenError { address: address.parse().unwrap(), source: kind.into() };
            let text = error.to_string();
            assert!(text.starts_with(start) && text.contains("another login") == asks, "{text}");
            assert_eq!(text.contains("excludedportrange"), reserved, "{text}");
            assert!(error::Error::source(&error).is_some());
        }
    }
}
