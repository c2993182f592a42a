//! The userinfo endpoint: what is sent, and whose claims are taken.

use proofkey_core::{
    AccessToken, Advice, ClaimsBuf, Client, ConfigError, Endpoint, Flow, Response, ResponseBuf, ResponseError, Step,
    UriFault, UserInfoError, UserInfoRequest,
};
use proofkey_core_tests::{client, server};

#[test]
fn the_request_has_the_token_in_its_header_and_nothing_else() {
    let request = asked(client_with_userinfo());
    let mut head = String::new();
    request.request().write_head(&mut head).expect("a String takes all");
    assert!(head.starts_with("GET /userinfo?v=2 HTTP/1.0\r\nhost: as.example\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: Bearer AT\r\n"), "{head}");
    assert_eq!((request.request().body_len(), head.contains("alice")), (0, false));
    let mut flow = request;
    assert!(matches!(flow.step(0), Step::Send(_)));
    assert!(flow.hear(&Response::new(500, &mut []), 0));
    assert!(!format!("{request:?}").contains("AT"));
}

#[test]
fn a_server_without_the_endpoint_is_not_asked() {
    let error = client().userinfo(AccessToken::new("AT").expect("a token"), "alice").map(drop);
    assert_eq!(error, Err(ConfigError::Endpoint(Endpoint::UserInfo, UriFault::Absent)));
}

#[test]
fn the_claims_are_those_of_the_user_who_signed_in() {
    let body =
        r#"{"name":"Al\u0069ce","sub":"alice","email":"alice@as.example","email_verified":true,"roles":["a","b"]}"#;
    let mut bytes = body.as_bytes().to_owned();
    let (claims, [roles, none]) =
        asked(client_with_userinfo()).read_with(Response::new(200, &mut bytes), &["roles", "none"]).expect("claims");
    assert_eq!((claims.sub(), claims.name(), claims.email()), ("alice", Some("Alice"), Some("alice@as.example")));
    assert_eq!((claims.email_verified(), roles, none), (Some(true), Some("a b"), None));
    let mut answer = ResponseBuf { status: 200, body: body.into(), ..ResponseBuf::default() };
    let owned = ClaimsBuf::of_userinfo(asked(client_with_userinfo()), answer.as_response()).expect("claims");
    assert_eq!((owned.as_json(), owned.get("name").as_deref()), (body.as_bytes(), Some("Alice")));
}

#[test]
fn claims_of_another_user_are_not_taken() {
    for found in ["bob", "Alice", "alice "] {
        let subject = UserInfoError::Subject { expected: "alice".into(), found: found.into() };
        assert_eq!(refused(200, None, &format!(r#"{{"sub":"{found}","name":"Alice"}}"#)), subject);
        assert_eq!(subject.advice(), Advice::Reauthorize);
    }
    for (body, error) in [
        ("{}", ResponseError::Missing("sub")),
        (r#"{"sub":null}"#, ResponseError::Missing("sub")),
        (r#"{"sub":7}"#, ResponseError::Malformed("sub")),
        (r#"{"sub":"alice","sub":"alice"}"#, ResponseError::Malformed("sub")),
        ("[]", ResponseError::Json(0)),
        ("", ResponseError::Json(0)),
    ] {
        assert_eq!(refused(200, None, body), UserInfoError::Response(error), "{body}");
    }
}

#[test]
fn a_signed_answer_is_refused_by_name() {
    for content_type in ["application/jwt", "application/JWT; charset=utf-8", "application/token-introspection+jwt"] {
        let error = refused(200, Some(content_type), "e30.e30.c2ln");
        assert_eq!(error, UserInfoError::Signed, "{content_type}");
        assert!(error.to_string().contains("userinfo_signed_response_alg") && error.advice() == Advice::Fix);
    }
}

#[test]
fn other_answers_are_refusals() {
    for (status, advice) in [(401, Advice::Reauthorize), (403, Advice::Fix)] {
        let error = refused(status, None, r#"{"sub":"alice"}"#);
        assert_eq!((error.clone(), error.advice()), (UserInfoError::Refused(status), advice));
        assert!(error.to_string().contains("userinfo endpoint"), "{error}");
    }
    let busy = refused(503, None, r#"{"sub":"alice"}"#);
    assert_eq!(busy.advice(), Advice::Retry { after: None });
    assert_eq!(refused(302, None, ""), UserInfoError::Response(ResponseError::Redirect(302)));
    assert!(matches!(refused(201, None, r#"{"sub":"alice"}"#), UserInfoError::Response(ResponseError::Status { .. })));
}

#[test]
fn what_was_not_asked_says_why() {
    for (error, says) in [(UserInfoError::NoUser, "scope `openid`"), (UserInfoError::OtherResource, "another resource")]
    {
        assert!(error.to_string().contains(says) && error.advice() == Advice::Fix, "{error}");
    }
}

fn refused(status: u16, content_type: Option<&str>, body: &str) -> UserInfoError {
    let mut body = body.as_bytes().to_owned();
    let response = Response::new(status, &mut body);
    let response =
        content_type.into_iter().fold(response, |response, value| response.with_header("content-type", value));
    asked(client_with_userinfo()).read(response).map(drop).expect_err("an answer that cannot be used")
}

fn asked(client: Client<'_>) -> UserInfoRequest<'_> {
    client.userinfo(AccessToken::new("AT").expect("a token"), "alice").expect("an endpoint")
}

fn client_with_userinfo() -> Client<'static> {
    let server = server().with(Endpoint::UserInfo, "https://as.example/userinfo?v=2");
    Client::new("client", "http://127.0.0.1/cb", server).expect("a client")
}
