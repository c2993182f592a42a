//! The loopback listener (RFC 8252 section 7.3): it takes many connections, and no stranger ends the login.

use proofkey_core::loopback::{Connection, Reply, Verdict};
use proofkey_core::{Client, Pending, Redirect, TokenRequest};
use proofkey_http::{Bound, ExchangeError, Login, LoginError, SignedIn};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, panic, thread};

/// The bound sockets of a login.
pub(crate) struct Listener<'a>(pub(crate) &'a Bound);

impl Listener<'_> {
    /// Waits for the redirect of this login, exchanges its code, and tells the browser how it went.
    pub(crate) fn receive(
        &self,
        client: Client<'_>,
        pending: Pending,
        until: Option<Instant>,
        login: &Login<'_>,
        exchange: impl FnOnce(TokenRequest<'_>) -> Result<SignedIn, ExchangeError> + Send,
    ) -> Result<SignedIn, LoginError> {
        let sockets = self.0.sockets.iter().map(|(socket, _)| socket).collect();
        let mut visits = Visits { sockets, client, open: Vec::new(), most: VISITS_MAX, pause: Duration::ZERO };
        let mut visit = loop {
            if login.is_cancelled() {
                return Err(LoginError::Cancelled);
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(LoginError::TimedOut);
            }
            match visits.turn(Some(&pending)) {
                Some(visit) => break visit,
                None => thread::sleep(visits.pause),
            }
        };
        let received = mem::take(&mut visit.received);
        // Reading the same bytes again gives the same step.
        let redirect = match Connection::new().read(&received, client, &pending) {
            Verdict::Callback(redirect) => redirect,
            Verdict::More | Verdict::Refuse(_) => Redirect::Query(""),
        };
        let accepted = pending.accept(client, redirect).map_err(LoginError::Callback);
        let result = accepted.and_then(|request| {
            let (done, exchanged) = mpsc::channel::<()>();
            let job = Mutex::new(Some((exchange, request)));
            let run = || {
                let job = job.lock().unwrap_or_else(PoisonError::into_inner).take();
                job.map(|(exchange, request)| exchange(request))
            };
            let tokens = thread::scope(|scope| {
                let thread = thread::Builder::new().spawn_scoped(scope, move || {
                    let _done = done;
                    run()
                });
                // If the system gives no more threads, the other connections have to wait.
                let Ok(thread) = thread else { return run() };
                while exchanged.recv_timeout(visits.pause) == Err(RecvTimeoutError::Timeout) {
                    visits.turn(None);
                }
                thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
            });
            let tokens = tokens.unwrap_or(Err(ExchangeError::Spent));
            tokens.map_err(LoginError::Exchange)
        });
        visit.answer(if result.is_ok() { Reply::SignedIn } else { Reply::Refused });
        visit.linger();
        result
    }
}

/// All connections, the oldest first.
struct Visits<'a> {
    /// The one whose turn it is comes first.
    sockets: Vec<&'a TcpListener>,
    client: Client<'a>,
    open: Vec<Visit>,
    /// How many may be open.
    most: usize,
    /// How long to wait before the next turn.
    pause: Duration,
}

impl Visits<'_> {
    /// Reads what has come, and accepts some more connections. Returns the visit that brought the redirect of this login, if
    /// that has come. `pending` is `None` once it is taken.
    fn turn(&mut self, pending: Option<&Pending>) -> Option<Visit> {
        let mut idle = true;
        let mut index = 0;
        while let Some(visit) = self.open.get_mut(index) {
            match visit.read(self.client, pending) {
                Progress::Callback => return Some(self.open.remove(index)),
                Progress::Done => {
                    self.open.remove(index);
                    continue;
                }
                Progress::Read => idle = false,
                Progress::Waiting => {}
            }
            index += 1;
        }
        // Bounded, so that each connection is read a few times before a flood can push it out.
        for _ in 0..ACCEPTS_MAX {
            let Some(mut visit) = self.accept() else { break };
            idle = false;
            match visit.read(self.client, pending) {
                Progress::Callback => return Some(visit),
                Progress::Done => continue,
                Progress::Read | Progress::Waiting => {}
            }
            if self.open.len() >= self.most {
                let answered = self.open.iter().position(|visit| visit.answered);
                let mut shown_out = self.open.remove(answered.unwrap_or_default());
                if !shown_out.answered {
                    shown_out.answer(Reply::Busy);
                }
            }
            self.open.push(visit);
        }
        self.pause = if idle { (self.pause * 2).clamp(PAUSE_MIN, PAUSE_MAX) } else { Duration::ZERO };
        None
    }

    /// The next connection, from each socket in turn: a flood at one address holds up nobody at the other. If the system has run
    /// out of something, of file descriptors perhaps, the oldest visitors make room for the redirect and for the exchange.
    fn accept(&mut self) -> Option<Visit> {
        let mut sockets = self.sockets.iter().enumerate();
        let (at, accepted) = sockets.find_map(|(at, socket)| match socket.accept() {
            Err(error) if is_nothing(&error) => None,
            accepted => Some((at, accepted)),
        })?;
        self.sockets.rotate_left(at + 1);
        let Ok((stream, _)) = accepted else {
            self.most = self.open.len().saturating_sub(RESERVE).max(1);
            self.open.drain(..self.open.len().min(RESERVE));
            return None;
        };
        stream.set_nonblocking(true).ok()?;
        Some(Visit {
            stream,
            received: Vec::new(),
            connection: Connection::new(),
            since: Instant::now(),
            answered: false,
        })
    }
}

/// Whether nobody has come, or only somebody who left again.
fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        // Windows says of a visitor that has left that the connection was reset.
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted | ErrorKind::WouldBlock
    )
}

struct Visit {
    stream: TcpStream,
    received: Vec<u8>,
    connection: Connection,
    since: Instant,
    answered: bool,
}

enum Progress {
    /// It brought the redirect of this login.
    Callback,
    /// It is over.
    Done,
    /// It sent something.
    Read,
    /// It sent nothing.
    Waiting,
}

impl Visit {
    fn read(&mut self, client: Client<'_>, pending: Option<&Pending>) -> Progress {
        let mut chunk = [0; CHUNK];
        let progress = match self.stream.read(&mut chunk) {
            Ok(0) => return Progress::Done,
            Ok(_) if self.answered => Progress::Read,
            Ok(length) => {
                self.received.extend_from_slice(chunk.get(..length).unwrap_or_default());
                let step = match pending {
                    Some(pending) => self.connection.read(&self.received, client, pending),
                    None => Verdict::Refuse(Reply::Gone),
                };
                match step {
                    Verdict::Callback(_) => return Progress::Callback,
                    Verdict::More => {}
                    Verdict::Refuse(reply) => self.answer(reply),
                }
                Progress::Read
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Progress::Waiting,
            Err(_) => return Progress::Done,
        };
        // An answered connection stays open for a moment, so that the browser can read the page before a reset.
        match self.since.elapsed() {
            passed if self.answered && passed >= LINGER => Progress::Done,
            passed if !self.answered && passed >= HEAD_DEADLINE => {
                self.answer(Reply::Timeout);
                progress
            }
            _ => progress,
        }
    }

    /// Writes the page. It is smaller than any socket's buffer, so a client that does not read holds nothing up.
    fn answer(&mut self, reply: Reply) {
        let sent = self.stream.write_all(reply.to_string().as_bytes());
        let closed = sent.and_then(|()| self.stream.shutdown(Shutdown::Write));
        self.answered = true;
        // If the page could not be sent, the connection is over at once.
        self.since = if closed.is_ok() { Instant::now() } else { self.since };
        self.received = Vec::new();
    }

    /// Waits until the browser has read the page and closed, but not for long.
    fn linger(mut self) {
        let until = Instant::now() + LINGER;
        let patient = self.stream.set_nonblocking(false).and_then(|()| self.stream.set_read_timeout(Some(LINGER)));
        let mut chunk = [0; CHUNK];
        let mut read = patient.and_then(|()| self.stream.read(&mut chunk));
        while matches!(read, Ok(1..)) && Instant::now() < until {
            read = self.stream.read(&mut chunk);
        }
    }
}

const ACCEPTS_MAX: usize = 16;
const CHUNK: usize = 16 * 1024;
/// What an exchange needs, and a little more.
const RESERVE: usize = 8;
const VISITS_MAX: usize = 128;
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_millis(20);
const PAUSE_MIN: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_that_has_left_is_no_sign_of_a_shortage() {
        for left in [ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset] {
            assert!(is_nothing(&left.into()), "{left}");
        }
        assert!(!is_nothing(&ErrorKind::OutOfMemory.into()));
    }
}
