//! `token.json`: answers of a token endpoint, to the core in memory and over sockets to both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure};
use super::data::{self, Input, clean, run, same};
use proofkey_core::{
    Advice, Client, Redirect, RefreshToken, ResponseBuf, ResponseError, Server as Endpoints, TokenRequest, TokensBuf,
};
use proofkey_tests::recording::{Server, header, read_request};
use proofkey_tests::{ISSUER, REDIRECT_URI, begin, good_query};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default)]
    grant: Grant,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default = "json")]
    headers: Vec<(String, String)>,
    #[serde(default)]
    raw: bool,
    #[serde(default)]
    hold: bool,
    #[serde(default)]
    prefixes: bool,
    input: Input,
    expected: String,
    #[serde(default = "only_at")]
    tokens: Tokens,
    retry_after: Option<u32>,
    advice: Option<String>,
    why: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Grant {
    #[default]
    Code,
    Refresh,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    access_token: Input,
    refresh_token: Option<String>,
    expires_in: Option<u32>,
    scope: Option<Vec<String>>,
}

#[test]
fn token_answers_have_their_verdict_in_the_core() {
    let cases: Vec<Case> = data::cases("token.json");
    let exchanges: Vec<_> = cases.iter().filter(|case| !case.raw).flat_map(Case::exchanges).collect();
    run(&exchanges, |exchange| exchange.check(&exchange.in_memory()));
}

#[test]
fn token_answers_have_their_verdict_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

#[test]
fn token_answers_have_their_verdict_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

fn over_sockets(adapter: &Adapter) {
    let cases: Vec<Case> = data::cases("token.json");
    let exchanges: Vec<_> = cases.iter().flat_map(Case::exchanges).collect();
    let answers: BTreeMap<_, _> = exchanges
        .iter()
        .map(|exchange| (format!("/{}", exchange.id), (exchange.answer(), exchange.case.hold)))
        .collect();
    let mut paths: Vec<String> = answers.keys().cloned().collect();
    let server = Server::start(move |mut stream, requests| {
        let Some(request) = read_request(&mut stream) else { return };
        let (head, body, hold) = match answers.get(path(&request)) {
            Some(((head, body), hold)) => (head.as_str(), body.as_slice(), *hold),
            None => ("HTTP/1.1 404 Not Found\r\n\r\n", [].as_slice(), false),
        };
        let head = head.replace("{origin}", &format!("http://{}", header(&request, "host").expect("a host")));
        requests.lock().expect("no panic").push(request);
        // Whoever has heard enough hangs up.
        drop(stream.write_all(&[head.as_bytes(), body].concat()));
        if hold {
            drop(stream.read(&mut [0]));
        }
    });
    run(&exchanges, |exchange| {
        let deadline = Duration::from_millis(if exchange.case.expected == "Deadline" { 500 } else { 30_000 });
        let token_endpoint = server.url(&format!("/{}", exchange.id));
        let outcome = exchange.outcome(&token_endpoint, |request| (adapter.exchange)(request, deadline));
        exchange.check(&outcome)?;
        if exchange.case.raw {
            return Ok(());
        }
        same(&exchange.id, "over sockets as in memory", &outcome, &exchange.in_memory())
    });
    let requests = server.requests();
    let mut asked: Vec<_> = requests.iter().map(|request| path(request).to_owned()).collect();
    asked.sort();
    paths.sort();
    assert_eq!(asked, paths, "one request each, and none elsewhere");
    for request in requests {
        for secret in ["authorization", "cookie", "referer"] {
            assert_eq!(header(&request, secret), None, "{request}");
        }
    }
}

/// One answer to one request.
struct Exchange<'c> {
    id: String,
    case: &'c Case,
    octets: Vec<u8>,
}

type Outcome = Result<Granted, Failure>;

#[derive(Debug, PartialEq)]
struct Granted {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<u32>,
    scope: Option<Vec<String>>,
}

impl Case {
    fn exchanges(&self) -> Vec<Exchange<'_>> {
        let octets = self.input.octets(str::to_owned);
        if self.prefixes {
            let prefix = |length| Exchange {
                id: format!("{}-{length}", self.id),
                case: self,
                octets: octets[..length].to_owned(),
            };
            return (0..octets.len()).map(prefix).collect();
        }
        vec![Exchange { id: self.id.clone(), case: self, octets }]
    }
}

impl Exchange<'_> {
    fn in_memory(&self) -> Outcome {
        let mut response = ResponseBuf {
            status: self.case.status,
            headers: self.case.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
            body: self.octets.clone(),
        };
        self.outcome("https://as.example/token", |request| {
            request.read(response.as_response()).map(TokensBuf::from).map_err(Failure::Response)
        })
    }

    fn outcome(
        &self,
        token_endpoint: &str,
        send: impl FnOnce(TokenRequest<'_>) -> Result<TokensBuf, Failure>,
    ) -> Outcome {
        let endpoints = Endpoints::new("https://as.example/authorize", token_endpoint).with_issuer(ISSUER);
        let client = Client::new("client", REDIRECT_URI, endpoints).expect("a client");
        let tokens = match self.case.grant {
            Grant::Code => {
                let pending = begin(client);
                let query = good_query(&pending);
                send(pending.accept(client, Redirect::Query(&query)).expect("a good redirect"))
            }
            Grant::Refresh => send(client.refresh(RefreshToken::new("RT1").expect("a refresh token"))),
        }?;
        Ok(Granted {
            access_token: tokens.access_token().expose().to_owned(),
            refresh_token: tokens.refresh_token().map(|token| token.expose().to_owned()),
            expires_in: tokens.expires_in(),
            scope: tokens.scope().map(|scope| scope.split_whitespace().map(str::to_owned).collect()),
        })
    }

    /// The head and the body of the whole answer; `{origin}` is not filled in yet.
    fn answer(&self) -> (String, Vec<u8>) {
        if self.case.raw {
            return (String::new(), self.octets.clone());
        }
        let fields: String = self.case.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = self.octets.len();
        let head = format!("HTTP/1.1 {} X\r\n{fields}Content-Length: {length}\r\n\r\n", self.case.status);
        (head, self.octets.clone())
    }

    fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let name = outcome.as_ref().map_or_else(Failure::name, |_| "Accepted".to_owned());
        same(&self.id, &self.case.why, &name, &self.case.expected)?;
        match outcome {
            Ok(granted) => same(&self.id, "granted", granted == &self.case.tokens.granted(), true),
            Err(Failure::Response(error)) => {
                clean(&self.id, error)?;
                let retry_after = match error {
                    ResponseError::Server { retry_after, .. } | ResponseError::Status { retry_after, .. } => {
                        *retry_after
                    }
                    _ => None,
                };
                same(&self.id, "retry after", retry_after, self.case.retry_after)?;
                let advice = match error.advice() {
                    Advice::Retry { after } if after == retry_after => "Retry".to_owned(),
                    advice => format!("{advice:?}"),
                };
                same(&self.id, "advice", &advice, self.case.advice.as_ref().unwrap_or(&advice))
            }
            Err(_) => Ok(()),
        }
    }
}

impl Tokens {
    fn granted(&self) -> Granted {
        Granted {
            access_token: String::from_utf8(self.access_token.octets(str::to_owned)).expect("a token"),
            refresh_token: self.refresh_token.clone(),
            expires_in: self.expires_in,
            scope: self.scope.clone(),
        }
    }
}

fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

fn ok() -> u16 {
    200
}

fn json() -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), "application/json".to_owned())]
}

fn only_at() -> Tokens {
    Tokens { access_token: Input::Text("AT".to_owned()), refresh_token: None, expires_in: None, scope: None }
}
