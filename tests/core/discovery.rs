//! Where metadata is looked for, and in which order (RFC 8414 section 3, OpenID Connect Discovery 1.0).

use proofkey_core::{Advice, Discovery, MetadataRequest, Method, Response, WellKnown};

#[test]
fn well_known_addresses_are_made_from_the_issuer() {
    let urls = |issuer: &str| {
        WellKnown::ALL.map(|kind| MetadataRequest::new(issuer, kind).expect(issuer).request().url().to_string())
    };
    assert_eq!(
        urls("https://as.example/t1/"),
        [
            "https://as.example/.well-known/oauth-authorization-server/t1",
            "https://as.example/.well-known/openid-configuration/t1",
            "https://as.example/t1/.well-known/openid-configuration",
        ]
    );
    assert_eq!(urls("https://as.example:8443")[0], "https://as.example:8443/.well-known/oauth-authorization-server");
    assert_eq!(urls("https://as.example/")[2], "https://as.example/.well-known/openid-configuration");
    let request = MetadataRequest::new("https://as.example", WellKnown::OAuth).expect("a request");
    assert_eq!((request.request().method(), request.request().body_len()), (Method::Get, 0));
    assert_eq!(request.request().headers(), [("accept", "application/json"), ("accept-encoding", "identity")]);
}

#[test]
fn each_metadata_address_is_asked_once_and_in_order() {
    let oauth = ".well-known/oauth-authorization-server";
    let openid = ".well-known/openid-configuration";
    for (issuer, addresses) in [
        ("https://as.example", vec![format!("https://as.example/{oauth}"), format!("https://as.example/{openid}")]),
        ("https://as.example/", vec![format!("https://as.example/{oauth}"), format!("https://as.example/{openid}")]),
        (
            "https://as.example/t1",
            vec![
                format!("https://as.example/{oauth}/t1"),
                format!("https://as.example/{openid}/t1"),
                format!("https://as.example/t1/{openid}"),
            ],
        ),
        ("https://as.example/t/.well-known/openid-configuration", vec![format!("https://as.example/t/{openid}")]),
    ] {
        let mut discovery = Discovery::new(issuer).expect(issuer);
        let mut asked = Vec::new();
        while let Some(request) = discovery.request() {
            asked.push(request.url().to_string());
            if asked.len() == 1 {
                discovery.unanswered();
            } else {
                assert_eq!(discovery.read(Response::new(404, &mut [])), Ok(None));
            }
        }
        assert_eq!(asked, addresses);
        let said = discovery.tried().at(issuer).to_string();
        assert!(asked.iter().all(|address| said.contains(address)), "{said}");
        assert!(said.contains(&format!("{} gave no answer", asked[0])), "{said}");
        assert_eq!(discovery.read(Response::new(200, &mut [])), Ok(None), "there is nothing left to read");
    }
}

#[test]
fn a_response_without_metadata_is_passed_over() {
    for (status, content_type, body) in [
        (404, "application/json", ""),
        (400, "application/json", r#"{"error":"invalid_request"}"#),
        (302, "text/html", ""),
        (200, "text/html", "<html>"),
        (200, "application/json", "<html>"),
        (200, "application/json", ""),
        (200, "application/json", "null"),
        (200, "application/json", "{}"),
        (200, "application/json", r#"{"status":"ok"}"#),
        (200, "application/json", r#"{"issuer":null}"#),
        (200, "application/json", r#"{"issuer":["https://as.example"]}"#),
        (204, "application/json", ""),
    ] {
        let mut discovery = Discovery::new("https://as.example").expect("an issuer");
        let first = discovery.request().expect("an address").url().to_string();
        let mut bytes = body.as_bytes().to_vec();
        let response = Response::new(status, &mut bytes).with_header("content-type", content_type);
        assert_eq!(discovery.read(response), Ok(None), "{status} {body}");
        assert_ne!(discovery.request().expect("the next one").url().to_string(), first);
        let mut found = DOCUMENT.as_bytes().to_vec();
        assert!(discovery.read(Response::new(200, &mut found)).is_ok_and(|found| found.is_some()), "{status} {body}");
    }
    for (status, body) in [(429, ""), (500, ""), (503, r#"{"error":"x"}"#), (400, r#"{"error":"server_error"}"#)] {
        let mut discovery = Discovery::new("https://as.example").expect("an issuer");
        let mut body = body.as_bytes().to_vec();
        let error = discovery.read(Response::new(status, &mut body)).expect_err("busy");
        assert!(matches!(error.advice(), Advice::Retry { .. }), "{status}: {error}");
    }
}

const DOCUMENT: &str = r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a",
    "token_endpoint":"https://as.example/t"}"#;
