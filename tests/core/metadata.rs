//! Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0).

use proofkey_core::{
    Advice, ConfigError, Discovery, Endpoint, Feature, MetadataRequest, Method, Response, ResponseError, Server,
    UriFault, WellKnown,
};

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
        let mut found = document("").into_bytes();
        assert!(discovery.read(Response::new(200, &mut found)).is_ok_and(|found| found.is_some()), "{status} {body}");
    }
    for (status, body) in [(429, ""), (500, ""), (503, r#"{"error":"x"}"#), (400, r#"{"error":"server_error"}"#)] {
        let mut discovery = Discovery::new("https://as.example").expect("an issuer");
        let mut body = body.as_bytes().to_vec();
        let error = discovery.read(Response::new(status, &mut body)).expect_err("busy");
        assert!(matches!(error.advice(), Advice::Retry { .. }), "{status}: {error}");
    }
}

#[test]
fn an_issuer_is_https_without_query_and_fragment() {
    for (issuer, fault) in [
        ("http://as.example", UriFault::Scheme),
        ("https://as.example?x", UriFault::Query),
        ("https://as.example#f", UriFault::Fragment),
        ("https://u@as.example", UriFault::Host),
        ("as.example", UriFault::NotAbsolute),
    ] {
        assert_eq!(
            MetadataRequest::new(issuer, WellKnown::OAuth).map(drop),
            Err(ConfigError::Issuer(fault)),
            "{issuer}"
        );
    }
}

#[test]
fn metadata_members_are_read_and_unknown_ones_ignored() {
    let more = r#","revocation_endpoint":"https://as.example/r","authorization_response_iss_parameter_supported":true,
                  "code_challenge_methods_supported":["plain","S256"],"scopes_supported":["a","b"],"x":{"issuer":1}"#;
    let (server, scopes, pkce) = read(&document(more)).expect("metadata");
    let expected = (
        "https://as.example/a".to_owned(),
        "https://as.example/t".to_owned(),
        Some("https://as.example/r".to_owned()),
        true,
    );
    assert_eq!(server, expected);
    assert_eq!((scopes.as_deref(), pkce), (Some("a b"), true));
    let (server, _, pkce) = read(&document("")).expect("metadata");
    assert_eq!((server.2, server.3, pkce), (None, false, false));
}

#[test]
fn the_issuer_of_metadata_must_match_byte_for_byte() {
    for other in [
        "https://as.example/",
        "https://AS.example",
        "https://as.example:443",
        "https://evil.example",
        "https://as.example\\u0000",
        "https://as.exampl\\u0065\\u0301",
    ] {
        let document = document("").replace("\"https://as.example\"", &format!("\"{other}\""));
        let found = other.replace("\\u0000", "?").replace("\\u0065\\u0301", "e?");
        let other = ResponseError::Issuer { expected: "https://as.example".into(), found: found.as_str().into() };
        assert_eq!(read(&document).map(drop), Err(other), "{document}");
    }
    let escaped = document("").replace("\"https://as.example\"", "\"https:\\/\\/as.exampl\\u0065\"");
    assert!(read(&escaped).is_ok());
}

#[test]
fn every_endpoint_in_metadata_is_checked() {
    use UriFault::{Character, Fragment, Host, NotAbsolute, Scheme};
    let bad = [
        ("http://as.example/x", Scheme),
        ("javascript:1", Scheme),
        ("//as.example", NotAbsolute),
        ("https://u@as.example", Host),
        ("https://as.example#f", Fragment),
        ("https://as.example/ -x", Character),
    ];
    for (bad, fault) in bad {
        for (good, error) in [
            ("https://as.example/a", ConfigError::Endpoint(Endpoint::Authorization, fault)),
            ("https://as.example/t", ConfigError::Endpoint(Endpoint::Token, fault)),
        ] {
            assert_eq!(read(&document("").replace(good, bad)).map(drop), Err(ResponseError::Endpoint(error)), "{bad}");
        }
        let revocation = document(&format!(r#","revocation_endpoint":"{bad}""#));
        assert_eq!(read(&revocation).map(|(server, ..)| server.2), Ok(None), "{bad}: nothing goes there");
    }
    for odd in [r#""""#, r#""/revoke""#, "7", "[]", r#""https://as.example/r","revocation_endpoint":"x""#] {
        let revocation = document(&format!(r#","revocation_endpoint":{odd}"#));
        assert_eq!(read(&revocation).map(|(server, ..)| server.2), Ok(None), "{odd}: it is not needed to sign in");
    }
}

#[test]
fn only_a_loopback_issuer_may_name_plain_http() {
    let at = |issuer: &str, authorization: &str, token: &str| {
        let body = format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"{authorization}","token_endpoint":"{token}","revocation_endpoint":"{token}"}}"#
        );
        let mut body = body.into_bytes();
        let request = MetadataRequest::new(issuer, WellKnown::OAuth).expect(issuer);
        request
            .read(Response::new(200, &mut body))
            .map(|metadata| metadata.server().endpoint(Endpoint::Revocation).is_some())
    };
    let https = "https://as.example/x";
    for local in ["http://127.0.0.1:2375/x", "http://[::1]/x", "http://localhost:8080/x"] {
        let refused = |at| Err(ResponseError::Endpoint(ConfigError::Endpoint(at, UriFault::Scheme)));
        assert_eq!(at("https://as.example", local, https), refused(Endpoint::Authorization), "{local}");
        assert_eq!(at("https://as.example", https, local), refused(Endpoint::Token), "{local}");
        for issuer in ["http://127.0.0.1:9400", "https://[::1]", "http://localhost:1", "https://LOCALHOST"] {
            assert_eq!(at(issuer, local, local), Ok(true), "{issuer}");
        }
    }
}

#[test]
fn a_server_without_s256_is_refused() {
    for methods in ["[]", "[\"plain\"]", "[\"s256\"]"] {
        let document = document(&format!(",\"code_challenge_methods_supported\":{methods}"));
        assert_eq!(
            read(&document).map(drop),
            Err(ResponseError::NoS256(methods.trim_matches(|c| "[]\"".contains(c)).into())),
            "{methods}"
        );
    }
    for unreadable in ["\"plain\"", "7", "{}", "[\"plain\",7]"] {
        let text = document(&format!(",\"code_challenge_methods_supported\":{unreadable}"));
        assert_eq!(read(&text).map(|(_, _, advertised)| advertised), Ok(false), "{unreadable}: unknown");
    }
}

#[test]
fn iss_must_come_if_metadata_promise_it() {
    let (server, ..) = read(&document(",\"authorization_response_iss_parameter_supported\":true")).expect("metadata");
    assert!(server.3);
    let text = document(",\"authorization_response_iss_parameter_supported\":\"true\"");
    assert_eq!(read(&text).map(drop), Err(ResponseError::Type("authorization_response_iss_parameter_supported")));
}

#[test]
fn missing_and_repeated_members() {
    assert_eq!(read("{}").map(drop), Err(ResponseError::Missing("issuer")));
    for name in ["issuer", "authorization_endpoint", "token_endpoint"] {
        let without = document("").replace(&format!("\"{name}\""), "\"x\"");
        assert_eq!(read(&without).map(drop), Err(ResponseError::Missing(name)), "{name}");
        let twice = document(&format!(",\"{name}\":\"https://as.example/a\""));
        assert_eq!(read(&twice).map(drop), Err(ResponseError::Duplicate(name)), "{name}");
    }
    assert_eq!(
        read_as(404, "").map(drop),
        Err(ResponseError::Status { status: 404, retry_after: None, is_page: false })
    );
    assert_eq!(read_as(302, "").map(drop), Err(ResponseError::Redirect(302)));
    assert!(matches!(read("<html>"), Err(ResponseError::Json(0))));
}

#[test]
fn members_of_the_wrong_type() {
    for name in ["authorization_endpoint", "authorization_response_iss_parameter_supported", "issuer", "token_endpoint"]
    {
        let rest = document("").replace(&format!("\"{name}\":"), "\"x\":").replacen('{', ",", 1);
        let with = |value: &str| read(&format!("{{\"{name}\":{value}{rest}"));
        for value in ["7", "{}", "[7]"] {
            assert_eq!(with(value).map(drop), Err(ResponseError::Type(name)), "{name}: {value}");
        }
        assert_ne!(with("null").map(drop), Err(ResponseError::Type(name)), "{name}");
    }
}

#[test]
fn scopes_that_cannot_be_read_are_unknown() {
    for scopes in ["\"openid profile\"", "{}", "7", "[1]", "null", "[\"a\"],\"scopes_supported\":[\"b\"]"] {
        let scopes = document(&format!(",\"scopes_supported\":{scopes}"));
        assert_eq!(read(&scopes).map(|(_, scopes, _)| scopes), Ok(None), "{scopes}");
    }
}

type Found = ((String, String, Option<String>, bool), Option<String>, bool);

fn document(more: &str) -> String {
    format!(
        r#"{{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t"{more}}}"#
    )
}

fn read(document: &str) -> Result<Found, ResponseError> {
    read_as(200, document)
}

fn read_as(status: u16, document: &str) -> Result<Found, ResponseError> {
    let mut body = document.as_bytes().to_vec();
    let response = Response::new(status, &mut body).with_header("content-type", "application/json");
    let request = MetadataRequest::new("https://as.example", WellKnown::OAuth).expect("a request");
    let metadata = request.read(response)?;
    let server: Server<'_> = metadata.server();
    assert_eq!(server.issuer(), Some("https://as.example"));
    let parts = (
        server.endpoint(Endpoint::Authorization).unwrap_or_default().to_owned(),
        server.endpoint(Endpoint::Token).unwrap_or_default().to_owned(),
        server.endpoint(Endpoint::Revocation).map(str::to_owned),
        server.has(Feature::IssParameter),
    );
    Ok((parts, metadata.scopes().map(str::to_owned), metadata.pkce_advertised()))
}
