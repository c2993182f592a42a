//! Both adapters in a program whose other crates have turned decoders on in the HTTP libraries.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use proofkey_core::{AccessToken, Client, RefreshToken, ResponseError, Server as Endpoints, TokenRequest};
use proofkey_tests::recording::{Server, TOKENS, header, read_request};
use proofkey_ureq::{ExchangeError, TransportKind};
use std::io::Write;
use std::process::Command;
use std::{env, fs};

const OAUTH_CAP: usize = 1024 * 1024;
const API_CAP: usize = 64 * 1024 * 1024;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap()
}

/// A server whose every answer is this body in this coding.
fn coded(coding: &'static str, body: Vec<u8>) -> Server {
    Server::start(move |mut stream, requests| {
        requests.lock().unwrap().extend(read_request(&mut stream));
        let length = body.len();
        let fields =
            format!("Content-Type: application/json\r\nContent-Encoding: {coding}\r\nContent-Length: {length}");
        drop(write!(stream, "HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").and_then(|()| stream.write_all(&body)));
    })
}

fn with_refresh<T>(server: &Server, ask: impl FnOnce(TokenRequest<'_>) -> T) -> T {
    let token_endpoint = server.url("/token");
    let endpoints = Endpoints::new("https://as.example/authorize", &token_endpoint);
    let client = Client::new("app", "http://127.0.0.1/callback", endpoints).unwrap();
    ask(client.refresh(RefreshToken::new("rt-0").unwrap()))
}

fn blocking(server: &Server) -> Result<String, ExchangeError> {
    let tokens = with_refresh(server, |request| proofkey_ureq::Http::new().exchange(request))?;
    Ok(tokens.access_token().expose().to_owned())
}

fn asynchronous(server: &Server) -> Result<String, ExchangeError> {
    let http = proofkey_reqwest::Http::new().unwrap();
    let tokens = with_refresh(server, |request| wait(http.exchange(request)))?;
    Ok(tokens.access_token().expose().to_owned())
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn identity_is_requested() {
    let server = coded("identity", TOKENS.into());
    assert_eq!(blocking(&server).unwrap(), "at-1");
    assert_eq!(asynchronous(&server).unwrap(), "at-1");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(header(&request, "accept-encoding"), Some("identity"), "{request}");
    }
}

#[test]
fn a_coded_body_is_decoded_by_ureq_alone() {
    for (coding, body, undone) in [
        ("gzip", gzip(TOKENS.as_bytes()), true),
        ("gzip, gzip", gzip(&gzip(TOKENS.as_bytes())), false),
        ("deflate", deflate(TOKENS.as_bytes()), false),
        ("gzip", gzip(&gzip(TOKENS.as_bytes())), false),
    ] {
        let server = coded(coding, body);
        match blocking(&server) {
            Ok(token) => assert!(undone && token == "at-1", "{coding}"),
            Err(error) => {
                assert!(
                    !undone && matches!(error, ExchangeError::Response(ResponseError::ContentCoding)),
                    "{coding}: {error}"
                );
            }
        }
        let error = asynchronous(&server).unwrap_err();
        let told = matches!(error, ExchangeError::Response(ResponseError::ContentCoding));
        assert!(told, "{coding}: {error}");
    }
}

#[test]
fn a_coded_body_that_is_cut_or_damaged_is_an_error() {
    let whole = gzip(TOKENS.as_bytes());
    for length in 0..whole.len() {
        let server = coded("gzip", whole[..length].to_vec());
        assert!(blocking(&server).is_err(), "{length} bytes");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        // The name, the time and the system in a head mean nothing.
        if let Ok(token) = blocking(&coded("gzip", damaged)) {
            assert!((4..10).contains(&at) && token == "at-1", "byte {at}");
        }
    }
}

/// Memory is that of a process, so this test runs itself once more.
#[cfg(target_os = "linux")]
#[test]
fn a_decompression_bomb_takes_less_than_twice_the_cap() {
    if let Ok(url) = env::var("PROOFKEY_TEST_URL") {
        let http = proofkey_ureq::Http::new();
        let call = |url: &str| {
            let request = http::Request::get(url).body(Vec::new()).unwrap();
            http.call(request, AccessToken::new("CANARY").unwrap()).map(|answer| answer.body.len())
        };
        assert_eq!(call(&url).unwrap(), TOKENS.len());
        let begun = most_memory();
        let bomb = format!("{url}bomb");
        let client = Client::new("app", "http://127.0.0.1/callback", Endpoints::new("https://a.example/", &bomb));
        let error = http.exchange(client.unwrap().refresh(RefreshToken::new("rt-0").unwrap())).unwrap_err();
        assert!(
            matches!(&error, ExchangeError::Transport(error) if error.kind() == TransportKind::BodyTooBig),
            "{error}"
        );
        let oauth = most_memory() - begun;
        let error = call(&bomb).unwrap_err();
        assert!(error.kind() == TransportKind::BodyTooBig, "{error}");
        let api = most_memory() - begun;
        assert!(oauth < 2 * OAUTH_CAP && api < 2 * API_CAP, "{oauth} {api}");
        println!("{oauth} and {api} bytes more, of caps of {OAUTH_CAP} and {API_CAP}");
        return;
    }
    let (small, bomb) = (gzip(TOKENS.as_bytes()), gzip(&vec![b' '; 3 * API_CAP]));
    println!("a bomb of {} bytes", bomb.len());
    let server = Server::start(move |mut stream, _| {
        let request = read_request(&mut stream).unwrap_or_default();
        let body = if request.contains("bomb") { &bomb } else { &small };
        let fields = format!("Content-Encoding: gzip\r\nContent-Length: {}", body.len());
        drop(write!(stream, "HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").and_then(|()| stream.write_all(body)));
    });
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "--nocapture", "a_decompression_bomb_takes_less_than_twice_the_cap"]);
    let output = child.env("PROOFKEY_TEST_URL", server.url("/")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(" bytes more, of caps of "), "{said}");
    println!("{said}");
}

/// The most memory that this process has had in use, in bytes.
fn most_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let (_, rest) = status.split_once("VmHWM:").unwrap();
    rest.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}
