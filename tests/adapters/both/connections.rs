//! Which connections are kept, and how long each phase of a request may take.

use crate::adapter::{ExchangeError, Http, Settings, TransportError, TransportKind, Wait, http, http_with, pieces};
use proofkey_core::{AccessToken, Advice, Client, ClientBuf, RefreshToken, Server as Endpoints};
use proofkey_tests::recording::{Server, TOKENS, json, read_request};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_secs(1);

#[test]
fn each_request_has_a_connection_of_its_own() {
    let server = Server::answering(|_| json(200, TOKENS));
    let (http, client) = (http(), client_at(&server));
    for _ in 0..2 {
        assert_eq!(call(&http, &server).unwrap(), 200);
        refresh(&http, &client).unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (4, 4));
}

#[test]
fn on_request_connections_are_kept() {
    let server = Server::answering(|_| json(200, TOKENS));
    let client = client_at(&server);
    let http = http_with(Settings::new().with_kept_connections(LONG));
    for _ in 0..3 {
        refresh(&http, &client).unwrap();
        refresh(&http.clone(), &client).unwrap();
        assert_eq!(call(&http, &server).unwrap(), 200);
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 9));
}

/// A connection that is closed after each answer, without a word, breaks the next request if that comes at the same moment.
#[test]
fn a_server_that_closes_without_a_word_breaks_nothing() {
    let server = Server::start(|mut stream, requests| {
        requests.lock().unwrap().extend(read_request(&mut stream));
        stream.write_all(json(200, TOKENS).as_bytes()).unwrap();
    });
    let (http, client) = (http(), client_at(&server));
    for _ in 0..200 {
        assert_eq!(call(&http, &server).unwrap(), 200);
        refresh(&http, &client).unwrap();
    }
    assert_eq!(server.requests().len(), 400);
}

#[test]
fn an_idle_connection_is_closed_after_its_time() {
    let server = Server::answering(|_| json(200, TOKENS));
    let client = client_at(&server);
    let http = http_with(Settings::new().with_kept_connections(SHORT));
    refresh(&http, &client).unwrap();
    thread::sleep(SHORT * 2);
    refresh(&http, &client).unwrap();
    assert_eq!(server.connections(), 2);
}

#[test]
fn after_a_kept_connection_broke_each_request_has_one_of_its_own() {
    let broken = Arc::new(AtomicBool::new(false));
    let breaks = Arc::clone(&broken);
    let server = Server::start(move |mut stream, requests| {
        while let Some(request) = read_request(&mut stream) {
            requests.lock().unwrap().push(request);
            // The second request of the first connection gets no answer.
            if requests.lock().unwrap().len() == 2 && !breaks.swap(true, Ordering::Relaxed) {
                return;
            }
            stream.write_all(json(200, TOKENS).as_bytes()).unwrap();
        }
    });
    let client = client_at(&server);
    let http = http_with(Settings::new().with_kept_connections(LONG));
    refresh(&http, &client).unwrap();
    let ExchangeError::Transport(error) = refresh(&http, &client).unwrap_err() else { panic!("an answer") };
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Closed, true), "{error}");
    for _ in 0..3 {
        refresh(&http, &client).unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (4, 5));
}

#[test]
fn a_server_that_says_nothing_in_a_handshake_got_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    for settings in [Settings::new().with_connect_timeout(SHORT), Settings::new().with_deadline(SHORT)] {
        let begun = Instant::now();
        let origin = Endpoints::new(&url, &url);
        let client = Client::new("app", "http://127.0.0.1/cb", origin).unwrap().into();
        let ExchangeError::Transport(error) = refresh(&http_with(settings), &client).unwrap_err() else {
            panic!("an answer")
        };
        assert_eq!((error.kind(), error.was_sent()), (TransportKind::Deadline, false), "{error}");
        assert_eq!(error.advice(), Some(Advice::Retry { after: None }));
        assert!(begun.elapsed() < LONG);
    }
}

#[test]
fn each_phase_has_its_limit() {
    let silent = || {
        Server::start(|mut stream, _| {
            read_request(&mut stream);
            drop(stream.read(&mut [0]));
        })
    };
    let halfway = || {
        Server::start(|mut stream, _| {
            read_request(&mut stream);
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
            drop(stream.read(&mut [0]));
        })
    };
    for (server, settings) in [
        (silent(), Settings::new().with_first_byte_timeout(SHORT)),
        (silent(), Settings::new().with_read_timeout(SHORT)),
        (halfway(), Settings::new().with_read_timeout(SHORT)),
    ] {
        let begun = Instant::now();
        let http = http_with(settings.with_deadline(LONG * 3));
        let ExchangeError::Transport(error) = refresh(&http, &client_at(&server)).unwrap_err() else {
            panic!("an answer")
        };
        assert_eq!((error.kind(), error.was_sent(), error.advice()), (TransportKind::Deadline, true, None), "{error}");
        assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
    }
    let slow = Server::start(|mut stream, _| {
        read_request(&mut stream);
        for part in json(200, TOKENS).as_bytes().chunks(40) {
            thread::sleep(SHORT / 4);
            stream.write_all(part).unwrap();
        }
    });
    let patient = Settings::new().with_first_byte_timeout(LONG).with_read_timeout(LONG).with_connect_timeout(LONG);
    refresh(&http_with(patient), &client_at(&slow)).unwrap();
}

#[test]
fn no_time_is_too_long() {
    let server = Server::answering(|_| json(200, TOKENS));
    let forever = Duration::MAX;
    let settings = Settings::new().with_deadline(forever).with_connect_timeout(forever).with_read_timeout(forever);
    let http = http_with(settings.with_first_byte_timeout(forever).with_kept_connections(forever));
    refresh(&http, &client_at(&server)).unwrap();
    assert_eq!(call(&http, &server).unwrap(), 200);
}

#[test]
fn a_streaming_call_gives_each_piece_as_it_comes_and_its_body_has_no_deadline() {
    let (next, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let server = Server::start(move |mut stream, requests| {
        requests.lock().unwrap().extend(read_request(&mut stream));
        stream.write_all(b"HTTP/1.1 206 X\r\nX-Mine: 1\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for piece in ["3\r\none\r\n", "3\r\ntwo\r\n", "0\r\n\r\n"] {
            stream.write_all(piece.as_bytes()).unwrap();
            wait.lock().unwrap().recv().unwrap_or_default();
        }
    });
    let http = http_with(Settings::new().with_deadline(SHORT));
    let mut heard = Vec::new();
    let (status, own) = pieces(&http, get(&server), token(), |piece| {
        heard.push(String::from_utf8(piece.to_vec()).unwrap());
        thread::sleep(SHORT);
        next.send(()).unwrap();
    })
    .unwrap();
    assert_eq!((status, own.as_deref(), heard.join(" ").as_str()), (206, Some("1"), "one two"));
    assert!(server.requests()[0].contains("Bearer AT"));
}

#[test]
fn a_streaming_call_that_stalls_or_breaks_is_an_error() {
    let stalls = Server::start(|mut stream, _| {
        read_request(&mut stream);
        drop(stream.write_all(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nhalf"));
        drop(stream.read(&mut [0]));
    });
    let breaks = Server::start(|mut stream, _| {
        read_request(&mut stream);
        drop(stream.write_all(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nhalf"));
    });
    let mute = Server::start(|mut stream, _| {
        read_request(&mut stream);
        drop(stream.read(&mut [0]));
    });
    let http = http_with(Settings::new().with_read_timeout(SHORT).with_deadline(SHORT));
    for (server, kind, some) in [
        (stalls, TransportKind::Deadline, true),
        (breaks, TransportKind::Closed, true),
        (mute, TransportKind::Deadline, false),
    ] {
        let mut heard = 0;
        let error = pieces(&http, get(&server), token(), |piece| heard += piece.len()).unwrap_err();
        assert_eq!((error.kind(), error.was_sent(), heard > 0), (kind, true, some), "{error}");
    }
}

fn client_at(server: &Server) -> ClientBuf {
    let (authorize, token) = (server.url("/authorize"), server.url("/token"));
    Client::new("app", "http://127.0.0.1/cb", Endpoints::new(&authorize, &token)).unwrap().into()
}

fn refresh(http: &Http, client: &ClientBuf) -> Result<String, ExchangeError> {
    let tokens = http.refresh(client.as_client(), RefreshToken::new("rt-0").unwrap()).wait()?;
    Ok(tokens.access_token().expose().to_owned())
}

fn call(http: &Http, server: &Server) -> Result<u16, TransportError> {
    http.call(get(server), token()).wait().map(|answer| answer.status)
}

fn get(server: &Server) -> http::Request<Vec<u8>> {
    http::Request::get(server.url("/api")).body(Vec::new()).unwrap()
}

fn token() -> AccessToken<'static> {
    AccessToken::new("AT").unwrap()
}
