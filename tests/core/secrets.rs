//! Secrets are in no URL, and in no text that a person or a log sees (RFC 6749 sections 2.3.1 and 10.3).

use proofkey_core::{Client, Endpoint, Redirect, RefreshToken, Revocable};
use proofkey_core_tests::{Counter, REDIRECT_URI, client, good_query, read_as, server, values};

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
