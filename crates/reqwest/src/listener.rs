//! The loopback listener (RFC 8252 section 7.3): many visits, one future, no stranger ends it.

use crate::adapter::Http;
use crate::error::LoginError;
use crate::login::SignedIn;
use proofkey_core::loopback::{Exchange, Loopback, Reply, Step};
use proofkey_core::{Client, Pending, Redirect};
use std::collections::VecDeque;
use std::future::{self, Future};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use std::{io, net};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task;
use tokio::time::{self, Instant};

/// A bound port.
pub(crate) struct Listener {
    socket: TcpListener,
    redirect_uri: String,
}

impl Listener {
    /// Binds the address of the redirect URI. Where it is 127.0.0.1 with any port, and this machine has no IPv4, it binds
    /// [::1] instead (RFC 8252 section 7.3).
    pub(crate) fn bind(client: Client<'_>) -> Result<Self, LoginError> {
        let loopback = Loopback::of(client.redirect_uri()).ok_or(LoginError::NotLoopback)?;
        let first = loopback.addresses().next().ok_or(LoginError::NotLoopback)?;
        let bound = bind(first, loopback.port().unwrap_or(0), loopback.stand_in());
        let socket = bound.map_err(LoginError::Listen)?;
        let bound = socket.local_addr().map_err(LoginError::Listen)?;
        Ok(Self { socket, redirect_uri: loopback.at(bound).to_string() })
    }

    /// The redirect URI at the bound address.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the redirect of this login, exchanges its code, and tells the browser how it went.
    pub(crate) async fn receive(
        &self,
        http: &Http,
        client: Client<'_>,
        pending: Pending,
        timeout: Duration,
    ) -> Result<SignedIn, LoginError> {
        let door = Door { http, client, pending: Mutex::new(Some(pending)) };
        let mut visits = Visits { socket: &self.socket, door: &door, open: VecDeque::new(), pause: None };
        let mut late = pin!(time::sleep(timeout));
        future::poll_fn(|cx| {
            // First, because visits without end use up what one poll may do.
            if door.waits() && late.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(LoginError::TimedOut));
            }
            visits.poll(cx)
        })
        .await
    }
}

type Outcome = Result<SignedIn, LoginError>;
type Visit<'d> = Pin<Box<dyn Future<Output = Option<Outcome>> + Send + 'd>>;

/// All connections, the oldest first.
struct Visits<'d> {
    socket: &'d TcpListener,
    door: &'d Door<'d>,
    open: VecDeque<Visit<'d>>,
    /// No connection can be accepted until then.
    pause: Option<Pin<Box<time::Sleep>>>,
}

impl<'d> Visits<'d> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut index = 0;
        while let Some(visit) = self.open.get_mut(index) {
            match visit.as_mut().poll(cx) {
                Poll::Ready(Some(outcome)) => return Poll::Ready(outcome),
                Poll::Ready(None) => drop(self.open.remove(index)),
                Poll::Pending => index += 1,
            }
        }
        // However many come, each is read some times before it is shown out.
        for _ in 0..ACCEPTS_MAX {
            // While the code is exchanged none is shown out: it could be the one that brought it.
            if self.open.len() >= VISITS_MAX && !self.door.waits() {
                return Poll::Pending;
            }
            let Poll::Ready(stream) = self.poll_accept(cx) else { return Poll::Pending };
            if self.open.len() >= VISITS_MAX {
                self.open.pop_front();
            }
            let mut visit: Visit<'d> = Box::pin(self.door.visit(stream));
            match visit.as_mut().poll(cx) {
                Poll::Ready(Some(outcome)) => return Poll::Ready(outcome),
                Poll::Ready(None) => {}
                Poll::Pending => self.open.push_back(visit),
            }
        }
        // There is more to hear than one turn takes: be woken again.
        let _ = pin!(task::yield_now()).poll(cx);
        Poll::Pending
    }

    /// The next connection. Where there is none because something is used up, it tries again a little later.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<TcpStream> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match std::task::ready!(self.socket.poll_accept(cx)) {
                Ok((stream, _)) => return Poll::Ready(stream),
                Err(_) => self.pause = Some(Box::pin(time::sleep(PAUSE))),
            }
        }
    }
}

/// Where every visit comes to. The login is behind it until its own redirect takes it.
struct Door<'a> {
    http: &'a Http,
    client: Client<'a>,
    pending: Mutex<Option<Pending>>,
}

enum Heard<'r> {
    More,
    Redirect(Pending, Redirect<'r>),
    Refuse(Reply),
}

impl Door<'_> {
    /// One connection from its first octet to its last. Only the redirect of this login has an outcome.
    async fn visit(&self, mut stream: TcpStream) -> Option<Outcome> {
        let until = Instant::now() + HEAD_DEADLINE;
        let mut received = Vec::with_capacity(CHUNK);
        let mut exchange = Exchange::new();
        let heard = loop {
            match time::timeout_at(until, stream.read_buf(&mut received)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => return None,
                Err(_) => break Heard::Refuse(Reply::Timeout),
            }
            match self.hear(&mut exchange, &received) {
                // Whoever always has more to say lets the others speak.
                Heard::More => task::yield_now().await,
                heard => break heard,
            }
        };
        let (pending, redirect) = match heard {
            Heard::More => return None,
            Heard::Redirect(pending, redirect) => (pending, redirect),
            Heard::Refuse(reply) => {
                answer(stream, reply).await;
                return None;
            }
        };
        let outcome = match pending.accept(self.client, redirect) {
            Ok(request) => {
                let requested_at = SystemTime::now();
                let tokens = self.http.exchange(request).await.map_err(LoginError::Exchange);
                tokens.map(|tokens| SignedIn { tokens, requested_at })
            }
            Err(error) => Err(LoginError::Callback(error)),
        };
        answer(stream, if outcome.is_ok() { Reply::SignedIn } else { Reply::Refused }).await;
        Some(outcome)
    }

    fn hear<'r>(&self, exchange: &mut Exchange, received: &'r [u8]) -> Heard<'r> {
        let mut waiting = self.lock();
        let Some(pending) = waiting.take() else { return Heard::Refuse(Reply::Gone) };
        let heard = match exchange.read(received, self.client, &pending) {
            Step::Callback(redirect) => return Heard::Redirect(pending, redirect),
            Step::More => Heard::More,
            Step::Refuse(reply) => Heard::Refuse(reply),
        };
        *waiting = Some(pending);
        heard
    }

    /// Whether the redirect has not come yet.
    fn waits(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Binds the address, or the other one where that cannot be.
fn bind(ip: IpAddr, port: u16, other: Option<IpAddr>) -> io::Result<TcpListener> {
    let socket = net::TcpListener::bind((ip, port)).or_else(|error| match other {
        Some(other) => net::TcpListener::bind((other, port)).map_err(|_| error),
        None => Err(error),
    })?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

/// Writes the page, and waits until the browser has read it and closed, but not for long: what is still unread when a
/// connection closes resets it, and the page is lost.
async fn answer(mut stream: TcpStream, reply: Reply) {
    let page = reply.to_string();
    let said = async {
        stream.write_all(page.as_bytes()).await?;
        stream.shutdown().await?;
        let mut rest = [0; CHUNK];
        while stream.read(&mut rest).await? > 0 {
            task::yield_now().await;
        }
        io::Result::Ok(())
    };
    // Where the browser has gone, the login does not mind.
    drop(time::timeout(LINGER, said).await);
}

const ACCEPTS_MAX: usize = 16;
const CHUNK: usize = 1024;
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(100);
const VISITS_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[tokio::test]
    async fn c053_rfc8252_section_7_3_where_ipv4_cannot_be_it_is_ipv6() {
        let taken = net::TcpListener::bind("127.0.0.1:0").and_then(|socket| Ok((socket.local_addr()?, socket)));
        let (at, _taken) = taken.unwrap();
        let other = Some(Ipv6Addr::LOCALHOST.into());
        let bound = bind(at.ip(), at.port(), other).and_then(|socket| Ok((socket.local_addr()?, socket)));
        assert_eq!(bound.as_ref().map(|(bound, _)| bound.ip()).ok(), other);
        for other in [other, None] {
            let error = bind(at.ip(), at.port(), other).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_is_over_when_the_browser_closes_whatever_it_still_says() {
        let socket = bind(Ipv4Addr::LOCALHOST.into(), 0, None).unwrap();
        let mut browser = net::TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        let mut said = pin!(answer(socket.accept().await.unwrap().0, Reply::Gone));
        let moment = LINGER / 10;
        assert!(time::timeout(moment, &mut said).await.is_err());
        let mut page = String::new();
        browser.read_to_string(&mut page).unwrap();
        assert_eq!(page, Reply::Gone.to_string());
        browser.write_all(b"more").unwrap();
        assert!(time::timeout(moment, &mut said).await.is_err());
        drop(browser);
        assert!(time::timeout(moment, &mut said).await.is_ok());
    }
}
