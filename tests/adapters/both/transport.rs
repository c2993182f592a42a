//! The adapter against servers that misbehave.

use crate::adapter::{
    DiscoverError, ExchangeError, Http, Settings, TransportError, TransportKind, Wait, http, http_with,
};
use proofkey_core::{
    AccessToken, Advice, Client, ClientBuf, ConfigError, Endpoint, RefreshToken, ResponseBuf, ResponseError, Revocable,
    Server as Endpoints, UriFault,
};
use proofkey_tests::recording::{Server, TOKENS, header, json, read_request};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

fn client_at(server: &Server) -> ClientBuf {
    let (authorize, token, revoke) = (server.url("/authorize"), server.url("/token"), server.url("/revoke"));
    let endpoints = Endpoints::new(&authorize, &token).with(Endpoint::Revocation, &revoke);
    Client::new("app", "http://127.0.0.1/callback", endpoints).unwrap().into()
}

fn refresh(http: &Http, client: &ClientBuf) -> Result<String, ExchangeError> {
    let tokens = http.exchange(client.as_client().refresh(RefreshToken::new("rt-0").unwrap())).wait()?;
    Ok(tokens.access_token().expose().to_owned())
}

fn get(url: &str) -> http::Request<Vec<u8>> {
    http::Request::get(url).body(Vec::new()).unwrap()
}

fn access_token() -> AccessToken<'static> {
    AccessToken::new("CANARY").unwrap()
}

#[test]
fn a_refresh_is_one_request_with_nothing_beside_it() {
    let server = Server::answering(|_| {
        json(200, TOKENS).replace("\r\n\r\n", "\r\nSet-Cookie: session=1; Path=/\r\nConnection: keep-alive\r\n\r\n")
    });
    let (http, client) = (http(), client_at(&server));
    assert_eq!(refresh(&http, &client).unwrap(), "at-1");
    assert_eq!(refresh(&http, &client).unwrap(), "at-1");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(server.connections(), 2);
    for request in requests {
        assert!(request.starts_with("POST /token HTTP/1.1\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\ngrant_type=refresh_token&client_id=app&refresh_token=rt-0"), "{request}");
        assert_eq!(header(&request, "accept"), Some("application/json"));
        assert_eq!(header(&request, "accept-encoding"), Some("identity"));
        assert_eq!(header(&request, "content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(header(&request, "user-agent"), Some(concat!("proofkey/", env!("CARGO_PKG_VERSION"))));
        for absent in ["authorization", "cookie", "referer"] {
            assert_eq!(header(&request, absent), None);
        }
    }
}

#[test]
fn an_embedded_secret_in_the_header_is_sent_with_each_request() {
    let server = Server::answering(|_| json(200, TOKENS));
    let http = http();
    let client: ClientBuf = client_at(&server).as_client().with_embedded_secret_in_header("x").unwrap().into();
    refresh(&http, &client).unwrap();
    http.revoke(client.as_client(), Revocable::Access(access_token())).wait().unwrap();
    let requests = server.requests();
    // `app:x`
    assert!(requests.iter().all(|request| header(request, "authorization") == Some("Basic YXBwOng=")), "{requests:?}");
    assert!(requests[0].ends_with("\r\n\r\ngrant_type=refresh_token&refresh_token=rt-0"), "{requests:?}");
    assert!(requests[1].ends_with("\r\n\r\ntoken=CANARY&token_type_hint=access_token"), "{requests:?}");
}

#[test]
fn the_body_is_capped_while_it_arrives() {
    let http = http();
    for (length, fits) in [(1024 * 1024, true), (1024 * 1024 + 1, false)] {
        for chunked in [false, true] {
            let server = Server::answering(move |_| {
                let body = " ".repeat(length);
                if chunked {
                    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
                } else {
                    json(200, &body)
                }
            });
            let client = client_at(&server);
            let request = client.as_client().refresh(RefreshToken::new("rt-0").unwrap());
            assert_capped(http.send(&request.request()).wait(), length, fits);
        }
    }
    for (length, fits) in [(64 * 1024 * 1024, true), (64 * 1024 * 1024 + 1, false)] {
        let server = Server::answering(move |_| json(200, &" ".repeat(length)));
        assert_capped(http.call(get(&server.url("/api")), access_token()).wait(), length, fits);
    }
    let endless = Server::start(|mut stream, _| {
        read_request(&mut stream);
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while sent.is_ok() {
            sent = stream.write_all(&[b' '; 65536]);
        }
    });
    let error = http.call(get(&endless.url("/")), access_token()).wait().unwrap_err();
    assert!(error.kind() == TransportKind::BodyTooBig, "{error}");
}

fn assert_capped(answer: Result<ResponseBuf, TransportError>, length: usize, fits: bool) {
    match answer {
        Ok(answer) => assert!(fits && answer.body.len() == length),
        Err(error) => assert!(!fits && error.kind() == TransportKind::BodyTooBig, "{error}"),
    }
}

#[test]
fn one_deadline_covers_the_whole_exchange() {
    let stalling = Server::start(|mut stream, _| {
        read_request(&mut stream);
        drop(stream.read(&mut [0]));
    });
    let trickling = Server::start(|mut stream, _| {
        read_request(&mut stream);
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while sent.is_ok() {
            thread::sleep(Duration::from_millis(20));
            sent = stream.write_all(b" ");
        }
    });
    let http = http_with(Settings::new().with_deadline(Duration::from_millis(200)));
    for server in [stalling, trickling] {
        let begun = Instant::now();
        let error = refresh(&http, &client_at(&server)).unwrap_err();
        assert!(
            matches!(&error, ExchangeError::Transport(error) if error.kind() == TransportKind::Deadline),
            "{error}"
        );
        assert_eq!(error.advice(), None);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn what_was_sent_is_never_sent_again() {
    let closing = Server::start(|mut stream, requests| {
        requests.lock().unwrap().extend(read_request(&mut stream));
    });
    // Bytes that nobody read when the socket closes make it a reset.
    let resetting = Server::start(|mut stream, requests| {
        stream.read_exact(&mut [0; 8]).unwrap();
        requests.lock().unwrap().push(String::new());
    });
    let http = http();
    for server in [closing, resetting] {
        let error = refresh(&http, &client_at(&server)).unwrap_err();
        assert!(matches!(&error, ExchangeError::Transport(error) if error.kind() == TransportKind::Closed), "{error}");
        assert_eq!(error.advice(), None);
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
    }
}

#[test]
fn a_kept_connection_that_dies_makes_no_second_request() {
    let server = Server::start(|mut stream, requests| {
        let first = read_request(&mut stream);
        requests.lock().unwrap().extend(first);
        stream.write_all(json(200, TOKENS).as_bytes()).unwrap();
        let second = read_request(&mut stream);
        requests.lock().unwrap().extend(second);
    });
    let (http, client) = (http(), client_at(&server));
    for _ in 0..5 {
        assert_eq!(refresh(&http, &client).unwrap(), "at-1");
    }
    assert_eq!((server.connections(), server.requests().len()), (5, 5));
}

#[test]
fn plain_http_is_for_loopback_only() {
    let server = Server::answering(|_| json(200, "{}"));
    let http = http();
    let port = server.address.port();
    for host in
        ["localhost.", "0.0.0.0", "[::ffff:127.0.0.1]", "127.0.0.1.nip.io", "192.0.2.1", "localhost.localdomain"]
    {
        let error = http.call(get(&format!("http://{host}:{port}/")), access_token()).wait().unwrap_err();
        assert!(error.kind() == TransportKind::Insecure, "{host} {error}");
    }
    assert_eq!(server.connections(), 0);
    for host in ["localhost", "127.0.0.1", "LOCALHOST"] {
        let answer = http.call(get(&format!("http://{host}:{port}/")), access_token()).wait().unwrap();
        assert_eq!(answer.status, 200);
    }
    for url in ["/path", "ftp://127.0.0.1/", "*"] {
        assert!(http.call(get(url), access_token()).wait().is_err(), "{url}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_is_gone_to_as_it_is_written() {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(read_request(&mut stream).is_some());
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    });
    assert_eq!(http().call(get(&url), access_token()).wait().unwrap().status, 204);
    server.join().unwrap();
}

#[test]
fn a_call_carries_the_token_once_and_every_status_is_a_response() {
    let server = Server::answering(|request| {
        let status = request.split(['/', ' ']).nth(2).unwrap_or("0");
        format!("HTTP/1.1 {status} X\r\nX-Twice: a\r\nx-twice: b\r\nX-Bytes: \u{e9}\r\nContent-Length: 2\r\n\r\nok")
    });
    let http = http();
    for status in [200, 201, 401, 403, 404, 500, 503] {
        let request = http::Request::post(server.url(&format!("/{status}")))
            .header("authorization", "Basic eDp5")
            .header("authorization", "Basic eDp6")
            .header("x-mine", "1")
            .version(http::Version::HTTP_2)
            .body(b"body".to_vec())
            .unwrap();
        let answer = http.call(request, access_token()).wait().unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (status, b"ok".as_slice()));
        assert_eq!(answer.headers("x-twice").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(answer.header("x-bytes"), Some("\u{c3}\u{a9}"));
    }
    let userinfo = server.url("/200").replace("http://", "http://user:password@");
    assert_eq!(http.call(get(&userinfo), access_token()).wait().unwrap().status, 200);
    let empty = http::Request::post(server.url("/200")).body(Vec::new()).unwrap();
    assert_eq!(http.call(empty, access_token()).wait().unwrap().status, 200);
    let mut requests = server.requests();
    for request in &requests {
        assert_eq!(header(request, "authorization"), Some("Bearer CANARY"));
        assert!(!request.contains("password"), "{request}");
    }
    assert_eq!(header(&requests.pop().unwrap(), "content-length"), Some("0"));
    assert_eq!(header(&requests.pop().unwrap(), "content-length"), None);
    assert!(requests.iter().all(|request| request.ends_with("body") && header(request, "x-mine") == Some("1")));
}

#[test]
fn a_coded_body_that_was_not_requested_is_named_in_the_error() {
    let server =
        Server::answering(|_| json(200, "\u{1f}\u{8b}\u{8}").replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n"));
    let error = refresh(&http(), &client_at(&server)).unwrap_err();
    assert!(matches!(error, ExchangeError::Response(ResponseError::ContentCoding)), "{error}");
}

#[test]
fn discovery_asks_each_address_until_one_has_metadata() {
    const PATHS: [&str; 3] = [
        "/.well-known/oauth-authorization-server/t1",
        "/.well-known/openid-configuration/t1",
        "/t1/.well-known/openid-configuration",
    ];
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi".to_owned();
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_owned();
    let bare = json(404, "");
    let metadata = "metadata".to_owned();
    let http = http();
    for (answers, asked, found) in [
        ([&bare, &json(400, ""), &metadata], 3, true),
        ([&bare, &json(500, ""), &metadata], 2, false),
        ([&json(404, r#"{"error":"not_found"}"#), &html, &metadata], 3, true),
        ([&metadata, &bare, &bare], 1, true),
        ([&bare, &bare, &bare], 3, false),
        ([&json(200, "{"), &metadata, &metadata], 2, true),
        ([&json(200, r#"{"issuer":"http://127.0.0.1:1"}"#), &metadata, &metadata], 1, false),
        ([&redirect, &metadata, &metadata], 2, true),
        ([&redirect, &redirect, &redirect], 3, false),
    ] {
        let answers = answers.map(String::clone);
        let server = Server::answering(move |request| {
            let at = PATHS.iter().position(|path| request.starts_with(&format!("GET {path} HTTP/1.1\r\n"))).unwrap();
            if answers[at] != "metadata" {
                return answers[at].clone();
            }
            let origin = format!("http://{}", header(request, "host").unwrap());
            json(
                200,
                &format!(
                    r#"{{"issuer":"{origin}/t1","authorization_endpoint":"{origin}/a","token_endpoint":"{origin}/t"}}"#
                ),
            )
        });
        let issuer = server.url("/t1");
        let client = http.discover(&issuer, "app", "http://127.0.0.1/callback").wait();
        assert_eq!(server.requests().len(), asked);
        match client {
            Ok(client) => {
                assert!(found);
                let endpoints = client.as_client().server();
                assert_eq!(
                    (endpoints.issuer(), endpoints.endpoint(Endpoint::Token).unwrap_or_default()),
                    (Some(&*issuer), &*server.url("/t"))
                );
            }
            Err(DiscoverError::NoMetadata { .. }) => assert!(!found && asked == 3),
            Err(error) => assert!(!found && asked < 3 && matches!(error, DiscoverError::Response(_)), "{error}"),
        }
    }
    let error = http.discover("http://as.example", "app", "http://127.0.0.1/callback").wait().unwrap_err();
    assert!(matches!(error, DiscoverError::Config(ConfigError::Issuer(_))), "{error}");
}

#[test]
fn discovery_ends_without_a_connection() {
    for greeting in ["", "SSH-2.0-x\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}"] {
        let server = Server::start(move |mut stream, _| {
            // The first bytes of a handshake of TLS.
            stream.read_exact(&mut [0; 5]).unwrap();
            drop(stream.write_all(greeting.as_bytes()));
        });
        let issuer = server.url("").replace("http:", "https:");
        let error = http().discover(&issuer, "app", "http://127.0.0.1/callback").wait().unwrap_err();
        assert!(matches!(&error, DiscoverError::Transport(error) if !error.was_sent()), "{greeting:?}: {error:?}");
        assert_eq!(server.connections(), 1, "{greeting:?}");
    }
}

#[test]
fn a_revocation_sends_the_token_and_a_busy_server_is_asked_again_later() {
    let served = AtomicUsize::new(0);
    let server = Server::answering(move |_| match served.fetch_add(1, Ordering::Relaxed) {
        0 => "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi".to_owned(),
        _ => "HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n".to_owned(),
    });
    let (http, client) = (http(), client_at(&server));
    let token = Revocable::Refresh(RefreshToken::new("rt-0").unwrap());
    assert!(http.revoke(client.as_client(), token).wait().is_ok());
    let request = server.requests().pop().unwrap();
    assert!(request.starts_with("POST /revoke "), "{request}");
    assert!(request.ends_with("\r\n\r\ntoken=rt-0&token_type_hint=refresh_token&client_id=app"), "{request}");
    let error = http.revoke(client.as_client(), token).wait().unwrap_err();
    assert_eq!(error.advice(), Some(Advice::Retry { after: Some(7) }));
    let nowhere =
        Client::new("app", "http://127.0.0.1/callback", Endpoints::new("https://as.example/a", "https://as.example/t"));
    let nowhere = nowhere.unwrap();
    let error = http.revoke(nowhere, token).wait().unwrap_err();
    assert!(
        matches!(error, ExchangeError::Config(ConfigError::Endpoint(Endpoint::Revocation, UriFault::Absent))),
        "{error}"
    );
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn transport_errors_hold_no_url_and_no_token() {
    let gone = {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap()
    };
    let closing = Server::start(|mut stream, _| drop(read_request(&mut stream)));
    let http = http();
    for origin in [format!("http://{gone}"), closing.url("")] {
        for url in [format!("{origin}/SECRET?q=SECRET"), origin.replace("//", "//SECRET:SECRET@")] {
            let error = http.call(get(&url), access_token()).wait().unwrap_err();
            let is_gone = origin.ends_with(&gone.port().to_string());
            let expected = if is_gone { TransportKind::Connect } else { TransportKind::Closed };
            assert_eq!((error.kind(), error.was_sent()), (expected, !is_gone), "{error}");
            let mut text = format!("{error} {error:?}");
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text += &format!(" {error} {error:?}");
                cause = error.source();
            }
            assert!(!text.contains("SECRET") && !text.contains("CANARY"), "{text}");
        }
    }
    let error = http.call(get("/SECRET"), access_token()).wait().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
}

/// The environment of a process cannot be set safely from within, so this test runs itself once more.
#[test]
fn no_proxy_is_used() {
    if let Ok(url) = env::var("PROOFKEY_TEST_URL") {
        let answer = http().call(get(&url), access_token()).wait().unwrap();
        assert_eq!(answer.status, 200);
        return;
    }
    let proxy = Server::sink();
    let server = Server::answering(|_| json(200, "{}"));
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", concat!(module_path!(), "::no_proxy_is_used").split_once("::").unwrap().1])
        .env("PROOFKEY_TEST_URL", server.url("/"));
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "http_proxy", "https_proxy"] {
        child.env(name, proxy.url(""));
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.requests().len(), proxy.connections()), (1, 0));
}
