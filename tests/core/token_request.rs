//! Requests to the token endpoint (RFC 6749 sections 4.1.3 and 6).

use proofkey_core::{Client, ConfigError, Endpoint, Method, ParameterFault, Redirect, RefreshToken, Server, UriFault};
use proofkey_core_tests::{REDIRECT_URI, accept_at, as_target, begin, client, good_query, server, values};

#[test]
fn the_code_request_byte_for_byte() {
    let pending = begin(client());
    let query = good_query(&pending).replace("code=C", "code=Splx%2FlOB+e");
    let request = pending.accept(client(), Redirect::Query(&query)).expect("a good redirect");
    let http = request.request();
    let body = http.body();
    let verifier = values(&body, "code_verifier")[0];
    let expected = format!(
        "grant_type=authorization_code&client_id=client&code=Splx%2FlOB+e&code_verifier={verifier}\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcb"
    );
    assert_eq!((body.as_str(), verifier.len()), (expected.as_str(), 43));
    assert_eq!((http.method(), http.url().to_string().as_str()), (Method::Post, "https://as.example/token"));
    assert_eq!(http.body_len(), body.len());
    let headers = [
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let sent: Vec<_> = http.headers().map(|header| (header.name(), header.value())).collect();
    assert_eq!(
        sent,
        headers.map(|(name, value)| (name, value.to_owned())),
        "c002: no Authorization, c010: a form, JSON wanted"
    );
    assert_eq!(request.request().body(), body, "a request that was not sent can be made again");
}

#[test]
fn form_values_match_the_vectors() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("vectors.json")).expect("the vectors are JSON");
    for vector in vectors["form"].as_array().expect("a list") {
        let (decoded, encoded) = (vector["decoded"].as_str().expect("text"), vector["encoded"].as_str().expect("text"));
        let extra = [("extra", decoded)];
        let request = client().refresh(RefreshToken::new("R").expect("a token")).with(&extra).expect("a request");
        assert_eq!(values(&request.request().body(), "extra"), [encoded], "{}", vector["source"]);
    }
}

#[test]
fn the_query_of_the_token_endpoint_is_kept() {
    let client = Client::new("c", REDIRECT_URI, Server::new("https://as.example/a", "https://as.example/t?v=2"));
    let refresh = client.expect("a client").refresh(RefreshToken::new("R").expect("a token"));
    assert_eq!(refresh.request().url().to_string(), "https://as.example/t?v=2");
}

#[test]
fn the_refresh_request_byte_for_byte() {
    let refresh = client().refresh(RefreshToken::new("tGzv3JOkF0XG5Qx2TlKWIA").expect("a token"));
    assert_eq!(
        refresh.request().body(),
        "grant_type=refresh_token&client_id=client&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
    );
    let refused = client().refresh(RefreshToken::new("R").expect("a token")).with(&[("scope", "more")]).map(drop);
    let fault = ParameterFault::Protocol("scope");
    assert_eq!(refused, Err(ConfigError::ExtraParameter { index: 0, fault }));
    let with = client().refresh(RefreshToken::new("R").expect("a token")).with(&[("resource", "https://api")]);
    assert!(with.expect("an extra").request().body().ends_with("&refresh_token=R&resource=https%3A%2F%2Fapi"));
    for bad in ["", "é", "a\nb"] {
        assert_eq!(RefreshToken::new(bad).map(drop), Err(ConfigError::RefreshToken));
    }
}

#[test]
fn no_field_of_a_token_request_is_overridden() {
    for name in [
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "grant_type",
        "redirect_uri",
        "refresh_token",
        "scope",
        "username",
        "password",
    ] {
        let pending = begin(client());
        let query = good_query(&pending);
        let code = pending.accept(client(), Redirect::Query(&query)).expect("a good redirect");
        let refresh = client().refresh(RefreshToken::new("R").expect("a token"));
        for request in [code, refresh] {
            let with = request.with(&[("audience", "x"), (name, "x")]).map(drop);
            let fault = with.map_err(|error| matches!(error, ConfigError::ExtraParameter { index: 1, fault: ParameterFault::Protocol(own) } if own == name));
            assert_eq!(fault, Err(true), "{name}");
        }
        let query = format!("https://as.example/t?{name}=x");
        let client = Client::new("c", REDIRECT_URI, Server::new("https://as.example/a", &query));
        assert_eq!(client.map(drop), Err(ConfigError::Endpoint(Endpoint::Token, UriFault::Parameter)), "{query}");
    }
}

#[test]
fn the_redirect_uri_is_sent_with_its_query() {
    let client = Client::new("client", "https://app.example/cb?tenant=1", server()).expect("a client");
    let (_, body) = accept_at(client, |s| format!("/cb?tenant=1&code=C&state={s}&iss=https://as.example"), as_target);
    assert_eq!(values(&body.expect("a body"), "redirect_uri"), ["https%3A%2F%2Fapp.example%2Fcb%3Ftenant%3D1"]);
}
