//! Token revocation (RFC 7009).

use proofkey_core::{
    AccessToken, Advice, Client, ConfigError, Endpoint, RefreshToken, Response, ResponseError, Revocable, UriFault,
};
use proofkey_core_tests::{REDIRECT_URI, client, server};

#[test]
fn the_revocation_request_byte_for_byte() {
    let refresh = Revocable::Refresh(RefreshToken::new("45ghiukldjahdnhzdauz").expect("a token"));
    let request = with_endpoint().revoke(refresh).expect("an endpoint");
    assert_eq!(request.request().url().to_string(), "https://as.example/revoke?v=1");
    assert_eq!(request.request().body(), "token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token&client_id=client");
    let access = Revocable::Access(AccessToken::new("a+b").expect("a token"));
    let body = with_endpoint().revoke(access).expect("an endpoint").request().body();
    assert_eq!(body, "token=a%2Bb&token_type_hint=access_token&client_id=client");
    let none = client().revoke(access).map(drop);
    assert_eq!(none, Err(ConfigError::Endpoint(Endpoint::Revocation, UriFault::Absent)));
}

#[test]
fn a_revocation_succeeds_with_200_whatever_the_body() {
    for body in ["", "<html>", "{\"error\":\"x\"}"] {
        assert_eq!(read(200, Some("text/html"), body), Ok(()), "{body}");
    }
}

#[test]
fn after_a_failed_revocation_the_token_may_still_be_valid() {
    let busy = read(503, None, "").expect_err("503 is no success");
    assert_eq!(busy.advice(), Advice::Retry { after: Some(30) });
    let unsupported = read(400, Some("application/json"), r#"{"error":"unsupported_token_type"}"#);
    assert!(
        matches!(unsupported, Err(ResponseError::Server { error, .. }) if error.code() == "unsupported_token_type")
    );
    assert_eq!(read(302, None, ""), Err(ResponseError::Redirect(302)));
}

fn with_endpoint() -> Client<'static> {
    Client::new("client", REDIRECT_URI, server().with(Endpoint::Revocation, "https://as.example/revoke?v=1"))
        .expect("a client")
}

fn read(status: u16, content_type: Option<&str>, body: &str) -> Result<(), ResponseError> {
    let mut body = body.as_bytes().to_vec();
    let request =
        with_endpoint().revoke(Revocable::Refresh(RefreshToken::new("R").expect("a token"))).expect("an endpoint");
    let response = Response::new(status, &mut body).with_header("Retry-After", "30");
    request.read(content_type.into_iter().fold(response, |response, value| response.with_header("Content-Type", value)))
}
