//! `token.json`: answers of a token endpoint, to the core in memory and over sockets to both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure, Kept};
use super::answers::{Answer, Answers, with_code};
use super::data::{self, Input, bounded, clean, run, same};
use proofkey_core::{
    Advice, Client, RefreshToken, RefreshTokenBuf, ResponseBuf, ResponseError, Scope, Server as Endpoints,
    TokenRequest, TokensBuf,
};
use proofkey_tests::REDIRECT_URI;
use proofkey_tests::recording::header;
use serde::Deserialize;

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
    drip: bool,
    #[serde(default)]
    hold: bool,
    #[serde(default)]
    prefixes: bool,
    input: Input,
    expected: String,
    #[serde(default = "only_at")]
    tokens: Tokens,
    /// The new refresh token, which outlives a bad answer. In a good one it is that of the tokens.
    kept: Option<String>,
    #[serde(default)]
    requested: Vec<String>,
    retry_after: Option<u32>,
    advice: Option<String>,
    /// Whether an answer to a refresh ends the login.
    ends: Option<bool>,
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
    scope: Option<Words>,
}

/// The words of a scope, or that it is unknown.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Words {
    Granted(Vec<String>),
    Unknown(Unknown),
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Unknown {
    Unknown,
}

#[test]
fn token_answers_have_their_verdict_in_the_core() {
    let cases: Vec<Case> = data::cases("token.json");
    let exchanges: Vec<_> = cases.iter().filter(|case| !case.raw).flat_map(Case::exchanges).collect();
    run(&exchanges, |exchange| exchange.check(&bounded(&exchange.id, exchange.bytes.len(), || exchange.in_memory())?));
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
    let answers = Answers::serve(exchanges.iter().map(|exchange| (exchange.id.clone(), exchange.answer())));
    run(&exchanges, |exchange| {
        let hurried = exchange.case.expected == "Deadline";
        let outcome = exchange.outcome(&answers.url(&exchange.id), |request| (adapter.exchange)(request, hurried));
        exchange.check(&outcome)?;
        if exchange.case.raw {
            return Ok(());
        }
        same(&exchange.id, "over sockets as in memory", &outcome, &exchange.in_memory())
    });
    for request in answers.requests() {
        assert_eq!(header(&request, "authorization"), None, "{request}");
    }
}

/// One answer to one request.
struct Exchange<'c> {
    id: String,
    case: &'c Case,
    bytes: Vec<u8>,
}

/// The new refresh token of the answer, and what came of the rest.
type Outcome = (Option<String>, Result<Granted, Failure>);

#[derive(Debug, PartialEq)]
struct Granted {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<u32>,
    scope: Option<Words>,
}

impl Case {
    fn exchanges(&self) -> Vec<Exchange<'_>> {
        let bytes = self.input.bytes(str::to_owned);
        if self.prefixes {
            let prefix = |length| Exchange {
                id: format!("{}-{length}", self.id),
                case: self,
                bytes: bytes[..length].to_owned(),
            };
            return (0..bytes.len()).map(prefix).collect();
        }
        vec![Exchange { id: self.id.clone(), case: self, bytes }]
    }
}

impl Exchange<'_> {
    fn in_memory(&self) -> Outcome {
        let mut response = ResponseBuf {
            status: self.case.status,
            headers: self.case.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
            body: self.bytes.clone(),
        };
        self.outcome("https://as.example/token", |request| {
            let (kept, tokens) = request.read_keeping(response.as_response());
            (kept.map(RefreshTokenBuf::from), tokens.map(TokensBuf::from).map_err(Failure::Response))
        })
    }

    fn outcome(
        &self,
        token_endpoint: &str,
        send: impl FnOnce(TokenRequest<'_>) -> (Kept, Result<TokensBuf, Failure>),
    ) -> Outcome {
        let (kept, tokens) = match self.case.grant {
            Grant::Code => with_code(token_endpoint, send),
            Grant::Refresh => {
                let endpoints = Endpoints::new("https://as.example/authorize", token_endpoint);
                let client = Client::new("client", REDIRECT_URI, endpoints).expect("a client");
                send(client.refresh(RefreshToken::new("RT1").expect("a refresh token")))
            }
        };
        let requested: Vec<_> = self.case.requested.iter().map(String::as_str).collect();
        let granted = |tokens: TokensBuf| Granted {
            access_token: tokens.access_token().expose().to_owned(),
            refresh_token: tokens.refresh_token().map(|token| token.expose().to_owned()),
            expires_in: tokens.expires_in(),
            scope: match tokens.scope() {
                Scope::Requested => None,
                Scope::Unknown => Some(Words::Unknown(Unknown::Unknown)),
                scope => Some(Words::Granted(scope.words(&requested).map(str::to_owned).collect())),
            },
        };
        (kept.map(|token| token.as_refresh_token().expose().to_owned()), tokens.map(granted))
    }

    fn answer(&self) -> Answer {
        let Case { raw, status, drip, hold, .. } = *self.case;
        let fields: String = self.case.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("HTTP/1.1 {status} X\r\n{fields}Content-Length: {}\r\n\r\n", self.bytes.len());
        Answer { head: if raw { String::new() } else { head }, body: self.bytes.clone(), drip, hold }
    }

    fn check(&self, (kept, outcome): &Outcome) -> Result<(), String> {
        let good = self.case.tokens.refresh_token.clone().filter(|token| outcome.is_ok() && token != "RT1");
        same(&self.id, "kept", kept, &good.or_else(|| self.case.kept.clone()))?;
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
                same(
                    &self.id,
                    "ends the login",
                    error.ends_login(),
                    self.case.ends.unwrap_or_else(|| error.ends_login()),
                )?;
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
            access_token: String::from_utf8(self.access_token.bytes(str::to_owned)).expect("a token"),
            refresh_token: self.refresh_token.clone(),
            expires_in: self.expires_in,
            scope: self.scope.clone(),
        }
    }
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
