//! How a connection is made: through a proxy or straight, then TLS.

mod race;
mod socket;
mod tls;
mod tunnel;

use http::Uri;
use proofkey_http::{TransportError, TransportKind, address, is_localhost};
use socket::Socket;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::IntoIter;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, Transport, time};
use ureq::{Proxy, ProxyProtocol};

/// Makes the connections of an agent. Every failure is a [`TransportError`] that says that nothing was sent, in a
/// [`ureq::Error::Other`]. Clones share their TLS.
#[derive(Clone)]
pub(crate) struct Connections {
    tls: Arc<Mutex<Option<Arc<rustls::ClientConfig>>>>,
    make_tls: Arc<MakeTls>,
}

/// Makes the settings of TLS, at the first https connection: to load the system's certificates takes a while.
pub(crate) type MakeTls = dyn Fn() -> Result<Arc<rustls::ClientConfig>, TransportError> + Send + Sync;

impl Connections {
    pub(crate) fn new(
        make_tls: impl Fn() -> Result<Arc<rustls::ClientConfig>, TransportError> + Send + Sync + 'static,
    ) -> Self {
        Self { tls: Arc::default(), make_tls: Arc::new(make_tls) }
    }

    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, ureq::Error> {
        let transport = match details.config.proxy().filter(|proxy| !proxy.is_no_proxy(details.uri)) {
            Some(proxy) => self.tunnel(proxy, details)?,
            None => Box::new(Socket::connect(&details.addrs, details)?),
        };
        if details.needs_tls() { tls::secure(transport, self.tls()?, details.uri, details) } else { Ok(transport) }
    }

    fn tunnel(&self, proxy: &Proxy, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, ureq::Error> {
        let is_secure = match proxy.protocol() {
            ProxyProtocol::Http => false,
            ProxyProtocol::Https => true,
            _ => return Err(failure(TransportKind::Proxy, ureq::Error::InvalidProxyUrl)),
        };
        let addresses = details.resolver.resolve(proxy.uri(), details.config, time_left(details)?)?;
        let mut transport: Box<dyn Transport> = Box::new(Socket::connect(&addresses, details)?);
        if is_secure {
            transport = tls::secure(transport, self.tls()?, proxy.uri(), details)?;
        }
        tunnel::open(transport, proxy, details)
    }

    fn tls(&self) -> Result<Arc<rustls::ClientConfig>, ureq::Error> {
        let mut made = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*made {
            return Ok(Arc::clone(config));
        }
        let config = (self.make_tls)().map_err(|error| ureq::Error::Other(error.into()))?;
        Ok(Arc::clone(made.insert(config)))
    }
}

impl Connector for Connections {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        self.open(details).map(Some).map_err(failed)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

/// A connection that failed while it was made, so that nothing of the request was sent.
fn failed(error: ureq::Error) -> ureq::Error {
    let kind = match &error {
        ureq::Error::Other(other) if other.is::<TransportError>() => return error,
        ureq::Error::Timeout(_) => {
            return ureq::Error::Other(TransportError::new(TransportKind::Deadline, false).into());
        }
        ureq::Error::Tls(_) => TransportKind::Tls,
        ureq::Error::Io(error) if is_tls(error) => TransportKind::Tls,
        _ => TransportKind::Connect,
    };
    failure(kind, error)
}

fn failure(kind: TransportKind, error: ureq::Error) -> ureq::Error {
    ureq::Error::Other(TransportError::new(kind, false).because(error).into())
}

fn is_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<rustls::Error>())
}

/// What is left of the time to connect.
fn time_left(details: &ConnectionDetails<'_>) -> Result<NextTimeout, ureq::Error> {
    let start = match details.now {
        time::Instant::Exact(start) => start,
        _ => Instant::now(),
    };
    Ok(NextTimeout { after: left(details.timeout, start)?.into(), ..details.timeout })
}

/// How much of `timeout` is left.
fn left(timeout: NextTimeout, start: Instant) -> Result<Duration, ureq::Error> {
    let left = (*timeout.after).min(LONGEST).saturating_sub(start.elapsed());
    if left.is_zero() { Err(ureq::Error::Timeout(timeout.reason)) } else { Ok(left) }
}

/// The name `localhost` is this machine's, whatever a name server says (RFC 6761 section 6.3). An address is not looked up.
#[derive(Debug, Default)]
pub(crate) struct LoopbackResolver;

impl Resolver for LoopbackResolver {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default);
        let mut addresses = self.empty();
        if is_localhost(host) {
            addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
            addresses.push(SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
        } else if let Some(ip) = address(host) {
            addresses.push(SocketAddr::from((ip, port)));
        } else {
            look_up(host, port, timeout)
                .map_err(failed)?
                .take(ADDRESSES_MAX)
                .for_each(|address| addresses.push(address));
        }
        Ok(addresses)
    }
}

/// Looks a name up in a thread, which alone has a time limit. `ureq`'s own look-up panics if there can be no more threads.
fn look_up(host: &str, port: u16, timeout: NextTimeout) -> Result<IntoIter<SocketAddr>, ureq::Error> {
    let name = (host.to_owned(), port);
    let (sender, receiver) = mpsc::channel();
    let found = {
        let name = name.clone();
        move || drop(sender.send(name.to_socket_addrs()))
    };
    if thread::Builder::new().spawn(found).is_err() {
        return Ok(name.to_socket_addrs()?);
    }
    let late = |_| ureq::Error::Timeout(timeout.reason);
    Ok(receiver.recv_timeout(left(timeout, Instant::now())?).map_err(late)??)
}

/// What [`ResolvedSocketAddrs`] has room for.
const ADDRESSES_MAX: usize = 16;
/// The standard library and some systems cannot wait for as long as `ureq` can say.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests;
