//! `push.json`: answers to a pushed authorization request, to the core in memory and over sockets to both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure};
use super::answers::{Answer, Answers};
use super::data::{self, Input, bounded, clean, run, same};
use proofkey_core::{
    Advice, Client, Endpoint, PushRequest, PushedUrlBuf, ResponseBuf, ResponseError, Server as Endpoints,
};
use proofkey_tests::recording::header;
use proofkey_tests::{Counter, REDIRECT_URI};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default = "created")]
    status: u16,
    #[serde(default = "json")]
    headers: Vec<(String, String)>,
    input: Input,
    expected: String,
    /// What the URL has behind `request_uri=`.
    url: Option<String>,
    expires_in: Option<u32>,
    retry_after: Option<u32>,
    advice: Option<String>,
    why: String,
}

type Outcome = Result<(String, u32), Failure>;

#[test]
fn answers_to_a_push_have_their_verdict_in_the_core() {
    let cases: Vec<Case> = data::cases("push.json");
    run(&cases, |case| case.check(&bounded(&case.id, case.bytes().len(), || case.in_memory())?));
}

#[test]
fn answers_to_a_push_have_their_verdict_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

#[test]
fn answers_to_a_push_have_their_verdict_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

fn over_sockets(adapter: &Adapter) {
    let cases: Vec<Case> = data::cases("push.json");
    let answers = Answers::serve(cases.iter().map(|case| (case.id.clone(), case.answer())));
    run(&cases, |case| {
        let outcome = push(&answers.url(&case.id), adapter.push);
        case.check(&outcome)?;
        same(&case.id, "over sockets as in memory", &outcome, &case.in_memory())
    });
    for request in answers.requests() {
        assert!(request.starts_with("POST ") && request.contains("&code_challenge_method=S256"), "{request}");
        assert_eq!(header(&request, "authorization"), None, "{request}");
    }
}

fn push(endpoint: &str, send: impl FnOnce(PushRequest<'_>) -> Result<PushedUrlBuf, Failure>) -> Outcome {
    let server = Endpoints::new("https://as.example/authorize", "https://as.example/token")
        .with(Endpoint::PushedAuthorization, endpoint);
    let client = Client::new("client", REDIRECT_URI, server).expect("a client");
    let (request, _) = client.push(&["a"], &mut Counter::default()).expect("a login begins");
    let url = send(request)?;
    let reference = url.as_str().strip_prefix("https://as.example/authorize?client_id=client&request_uri=");
    Ok((reference.expect("the client and the reference alone").to_owned(), url.expires_in()))
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        self.input.bytes(str::to_owned)
    }

    fn in_memory(&self) -> Outcome {
        let headers = self.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        let mut response = ResponseBuf { status: self.status, headers, body: self.bytes() };
        push("https://as.example/par", |request| {
            request.read(response.as_response()).map(PushedUrlBuf::from).map_err(Failure::Response)
        })
    }

    fn answer(&self) -> Answer {
        let fields: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let body = self.bytes();
        let head = format!("HTTP/1.1 {} X\r\n{fields}Content-Length: {}\r\n\r\n", self.status, body.len());
        Answer { head, body, ..Answer::default() }
    }

    fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let name = outcome.as_ref().map_or_else(Failure::name, |_| "Accepted".to_owned());
        same(&self.id, &format!("{}; {outcome:?}", self.why), &name, &self.expected)?;
        let (url, expires_in) = outcome.as_ref().ok().cloned().unzip();
        same(&self.id, "reference", &url, &self.url)?;
        same(&self.id, "lifetime", &expires_in, &self.expires_in)?;
        let Err(Failure::Response(error)) = outcome else { return Ok(()) };
        clean(&self.id, error)?;
        let (ResponseError::Server { retry_after, .. } | ResponseError::Status { retry_after, .. }) = error else {
            return same(&self.id, "advice", &error.advice(), &Advice::Fix);
        };
        same(&self.id, "seconds to wait", retry_after, &self.retry_after)?;
        let advice = match error.advice() {
            Advice::Retry { after: Some(after) } => format!("Retry({after})"),
            Advice::Retry { after: None } => "Retry".to_owned(),
            advice => format!("{advice:?}"),
        };
        same(&self.id, "advice", &Some(advice), &self.advice)
    }
}

fn created() -> u16 {
    201
}

fn json() -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), "application/json".to_owned())]
}
