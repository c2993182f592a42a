//! `id_token.json`: ID tokens, to the core in memory and over sockets to both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure};
use super::answers::{Answer, Answers};
use super::data::{self, bounded, clean, run, same};
use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_core::{ClaimsBuf, Client, Redirect, ResponseBuf, Server as Endpoints, TokenRequest, TokensBuf};
use proofkey_tests::{Counter, ISSUER, REDIRECT_URI, good_query, values};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default = "signed")]
    header: String,
    #[serde(default)]
    claims: String,
    token: Option<String>,
    expected: String,
    #[serde(default = "alice")]
    sub: String,
    name: Option<String>,
    why: String,
}

/// The user and the name to show.
type Outcome = Result<(String, Option<String>), Failure>;

#[test]
fn id_tokens_have_their_verdict_in_the_core() {
    let cases: Vec<Case> = data::cases("id_token.json");
    run(&cases, |case| case.check(&bounded(&case.id, case.body().len(), || case.in_memory())?));
}

#[test]
fn id_tokens_have_their_verdict_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

#[test]
fn id_tokens_have_their_verdict_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

fn over_sockets(adapter: &Adapter) {
    let cases: Vec<Case> = data::cases("id_token.json");
    let answers = Answers::serve(cases.iter().map(|case| {
        let body = case.body().into_bytes();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        (case.id.clone(), Answer { head, body, ..Answer::default() })
    }));
    run(&cases, |case| {
        let outcome = with_code(&answers.url(&case.id), |request, _| {
            let user = (adapter.sign_in)(request)?.user.expect("an ID token that was checked");
            Ok(said(&user))
        });
        case.check(&outcome)
    });
    assert_eq!(answers.requests().len(), cases.len());
}

impl Case {
    fn body(&self) -> String {
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let nonce = with_code("https://as.example/token", |_, nonce| nonce.to_owned());
        let claims = self.claims.replace("{issuer}", ISSUER).replace("{nonce}", &nonce);
        let made = format!("{}.{}.c2ln", encode(&self.header), encode(&claims));
        let token = serde_json::to_string(self.token.as_ref().unwrap_or(&made)).expect("a text");
        format!(r#"{{"access_token":"AT","token_type":"Bearer","id_token":{token}}}"#)
    }

    fn in_memory(&self) -> Outcome {
        let mut response = ResponseBuf { status: 200, body: self.body().into_bytes(), ..ResponseBuf::default() };
        with_code("https://as.example/token", |request, _| {
            let rules = request.id_token_rules();
            let tokens = request.read(response.as_response()).map(TokensBuf::from).map_err(Failure::Response)?;
            let token = tokens.id_token().expect("a text");
            ClaimsBuf::of_id_token(token, &rules, NOW).map(|user| said(&user)).map_err(Failure::IdToken)
        })
    }

    fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let name = outcome.as_ref().map_or_else(Failure::name, |_| "Accepted".to_owned());
        same(&self.id, &self.why, &name, &self.expected)?;
        match outcome {
            Ok(user) => same(&self.id, "the user", user, &(self.sub.clone(), self.name.clone())),
            Err(Failure::IdToken(error)) => clean(&self.id, error),
            Err(_) => Ok(()),
        }
    }
}

fn said(user: &ClaimsBuf) -> (String, Option<String>) {
    (user.sub().to_owned(), user.as_claims().name().map(str::to_owned))
}

/// A request with a code of a login with the scope `openid`, and its nonce, which is always the same.
fn with_code<T>(token_endpoint: &str, send: impl FnOnce(TokenRequest<'_>, &str) -> T) -> T {
    let endpoints = Endpoints::new("https://as.example/authorize", token_endpoint).with_issuer(ISSUER);
    let client = Client::new("client", REDIRECT_URI, endpoints).expect("a client");
    let (url, pending) = client.authorize(&["openid"], &mut Counter::default()).expect("a login begins");
    let (url, query) = (url.to_string(), good_query(&pending));
    send(pending.accept(client, Redirect::Query(&query)).expect("a good redirect"), values(&url, "nonce")[0])
}

fn signed() -> String {
    r#"{"alg":"ES256"}"#.to_owned()
}

fn alice() -> String {
    "alice".to_owned()
}

const NOW: u64 = 1_700_000_000;
