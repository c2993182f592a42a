//! Best current practice (RFC 9700) and what the public API lets no one do.

use proofkey_core::{CallbackError, Client, Endpoint, Redirect, RefreshToken, ResponseError, Revocable, Server};
use proofkey_core_tests::{Counter, REDIRECT_URI, accept, as_url, begin, client, good_query, read_as, server, values};
use std::fs;

#[test]
fn no_secret_is_in_a_url() {
    let client = Client::new("client", REDIRECT_URI, server().with(Endpoint::Revocation, "https://as.example/revoke"));
    let client = client.expect("a client");
    let (url, pending) = client.authorize(&["a"], &mut Counter::default()).expect("a login begins");
    let query = good_query(&pending).replace("code=C", "code=CANARY1");
    let code = pending.accept(client, Redirect::Query(&query)).expect("a good redirect");
    let refresh_token = RefreshToken::new("CANARY2").expect("a token");
    let refresh = client.refresh(refresh_token);
    let revocation = client.revoke(Revocable::Refresh(refresh_token)).expect("an endpoint");
    let body = code.request().body();
    let verifier = values(&body, "code_verifier")[0];
    for url in [
        url.to_string(),
        code.request().url().to_string(),
        refresh.request().url().to_string(),
        revocation.request().url().to_string(),
    ] {
        assert!(!url.contains("CANARY") && !url.contains(verifier), "{url}");
    }
    for body in [refresh.request().body(), revocation.request().body()] {
        assert!(body.contains("CANARY2"), "the canary is where it belongs");
    }
}

#[test]
fn debug_output_and_errors_hold_no_secret() {
    let client = client();
    let (url, pending) = client.authorize(&[], &mut Counter::default()).expect("a login begins");
    let state = pending.state().expose().to_owned();
    let query = good_query(&pending).replace("code=C", "code=CANARY1");
    let redirect = Redirect::Query(&query);
    let mut shown = format!("{url:?} {pending:?} {redirect:?} {:?}", pending.state());
    let request = pending.accept(client, redirect).expect("a good redirect");
    let verifier = values(&request.request().body(), "code_verifier")[0].to_owned();
    shown += &format!("{request:?} {:?}", request.request());
    let body = br#"{"access_token":"CANARY2","token_type":"Bearer","refresh_token":"CANARY3"}"#;
    let tokens = read_as(200, None, body).expect("tokens");
    shown += &format!("{tokens:?} {:?} {:?}", tokens.as_tokens(), tokens.access_token().authorization());
    let refresh = client.refresh(tokens.refresh_token().expect("a refresh token"));
    shown += &format!("{refresh:?} {:?}", refresh.request());
    for body in [
        r#"{"access_token":"CANARY2\u0000","token_type":"Bearer"}"#,
        r#"{"access_token":"CANARY2","token_type":"CANARY3"}"#,
        r#"{"access_token":"CANARY2","access_token":"CANARY3"}"#,
        r#"{"access_token":"CANARY2"#,
        r#"{"access_token":"CANARY2","token_type":"Bearer","error":"invalid_grant"}"#,
    ] {
        let error = read_as(200, None, body.as_bytes()).expect_err("no tokens");
        shown += &format!("{error} {error:?} {:?}", error.advice());
    }
    let response = proofkey_core::ResponseBuf { body: b"CANARY4".to_vec(), ..Default::default() };
    shown += &format!("{response:?}");
    assert!(shown.len() > 1000);
    for secret in ["CANARY", &state, &verifier] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn there_is_no_fallback_to_plain() {
    let refused = accept(|s| {
        format!(
            "error=invalid_request&error_description=transform+algorithm+not+supported&state={s}&iss=https://as.example"
        )
    });
    let (true, Err(CallbackError::Server(error))) = refused else { panic!("the login is over: {refused:?}") };
    assert_eq!(error.description(), Some("transform algorithm not supported"));
}

#[test]
fn the_listener_redirects_nowhere() {
    use proofkey_core::loopback::{Exchange, Step};
    let pending = begin(client());
    for target in ["/?next=//evil.example", "//evil.example/", "/cb?url=https://evil.example", "http://evil.example/"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n\r\n");
        let Step::Refuse(reply) = Exchange::new().read(request.as_bytes(), client(), &pending) else {
            panic!("{target} is a stranger's")
        };
        let reply = reply.to_string();
        assert!(!reply.starts_with("HTTP/1.1 3") && !reply.contains("ocation:") && !reply.contains("evil"), "{reply}");
    }
}

#[test]
fn state_is_always_sent() {
    for server in [server(), Server::ITWIN, Server::new("https://a.example/a?x=1", "https://a.example/t")] {
        let client = Client::new("c", REDIRECT_URI, server).expect("a client");
        let (url, pending) = client.authorize(&[], &mut Counter::default()).expect("a login begins");
        assert_eq!(values(&url.to_string(), "state"), [pending.state().expose()]);
    }
}

#[test]
fn a_replayed_refresh_token_asks_for_a_new_login() {
    let error = read_as(400, Some("application/json"), br#"{"error":"invalid_grant"}"#).expect_err("no tokens");
    assert_eq!(error.advice(), proofkey_core::Advice::Reauthorize);
    assert!(matches!(error, ResponseError::Server { status: 400, .. }));
}

#[test]
fn two_tenants_have_two_redirect_uris() {
    let tenant = |n: u8| {
        Client::new("c", if n == 1 { "https://app.example/cb/1" } else { "https://app.example/cb/2" }, server())
    };
    let (one, two) = (tenant(1).expect("a client"), tenant(2).expect("a client"));
    let pending = begin(one);
    let state = pending.state().expose().to_owned();
    let seen = format!("https://app.example/cb/2?code=C&state={state}&iss=https://as.example");
    assert!(!pending.matches(one, as_url(&seen)), "the other tenant's page");
    assert_eq!(pending.accept(two, as_url(&seen)).map(drop), Err(CallbackError::Client), "the other tenant's client");
}

#[test]
fn the_public_names_fit_on_one_screen() {
    let lib = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/core/src/lib.rs");
    let source = fs::read_to_string(lib).expect("the core's first page");
    let public: Vec<&str> = source.lines().filter(|line| line.starts_with("pub ")).collect();
    assert!(public.len() <= 25, "more than a screen: {}", public.len());
    assert!(public.iter().any(|line| line.contains("Pending")), "the names were read");
}

#[test]
fn states_are_small_and_can_be_moved_anywhere() {
    fn parked<T: Send + Sync + 'static>() -> usize {
        size_of::<T>()
    }
    assert_eq!(parked::<proofkey_core::Pending>(), 118);
    assert!(parked::<proofkey_core::ClientBuf>() > 0);
    assert!(size_of::<proofkey_core::TokenRequest<'_>>() <= 256);
    assert!(size_of::<proofkey_core::Request<'_>>() <= 320);
}
