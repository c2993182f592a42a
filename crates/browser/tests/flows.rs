//! Every flow of a user, from its inputs to what is read of the last response.

use proofkey_browser::{Client, Failure, Flow, Kept, Login, Outcome, Response, Step, Tokens};
use std::fmt::Debug;

fn client() -> Client {
    Client::new(
        "client_id\napp\nredirect_uri\nhttps://app.example/callback\nauthorization_endpoint\nhttps://as.example/a\n\
         token_endpoint\nhttps://as.example/t\nrevocation_endpoint\nhttps://as.example/r\nissuer\nhttps://as.example\n\
         iss_parameter\n\nscope\nfor others\n",
    )
    .unwrap()
}

fn begin() -> Login {
    let random: Vec<u8> = (0..64).collect();
    client().begin(" a  b ", "prompt\0login", &random).unwrap()
}

fn redirect(login: &Login, parameters: &str) -> String {
    let state = login.url().split("state=").nth(1).unwrap()[..43].to_owned();
    format!("https://app.example/callback?{parameters}&state={state}&iss=https://as.example")
}

fn response(status: u16, body: &str) -> Response {
    Response::new(status, "content-type\napplication/json".to_owned(), body.as_bytes().to_vec(), false)
}

fn code<T: Debug>(result: Result<T, Failure>) -> (&'static str, Option<String>) {
    let failure = result.unwrap_err();
    (failure.code(), failure.error().map(str::to_owned))
}

fn granted(flow: &Flow, last: &mut Response) -> Tokens {
    let Ok(Outcome::Granted(tokens)) = flow.outcome(last) else { panic!("tokens") };
    tokens
}

fn refreshed(flow: &Flow, last: &mut Response) -> Kept {
    let Ok(Outcome::Refreshed(kept)) = flow.outcome(last) else { panic!("a result of a refresh") };
    kept
}

/// The request that a flow sends next.
macro_rules! sent {
    ($flow:ident) => {
        match $flow.next(0.0) {
            Ok(Some(Step::Send(request))) => request,
            other => panic!("{other:?}"),
        }
    };
}

const TOKENS: &str = r#"{"access_token":"AT","token_type":"Bearer","expires_in":60,"refresh_token":"RT"}"#;

#[test]
fn a_login_from_the_url_to_the_tokens() {
    let login = begin();
    assert!(login.url().starts_with("https://as.example/a?response_type=code&client_id=app&"), "{}", login.url());
    assert!(login.url().contains("&scope=a+b&") && login.url().ends_with("&prompt=login"), "{}", login.url());
    let redirect = redirect(&login, "code=C");
    assert!(client().matches(login.pending(), &redirect));
    let mut grant = client().accept(login.pending().to_owned(), redirect).unwrap();
    let request = sent!(grant);
    assert_eq!((request.method(), request.url()), ("POST", "https://as.example/t"));
    assert_eq!(request.headers(), "accept:application/json\ncontent-type:application/x-www-form-urlencoded\n");
    assert!(request.body().unwrap().contains("&code=C&code_verifier="));
    let mut last = response(200, TOKENS);
    assert!(grant.hear(&mut last, 0.0).unwrap());
    let tokens = granted(&grant, &mut last);
    assert_eq!((tokens.access_token(), tokens.refresh_token()), ("AT", Some("RT")));
    assert_eq!((tokens.expires_in(), tokens.scope()), (Some(60), None));
}

#[test]
fn tokens_are_asked_for_once() {
    let login = begin();
    let mut grant = client().accept(login.pending().to_owned(), redirect(&login, "code=C")).unwrap();
    let mut refresh = client().refresh("RT".to_owned());
    sent!(grant);
    sent!(refresh);
    assert!(grant.next(0.0).unwrap().is_none());
    assert!(refresh.next(0.0).unwrap().is_none());
    assert!(!grant.unanswered(true, 0.0).unwrap());
    assert!(grant.next(0.0).unwrap().is_none(), "the code may have arrived");
}

#[test]
fn a_refresh_keeps_the_token_that_it_was_made_with() {
    let mut refresh = client().refresh("OLD".to_owned());
    assert!(sent!(refresh).body().unwrap().contains("&refresh_token=OLD"));
    let kept = refreshed(&refresh, &mut response(200, r#"{"access_token":"AT","token_type":"Bearer"}"#));
    let tokens = kept.tokens().unwrap();
    assert_eq!(tokens.refresh_token(), Some("OLD"));
    assert_eq!(code(client().refresh(String::new()).next(0.0)).0, "config");
}

#[test]
fn a_revocation_names_its_token() {
    for (refresh, hint) in [(true, "&token_type_hint=refresh_token"), (false, "&token_type_hint=access_token")] {
        let mut revocation = client().revoke("T".to_owned(), refresh);
        assert!(sent!(revocation).body().unwrap().contains(&format!("token=T{hint}")));
        revocation.outcome(&mut response(200, "")).unwrap();
    }
    assert_eq!(code(client().revoke("T".to_owned(), true).outcome(&mut response(503, ""))).0, "status");
}

#[test]
fn what_an_answer_to_a_refresh_says_to_the_machine() {
    let event = |status, body: &str| {
        let kept = refreshed(&client().refresh("OLD".to_owned()), &mut response(status, body));
        (kept.refresh_token().map(str::to_owned), kept.event(), kept.tokens().is_ok())
    };
    let new = || Some("RT".to_owned());
    assert_eq!(event(200, TOKENS), (new(), 4, true));
    assert_eq!(event(200, r#"{"access_token":7,"refresh_token":"RT"}"#), (new(), 5, false));
    assert_eq!(event(502, ""), (None, 6, false));
    assert_eq!(event(500, ""), (None, 7, false));
    assert_eq!(event(200, "{}"), (None, 7, false));
    assert_eq!(event(400, r#"{"error":"slow_down"}"#), (None, 9, false));
    assert_eq!(event(429, ""), (None, 9 + (10 << 4), false));
    assert_eq!(event(400, r#"{"error":"invalid_grant"}"#), (None, 10, false));
}

#[test]
fn failures_have_a_code_for_programs() {
    let login = begin();
    let accept = |pending: &str, redirect: String| code(client().accept(pending.to_owned(), redirect));
    let pending = login.pending().to_owned();
    let denied = redirect(&login, "error=access_denied");
    assert_eq!(accept(&pending, denied), ("server", Some("access_denied".to_owned())));
    assert_eq!(accept(&pending, redirect(&login, "code=C&code=D")), ("callback", None));
    assert_eq!(accept(&pending, "https://app.example/callback?code=C&state=S".to_owned()), ("state", None));
    assert_eq!(accept("garbage", redirect(&login, "code=C")), ("storage", None));
    assert!(!client().matches("garbage", &redirect(&login, "code=C")));
    assert_eq!(code(client().begin("a\"", "", &[1; 64])), ("config", None));
    assert_eq!(code(client().begin("a", "", &[1; 64])), ("random", None));
    assert_eq!(code(client().begin("a", "", &[1; 63])), ("random", None));
    let grant = client().accept(pending, redirect(&login, "code=C")).unwrap();
    let refused = grant.outcome(&mut response(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!(code(refused), ("server", Some("invalid_grant".to_owned())));
}

#[test]
fn nothing_that_holds_a_secret_is_printed() {
    let login = begin();
    let mut grant = client().accept(login.pending().to_owned(), redirect(&login, "code=CANARY")).unwrap();
    let request = sent!(grant);
    let printed = format!("{login:?} {grant:?} {request:?} {:?}", client().refresh("CANARY".to_owned()));
    assert_eq!(printed, "Login(..) Flow(..) Request(..) Flow(..)");
}
