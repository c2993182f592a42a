//! Servers that lie about lengths, never end, break off at every byte, or send elsewhere.

use super::login::{CALLBACK, SCOPE, browser};
use super::tls::{VALID, serve_answer};
use crate::adapter::{
    DiscoverError, ExchangeError, Http, Login, LoginError, Settings, TransportError, TransportKind, Wait, http,
    http_with, trusting,
};
use proofkey_core::{AccessToken, Client, Endpoint, RefreshToken, ResponseError, Revocable, Server as Endpoints};
use proofkey_tests::recording::{Server, TOKENS, browse, json, read_request};
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
fn no_redirect_is_followed_anywhere() {
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

        let (authority, secure, _read) = serve_answer("127.0.0.1", VALID, redirect(&sink.url("/elsewhere")));
        let (http, url) = (trusting(&authority).unwrap(), secure.url("/token").replace("http:", "https:"));
        is_redirect(refresh(&http, &url));
        assert_eq!(call(&http, &url).unwrap(), status);
        assert_eq!(sink.connections(), 0);
    }
}

#[test]
fn revocation_discovery_and_login_follow_no_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let sink = Server::sink();
        let to = sink.url("/elsewhere");
        let server =
            Server::answering(move |_| format!("HTTP/1.1 {status} X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
        let (authorize, token, revoke) = (server.url("/authorize"), server.url("/token"), server.url("/revoke"));
        let endpoints = Endpoints::new(&authorize, &token).with(Endpoint::Revocation, &revoke);
        let client = Client::new("app", CALLBACK, endpoints).unwrap();
        let is_redirect = |error: &ExchangeError| matches!(error, ExchangeError::Response(ResponseError::Redirect(at)) if *at == status);

        let error = http().revoke(client, Revocable::Refresh(RefreshToken::new("rt-0").unwrap())).wait().unwrap_err();
        assert!(is_redirect(&error), "{error}");
        let error = http().discover(&server.url(""), "app", CALLBACK).wait().unwrap_err();
        assert!(matches!(error, DiscoverError::NoMetadata { .. }), "{error}");
        assert_eq!(error.to_string().matches(&format!(" answered {status}")).count(), 2, "{error}");
        let (open, played) = browser(|asked| browse(asked.address, &asked.callback()));
        let error = http().login(Login::new(client, SCOPE), open).wait().unwrap_err();
        assert!(matches!(&error, LoginError::Exchange(error) if is_redirect(error)), "{error}");
        assert!(played.recv().unwrap().contains("<h1>Not signed in</h1>"));

        let requests = server.requests();
        let paths: Vec<_> = requests.iter().filter_map(|request| request.split(' ').nth(1)).collect();
        let well_known = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
        assert_eq!(paths, ["/revoke", well_known[0], well_known[1], "/token"]);
        assert_eq!(sink.connections(), 0);
    }
}

#[test]
fn codings_that_were_not_requested_are_not_decoded() {
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"] {
        let server = Server::answering(move |_| {
            json(200, "\u{1f}\u{8b}\u{8}\0").replace("\r\n\r\n", &format!("\r\nContent-Encoding: {coding}\r\n\r\n"))
        });
        let error = refresh(&http(), &server.url("/token")).unwrap_err();
        assert!(matches!(error, ExchangeError::Response(ResponseError::ContentCoding)), "{coding}: {error}");
    }
}

#[test]
fn wrong_lengths_and_chunks_break_the_exchange() {
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
        let broken =
            matches!(&refreshed, Err(ExchangeError::Transport(error)) if error.kind() == TransportKind::Closed);
        assert!(fine || broken, "{why}: {refreshed:?}");
        assert_eq!(server.connections(), 1, "{why}");
    }
}

#[test]
fn response_heads_that_are_too_large_are_refused() {
    let many: String = (0..1000).map(|number| format!("X-{number}: 1\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(1024 * 1024));
    for fields in [many, long] {
        let server = Server::answering(move |_| json(200, TOKENS).replacen("\r\n", &format!("\r\n{fields}"), 1));
        let error = refresh(&http(), &server.url("/token")).unwrap_err();
        assert!(matches!(&error, ExchangeError::Transport(error) if error.kind() == TransportKind::Closed), "{error}");
    }
}

#[test]
fn an_exchange_that_breaks_at_any_byte_is_an_error_and_is_not_repeated() {
    let answer = json(200, TOKENS);
    let mut request = 0;
    for bytes in 0..=answer.len() {
        let part = answer[..bytes].to_owned();
        let server = Server::start(move |mut stream, requests| {
            requests.lock().unwrap().extend(read_request(&mut stream));
            drop(stream.write_all(part.as_bytes()));
        });
        let refreshed = refresh(&http(), &server.url("/token"));
        assert_eq!(refreshed.is_ok(), bytes == answer.len(), "{bytes} bytes of the answer: {refreshed:?}");
        request = server.requests()[0].len();
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
    }
    // What is unread when the server closes makes it a reset.
    for bytes in 0..request {
        let server = Server::start(move |mut stream, _| drop(stream.read_exact(&mut vec![0; bytes])));
        let error = refresh(&http(), &server.url("/token")).unwrap_err();
        assert!(
            matches!(&error, ExchangeError::Transport(error) if error.kind() == TransportKind::Closed),
            "{bytes} bytes read: {error}"
        );
        assert_eq!(server.connections(), 1, "{bytes} bytes of the request");
    }
}

#[test]
fn a_response_that_a_reset_cuts_at_any_byte_is_an_error_and_the_request_is_not_repeated() {
    let answer = json(200, TOKENS);
    for bytes in 0..answer.len() {
        let part = answer[..bytes].to_owned();
        let server = Server::start(move |mut stream, _| {
            // The body of the request is there and stays unread, so that closing resets.
            while !read_line(&mut stream).is_empty() {}
            assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
            drop(stream.write_all(part.as_bytes()));
        });
        let error = refresh(&http(), &server.url("/token")).unwrap_err();
        assert!(
            matches!(&error, ExchangeError::Transport(error) if error.kind() == TransportKind::Closed),
            "{bytes} bytes: {error}"
        );
        assert_eq!(server.connections(), 1, "{bytes} bytes of the answer");
    }
}

/// One line of a head.
fn read_line(stream: &mut TcpStream) -> String {
    let mut line = String::new();
    while !line.ends_with("\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0].into());
    }
    line.trim_end().to_owned()
}

#[test]
fn endless_interim_responses_meet_the_deadline() {
    for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"] {
        let server = Server::start(move |mut stream, _| {
            read_request(&mut stream);
            // Not as fast as loopback goes: an unoptimised reader would be busy with what has come already.
            while stream.write_all(interim.as_bytes()).is_ok() {
                thread::sleep(Duration::from_micros(50));
            }
        });
        let begun = Instant::now();
        let error =
            refresh(&http_with(Settings::new().with_deadline(Duration::from_millis(300))), &server.url("/token"))
                .unwrap_err();
        assert!(
            matches!(&error, ExchangeError::Transport(error) if matches!(error.kind(), TransportKind::Deadline | TransportKind::Closed)),
            "{error}"
        );
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(server.connections(), 1);
    }
}

#[test]
fn a_response_head_that_comes_byte_by_byte_meets_the_deadline() {
    let server = Server::start(|mut stream, _| {
        read_request(&mut stream);
        for byte in json(200, TOKENS).bytes() {
            thread::sleep(Duration::from_millis(20));
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    let begun = Instant::now();
    let error = refresh(&http_with(Settings::new().with_deadline(Duration::from_millis(200))), &server.url("/token"))
        .unwrap_err();
    assert!(matches!(&error, ExchangeError::Transport(error) if error.kind() == TransportKind::Deadline), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// Memory is that of a process, so this test runs itself once more.
#[cfg(target_os = "linux")]
#[test]
fn an_endless_body_takes_less_than_twice_the_cap() {
    const OAUTH_CAP: usize = 1024 * 1024;
    const API_CAP: usize = 64 * 1024 * 1024;
    /// What the HTTP library reads ahead.
    const AHEAD: usize = 256 * 1024;
    if let Ok(url) = env::var("PROOFKEY_TEST_URL") {
        let http = http();
        // So that the code is loaded.
        assert_eq!(call(&http, &url).unwrap(), 200);
        refresh(&http, &url).unwrap_err();
        let begun = most_memory();
        let error = refresh(&http, &format!("{url}endless")).unwrap_err();
        assert!(
            matches!(&error, ExchangeError::Transport(error) if error.kind() == TransportKind::BodyTooBig),
            "{error}"
        );
        let oauth = most_memory() - begun;
        let error = call(&http, &format!("{url}endless")).unwrap_err();
        assert!(error.kind() == TransportKind::BodyTooBig, "{error}");
        let api = most_memory() - begun;
        println!("{oauth} and {api} bytes more, of caps of {OAUTH_CAP} and {API_CAP}");
        assert!(oauth < 2 * OAUTH_CAP + AHEAD && api < 2 * API_CAP, "{oauth} {api}");
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
    let test = concat!(module_path!(), "::an_endless_body_takes_less_than_twice_the_cap");
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "--nocapture", test.split_once("::").unwrap().1]).env("PROOFKEY_TEST_URL", server.url("/"));
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(" bytes more, of caps of "), "{said}");
}

/// The most memory that this process has had in use, in bytes.
fn most_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let (_, rest) = status.split_once("VmHWM:").unwrap();
    rest.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}
