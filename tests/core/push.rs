//! Pushed authorization requests (RFC 9126).

use proofkey_core::{
    AuthorizeError, Client, ConfigError, Endpoint, Feature, ParameterFault, PushRequest, PushedUrl, Redirect, Response,
    ResponseError, Server, UriFault,
};
use proofkey_core_tests::{Counter, REDIRECT_URI, client, server, values};

#[test]
fn what_is_pushed_is_what_the_authorization_url_would_have() {
    let (url, _) = client().authorize(&["a", "b"], &mut Counter::default()).expect("a login begins");
    let (push, pending) = with_endpoint().push(&["a", "b"], &mut Counter::default()).expect("a login begins");
    let extra = [("prompt", "consent"), ("resource", "https://api.example/1"), ("resource", "https://api.example/2")];
    let (url, push) = (url.with(&extra).expect("parameters"), push.with(&extra).expect("parameters"));
    let body = push.request().body();
    assert_eq!(url.to_string(), format!("https://as.example/authorize?{body}"));
    assert_eq!(values(&body, "state"), [pending.state().expose()]);
    assert_eq!(values(&body, "code_challenge").len(), 1);
    let request = push.request();
    assert_eq!((request.method().as_str(), request.url().to_string()), ("POST", "https://as.example/par?v=1".into()));
    assert!(request.headers().any(|header| header.value() == "application/x-www-form-urlencoded"));
    assert_eq!(request.body_len(), body.len());
}

#[test]
fn a_push_sends_the_embedded_secret_and_its_url_does_not() {
    let client = with_endpoint().with_embedded_secret("s&s").expect("a secret");
    let (push, _) = client.push(&[], &mut Counter::default()).expect("a login begins");
    let body = push.request().body();
    assert_eq!((values(&body, "client_secret"), values(&body, "client_id")), (vec!["s%26s"], vec!["client"]));
    let url = read(push, 201, r#"{"request_uri":"urn:x:1","expires_in":60}"#).expect("an answer");
    assert_eq!(url.0, "https://as.example/authorize?client_id=client&request_uri=urn%3Ax%3A1");
}

#[test]
fn the_url_has_the_client_and_the_reference_alone() {
    for (endpoint, start) in [
        ("https://as.example/a", "https://as.example/a?"),
        ("https://as.example/a?", "https://as.example/a?"),
        ("https://as.example/a?p=x%20y", "https://as.example/a?p=x%20y&"),
        ("https://as.example/a?p=1&", "https://as.example/a?p=1&"),
    ] {
        let server =
            Server::new(endpoint, "https://as.example/t").with(Endpoint::PushedAuthorization, "https://as.example/p");
        let client = Client::new("c d", REDIRECT_URI, server).expect(endpoint);
        let (push, _) = client.push(&["a"], &mut Counter::default()).expect("a login begins");
        let push = push.with(&[("prompt", "login")]).expect("a parameter");
        let (url, expires_in) =
            read(push, 201, r#"{"expires_in":1,"request_uri":"https://as.example/r?a=b&c#d"}"#).expect("an answer");
        assert_eq!(url, format!("{start}client_id=c+d&request_uri=https%3A%2F%2Fas.example%2Fr%3Fa%3Db%26c%23d"));
        assert_eq!(expires_in, 1);
    }
}

#[test]
fn no_pushed_parameter_is_sent_twice_or_overridden() {
    let push = || with_endpoint().push(&["a"], &mut Counter::default()).expect("a login begins").0;
    let refused = |index, fault| Err(ConfigError::ExtraParameter { index, fault });
    for name in ["request_uri", "request", "client_id", "state", "client_secret"] {
        let with = [("x", "1"), (name, "urn:x")];
        assert_eq!(push().with(&with).map(drop), refused(1, ParameterFault::Protocol(name)));
    }
    assert_eq!(push().with(&[("v", "2")]).map(drop), refused(0, ParameterFault::InEndpoint), "in its own query");
    let once = push().with(&[("prompt", "login")]).expect("one list");
    assert_eq!(once.with(&[("acr_values", "b")]).map(drop), Err(ConfigError::ExtraParametersTwice));
}

#[test]
fn a_server_that_requires_pushes_gets_nothing_else() {
    let server = server().with_feature(Feature::PushRequired);
    let client = Client::new("client", REDIRECT_URI, server).expect("a client");
    let url = client.authorize(&["a"], &mut Counter::default()).map(drop);
    assert_eq!(url, Err(AuthorizeError::Config(ConfigError::PushRequired)));
    let absent = ConfigError::Endpoint(Endpoint::PushedAuthorization, UriFault::Absent);
    assert_eq!(client.push(&["a"], &mut Counter::default()).map(drop), Err(AuthorizeError::Config(absent)));
    let server = server.with(Endpoint::PushedAuthorization, "https://as.example/par");
    let client = Client::new("client", REDIRECT_URI, server).expect("a client");
    assert!(client.push(&["a"], &mut Counter::default()).is_ok());
}

#[test]
fn a_push_is_checked_like_any_login() {
    let scope = with_endpoint().push(&["a b"], &mut Counter::default()).map(drop);
    assert_eq!(scope, Err(AuthorizeError::Config(ConfigError::Scope(0))));
    let server = server().with(Endpoint::PushedAuthorization, "https://as.example/par");
    let device = Client::without_redirect("client", server).expect("a client");
    let redirect = ConfigError::RedirectUri(UriFault::Absent);
    assert_eq!(device.push(&[], &mut Counter::default()).map(drop), Err(AuthorizeError::Config(redirect)));
}

#[test]
fn a_pushed_login_ends_as_any_other() {
    let (push, pending) = with_endpoint().push(&[], &mut Counter::default()).expect("a login begins");
    let body = push.request().body();
    let query = format!("code=C&state={}&iss=https%3A%2F%2Fas.example", values(&body, "state")[0]);
    let request = pending.accept(with_endpoint(), Redirect::Query(&query)).expect("a good redirect");
    let sent = request.request().body();
    let verifier = values(&sent, "code_verifier")[0];
    let challenge = proofkey_core::CodeChallenge::s256(verifier).expect("a verifier");
    assert_eq!(values(&body, "code_challenge"), [challenge.as_str()]);
}

#[test]
fn a_fresh_push_has_fresh_values() {
    let mut rng = Counter::default();
    let mut push = || with_endpoint().push(&[], &mut rng).expect("a login begins").0.request().body();
    let (first, second) = (push(), push());
    for name in ["state", "code_challenge"] {
        assert_ne!(values(&first, name), values(&second, name), "{name}");
    }
}

#[test]
fn neither_the_request_nor_the_url_shows_what_it_carries() {
    let client = with_endpoint().with_embedded_secret("hush").expect("a secret");
    let (push, pending) = client.push(&[], &mut Counter::default()).expect("a login begins");
    let shown = format!("{push:?} {:?}", push.request());
    assert!(!shown.contains("hush") && !shown.contains(pending.state().expose()), "{shown}");
    let mut body = *br#"{"request_uri":"urn:canary","expires_in":60}"#;
    let url = push.read(Response::new(201, &mut body)).expect("an answer");
    assert!(!format!("{url:?}").contains("canary") && url.to_string().contains("canary"));
}

#[test]
fn a_reference_has_a_length_that_a_browser_takes() {
    for (length, expected) in [(2048, Ok(60)), (2049, Err(ResponseError::TooBig("request_uri")))] {
        let (push, _) = with_endpoint().push(&[], &mut Counter::default()).expect("a login begins");
        let answer = format!(r#"{{"request_uri":"{}","expires_in":60}}"#, "u".repeat(length));
        assert_eq!(read(push, 201, &answer).map(|(_, expires_in)| expires_in), expected, "{length}");
    }
}

#[test]
fn an_answer_without_a_good_reference_opens_no_browser() {
    for (answer, error) in [
        (r#"{"request_uri":"urn:x y","expires_in":60}"#, ResponseError::Malformed("request_uri")),
        (r#"{"request_uri":"urn:x\u00e9","expires_in":60}"#, ResponseError::Malformed("request_uri")),
        (r#"{"expires_in":60}"#, ResponseError::Missing("request_uri")),
        (r#"{"request_uri":"urn:x","expires_in":0}"#, ResponseError::Type("expires_in")),
        (r#"{"request_uri":"urn:x","expires_in":-1}"#, ResponseError::Type("expires_in")),
        (r#"{"request_uri":"urn:x","expires_in":"60"}"#, ResponseError::Type("expires_in")),
        (r#"{"request_uri":"urn:x"}"#, ResponseError::Missing("expires_in")),
    ] {
        let (push, _) = with_endpoint().push(&[], &mut Counter::default()).expect("a login begins");
        assert_eq!(read(push, 201, answer), Err(error), "{answer}");
    }
    for status in [200, 201, 400] {
        let (push, _) = with_endpoint().push(&[], &mut Counter::default()).expect("a login begins");
        let refused = read(push, status, r#"{"error":"invalid_scope","request_uri":"urn:x","expires_in":60}"#);
        let Err(ResponseError::Server { error, .. }) = &refused else { panic!("{status}: {refused:?}") };
        assert_eq!(error.code(), "invalid_scope");
    }
    let (push, _) = with_endpoint().push(&[], &mut Counter::default()).expect("a login begins");
    assert!(read(push, 200, r#"{"request_uri":"urn:x","expires_in":60}"#).is_ok(), "200, as some frameworks answer");
}

fn with_endpoint() -> Client<'static> {
    let server = server().with(Endpoint::PushedAuthorization, "https://as.example/par?v=1");
    Client::new("client", REDIRECT_URI, server).expect("a client")
}

/// The URL and its lifetime.
fn read(push: PushRequest<'_>, status: u16, body: &str) -> Result<(String, u32), ResponseError> {
    let mut body = body.as_bytes().to_vec();
    let response = Response::new(status, &mut body).with_header("Content-Type", "application/json");
    push.read(response).map(|url: PushedUrl<'_>| (url.to_string(), url.expires_in()))
}
