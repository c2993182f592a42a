//! A server that has an answer at each path.

use proofkey_core::{Client, Redirect, Server as Endpoints, TokenRequest};
use proofkey_tests::recording::{Server, header, read_request};
use proofkey_tests::{ISSUER, REDIRECT_URI, begin, good_query};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

/// What a server sends. `{origin}` in the head is its own.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Byte by byte, with a pause before each.
    pub(crate) drip: bool,
    /// It leaves the connection open behind the answer.
    pub(crate) hold: bool,
}

pub(crate) struct Answers {
    server: Server,
    paths: Vec<String>,
}

impl Answers {
    /// Each answer is at the path of its id.
    pub(crate) fn serve(answers: impl IntoIterator<Item = (String, Answer)>) -> Self {
        let answers: BTreeMap<_, _> = answers.into_iter().map(|(id, answer)| (format!("/{id}"), answer)).collect();
        let paths = answers.keys().cloned().collect();
        let server = Server::start(move |mut stream, requests| {
            let Some(request) = read_request(&mut stream) else { return };
            let origin = format!("http://{}", header(&request, "host").expect("a host"));
            let answer = answers.get(path(&request));
            requests.lock().expect("no panic").push(request);
            if let Some(answer) = answer {
                answer.send(&mut stream, &origin);
            }
        });
        Self { server, paths }
    }

    pub(crate) fn url(&self, id: &str) -> String {
        self.server.url(&format!("/{id}"))
    }

    /// All requests: one at each path, none elsewhere, and none with what browsers send along.
    pub(crate) fn requests(mut self) -> Vec<String> {
        let requests = self.server.requests();
        let mut asked: Vec<_> = requests.iter().map(|request| path(request).to_owned()).collect();
        asked.sort();
        self.paths.sort();
        assert_eq!(asked, self.paths, "one request each, and none elsewhere");
        for request in &requests {
            for name in ["cookie", "referer"] {
                assert_eq!(header(request, name), None, "{request}");
            }
        }
        requests
    }
}

impl Answer {
    fn send(&self, stream: &mut TcpStream, origin: &str) {
        let bytes = [self.head.replace("{origin}", origin).as_bytes(), &self.body].concat();
        // Whoever has heard enough hangs up.
        if self.drip {
            let mut byte = bytes.chunks(1);
            while byte.next().is_some_and(|byte| stream.write_all(byte).is_ok()) {
                thread::sleep(DRIP);
            }
        } else {
            drop(stream.write_all(&bytes));
        }
        if self.hold {
            drop(stream.read(&mut [0]));
        }
    }
}

/// Sends a request with a code.
pub(crate) fn with_code<T>(token_endpoint: &str, send: impl FnOnce(TokenRequest<'_>) -> T) -> T {
    let endpoints = Endpoints::new("https://as.example/authorize", token_endpoint).with_issuer(ISSUER);
    let client = Client::new("client", REDIRECT_URI, endpoints).expect("a client");
    let pending = begin(client);
    let query = good_query(&pending);
    send(pending.accept(client, Redirect::Query(&query)).expect("a good redirect"))
}

fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

/// The pause before a byte.
pub(crate) const DRIP: Duration = Duration::from_millis(50);
