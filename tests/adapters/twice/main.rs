//! Who sends a request twice: nobody, whatever the server does to its connections, and whether or not they are kept.
//!
//! `TWICE_REQUESTS` is the number of requests of each row; `.ci/run twice` sets 10,000. HTTP/2 has no row: the adapters do not
//! build it into `reqwest`.

mod server;
mod way;

use proofkey_core::{Client, RefreshToken, Server as Endpoints, TokensBuf};
use proofkey_http::ExchangeError;
use proofkey_tests::authority::Authority;
use server::{Kind, Server};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use std::{env, thread};
use tokio_rustls::TlsAcceptor;
use way::Way;

#[test]
fn nothing_is_sent_twice() {
    let requests = env::var("TWICE_REQUESTS").map_or(60, |number| number.parse().expect("a number"));
    let authority = Authority::new("Twice");
    let tls = TlsAcceptor::from(authority.server(&["127.0.0.1"]));
    println!("{HEAD}");
    let mut faults = Vec::new();
    for kind in Kind::ALL {
        for way in Way::ALL {
            for (adapter, send) in [("proofkey-reqwest", asynchronous as fn(&_, _, &_)), ("proofkey-ureq", blocking)] {
                let row = Row::start(kind, requests, way.is_yours().then(|| tls.clone()));
                send(&row, way, &authority);
                faults.extend(row.report(adapter, way));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The requests to one server, and what the adapter said of them.
struct Row {
    kind: Kind,
    server: Server,
    requests: usize,
    next: AtomicUsize,
    answered: AtomicUsize,
    failed: AtomicUsize,
    unsent: Mutex<Vec<usize>>,
}

impl Row {
    fn start(kind: Kind, requests: usize, tls: Option<TlsAcceptor>) -> Self {
        let server = Server::start(kind, requests, tls).expect("a server");
        let [next, answered, failed] = [0; 3].map(AtomicUsize::new);
        Self { kind, server, requests, next, answered, failed, unsent: Mutex::default() }
    }

    /// The next request: its number, its endpoint, and its refresh token.
    fn next(&self) -> Option<(usize, String, String)> {
        let number = self.next.fetch_add(1, Relaxed);
        let endpoint = format!("{}/token/{number}", self.server.origin);
        (number < self.requests).then(|| (number, endpoint, self.kind.token(number)))
    }

    /// So long that the server sometimes closes before the next request, sometimes after it, and sometimes meanwhile.
    fn pause(&self, number: usize) -> Duration {
        Duration::from_micros(if self.kind == Kind::ClosesIdle { number as u64 % 4 * 1000 } else { 0 })
    }

    /// Counts what became of a request, and returns whether it was answered.
    fn note(&self, number: usize, result: Result<TokensBuf, ExchangeError>) -> bool {
        match result {
            Ok(tokens) => {
                assert_eq!(tokens.access_token().expose(), format!("at-{number}"), "the answer to another request");
                self.answered.fetch_add(1, Relaxed);
                true
            }
            Err(ExchangeError::Transport(error)) => {
                self.failed.fetch_add(1, Relaxed);
                if !error.was_sent() {
                    self.unsent.lock().expect("no panic").push(number);
                }
                false
            }
            Err(error) => panic!("{}: {error}", self.kind.name()),
        }
    }

    /// Prints the row, and returns the rules that it breaks.
    fn report(self, adapter: &str, way: Way) -> Vec<String> {
        let Self { kind, server, requests, answered, failed, unsent, .. } = self;
        let (answered, failed) = (answered.into_inner(), failed.into_inner());
        let unsent = unsent.into_inner().expect("no panic");
        let unsent_arrived = unsent.iter().filter(|number| server.arrivals(**number) > 0).count();
        let (twice, opened, reused) = (server.twice(), server.connections(), server.reused());
        let who = format!("{} | {adapter} | {}", kind.name(), way.name());
        println!(
            "| {who} | {requests} | {answered} | {failed} | {opened} | {reused} | {} | {unsent_arrived} | {twice} |",
            unsent.len()
        );
        let rules = [
            ("a request arrived twice", twice == 0),
            ("a request arrived that was called unsent", unsent_arrived == 0),
            ("each request was answered or failed", answered + failed == requests),
            ("each request has a connection of its own", way.keeps() || (opened == requests && reused == 0)),
            ("connections are kept", !way.keeps() || !kind.keeps() || reused > 0),
        ];
        rules.into_iter().filter(|(_, holds)| !holds).map(|(rule, _)| format!("{who}: {rule}")).collect()
    }
}

/// After a failure an adapter keeps no connections for a while, so the next request has a new one.
fn asynchronous(row: &Row, way: Way, authority: &Authority) {
    let make = way.reqwest(authority);
    let http = Mutex::new(make());
    let work = async || {
        while let Some((number, endpoint, token)) = row.next() {
            tokio::time::sleep(row.pause(number)).await;
            let current = http.lock().expect("no panic").clone();
            let result = current.refresh(client(&endpoint), RefreshToken::new(&token).expect("a token")).await;
            if !row.note(number, result) && way.keeps() {
                *http.lock().expect("no panic") = make();
            }
        }
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { tokio::join!(work(), work(), work(), work()) });
}

fn blocking(row: &Row, way: Way, authority: &Authority) {
    let make = way.ureq(authority);
    let http = Mutex::new(make());
    let work = || {
        while let Some((number, endpoint, token)) = row.next() {
            thread::sleep(row.pause(number));
            let current = http.lock().expect("no panic").clone();
            let result = current.refresh(client(&endpoint), RefreshToken::new(&token).expect("a token"));
            if !row.note(number, result) && way.keeps() {
                *http.lock().expect("no panic") = make();
            }
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
}

fn client(endpoint: &str) -> Client<'_> {
    let endpoints = Endpoints::new("http://127.0.0.1/authorize", endpoint);
    Client::new("app", "http://127.0.0.1/callback", endpoints).expect("a client")
}

const HEAD: &str = "\
| server | adapter | connections | requests | answered | failed | opened | on a used one | called unsent | and arrived | arrived twice |
|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|";
