//! `device.json`: answers to a device and to its polls, to the core in memory and over sockets to both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure};
use super::data::{self, Input, bounded, clean, run, same};
use proofkey_core::{Advice, Client, Flow, Poll, Prompt, ResponseBuf, ResponseError, Server as Endpoints};
use proofkey_tests::recording::{Server, read_request};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default)]
    poll: bool,
    #[serde(default = "fine")]
    status: u16,
    #[serde(default = "json")]
    headers: Vec<(String, String)>,
    input: Input,
    expected: String,
    code: Option<String>,
    uri: Option<String>,
    link: Option<String>,
    expires_in: Option<u32>,
    wait: Option<u32>,
    retry_after: Option<u32>,
    advice: Option<String>,
    why: String,
}

/// What the user saw, or which access token came.
type Outcome = Result<Seen, Failure>;

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Prompt { code: String, uri: String, link: Option<String>, expires_in: u32 },
    Token(String),
}

#[test]
fn answers_to_a_device_have_their_verdict_in_the_core() {
    run(&cases(), |case| {
        let (outcome, wait) = bounded(&case.id, case.bytes().len(), || case.in_memory())?;
        same(&case.id, "seconds until the next poll", &wait, &case.wait)?;
        case.check(&outcome)
    });
}

#[test]
fn answers_to_a_device_have_their_verdict_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

#[test]
fn answers_to_a_device_have_their_verdict_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

/// All at the same time, since each poll waits for two seconds.
fn over_sockets(adapter: &Adapter) {
    let cases = cases();
    let failed: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = cases.iter().map(|case| scope.spawn(|| case.over_a_socket(adapter).err())).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("no case panics")).collect()
    });
    assert!(failed.is_empty(), "{} of {} cases differ:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        self.input.bytes(str::to_owned)
    }

    fn in_memory(&self) -> (Outcome, Option<u32>) {
        let headers = self.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        let mut answer = ResponseBuf { status: self.status, headers, body: self.bytes() };
        let request = client("https://as.example").device(&["a"]).expect("a request");
        if !self.poll {
            return match request.read(answer.as_response(), 0) {
                Ok((prompt, poll)) => (Ok(Seen::of(&prompt)), poll.due(0)),
                Err(error) => (Err(Failure::Response(error)), None),
            };
        }
        let mut first = ResponseBuf { status: 200, headers: Vec::new(), body: FIRST.replace('0', "5").into_bytes() };
        let (_, mut poll) = request.read(first.as_response(), 0).expect("a prompt");
        if !poll.hear(&answer.as_response(), SIXTH) {
            return (Err(Failure::Other("Cancelled".to_owned())), poll.due(SIXTH));
        }
        let tokens = Poll::read(poll, answer.as_response());
        (tokens.map(|tokens| Seen::Token(tokens.access_token().expose().to_owned())).map_err(Failure::Response), None)
    }

    /// The login ends at the prompt; or the server gives it up before it answers the poll, so that no other one follows.
    fn over_a_socket(&self, adapter: &Adapter) -> Result<(), String> {
        let stop = Arc::new(AtomicBool::new(false));
        let (case, cancel) = (self.clone(), Arc::clone(&stop));
        let server = Server::start(move |mut stream, requests| {
            let Some(request) = read_request(&mut stream) else { return };
            let (is_poll, head) = (request.starts_with("POST /token "), request.lines().next().map(str::to_owned));
            requests.lock().expect("no panic").push(head.expect("a request line"));
            cancel.store(is_poll, Ordering::Relaxed);
            let answer = if is_poll == case.poll { case.answer() } else { answer(200, &json(), FIRST.as_bytes()) };
            // A client that has heard enough hangs up.
            drop(stream.write_all(&answer));
        });
        let seen = Mutex::new(None);
        let show = |prompt: &Prompt<'_>| {
            *seen.lock().expect("no panic") = Some(Seen::of(prompt));
            if self.poll { Ok(()) } else { Err(io::Error::other("seen enough")) }
        };
        let origin = format!("http://{}", server.address);
        let outcome = (adapter.device)(client(&origin), &show, &stop);
        let shown = seen.into_inner().expect("no panic").filter(|_| !self.poll);
        let outcome = match (outcome, shown) {
            (Err(Failure::Other(name)), Some(shown)) if name.starts_with("Show") => Ok(shown),
            (outcome, _) => outcome.map(|tokens| Seen::Token(tokens.access_token().expose().to_owned())),
        };
        let expected: &[&str] =
            if self.poll { &["POST /device HTTP/1.1", "POST /token HTTP/1.1"] } else { &["POST /device HTTP/1.1"] };
        same(
            &self.id,
            "requests",
            &server.requests().iter().map(String::as_str).collect::<Vec<_>>(),
            &expected.to_vec(),
        )?;
        same(&self.id, "over sockets as in memory", &outcome, &self.in_memory().0)?;
        self.check(&outcome)
    }

    fn answer(&self) -> Vec<u8> {
        answer(self.status, &self.headers, &self.bytes())
    }

    fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let name = outcome.as_ref().map_or_else(Failure::name, |_| "Accepted".to_owned());
        let name = if name == "Cancelled" { "GoesOn".to_owned() } else { name };
        same(&self.id, &format!("{}; {outcome:?}", self.why), &name, &self.expected)?;
        let error = match outcome {
            Ok(Seen::Prompt { code, uri, link, expires_in }) => {
                let (code, uri, expires_in) = (Some(code.clone()), Some(uri.clone()), Some(*expires_in));
                let expected = (&self.code, &self.uri, &self.link, &self.expires_in);
                return same(&self.id, "prompt", (&code, &uri, link, &expires_in), expected);
            }
            Ok(Seen::Token(token)) => return same(&self.id, "access token", token.as_str(), "AT"),
            Err(Failure::Response(error)) => error,
            Err(_) => return Ok(()),
        };
        clean(&self.id, error)?;
        if let ResponseError::Server { retry_after, .. } | ResponseError::Status { retry_after, .. } = error {
            same(&self.id, "seconds to wait", retry_after, &self.retry_after)?;
        }
        let advice = match error.advice() {
            Advice::Retry { after: Some(after) } => format!("Retry({after})"),
            Advice::Retry { after: None } => "Retry".to_owned(),
            advice => format!("{advice:?}"),
        };
        same(&self.id, "advice", &Some(advice), &self.advice)
    }
}

impl Seen {
    fn of(prompt: &Prompt<'_>) -> Self {
        Self::Prompt {
            code: prompt.user_code().to_owned(),
            uri: prompt.verification_uri().to_owned(),
            link: prompt.verification_uri_complete().map(str::to_owned),
            expires_in: prompt.expires_in(),
        }
    }
}

fn cases() -> Vec<Case> {
    data::cases("device.json")
}

fn client(origin: &str) -> Client<'static> {
    static ENDPOINTS: Mutex<BTreeMap<String, &'static [String; 2]>> = Mutex::new(BTreeMap::new());
    let mut known = ENDPOINTS.lock().expect("no panic");
    let [device, token] = known
        .entry(origin.to_owned())
        .or_insert_with(|| Box::leak(Box::new([format!("{origin}/device"), format!("{origin}/token")])));
    Client::without_redirect("client", Endpoints::device(device, token)).expect("a client")
}

fn answer(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let fields: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    [format!("HTTP/1.1 {status} X\r\n{fields}{length}Connection: close\r\n\r\n").as_bytes(), body].concat()
}

fn fine() -> u16 {
    200
}

fn json() -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), "application/json".to_owned())]
}

const FIRST: &str =
    r#"{"device_code":"D","user_code":"U","verification_uri":"https://as.example/go","expires_in":99999,"interval":0}"#;
const SIXTH: u64 = 6;
