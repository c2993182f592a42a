//! The token and revocation endpoints.

use crate::client::{VERIFIER, agent, call, code, exchange, login, post, refresh, refresh_form, start, text};
use proofkey_devserver::{DevServer, Options};

#[test]
fn a_whole_login_refresh_and_api_call() {
    let server = start();
    let tokens = login(&server);
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_u64()), (Some("Bearer"), Some(3600)));
    assert_eq!(tokens["scope"], "itwin-platform offline_access");
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 200);
    let (status, refreshed) = refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!(status, 200);
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"], "rotated");
    assert_eq!(call(&server, "/api/itwins", text(&refreshed, "access_token")).0, 200);
}

#[test]
fn a_code_is_good_once_and_a_second_use_revokes() {
    let server = start();
    let code = code(&server);
    let (status, tokens) = exchange(&server, &code, VERIFIER);
    assert_eq!(status, 200);
    assert_eq!(exchange(&server, &code, VERIFIER).1["error"], "invalid_grant");
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 401);
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).1["error"], "invalid_grant");
}

#[test]
fn a_wrong_verifier_or_redirect_uri_or_a_late_code_is_refused() {
    let server = start();
    let wrong = "A".repeat(43);
    assert_eq!(exchange(&server, &code(&server), &wrong).1["error"], "invalid_grant");
    assert_eq!(exchange(&server, &code(&server), "short").1["error"], "invalid_request");
    let code_now = code(&server);
    let body = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo-native"),
        ("code", &code_now),
        ("redirect_uri", "http://127.0.0.1:1/callback"),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(post(&server.token_endpoint(), &body).1["error"], "invalid_grant");
    let late = DevServer::start(Options { code_ttl: 0, ..Options::default() }).unwrap();
    assert_eq!(exchange(&late, &code(&late), VERIFIER).1["error"], "invalid_grant");
}

#[test]
fn credentials_of_a_public_client_are_refused_with_401() {
    let server = start();
    // `demo-native:` and `demo-native:x`
    for header in ["Basic ZGVtby1uYXRpdmU6", "Basic ZGVtby1uYXRpdmU6eA=="] {
        let request = agent().post(server.token_endpoint()).header("authorization", header);
        let mut response = request.send_form([("grant_type", "refresh_token"), ("refresh_token", "none")]).unwrap();
        assert_eq!(response.status().as_u16(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        let body = response.body_mut().read_to_string().unwrap();
        assert!(body.contains("invalid_client") && body.contains("a public client has no secret"), "{body}");
    }
}

#[test]
fn what_is_no_token_request_is_told_so() {
    let server = start();
    let tell = |content_type: &str, body: &str| {
        let request = agent().post(server.token_endpoint()).header("content-type", content_type);
        let mut response = request.send(body).unwrap();
        assert_eq!(response.status(), 400);
        let document = response.body_mut().read_to_string().unwrap();
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        format!("{}: {}", text(&document, "error"), text(&document, "error_description"))
    };
    let form = "application/x-www-form-urlencoded";
    for (content_type, body, expected) in [
        ("application/json", "grant_type=refresh_token", "invalid_request: the body is not a form"),
        ("text/plain", "", "invalid_request: the body is not a form"),
        (form, "client_id=demo-native&client_id=demo-native", "invalid_request: a parameter was sent twice"),
        (form, "client_id=demo-native", "invalid_request: grant_type is missing"),
        (form, "client_id=unknown&grant_type=refresh_token&refresh_token=x", "invalid_client: the client is unknown"),
        (
            "Application/X-WWW-Form-Urlencoded ; charset=utf-8",
            "client_id=demo-native&grant_type=",
            "invalid_request: grant_type is missing",
        ),
        (
            form,
            "client_id=demo-native&grant_type=password",
            "unsupported_grant_type: only authorization_code, refresh_token and device_code are supported",
        ),
        (form, "client_id=demo-native&grant_type=refresh_token", "invalid_request: refresh_token is missing"),
    ] {
        assert_eq!(tell(content_type, body), expected, "{content_type} {body}");
    }
}

#[test]
fn a_replayed_refresh_token_revokes_its_family() {
    let server = start();
    let tokens = login(&server);
    let (_, second) = refresh(&server, text(&tokens, "refresh_token"));
    let refused = |token: &str| {
        let answer = refresh(&server, token).1;
        assert_eq!(answer["error"], "invalid_grant");
        text(&answer, "error_description").to_owned()
    };
    let reused = "the refresh token was used before; all tokens of its family are revoked";
    assert_eq!(refused(text(&tokens, "refresh_token")), reused);
    assert_eq!(refused(text(&second, "refresh_token")), "the refresh token is revoked");
    assert_eq!(refused("unknown"), "the refresh token is unknown");
    assert_eq!(call(&server, "/api/me", text(&second, "access_token")).0, 401);
}

#[test]
fn a_refresh_for_less_keeps_the_login_and_one_for_more_costs_nothing() {
    let server = start();
    let tokens = login(&server);
    let token = text(&tokens, "refresh_token");
    let scoped = |token: &str, scope: &str| {
        let [kind, client, token] = refresh_form(token);
        post(&server.token_endpoint(), &[kind, client, token, ("scope", scope)])
    };
    assert_eq!(scoped(token, "itwin-platform admin").1["error"], "invalid_scope");
    let (status, less) = scoped(token, "itwin-platform");
    assert_eq!((status, less["scope"].as_str()), (200, Some("itwin-platform")));
    let (status, all) = refresh(&server, text(&less, "refresh_token"));
    assert_eq!((status, all["scope"].as_str()), (200, Some("itwin-platform offline_access")));
}

#[test]
fn revocation_ends_the_family_and_never_complains() {
    let server = start();
    let tokens = login(&server);
    let revoke = |token: &str| post(&server.revocation_endpoint(), &[("client_id", "demo-native"), ("token", token)]).0;
    assert_eq!(revoke("unknown"), 200);
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 200);
    let (_, second) = refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!(revoke(text(&tokens, "access_token")), 200);
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 401);
    assert_eq!(call(&server, "/api/me", text(&second, "access_token")).0, 200, "an access token goes alone");
    assert_eq!(revoke(text(&tokens, "refresh_token")), 200, "a spent one takes the family along");
    assert_eq!(call(&server, "/api/me", text(&second, "access_token")).0, 401);
}
