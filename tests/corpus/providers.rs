//! `providers.json`: token answers of known servers, to the core in memory and over sockets to both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure};
use super::answers::{Answer, Answers};
use super::data::{self, bounded, clean, run, same};
use proofkey_core::{
    Client, Endpoint, PublicKey, Quirk, RefreshToken, ResponseBuf, Scope, Server as Endpoints, TokenRequest, TokensBuf,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    preset: String,
    #[serde(default = "ok")]
    status: u16,
    input: String,
    expected: String,
    tokens: Option<Granted>,
    why: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Granted {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<u32>,
    scope: Option<Vec<String>>,
}

type Outcome = Result<Granted, Failure>;

#[test]
fn answers_of_known_servers_have_their_verdict_in_the_core() {
    let cases: Vec<Case> = data::cases("providers.json");
    run(&cases, |case| case.check(&bounded(&case.id, case.input.len(), || case.in_memory())?));
}

#[test]
fn answers_of_known_servers_have_their_verdict_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

/// A key of its own makes no signature here, so the answers to bound clients are left to the core.
#[test]
fn answers_of_known_servers_have_their_verdict_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

fn over_sockets(adapter: &Adapter) {
    let cases: Vec<Case> = data::cases("providers.json");
    let cases: Vec<_> = cases.iter().filter(|case| case.preset != "bluesky").collect();
    let answers = Answers::serve(cases.iter().map(|case| (case.id.clone(), case.answer())));
    run(&cases, |case| {
        let outcome = case.outcome(Some(&answers.url(&case.id)), |request| (adapter.exchange)(request, false).1);
        same(&case.id, "over sockets as in memory", &outcome, &case.in_memory())
    });
    answers.requests();
}

impl Case {
    fn in_memory(&self) -> Outcome {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let mut response = ResponseBuf { status: self.status, headers, body: self.input.clone().into_bytes() };
        self.outcome(None, |request| {
            request.read(response.as_response()).map(TokensBuf::from).map_err(Failure::Response)
        })
    }

    fn outcome(
        &self,
        endpoint: Option<&str>,
        send: impl FnOnce(TokenRequest<'_>) -> Result<TokensBuf, Failure>,
    ) -> Outcome {
        let server = preset(&self.preset);
        let server = endpoint.map_or(server, |endpoint| server.with(Endpoint::Token, endpoint));
        let mut client = Client::without_redirect("client", server).expect("a client");
        let key = PublicKey::new([1; 32], [2; 32]);
        if self.preset == "bluesky" {
            client = client.bound_to(&key).expect("a server that takes proofs");
        }
        let tokens = send(client.refresh(RefreshToken::new("RT1").expect("a refresh token")))?;
        // Whether commas separate is a matter of what was asked for.
        let requested = ["a", "b"];
        Ok(Granted {
            access_token: tokens.access_token().expose().to_owned(),
            refresh_token: tokens.refresh_token().map(|token| token.expose().to_owned()),
            expires_in: tokens.expires_in(),
            scope: match tokens.scope() {
                Scope::Requested => None,
                scope => Some(scope.words(&requested).map(str::to_owned).collect()),
            },
        })
    }

    fn answer(&self) -> Answer {
        let (status, length) = (self.status, self.input.len());
        let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        Answer { head, body: self.input.clone().into_bytes(), ..Answer::default() }
    }

    fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let name = outcome.as_ref().map_or_else(Failure::name, |_| "Accepted".to_owned());
        same(&self.id, &format!("{}; {outcome:?}", self.why), &name, &self.expected)?;
        same(&self.id, "tokens", &outcome.as_ref().ok(), &self.tokens.as_ref())?;
        match outcome {
            Err(Failure::Response(error)) => clean(&self.id, error),
            _ => Ok(()),
        }
    }
}

/// The constant of a server, or what its metadata would say.
fn preset(name: &str) -> Endpoints<'static> {
    match name {
        "discord" => Endpoints::DISCORD,
        "entra" => Endpoints::ENTRA,
        "github" => Endpoints::GITHUB,
        "gitlab" => Endpoints::GITLAB,
        "google" => Endpoints::GOOGLE,
        "itwin" => Endpoints::ITWIN,
        "slack" => Endpoints::SLACK,
        "spotify" => Endpoints::SPOTIFY,
        "twitch" => Endpoints::TWITCH,
        _ => {
            let server = Endpoints::new("https://as.example/authorize", "https://as.example/token");
            assert!(Quirk::ALL.iter().all(|quirk| !server.has_quirk(*quirk)), "none is on by default");
            server
        }
    }
}

fn ok() -> u16 {
    200
}
