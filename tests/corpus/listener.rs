//! `listener.json`: visits whose moment decides, to the listeners of both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING};
use super::answers::DRIP;
use super::callback::{Asked, GOOD, PATIENCE};
use super::data::{self, Input, run, same};
use proofkey_core::{Client, ClientBuf, Server as Endpoints};
use proofkey_tests::ISSUER;
use proofkey_tests::recording::{Server, TOKENS, json};
use serde::Deserialize;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    when: When,
    #[serde(default)]
    drip: bool,
    input: Input,
    expected: String,
    why: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum When {
    Cancelled,
    Exchanging,
    Refused,
    SignedIn,
    TimedOut,
    Waiting,
}

#[test]
fn visits_have_their_verdict_at_the_blocking_listener() {
    run(&data::cases::<Case>("listener.json"), |case| case.check(&BLOCKING));
}

#[test]
fn visits_have_their_verdict_at_the_async_listener() {
    run(&data::cases::<Case>("listener.json"), |case| case.check(&ASYNCHRONOUS));
}

impl Case {
    fn check(&self, adapter: &Adapter) -> Result<(), String> {
        let ((begins, begun), (release, released)) = (mpsc::channel(), mpsc::channel());
        let (begins, released) = (Mutex::new(begins), Mutex::new(released));
        let server = Server::answering(move |_| {
            let _ = begins.lock().expect("no panic").send(());
            let _ = released.lock().expect("no panic").recv();
            json(200, TOKENS)
        });
        let client = client(&server);
        let (asked, cancel, during) = (OnceLock::new(), AtomicBool::new(false), Mutex::new(None));
        let moment = Mutex::new(Some((begun, release)));
        let timeout = if self.when == When::TimedOut { Duration::from_millis(200) } else { PATIENCE };
        let outcome = thread::scope(|scope| {
            let open = |url: &str| {
                let asked = asked.get_or_init(|| Asked::read(url));
                let moment = moment.lock().expect("no panic").take().expect("one browser");
                scope.spawn(|| *during.lock().expect("no panic") = self.play(asked, &cancel, moment));
            };
            (adapter.login)(client.as_client(), &open, timeout, &cancel)
        });
        let asked = asked.get().expect("the browser was opened");
        let answer = during.into_inner().expect("no panic").or_else(|| self.visit(asked));
        let seen = answer.as_deref().map_or("Closed", |answer| match answer.split(' ').nth(1) {
            Some("408") => "Timeout",
            Some("410") => "Gone",
            _ => answer,
        });
        same(&self.id, &self.why, seen, &self.expected)?;
        let verdict = outcome.map_or_else(|failure| failure.name(), |_| "Accepted".to_owned());
        let (ends, requests) = match self.when {
            When::Cancelled => ("Cancelled", 0),
            When::Exchanging | When::SignedIn | When::Waiting => ("Accepted", 1),
            When::Refused => ("Server(access_denied)", 0),
            When::TimedOut => ("TimedOut", 0),
        };
        same(&self.id, "the login", verdict.as_str(), ends)?;
        same(&self.id, "token requests", server.requests().len(), requests)
    }

    /// What the browser does while the login waits, and the answer to the visit where it takes place then.
    fn play(&self, asked: &Asked, cancel: &AtomicBool, (begun, release): (Receiver<()>, Sender<()>)) -> Option<String> {
        let get =
            |target: &str| asked.fill(&format!("GET {target} HTTP/1.1\r\nHost: {{address}}\r\n\r\n")).into_bytes();
        match self.when {
            When::Cancelled => cancel.store(true, Ordering::Relaxed),
            When::Exchanging => {
                let mut first = TcpStream::connect(asked.address).expect("a listener");
                first.write_all(&get(GOOD)).expect("sent");
                begun.recv().expect("a token request");
                let answer = self.visit(asked);
                drop(release);
                return Some(answer.unwrap_or_default());
            }
            When::Refused => drop(asked.visit(&get(&GOOD.replace("code=C", "error=access_denied")), false)),
            When::SignedIn => {
                drop(release);
                asked.visit(&get(GOOD), false);
            }
            When::TimedOut => {}
            When::Waiting => {
                let answer = self.visit(asked);
                drop(release);
                asked.visit(&get(GOOD), false);
                return Some(answer.unwrap_or_default());
            }
        }
        None
    }

    /// The whole answer; none where nobody listens.
    fn visit(&self, asked: &Asked) -> Option<String> {
        let bytes = self.input.bytes(|text| asked.fill(&text.replace("{good}", GOOD)));
        if !self.drip {
            return asked.visit(&bytes, false);
        }
        let mut stream = TcpStream::connect(asked.address).ok()?;
        stream.set_read_timeout(Some(DRIP)).expect("a timeout");
        let mut answer = String::new();
        for byte in bytes.chunks(1) {
            drop(stream.write_all(byte));
            // Waits for an answer as long as the pause is.
            if stream.read_to_string(&mut answer).is_ok() || !answer.is_empty() {
                break;
            }
        }
        Some(answer)
    }
}

fn client(server: &Server) -> ClientBuf {
    let token_endpoint = server.url("/token");
    let endpoints = Endpoints::new("https://as.example/authorize", &token_endpoint).with_issuer(ISSUER);
    Client::new("client", "http://127.0.0.1/cb", endpoints).expect("a client").into()
}
