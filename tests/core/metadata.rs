//! Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0).

use proofkey_core::{
    ConfigError, Endpoint, Feature, MetadataRequest, Response, ResponseError, Server, UriFault, WellKnown,
};

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
fn every_endpoint_and_feature_of_metadata_is_read() {
    let endpoints = Endpoint::ALL.iter().map(|endpoint| format!(r#""{0}":"https://as.example/{0}""#, endpoint.name()));
    let features = Feature::ALL.iter().map(|feature| match feature {
        Feature::Es256Proofs => format!(r#""{}":["RS256","ES256"]"#, feature.name()),
        Feature::SecretInHeader => format!(r#""{}":["none","client_secret_basic"]"#, feature.name()),
        _ => format!(r#""{}":true"#, feature.name()),
    });
    let members: Vec<_> = endpoints.chain(features).collect();
    let mut body = format!(r#"{{"issuer":"https://as.example",{}}}"#, members.join(",")).into_bytes();
    let request = MetadataRequest::new("https://as.example", WellKnown::OAuth).expect("an issuer");
    let server = request.read(Response::new(200, &mut body)).expect("metadata").server();
    for endpoint in Endpoint::ALL {
        let url = format!("https://as.example/{}", endpoint.name());
        assert_eq!(server.endpoint(*endpoint), Some(url.as_str()), "{endpoint}");
    }
    assert!(Feature::ALL.iter().all(|feature| server.has(*feature)));
}

#[test]
fn a_secret_goes_into_the_header_only_where_the_body_is_not_taken() {
    let method = |methods: &str| {
        let body = document(&format!(r#","token_endpoint_auth_methods_supported":{methods}"#));
        let mut body = body.into_bytes();
        let request = MetadataRequest::new("https://as.example", WellKnown::OAuth).expect("an issuer");
        request.read(Response::new(200, &mut body)).expect("metadata").server().has(Feature::SecretInHeader)
    };
    for header in [r#"["client_secret_basic"]"#, r#"["none","private_key_jwt","client_secret_basic"]"#] {
        assert!(method(header), "{header}");
    }
    for body in [
        r#"["client_secret_basic","client_secret_post"]"#,
        r#"["client_secret_post"]"#,
        r#"["none"]"#,
        "[]",
        "null",
        "7",
        r#""client_secret_basic""#,
        r#"["client_secret_basic",7]"#,
    ] {
        assert!(!method(body), "{body}");
    }
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
        let expected = if name == "authorization_endpoint" { Ok(()) } else { Err(ResponseError::Missing(name)) };
        assert_eq!(read(&without).map(drop), expected, "{name}");
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
