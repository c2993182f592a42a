//! The loopback listener (RFC 8252 section 7.3): many visits, no stranger ends it.

use crate::error::{ExchangeError, LoginError};
use crate::login::SignedIn;
use proofkey_core::loopback::{Exchange, Loopback, Reply, Step};
use proofkey_core::{Client, Pending, Redirect, TokenRequest};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{mem, panic, thread};

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
        let bind = |ip: IpAddr| TcpListener::bind((ip, loopback.port().unwrap_or(0)));
        let first = loopback.addresses().next().ok_or(LoginError::NotLoopback)?;
        let socket = match (bind(first), loopback.stand_in()) {
            (Err(error), Some(other)) => bind(other).map_err(|_| error),
            (bound, _) => bound,
        };
        let socket = socket.map_err(LoginError::Listen)?;
        socket.set_nonblocking(true).map_err(LoginError::Listen)?;
        let bound = socket.local_addr().map_err(LoginError::Listen)?;
        let redirect_uri = loopback.at(bound).to_string();
        Ok(Self { socket, redirect_uri })
    }

    /// The redirect URI at the bound address.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the redirect of this login, exchanges its code, and tells the browser how it went.
    pub(crate) fn receive(
        &self,
        client: Client<'_>,
        pending: Pending,
        until: Instant,
        cancel: &AtomicBool,
        exchange: impl FnOnce(TokenRequest<'_>) -> Result<SignedIn, ExchangeError> + Send,
    ) -> Result<SignedIn, LoginError> {
        let mut visits = Visits { socket: &self.socket, client, open: Vec::new(), pause: Duration::ZERO };
        let mut visit = loop {
            if cancel.load(Ordering::Relaxed) {
                return Err(LoginError::Cancelled);
            }
            if Instant::now() >= until {
                return Err(LoginError::TimedOut);
            }
            match visits.turn(Some(&pending)) {
                Some(visit) => break visit,
                None => thread::sleep(visits.pause),
            }
        };
        let received = mem::take(&mut visit.received);
        // The octets are read once more, which makes the same step.
        let redirect = match Exchange::new().read(&received, client, &pending) {
            Step::Callback(redirect) => redirect,
            Step::More | Step::Refuse(_) => Redirect::Query(""),
        };
        let accepted = pending.accept(client, redirect).map_err(LoginError::Callback);
        let result = accepted.and_then(|request| {
            let (done, exchanged) = mpsc::channel::<()>();
            let tokens = thread::scope(|scope| {
                let exchange = scope.spawn(move || {
                    let _done = done;
                    exchange(request)
                });
                while exchanged.recv_timeout(visits.pause) == Err(RecvTimeoutError::Timeout) {
                    visits.turn(None);
                }
                exchange.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
            });
            tokens.map_err(LoginError::Exchange)
        });
        visit.answer(if result.is_ok() { Reply::SignedIn } else { Reply::Refused });
        visit.linger();
        result
    }
}

/// All connections, the oldest first.
struct Visits<'a> {
    socket: &'a TcpListener,
    client: Client<'a>,
    open: Vec<Visit>,
    /// How long to wait before the next turn.
    pause: Duration,
}

impl Visits<'_> {
    /// Reads what there is, and accepts some more. Gives the visit that brought the redirect of this login, which is
    /// behind `pending` until then.
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
        // However many come, each is read some times before it is shown out.
        for _ in 0..ACCEPTS_MAX {
            let Some(mut visit) = self.accept() else { break };
            idle = false;
            match visit.read(self.client, pending) {
                Progress::Callback => return Some(visit),
                Progress::Done => continue,
                Progress::Read | Progress::Waiting => {}
            }
            if self.open.len() >= VISITS_MAX {
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

    fn accept(&self) -> Option<Visit> {
        let (stream, _) = self.socket.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some(Visit { stream, received: Vec::new(), exchange: Exchange::new(), since: Instant::now(), answered: false })
    }
}

struct Visit {
    stream: TcpStream,
    received: Vec<u8>,
    exchange: Exchange,
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
                    Some(pending) => self.exchange.read(&self.received, client, pending),
                    None => Step::Refuse(Reply::Gone),
                };
                match step {
                    Step::Callback(_) => return Progress::Callback,
                    Step::More => {}
                    Step::Refuse(reply) => self.answer(reply),
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

    /// Writes the page, which is smaller than any socket's buffer: a client that does not read holds nothing up.
    fn answer(&mut self, reply: Reply) {
        let sent = self.stream.write_all(reply.to_string().as_bytes());
        let closed = sent.and_then(|()| self.stream.shutdown(Shutdown::Write));
        self.answered = true;
        // Where the page did not leave, the connection is over at once.
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
const VISITS_MAX: usize = 128;
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_millis(20);
const PAUSE_MIN: Duration = Duration::from_millis(1);
