//! A listener that many connect to at once, without end.

use super::login::{Asked, CALLBACK, SCOPE, assert_status, browser, client, is_closed, token_server};
use crate::adapter::{Login, LoginError, Wait, http};
use proofkey_tests::recording::{Server, TOKENS, browse, json};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Threads that connect in a loop, each with another thing to say, until it is dropped.
pub(crate) struct Flood {
    over: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    pub(crate) fn at(address: SocketAddr) -> Self {
        let (over, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let whole = format!("GET /callback?code=x&state=y HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let endless = whole.repeat(1000);
        let said =
            ["", "\u{16}\u{3}\u{1}", "GET /callback?code=x&state=", &whole, &endless, &endless].map(str::to_owned);
        let threads = said.map(|said| {
            let (over, connections) = (Arc::clone(&over), Arc::clone(&connections));
            thread::spawn(move || {
                let mut held = VecDeque::new();
                while !over.load(Ordering::Relaxed) {
                    let connected = TcpStream::connect_timeout(&address, PAUSE);
                    let Ok(mut stream) = connected else { continue };
                    connections.fetch_add(1, Ordering::Relaxed);
                    stream.set_write_timeout(Some(PAUSE)).unwrap();
                    let mut sent = stream.write_all(said.as_bytes());
                    while said.len() > 1000 && sent.is_ok() {
                        sent = stream.write_all(said.as_bytes());
                    }
                    held.push_back(stream);
                    if held.len() > 100 {
                        held.pop_front();
                    }
                }
            })
        });
        Self { over, connections, threads: threads.into() }
    }

    /// Waits until so many have connected.
    fn wait_for(&self, connections: usize) {
        while self.connections.load(Ordering::Relaxed) < connections {
            thread::yield_now();
        }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().expect("it connects on"));
    }
}

#[test]
fn a_redirect_is_read_however_many_connections_follow_it() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let (mut first, mut others) = (None, Vec::new());
    let open = |url: &str| {
        // Nobody is let in before this returns: they all wait.
        let asked = Asked::read(url);
        let mut stream = TcpStream::connect(asked.address)?;
        write!(stream, "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", asked.callback(), asked.address)?;
        first = Some(stream);
        while let Ok(stream) = TcpStream::connect_timeout(&asked.address, PAUSE) {
            others.push(stream);
        }
        Ok(())
    };
    let tokens = http().login(Login::new(client.as_client(), SCOPE).with_timeout(Duration::from_secs(5)), open).wait();
    assert!(tokens.is_ok(), "{tokens:?}");
    assert!(others.len() >= 128, "{}", others.len());
    let mut page = String::new();
    first.unwrap().read_to_string(&mut page).unwrap();
    assert_status(&page, 200);
}

#[test]
fn a_flood_delays_nobody() {
    let server = Server::answering(|_| {
        thread::sleep(Duration::from_millis(200));
        json(200, TOKENS)
    });
    let client = client(&server, CALLBACK);
    let (open, played) = browser(|asked| {
        let flood = Flood::at(asked.address);
        flood.wait_for(2_000);
        // How long the system takes to let a connection in is its own affair.
        let mut stream = TcpStream::connect(asked.address).unwrap();
        let begun = Instant::now();
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", asked.callback(), asked.address);
        stream.write_all(request.as_bytes()).unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let waited = begun.elapsed();
        println!("answered after {waited:?}, {} connections", flood.connections.load(Ordering::Relaxed));
        (page, waited)
    });
    assert!(http().login(Login::new(client.as_client(), SCOPE).with_timeout(PATIENCE), open).wait().is_ok());
    let (page, waited) = played.recv().unwrap();
    assert_status(&page, 200);
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}

#[test]
fn under_a_flood_the_timeout_still_holds() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let (mut flood, mut begun) = (None, None);
    let open = |url: &str| {
        flood = Some((Flood::at(Asked::read(url).address), Asked::read(url).address));
        begun = Some(Instant::now());
        Ok(())
    };
    let login = Login::new(client.as_client(), SCOPE).with_timeout(Duration::from_secs(1));
    let error = http().login(login, open).wait().unwrap_err();
    let elapsed = begun.unwrap().elapsed();
    assert!(matches!(error, LoginError::TimedOut), "{error}");
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    let (flood, address) = flood.unwrap();
    assert!(flood.connections.load(Ordering::Relaxed) > 200);
    drop(flood);
    assert!(is_closed(address));
}

#[test]
fn a_head_that_trickles_has_ten_seconds() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let (open, played) = browser(|asked| {
        let paces = [Duration::from_micros(200), Duration::from_secs(1)];
        let slow = paces.map(|pace| thread::spawn(move || trickle(asked.address, pace)));
        let answers = slow.map(|slow| slow.join().unwrap());
        assert_status(&browse(asked.address, &asked.callback()), 200);
        answers
    });
    assert!(http().login(Login::new(client.as_client(), SCOPE).with_timeout(2 * PATIENCE), open).wait().is_ok());
    for (answer, after) in played.recv().unwrap() {
        assert_status(&answer, 408);
        assert!((9.5..12.0).contains(&after.as_secs_f64()), "{after:?}");
    }
}

#[test]
fn a_visitor_that_keeps_talking_after_its_page_has_half_a_second() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let (open, played) = browser(|asked| [("/", 404), (&asked.callback(), 200)].map(|visit| babble(&asked, visit)));
    assert!(http().login(Login::new(client.as_client(), SCOPE).with_timeout(2 * PATIENCE), open).wait().is_ok());
    for stayed in played.recv().unwrap() {
        assert!((0.5..5.0).contains(&stayed.as_secs_f64()), "{stayed:?}");
    }
}

/// Reads the page, and talks on until the connection is closed.
fn babble(asked: &Asked, (target, status): (&str, u16)) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(asked.address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", asked.address).unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert_status(&page, status);
    while begun.elapsed() < PATIENCE && stream.write_all(b"x").is_ok() {
        thread::sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}

/// Sends byte after byte until it is answered.
fn trickle(address: SocketAddr, pace: Duration) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).unwrap();
    let mut bytes = b"GET /callback?code=".iter().chain([b'a'].iter().cycle());
    let mut answer = String::new();
    loop {
        match stream.read_to_string(&mut answer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && answer.is_empty() => {}
            _ => return (answer, begun.elapsed()),
        }
        if begun.elapsed() > PATIENCE {
            return (answer, begun.elapsed());
        }
        stream.write_all(&[*bytes.next().unwrap()]).unwrap();
        thread::sleep(pace);
    }
}

/// For what is wrongly not answered.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a flood waits where nothing moves.
const PAUSE: Duration = Duration::from_millis(100);
