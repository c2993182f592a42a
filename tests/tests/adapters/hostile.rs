//! Servers that lie about lengths, never end, break off at every octet, or send elsewhere.

use super::tls::serve_answer;
use crate::adapter::{ExchangeError, Http, TransportError, Wait, http, trusting};
use proofkey_core::{AccessToken, Client, RefreshToken, ResponseError, Server as Endpoints};
use proofkey_tests::recording::{Server, TOKENS, json, read_request};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// A refresh at this token endpoint.
fn refresh(http: &Http, token_endpoint: &str) -> Result<String, ExchangeError> {
    let endpoints = Endpoints::new("https://as.example/authorize", token_endpoint);
    let client = Client::new("app", "http://127.0.0.1/callback", endpoints).unwrap();
    let tokens = http.exchange(client.refresh(RefreshToken::new("rt-0").unwrap())).wait()?;
    Ok(tokens.access_token().expose().to_owned())
}

fn call(http: &Http, url: &str) -> Result<u16, TransportError> {
    let request = http::Request::get(url).body(Vec::new()).unwrap();
    http.call(request, AccessToken::new("CANARY").unwrap()).wait().map(|answer| answer.status)
}

#[test]
fn x12_no_redirect_is_followed_anywhere() {
    for status in [301, 302, 303, 307, 308] {
        let redirect = |to: &str| format!("HTTP/1.1 {status} X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        let is_redirect = |refreshed: Result<String, ExchangeError>| {
            let error = refreshed.unwrap_err();
            assert!(matches!(error, ExchangeError::Response(ResponseError::Redirect(at)) if at == status), "{error}");
        };
        let sink = Server::sink();

        let answer = redirect("/elsewhere");
        let same_origin = Server::answering(move |_| answer.clone());
        is_redirect(refresh(&http(), &same_origin.url("/token")));
        assert_eq!(call(&http(), &same_origin.url("/api")).unwrap(), status);
        assert_eq!(same_origin.requests().len(), 2);

        let answer = redirect(&sink.url("/elsewhere"));
        let other_origin = Server::answering(move |_| answer.clone());
        is_redirect(refresh(&http(), &other_origin.url("/token")));
        assert_eq!(call(&http(), &other_origin.url("/api")).unwrap(), status);

        let (authority, secure, _read) = serve_answer("127.0.0.1", 4000, redirect(&sink.url("/elsewhere")));
        let (http, url) = (trusting(&authority).unwrap(), secure.url("/token").replace("http:", "https:"));
        is_redirect(refresh(&http, &url));
        assert_eq!(call(&http, &url).unwrap(), status);
        assert_eq!(sink.connections(), 0);
    }
}

#[test]
fn t97_codings_that_nobody_asked_for_are_not_undone() {
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"] {
        let server = Server::answering(move |_| {
            json(200, "\u{1f}\u{8b}\u{8}\0").replace("\r\n\r\n", &format!("\r\nContent-Encoding: {coding}\r\n\r\n"))
        });
        let error = refresh(&http(), &server.url("/token")).unwrap_err();
        assert!(matches!(error, ExchangeError::Response(ResponseError::Json(_))), "{coding}: {error}");
    }
}

#[test]
fn t98_lengths_that_lie() {
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{TOKENS}\r\n", TOKENS.len());
    let length = format!("Content-Length: {}", TOKENS.len());
    for (why, answer, fine) in [
        ("as it is", json(200, TOKENS), true),
        ("more than was said", json(200, TOKENS) + "more", true),
        ("less than was said", json(200, TOKENS).replace(&length, "Content-Length: 4096"), false),
        ("two lengths", json(200, TOKENS).replace(&length, &format!("{length}\r\nContent-Length: 7")), false),
        ("no number", json(200, TOKENS).replace(&length, "Content-Length: ten"), false),
        ("negative", json(200, TOKENS).replace(&length, "Content-Length: -1"), false),
        ("too big a number", json(200, TOKENS).replace(&length, "Content-Length: 99999999999999999999"), false),
        ("chunks", format!("{chunked}{chunk}0\r\n\r\n"), true),
        ("a trailer", format!("{chunked}{chunk}0\r\nX-More: 1\r\n\r\n"), true),
        ("a size that is none", format!("{chunked}zz\r\n{TOKENS}\r\n0\r\n\r\n"), false),
        ("a size over 64 bits", format!("{chunked}10000000000000000\r\n{TOKENS}\r\n0\r\n\r\n"), false),
        ("no last chunk", format!("{chunked}{chunk}"), false),
    ] {
        let server = Server::start(move |mut stream, _| {
            read_request(&mut stream);
            drop(stream.write_all(answer.as_bytes()));
        });
        let refreshed = refresh(&http(), &server.url("/token"));
        assert_eq!(refreshed.is_ok(), fine, "{why}: {refreshed:?}");
        let broken = matches!(refreshed, Err(ExchangeError::Transport(TransportError::Http(_))));
        assert!(fine || broken, "{why}: {refreshed:?}");
        assert_eq!(server.connections(), 1, "{why}");
    }
}

#[test]
fn t100_heads_without_measure_are_refused() {
    let many: String = (0..1000).map(|number| format!("X-{number}: 1\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(1024 * 1024));
    for fields in [many, long] {
        let server = Server::answering(move |_| json(200, TOKENS).replacen("\r\n", &format!("\r\n{fields}"), 1));
        let error = refresh(&http(), &server.url("/token")).unwrap_err();
        assert!(matches!(error, ExchangeError::Transport(TransportError::Http(_))), "{error}");
    }
}

#[test]
fn c015_an_exchange_that_breaks_at_any_octet_is_an_error_and_is_not_repeated() {
    let answer = json(200, TOKENS);
    let mut request = 0;
    for octets in 0..=answer.len() {
        let part = answer[..octets].to_owned();
        let server = Server::start(move |mut stream, requests| {
            requests.lock().unwrap().extend(read_request(&mut stream));
            drop(stream.write_all(part.as_bytes()));
        });
        let refreshed = refresh(&http(), &server.url("/token"));
        assert_eq!(refreshed.is_ok(), octets == answer.len(), "{octets} octets of the answer: {refreshed:?}");
        request = server.requests()[0].len();
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
    }
    // What is unread when the server closes makes it a reset.
    for octets in 0..request {
        let server = Server::start(move |mut stream, _| drop(stream.read_exact(&mut vec![0; octets])));
        let error = refresh(&http(), &server.url("/token")).unwrap_err();
        assert!(matches!(error, ExchangeError::Transport(TransportError::Http(_))), "{octets} octets read: {error}");
        assert_eq!(server.connections(), 1, "{octets} octets of the request");
    }
}

#[test]
fn t99_a_head_that_comes_octet_by_octet_meets_the_deadline() {
    let server = Server::start(|mut stream, _| {
        read_request(&mut stream);
        for octet in json(200, TOKENS).bytes() {
            thread::sleep(Duration::from_millis(20));
            if stream.write_all(&[octet]).is_err() {
                return;
            }
        }
    });
    let begun = Instant::now();
    let error = refresh(&http().with_deadline(Duration::from_millis(200)), &server.url("/token")).unwrap_err();
    assert!(matches!(error, ExchangeError::Transport(TransportError::Deadline)), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// Memory is that of a process, so this test runs itself once more.
#[cfg(target_os = "linux")]
#[test]
fn x22_a_body_without_end_takes_less_than_twice_the_cap() {
    const OAUTH_CAP: usize = 1024 * 1024;
    const API_CAP: usize = 64 * 1024 * 1024;
    if let Ok(url) = env::var("PROOFKEY_TEST_URL") {
        let http = http();
        assert_eq!(call(&http, &url).unwrap(), 200);
        let begun = most_memory();
        let error = refresh(&http, &format!("{url}endless")).unwrap_err();
        assert!(matches!(error, ExchangeError::Transport(TransportError::BodyTooBig)), "{error}");
        let oauth = most_memory() - begun;
        let error = call(&http, &format!("{url}endless")).unwrap_err();
        assert!(matches!(error, TransportError::BodyTooBig), "{error}");
        let api = most_memory() - begun;
        println!("{oauth} and {api} octets more, of caps of {OAUTH_CAP} and {API_CAP}");
        assert!(oauth < 2 * OAUTH_CAP && api < 2 * API_CAP, "{oauth} {api}");
        return;
    }
    let server = Server::start(|mut stream: TcpStream, _| {
        let request = read_request(&mut stream).unwrap_or_default();
        if !request.contains("endless") {
            return drop(stream.write_all(json(200, "{}").as_bytes()));
        }
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        while sent.is_ok() {
            sent = stream.write_all(&[b' '; 65536]);
        }
    });
    let test = concat!(module_path!(), "::x22_a_body_without_end_takes_less_than_twice_the_cap");
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test.split_once("::").unwrap().1]).env("PROOFKEY_TEST_URL", server.url("/"));
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The most memory that this process has had in use, in octets.
fn most_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let (_, rest) = status.split_once("VmHWM:").unwrap();
    rest.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}
