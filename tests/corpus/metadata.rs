//! `metadata.json`: what the addresses of an issuer answer, to the core in memory and over sockets to both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure};
use super::data::{self, Input, bounded, clean, run, same};
use proofkey_core::{Advice, Discovery, Endpoint, Feature, Flow, ResponseBuf, ResponseError, Step, Unanswered};
use proofkey_tests::recording::{Server, read_request};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    refused: bool,
    #[serde(default = "yes")]
    in_memory: bool,
    answers: Vec<Answer>,
    expected: String,
    #[serde(default)]
    found: Found,
    asked: usize,
    advice: Option<String>,
    #[serde(default)]
    says: Vec<String>,
    why: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default = "json")]
    headers: Vec<(String, String)>,
    #[serde(default = "empty")]
    body: Input,
    #[serde(default)]
    closes: bool,
    raw: Option<Input>,
}

/// What was read. An adapter keeps neither the PKCE methods nor the scopes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Found {
    #[serde(default)]
    revocation: bool,
    #[serde(default)]
    iss: bool,
    #[serde(default)]
    pkce: bool,
    scopes: Option<Vec<String>>,
}

struct Outcome {
    result: Result<Found, Failure>,
    /// The addresses that were asked, in order.
    asked: Vec<String>,
}

#[test]
fn metadata_have_their_verdict_in_the_core() {
    let cases: Vec<Case> = data::cases("metadata.json");
    let cases: Vec<_> = cases.iter().filter(|case| case.in_memory && !case.refused).collect();
    run(&cases, |case| {
        let origin = case.whole_issuer().unwrap_or("http://127.0.0.1:49152");
        let place = case.place(origin);
        let bytes = case.answers.iter().map(|answer| answer.body(&place).len()).sum();
        case.check(&bounded(&case.id, bytes, || case.search(&place))?, &place, &case.found)
    });
}

#[test]
fn metadata_have_their_verdict_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

#[test]
fn metadata_have_their_verdict_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

fn over_sockets(adapter: &Adapter) {
    let cases: Vec<Case> = data::cases("metadata.json");
    let cases: Vec<_> = cases.iter().filter(|case| case.whole_issuer().is_none()).collect();
    run(&cases, |case| {
        let answers = case.answers.clone();
        let issuer = case.issuer.clone();
        let server = Server::start(move |mut stream, requests| {
            let origin = format!("http://{}", stream.local_addr().expect("an address"));
            let Some(request) = read_request(&mut stream) else { return };
            let mut requests = requests.lock().expect("no panic");
            let answer = answers.get(requests.len()).cloned().unwrap_or_else(Answer::not_found);
            requests.push(request);
            drop(requests);
            answer.send(&mut stream, &Place::new(&origin, &issuer));
        });
        // While a connection has a port, nobody can listen at it.
        let busy = TcpStream::connect(server.address).expect("a server");
        let nobody = busy.local_addr().expect("an address");
        let origin = format!("http://{}", if case.refused { nobody } else { server.address });
        let place = case.place(&origin);
        let result = (adapter.discover)(&place.issuer).map(|client| {
            let server = client.as_client().server();
            let (revocation, iss) =
                (server.endpoint(Endpoint::Revocation).is_some(), server.has(Feature::IssParameter));
            Found { revocation, iss, ..Found::default() }
        });
        let requests = server.requests();
        let asked = requests.iter().map(|request| format!("{origin}{}", request.split(' ').nth(1).unwrap_or_default()));
        let found = Found { pkce: false, scopes: None, ..case.found.clone() };
        case.check(&Outcome { result, asked: asked.collect() }, &place, &found)
    });
}

impl Case {
    /// The issuer if it is none of a server of the test.
    fn whole_issuer(&self) -> Option<&str> {
        Some(self.issuer.as_str()).filter(|issuer| issuer.contains("://"))
    }

    fn place(&self, origin: &str) -> Place {
        match self.whole_issuer() {
            Some(issuer) => {
                let (scheme, rest) = issuer.split_once("://").expect("a scheme");
                let authority = rest.split('/').next().unwrap_or_default();
                Place { origin: format!("{scheme}://{authority}"), issuer: issuer.to_owned() }
            }
            None => Place::new(origin, &self.issuer),
        }
    }

    fn search(&self, place: &Place) -> Outcome {
        let mut discovery = Discovery::new(&place.issuer).expect("an issuer");
        let (mut answers, mut asked) = (self.answers.iter(), Vec::new());
        while let Step::Send(request) = discovery.step(0) {
            asked.push(request.url().to_string());
            let answer = answers.next().cloned().unwrap_or_else(Answer::not_found);
            if answer.closes || answer.raw.is_some() {
                assert!(discovery.unanswered(Unanswered::Closed, 0), "the next address is asked");
                continue;
            }
            let mut response =
                ResponseBuf { status: answer.status, headers: answer.headers.clone(), body: answer.body(place) };
            if !discovery.hear(&response.as_response(), 0) {
                continue;
            }
            let read = discovery.read(response.as_response()).map(|metadata| {
                let server = metadata.server();
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
                Found {
                    revocation: server.endpoint(Endpoint::Revocation).is_some(),
                    iss: server.has(Feature::IssParameter),
                    pkce: metadata.pkce_advertised(),
                    scopes: metadata.scopes().map(words),
                }
            });
            return Outcome { result: read.map_err(Failure::Response), asked };
        }
        let said = discovery.tried().at(&place.issuer).to_string();
        Outcome { result: Err(Failure::NoMetadata(said)), asked }
    }

    fn check(&self, outcome: &Outcome, place: &Place, found: &Found) -> Result<(), String> {
        let Outcome { result, asked } = outcome;
        let name = result.as_ref().map_or_else(Failure::name, |_| "Found".to_owned());
        same(&self.id, &format!("{}; {result:?}", self.why), &name, &self.expected)?;
        same(&self.id, "addresses", asked.len(), self.asked)?;
        same(&self.id, "each address once", asked.iter().collect::<BTreeSet<_>>().len(), self.asked)?;
        let (said, advice) = match result {
            Ok(seen) => return same(&self.id, "found", seen, found),
            Err(Failure::NoMetadata(said)) => {
                for address in asked {
                    same(&self.id, &format!("{address} in {said}"), said.matches(&format!("{address} ")).count(), 1)?;
                }
                (said.clone(), Some("Fix".to_owned()))
            }
            Err(Failure::Response(error)) => {
                clean(&self.id, error)?;
                (error.to_string(), Some(advice(error)))
            }
            Err(_) => (String::new(), None),
        };
        same(&self.id, "advice", &advice, &self.advice)?;
        for text in &self.says {
            let text = place.fill(text);
            same(&self.id, &format!("{text:?} in {said:?}"), said.contains(&text), true)?;
        }
        Ok(())
    }
}

fn advice(error: &ResponseError) -> String {
    match error.advice() {
        Advice::Retry { after: Some(after) } => format!("Retry({after})"),
        Advice::Retry { after: None } => "Retry".to_owned(),
        advice => format!("{advice:?}"),
    }
}

/// Where a case takes place.
struct Place {
    origin: String,
    issuer: String,
}

impl Place {
    fn new(origin: &str, path: &str) -> Self {
        Self { origin: origin.to_owned(), issuer: format!("{origin}{path}") }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{start}", START).replace("{issuer}", &self.issuer).replace("{origin}", &self.origin)
    }
}

impl Answer {
    fn not_found() -> Self {
        Self { status: 404, headers: Vec::new(), body: empty(), closes: false, raw: None }
    }

    fn body(&self, place: &Place) -> Vec<u8> {
        self.body.bytes(|text| place.fill(text))
    }

    fn send(&self, stream: &mut TcpStream, place: &Place) {
        if self.closes {
            return;
        }
        let bytes = self.raw.as_ref().map_or_else(
            || {
                let body = self.body(place);
                let fields = self.headers.iter().map(|(name, value)| format!("{name}: {}\r\n", place.fill(value)));
                let fields: String = fields.collect();
                // Neither has a body.
                let length = match self.status {
                    204 | 304 => String::new(),
                    _ => format!("Content-Length: {}\r\n", body.len()),
                };
                [format!("HTTP/1.1 {} X\r\n{fields}{length}\r\n", self.status).as_bytes(), &body].concat()
            },
            |raw| raw.bytes(|text| place.fill(text)),
        );
        // Whoever has heard enough hangs up.
        drop(stream.write_all(&bytes));
    }
}

fn ok() -> u16 {
    200
}

fn yes() -> bool {
    true
}

fn empty() -> Input {
    Input::Text(String::new())
}

fn json() -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), "application/json".to_owned())]
}

/// The least metadata, without its last brace.
const START: &str =
    r#"{"issuer":"{issuer}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token""#;
