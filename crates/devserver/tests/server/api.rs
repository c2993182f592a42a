//! The API, the metadata, and who may call them from a page.

use crate::client::{agent, call, get_json, login, start, start_with_own_scheme, text};
use proofkey_devserver::{DevServer, Faults, MetadataFault, Options};

#[test]
fn the_api_tells_refusals_apart() {
    let server = start();
    let tokens = login(&server);
    let token = text(&tokens, "access_token");
    let itwins = agent().get(server.api("/api/itwins")).header("authorization", format!("Bearer {token}")).call();
    let itwins = itwins.unwrap().body_mut().read_to_string().unwrap();
    assert!(itwins.contains(r#""displayName":"Harbour bridge""#), "{itwins}");
    let challenge = |path: &str, token: &str| call(&server, path, token);
    assert_eq!(
        challenge("/api/admin", token),
        (403, "Bearer error=\"insufficient_scope\", scope=\"admin\"".to_owned())
    );
    assert_eq!(challenge("/api/forbidden", token), (403, String::new()));
    let (status, invalid) = challenge("/api/me", "unknown");
    assert!(status == 401 && invalid.contains("error=\"invalid_token\""), "{invalid}");
    let none = agent().get(server.api("/api/me")).call().unwrap();
    assert_eq!(
        (none.status().as_u16(), &none.headers()["www-authenticate"]),
        (401, &"Bearer realm=\"devserver\"".parse().unwrap())
    );
    let in_query = agent().get(format!("{}?access_token={token}", server.api("/api/me"))).call().unwrap();
    assert_eq!(in_query.status(), 400);
    let short = DevServer::start(Options { access_token_ttl: 0, ..Options::default() }).unwrap();
    assert_eq!(call(&short, "/api/me", text(&login(&short), "access_token")).0, 401, "expired");
}

#[test]
fn web_pages_on_loopback_may_call_and_others_may_not() {
    let server = start();
    let allowed = |origin: &str| {
        let request = ureq::http::Request::options(server.token_endpoint())
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(());
        let response = agent().run(request.unwrap()).unwrap();
        response.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    for origin in ["http://127.0.0.1:5173", "http://localhost:3000", "http://[::1]:8080", "https://app.example"] {
        assert_eq!(allowed(origin).as_deref(), Some(origin));
    }
    for origin in ["https://evil.example", "http://127.0.0.1.evil.example", "null", "https://app.example.evil"] {
        assert_eq!(allowed(origin), None, "{origin}");
    }
}

#[test]
fn an_app_with_a_scheme_of_its_own_opens_no_origin() {
    let server = start_with_own_scheme();
    let response = agent().get(server.api("/api/me")).header("origin", "null").call().unwrap();
    assert_eq!(response.headers().get("access-control-allow-origin"), None);
}

#[test]
fn the_front_page_says_where_everything_is() {
    let server = start();
    let page = agent().get(server.url()).call().unwrap().body_mut().read_to_string().unwrap();
    for text in ["proofkey dev server", &server.issuer(), "/connect/authorize", "/connect/token", "/connect/revocation"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
fn metadata_is_at_both_addresses() {
    let server = start();
    let read = |path: &str| get_json(&server.api(path));
    let document = read("/.well-known/oauth-authorization-server");
    assert_eq!(document, read("/.well-known/openid-configuration"));
    assert_eq!(document["issuer"], server.issuer());
    assert_eq!(document["token_endpoint"], server.token_endpoint());
    assert_eq!(document["authorization_endpoint"], server.authorization_endpoint());
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    server.set_faults(Faults { metadata: Some(MetadataFault::IssuerMismatch), ..Faults::default() });
    assert_ne!(read("/.well-known/openid-configuration")["issuer"], server.issuer());
    server.set_faults(Faults { metadata: Some(MetadataFault::NoIss), ..Faults::default() });
    let promise = &read("/.well-known/openid-configuration")["authorization_response_iss_parameter_supported"];
    assert_eq!(promise, false);
}
