//! `dpop.json`: answers to a client that is bound to a key, to the core in memory and over sockets to both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure, KEY, Kept};
use super::data::{self, clean, run, same};
use proofkey_core::{Client, RefreshToken, RefreshTokenBuf, ResponseBuf, Server as Endpoints, TokenRequest, TokensBuf};
use proofkey_tests::REDIRECT_URI;
use proofkey_tests::bound::claims;
use proofkey_tests::recording::{Server, header};
use proofkey_ureq::Signer;
use serde::Deserialize;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default = "json")]
    headers: Vec<(String, String)>,
    #[serde(default)]
    more: Vec<(String, String)>,
    input: String,
    expected: String,
    kept: Option<String>,
    #[serde(default = "once")]
    requests: usize,
    why: String,
}

#[test]
fn bound_answers_have_their_verdict_in_the_core() {
    let cases: Vec<Case> = data::cases("dpop.json");
    run(&cases, |case| {
        let mut response = ResponseBuf {
            status: case.status,
            headers: case.fields().map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
            body: case.input.clone().into_bytes(),
        };
        let wanted = response.as_response().wants_nonce().map(str::to_owned);
        same(&case.id, "asks for a nonce", wanted.as_deref(), (case.requests == 2).then_some("N1"))?;
        case.check("https://as.example/token", |request| {
            let (kept, tokens) = request.read_keeping(response.as_response());
            (kept.map(RefreshTokenBuf::from), tokens.map(TokensBuf::from).map_err(Failure::Response))
        })
    });
}

#[test]
fn bound_answers_have_their_verdict_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

#[test]
fn bound_answers_have_their_verdict_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

fn over_sockets(adapter: &Adapter) {
    let cases: Vec<Case> = data::cases("dpop.json");
    run(&cases, |case| {
        let (answer, fields) = (case.clone(), case.fields().map(|(name, value)| format!("{name}: {value}\r\n")));
        let head =
            format!("HTTP/1.1 {} X\r\n{}Content-Length: {}", case.status, fields.collect::<String>(), case.input.len());
        let server = Server::answering(move |_| format!("{head}\r\nConnection: close\r\n\r\n{}", answer.input));
        case.check(&server.url("/token"), |request| (adapter.exchange)(request, false))?;
        let claims: Vec<_> =
            server.requests().iter().map(|request| claims(header(request, "dpop").expect("a proof"))).collect();
        same(&case.id, "requests", claims.len(), case.requests)?;
        same(&case.id, "nonce", claims.get(1).map(|claims| claims["nonce"].clone()), claims.get(1).map(|_| "N1".into()))
    });
}

impl Case {
    fn fields(&self) -> impl Iterator<Item = &(String, String)> {
        self.headers.iter().chain(&self.more)
    }

    fn check(
        &self,
        token_endpoint: &str,
        send: impl FnOnce(TokenRequest<'_>) -> (Kept, Result<TokensBuf, Failure>),
    ) -> Result<(), String> {
        let endpoints = Endpoints::new("https://as.example/authorize", token_endpoint);
        let client = Client::new("client", REDIRECT_URI, endpoints).expect("a client");
        let client = client.bound_to(KEY.public_key()).expect("a server that may take ES256");
        let (kept, tokens) = send(client.refresh(RefreshToken::new("RT1").expect("a refresh token")));
        let kept = kept.map(|token| token.as_refresh_token().expose().to_owned());
        same(&self.id, "kept", &kept, &self.kept)?;
        let name = tokens.as_ref().map_or_else(Failure::name, |_| "Accepted".to_owned());
        same(&self.id, &self.why, &name, &self.expected)?;
        match tokens {
            Ok(tokens) => same(&self.id, "bound", tokens.access_token().is_bound(), true),
            Err(Failure::Response(error)) => clean(&self.id, &error),
            Err(_) => Ok(()),
        }
    }
}

const fn ok() -> u16 {
    200
}

const fn once() -> usize {
    1
}

fn json() -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), "application/json".to_owned())]
}
