//! Connects to a name that has several addresses, of which some may be dead (RFC 8305, "Happy Eyeballs").

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Connects to the first address that answers, of each family in turn. The next attempt begins as soon as one fails, or if
/// none has answered for a while.
pub(crate) fn connect(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    match addresses {
        [address] => TcpStream::connect_timeout(address, limit),
        _ => race(addresses, limit, |attempt| thread::Builder::new().spawn(attempt).is_ok()),
    }
}

/// `spawn` runs an attempt beside this one, and says whether it can; if not, the addresses are tried in turn.
fn race(
    addresses: &[SocketAddr],
    limit: Duration,
    mut spawn: impl FnMut(Box<dyn FnOnce() + Send>) -> bool,
) -> io::Result<TcpStream> {
    let start = Instant::now();
    let mut addresses = interleaved(addresses).into_iter();
    let (sender, receiver) = mpsc::channel();
    let attempt = |address, limit| {
        let sender = sender.clone();
        // A connection that comes too late is closed here.
        move || drop(sender.send(TcpStream::connect_timeout(&address, limit)))
    };
    let mut running = 0;
    let mut failure = io::Error::from(ErrorKind::AddrNotAvailable);
    loop {
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        if let Some(address) = addresses.next() {
            running += 1;
            if !spawn(Box::new(attempt(address, left))) {
                let share = left / u32::try_from(addresses.len() + 1).unwrap_or(u32::MAX);
                attempt(address, share)();
            }
        } else if running == 0 {
            return Err(failure);
        }
        let is_last = running == ATTEMPTS_MAX || addresses.len() == 0;
        match receiver.recv_timeout(if is_last { left } else { left.min(DELAY) }) {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => {
                running -= 1;
                failure = error;
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

/// In the order of the resolver, but one of each family in turn.
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_first = |address: &&SocketAddr| addresses.first().is_some_and(|first| first.is_ipv6() == address.is_ipv6());
    let (first, second): (Vec<_>, Vec<_>) = addresses.iter().partition(is_first);
    let mut second = second.into_iter();
    let mut order = Vec::with_capacity(addresses.len());
    for address in first {
        order.push(address);
        order.extend(second.next());
    }
    order.extend(second);
    order
}

/// Each is a thread.
const ATTEMPTS_MAX: usize = 6;
const DELAY: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{IpAddr, Ipv4Addr, TcpListener};

    /// Nobody listens there.
    const CLOSED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn families_take_turns_in_the_order_of_the_resolver() {
        for (addresses, expected) in [
            ("", ""),
            ("1.1.1.1:1", "1.1.1.1:1"),
            ("1.1.1.1:1 [::1]:1", "1.1.1.1:1 [::1]:1"),
            ("[::1]:1 [::2]:1 1.1.1.1:1 1.1.1.2:1", "[::1]:1 1.1.1.1:1 [::2]:1 1.1.1.2:1"),
            ("1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 [::1]:1", "1.1.1.1:1 [::1]:1 1.1.1.2:1 1.1.1.3:1"),
            ("[::1]:1 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1", "[::1]:1 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1"),
        ] {
            let addresses: Vec<SocketAddr> =
                addresses.split_whitespace().map(|address| address.parse().unwrap()).collect();
            let order: Vec<_> = interleaved(&addresses).iter().map(ToString::to_string).collect();
            assert_eq!(order.join(" "), expected);
        }
    }

    #[test]
    fn refused_attempts_are_followed_at_once_by_the_next() {
        let refused = [CLOSED; 100];
        let error = connect(&refused, LIMIT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let live = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = live.local_addr().unwrap();
        let start = Instant::now();
        let stream = connect(&[&refused[..], &[at]].concat(), LIMIT).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), at);
        assert!(start.elapsed() < DELAY * 50, "{:?}", start.elapsed());
    }

    #[test]
    fn without_threads_the_addresses_are_tried_in_turn() {
        let live = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = live.local_addr().unwrap();
        let stream = race(&[CLOSED, CLOSED, at], LIMIT, |_| false).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), at);
        assert_eq!(race(&[CLOSED, CLOSED], LIMIT, |_| false).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn an_attempt_that_hangs_is_overtaken_and_closed_if_it_connects_after_all() {
        let [slow, live] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [slow_at, at] = [&slow, &live].map(|socket| socket.local_addr().unwrap());
        let mut hanging = None;
        let spawn = |attempt: Box<dyn FnOnce() + Send>| {
            match hanging {
                None => hanging = Some(attempt),
                Some(_) => attempt(),
            }
            true
        };
        let stream = race(&[slow_at, at], LIMIT, spawn).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), at);
        hanging.unwrap()();
        assert_eq!(slow.accept().unwrap().0.read(&mut [0]).unwrap(), 0, "closed");
    }

    #[test]
    fn a_few_attempts_run_at_once() {
        let mut begun = 0;
        let error = race(&[CLOSED; 100], DELAY * 8, |_| {
            begun += 1;
            true
        });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(begun <= ATTEMPTS_MAX, "{begun}");
    }

    #[test]
    fn without_an_address_there_is_no_connection() {
        assert_eq!(connect(&[], LIMIT).unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    }
}
