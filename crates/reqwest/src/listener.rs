//! The loopback listener (RFC 8252 section 7.3): one future takes many connections, and no stranger ends the login.

use crate::adapter::Http;
use proofkey_core::loopback::{Connection, Reply, Verdict};
use proofkey_core::{Client, Pending, Redirect};
use proofkey_http::{Bound, ListenError, Login, LoginError, SignedIn};
use std::collections::VecDeque;
use std::future::{self, Future};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task;
use tokio::time::{self, Instant};

/// The bound sockets of a login.
pub(crate) struct Listener(Vec<TcpListener>);

impl Listener {
    /// Takes the sockets, and gives their redirect URI back.
    pub(crate) fn new(Bound { sockets, redirect_uri }: Bound) -> Result<(Self, String), LoginError> {
        let register = |(socket, address)| {
            TcpListener::from_std(socket).map_err(|source| LoginError::Listen(ListenError { address, source }))
        };
        sockets.into_iter().map(register).collect::<Result<_, _>>().map(|sockets| (Self(sockets), redirect_uri))
    }

    /// Waits for the redirect of this login, exchanges its code, and tells the browser how it went.
    pub(crate) async fn receive(
        &self,
        http: &Http,
        client: Client<'_>,
        pending: Pending,
        (login, began): (&Login<'_>, SystemTime),
    ) -> Outcome {
        let door = Door { http, client, pending: Mutex::new(Some(pending)), login, began };
        let sockets = self.0.iter().collect();
        let mut visits = Visits { sockets, door: &door, open: VecDeque::new(), most: VISITS_MAX, pause: None };
        let mut late = pin!(time::sleep(login.timeout()));
        let mut look = time::interval(LOOK);
        future::poll_fn(|cx| {
            // First, because endless visits would use up the budget of this poll.
            if door.waits() {
                if late.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(LoginError::TimedOut));
                }
                while look.poll_tick(cx).is_ready() {}
                if login.is_cancelled() {
                    return Poll::Ready(Err(LoginError::Cancelled));
                }
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
    /// The one whose turn it is comes first.
    sockets: Vec<&'d TcpListener>,
    door: &'d Door<'d>,
    open: VecDeque<Visit<'d>>,
    /// How many may be open.
    most: usize,
    /// No connection is accepted before it ends.
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
        // Bounded, so that each connection is read a few times before a flood can push it out.
        for _ in 0..ACCEPTS_MAX {
            // During the exchange no connection is pushed out: it could be the one that brought the code.
            if self.open.len() >= self.most && !self.door.waits() {
                return Poll::Pending;
            }
            let Poll::Ready(stream) = self.poll_accept(cx) else { return Poll::Pending };
            if self.open.len() >= self.most {
                self.open.pop_front();
            }
            let mut visit: Visit<'d> = Box::pin(self.door.visit(stream));
            match visit.as_mut().poll(cx) {
                Poll::Ready(Some(outcome)) => return Poll::Ready(outcome),
                Poll::Ready(None) => {}
                Poll::Pending => self.open.push_back(visit),
            }
        }
        // There is more than one turn takes: ask to be polled again.
        let _ = pin!(task::yield_now()).poll(cx);
        Poll::Pending
    }

    /// The next connection, from each socket in turn: a flood at one address holds up nobody at the other. If the system
    /// has run out of something, it tries again a little later.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<TcpStream> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let mut sockets = self.sockets.iter().enumerate();
            let accepted = sockets.find_map(|(at, socket)| match socket.poll_accept(cx) {
                Poll::Ready(accepted) => Some((at, accepted)),
                Poll::Pending => None,
            });
            let Some((at, accepted)) = accepted else { return Poll::Pending };
            self.sockets.rotate_left(at + 1);
            match accepted {
                Ok((stream, _)) => return Poll::Ready(stream),
                Err(error) if has_left(&error) => {}
                // The system has run out of something, of file descriptors perhaps: the oldest visitors make room for the
                // redirect and for the exchange.
                Err(_) if self.door.waits() && !self.open.is_empty() => {
                    self.most = self.open.len().saturating_sub(RESERVE).max(1);
                    self.open.drain(..self.open.len().min(RESERVE));
                }
                Err(_) => self.pause = Some(Box::pin(time::sleep(PAUSE))),
            }
        }
    }
}

/// Whether a visitor left before it was let in. On Windows its connection was reset.
fn has_left(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// What all connections share. It holds the login until the redirect of that login comes.
struct Door<'a> {
    http: &'a Http,
    client: Client<'a>,
    pending: Mutex<Option<Pending>>,
    login: &'a Login<'a>,
    began: SystemTime,
}

enum Heard<'r> {
    More,
    Redirect(Pending, Redirect<'r>),
    Refuse(Reply),
}

impl Door<'_> {
    /// Serves one connection from its first byte to its last. Only the redirect of this login has an outcome.
    async fn visit(&self, mut stream: TcpStream) -> Option<Outcome> {
        let until = Instant::now() + HEAD_DEADLINE;
        let mut received = Vec::with_capacity(CHUNK);
        let mut connection = Connection::new();
        let heard = loop {
            match time::timeout_at(until, stream.read_buf(&mut received)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => return None,
                Err(_) => break Heard::Refuse(Reply::Timeout),
            }
            match self.hear(&mut connection, &received) {
                // Yields, so that a chatty connection cannot starve the others.
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
                let request = self.login.expects(request, self.began);
                self.http.sign_in(request).await.map_err(LoginError::Exchange)
            }
            Err(error) => Err(LoginError::Callback(error)),
        };
        answer(stream, if outcome.is_ok() { Reply::SignedIn } else { Reply::Refused }).await;
        Some(outcome)
    }

    fn hear<'r>(&self, connection: &mut Connection, received: &'r [u8]) -> Heard<'r> {
        let mut waiting = self.lock();
        let Some(pending) = waiting.take() else { return Heard::Refuse(Reply::Gone) };
        let heard = match connection.read(received, self.client, &pending) {
            Verdict::Callback(redirect) => return Heard::Redirect(pending, redirect),
            Verdict::More => Heard::More,
            Verdict::Refuse(reply) => Heard::Refuse(reply),
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

/// Writes the page, and waits a moment until the browser has read it and closed. Closing earlier, with bytes unread, would
/// reset the connection and lose the page.
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
    // A browser that has gone does not matter to the login.
    drop(time::timeout(LINGER, said).await);
}

const ACCEPTS_MAX: usize = 16;
const CHUNK: usize = 1024;
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_millis(500);
/// How often it looks whether the login was cancelled.
const LOOK: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(100);
/// What an exchange needs, and a little more.
const RESERVE: usize = 8;
const VISITS_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net;

    #[test]
    fn a_visitor_that_has_left_is_no_sign_of_a_shortage() {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, OutOfMemory};
        assert!(has_left(&ConnectionAborted.into()) && has_left(&ConnectionReset.into()));
        assert!(!has_left(&OutOfMemory.into()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_is_over_when_the_browser_closes_whatever_it_still_says() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
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
