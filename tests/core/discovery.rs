//! Where metadata is looked for, and in which order (RFC 8414 section 3, OpenID Connect Discovery 1.0).

use proofkey_core::{Advice, Discovery, Flow, MetadataRequest, Method, Response, Step, Unanswered, WellKnown};

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
    let headers: Vec<_> = request.request().headers().map(|header| (header.name(), header.value())).collect();
    assert_eq!(headers, [("accept", "application/json".to_owned()), ("accept-encoding", "identity".to_owned())]);
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
        while let Step::Send(request) = discovery.step(0) {
            asked.push(request.url().to_string());
            if asked.len() == 1 {
                assert!(discovery.unanswered(Unanswered::Closed, 0));
            } else {
                assert!(!discovery.hear(&Response::new(404, &mut []), 0));
            }
        }
        assert_eq!(asked, addresses);
        let said = discovery.tried().at(issuer).to_string();
        assert!(asked.iter().all(|address| said.contains(address)), "{said}");
        assert!(said.contains(&format!("{} gave no answer", asked[0])), "{said}");
        assert!(!discovery.hear(&Response::new(404, &mut []), 0) && matches!(discovery.step(0), Step::Over));
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
        let first = next(&mut discovery);
        let mut bytes = body.as_bytes().to_vec();
        let response = Response::new(status, &mut bytes).with_header("content-type", content_type);
        assert!(!discovery.hear(&response, 0), "{status} {body}");
        assert_ne!(next(&mut discovery), first);
        let mut found = DOCUMENT.as_bytes().to_vec();
        let response = Response::new(200, &mut found);
        assert!(discovery.hear(&response, 0) && discovery.read(response).is_ok(), "{status} {body}");
    }
    for (status, body) in [(429, ""), (500, ""), (503, r#"{"error":"x"}"#), (400, r#"{"error":"server_error"}"#)] {
        let mut discovery = Discovery::new("https://as.example").expect("an issuer");
        let mut body = body.as_bytes().to_vec();
        let response = Response::new(status, &mut body);
        assert!(discovery.hear(&response, 0), "{status}");
        let error = discovery.read(response).expect_err("busy");
        assert!(matches!(error.advice(), Advice::Retry { .. }), "{status}: {error}");
    }
}

#[test]
fn an_answer_that_is_metadata_or_wrong_metadata_is_the_last() {
    let mut own = DOCUMENT.as_bytes().to_vec();
    let mut others = br#"{"issuer":"https://evil.example"}"#.to_vec();
    let mut twice = br#"{"issuer":"https://as.example","issuer":"https://as.example"}"#.to_vec();
    for body in [&mut own, &mut others, &mut twice] {
        let mut discovery = Discovery::new("https://as.example").expect("an issuer");
        assert!(discovery.hear(&Response::new(200, body), 0));
        assert!(!discovery.hear(&Response::new(200, body).cut_off(), 0), "a body that broke off is not metadata");
    }
}

#[test]
fn only_a_server_that_closes_the_connection_is_asked_at_the_next_address() {
    for (why, goes_on) in [(Unanswered::Closed, true), (Unanswered::Lost, false), (Unanswered::Unsent, false)] {
        let mut discovery = Discovery::new("https://as.example").expect("an issuer");
        let first = next(&mut discovery);
        assert_eq!(discovery.unanswered(why, 0), goes_on, "{why:?}");
        assert_eq!(next(&mut discovery) != first, goes_on, "{why:?}");
    }
}

fn next(discovery: &mut Discovery<'_>) -> String {
    let Step::Send(request) = discovery.step(0) else { panic!("a further address") };
    request.url().to_string()
}

const DOCUMENT: &str = r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a",
    "token_endpoint":"https://as.example/t"}"#;
