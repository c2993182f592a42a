//! Responses of the token endpoint (RFC 6749 sections 5 and 6).

use proofkey_core::ResponseError::{
    ContentType, Duplicate, Json, Malformed, Missing, Redirect, Status, TokenType, TooBig, Type,
};
use proofkey_core::{Advice, RefreshToken, Response, ResponseError, Scope};
use proofkey_core_tests::{accept, client, read, read_as, read_refresh, values};

#[test]
fn long_codes_long_tokens_and_unknown_members_are_accepted() {
    let code = "c".repeat(16 * 1024);
    let unknown: String = (0..50).map(|n| format!("&x{n}=y")).collect();
    let (_, body) = accept(|s| format!("code={code}&state={s}&iss=https://as.example{unknown}"));
    assert_eq!(values(&body.expect("a body"), "code"), [code]);
    let token = "t".repeat(64 * 1024);
    let members: String = (0..100_000).map(|n| format!(",\"m{n}\":[{{\"x\":null}}]")).collect();
    let tokens = read(&format!(r#"{{"access_token":"{token}","token_type":"Bearer"{members}}}"#)).expect("tokens");
    assert_eq!(tokens.access_token().expose(), token);
    for (length, fits) in [(256 * 1024, true), (256 * 1024 + 1, false)] {
        let body = format!(r#"{{"access_token":"{}","token_type":"Bearer"}}"#, "t".repeat(length));
        assert_eq!(read(&body).map(drop), if fits { Ok(()) } else { Err(TooBig("access_token")) });
        let body = format!(r#"{{"access_token":"AT","token_type":"Bearer","scope":"{}"}}"#, "s".repeat(length));
        assert_eq!(read(&body).map(|tokens| tokens.scope() == Scope::Unknown), Ok(!fits));
    }
}

#[test]
fn the_example_of_the_standard_is_read() {
    let body = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,
                   "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#;
    let tokens = read(body).expect("tokens");
    assert_eq!(tokens.access_token().expose(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(tokens.refresh_token().map(RefreshToken::expose), Some("tGzv3JOkF0XG5Qx2TlKWIA"));
    assert_eq!((tokens.expires_in(), tokens.scope()), (Some(3600), Scope::Requested));
    assert_eq!(read(&body.replace("Bearer", "example")).map(drop), Err(TokenType(None)));
}

#[test]
fn a_token_response_has_one_access_token_of_type_bearer() {
    for absent in ["", r#","token_type":null"#, r#","token_type":"""#] {
        assert!(read(&format!(r#"{{"access_token":"AT"{absent}}}"#)).is_ok(), "{absent}");
    }
    for kind in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let tokens = read(&format!(r#"{{"access_token":"AT","token_type":"{kind}"}}"#)).expect(kind);
        assert_eq!(tokens.expires_in(), None, "c022: unknown, not zero");
    }
    let rows: &[(&str, ResponseError)] = &[
        (r#"{"token_type":"Bearer"}"#, Missing("access_token")),
        (r#"{"access_token":null,"token_type":"Bearer"}"#, Missing("access_token")),
        (r#"{"access_token":"","token_type":"Bearer"}"#, Missing("access_token")),
        (r#"{"access_token":1,"token_type":"Bearer"}"#, Type("access_token")),
        (r#"{"access_token":{},"token_type":"Bearer"}"#, Type("access_token")),
        (r#"{"access_token":[],"token_type":"Bearer"}"#, Type("access_token")),
        (r#"{"accessToken":"AT","tokenType":"Bearer"}"#, Missing("access_token")),
        (r#"{"access_token":"AT","token_type":1}"#, Type("token_type")),
        (r#"{"access_token":"AT","token_type":"mac"}"#, TokenType(Some("mac"))),
        (r#"{"access_token":"AT","token_type":"N_A"}"#, TokenType(Some("N_A"))),
        (r#"{"access_token":"AT","token_type":"DPoP"}"#, TokenType(Some("DPoP"))),
        (r#"{"access_token":"AT","token_type":"bearer "}"#, TokenType(None)),
        (r#"{"access_token":"AT","token_type":"Bearer Token"}"#, TokenType(None)),
        (r#"{"access_token":"A T","token_type":"Bearer"}"#, Malformed("access_token")),
        (r#"{"access_token":"A\r\nX: y","token_type":"Bearer"}"#, Malformed("access_token")),
        (r#"{"access_token":"A\u0000","token_type":"Bearer"}"#, Malformed("access_token")),
        (r#"{"access_token":"A\u007f","token_type":"Bearer"}"#, Malformed("access_token")),
        (r#"{"access_token":"é","token_type":"Bearer"}"#, Malformed("access_token")),
        (r#"{"access_token":"\ud83d\ude00","token_type":"Bearer"}"#, Malformed("access_token")),
        (r#"{"access_token":"\ud83d","token_type":"Bearer"}"#, Malformed("access_token")),
        (r#"{"access_token":"A","access_token":"A","token_type":"Bearer"}"#, Duplicate("access_token")),
        (r#"{"access\u005ftoken":"A","access_token":"A","token_type":"Bearer"}"#, Duplicate("access_token")),
        (r#"{"access_token":"A","token_type":"Bearer","token_type":"Bearer"}"#, Duplicate("token_type")),
        (r#"{"access_token":"A","token_type":["Bearer"]}"#, Type("token_type")),
    ];
    for (body, error) in rows {
        assert_eq!(read(body).map(drop), Err(error.clone()), "{body}");
    }
    let odd = r#"{"access_token":"!*$~+/=.,:|\"\/\u0041\u002b","token_type":"Bearer","x":"\ud83d","x":2}"#;
    assert_eq!(read(odd).expect("tokens").access_token().expose(), "!*$~+/=.,:|\"/A+");
}

#[test]
fn only_well_formed_json_is_read() {
    let base = r#"{"access_token":"AT","token_type":"Bearer"}"#;
    assert!(read(&format!("\u{feff}{base}")).is_ok() && read(&format!(" \t\r\n{base}\n ")).is_ok());
    for at in 0..base.len() {
        assert!(matches!(read(&base[..at]), Err(Json(_))), "{}", &base[..at]);
    }
    let deep = |depth: usize| {
        format!(r#"{{"x":{}{},"access_token":"AT","token_type":"Bearer"}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert!(read(&deep(31)).is_ok());
    for body in [
        deep(32),
        deep(100_000),
        format!(r#"{{"x":{}"#, "[{\"\":".repeat(50_000)),
        format!("{base}x"),
        format!("{base}{{}}"),
        base.replace('}', ",}"),
        base.replace('"', "'"),
        base.replace("AT", "A\tT"),
        format!("/**/{base}"),
        "null".into(),
        "[]".into(),
        "\"x\"".into(),
        String::new(),
    ] {
        assert!(matches!(read(&body), Err(Json(_))), "{:.60}", body);
    }
    let utf16: Vec<u8> = base.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(matches!(read_as(200, Some("application/json"), &utf16), Err(Json(_))));
    assert!(matches!(read_as(200, Some("application/json"), b"{\"x\":\"\xFF\"}"), Err(Json(_))));
    let long = "x".repeat(256 * 1024 + 1);
    assert_eq!(read(&base.replace("AT", &long)).map(drop), Err(TooBig("access_token")));
    assert!(read(&base.replace('{', &format!("{{\"x\":\"{long}\","))).is_ok());
}

#[test]
fn a_refresh_gives_the_new_refresh_token_or_keeps_the_old_one() {
    let kept = |member: &str| {
        let body = format!(r#"{{"access_token":"AT","token_type":"Bearer"{member}}}"#);
        read_refresh(&body).map(|tokens| tokens.refresh_token().map(|token| token.expose().to_owned()))
    };
    assert_eq!(kept(r#","refresh_token":"RT2""#), Ok(Some("RT2".into())));
    for absent in ["", r#","refresh_token":null"#, r#","refresh_token":"""#] {
        assert_eq!(kept(absent), Ok(Some("RT1".into())), "{absent}");
    }
    assert_eq!(kept(r#","refresh_token":1"#), Err(Type("refresh_token")));
    assert_eq!(kept(r#","refresh_token":"a\u0001""#), Err(Malformed("refresh_token")));
    let first = read(r#"{"access_token":"AT","token_type":"Bearer"}"#).expect("tokens");
    assert!(first.refresh_token().is_none(), "a first answer without one has none");
}

#[test]
fn a_refused_token_request_keeps_the_words_of_the_server() {
    let rows: &[(u16, &str, Advice)] = &[
        (400, r#"{"error":"invalid_grant","error_description":"expired\u001b[31m"}"#, Advice::Reauthorize),
        (401, r#"{"error":"invalid_client"}"#, Advice::Fix),
        (400, r#"{"error":"invalid_request","error":"x"}"#, Advice::Fix),
        (400, r#"{"error":"unsupported_grant_type","error_uri":"javascript:1"}"#, Advice::Fix),
        (400, r#"{"error":"temporarily_unavailable"}"#, Advice::Retry { after: None }),
        (429, r#"{"error":"slow"}"#, Advice::Retry { after: None }),
        (503, r#"{"error":"x"}"#, Advice::Retry { after: None }),
        (200, r#"{"error":"bad_verification_code","error_description":"expired"}"#, Advice::Fix),
        (200, r#"{"ok":false,"error":"invalid_code"}"#, Advice::Fix),
        (200, r#"{"access_token":"CANARY","token_type":"Bearer","error":"invalid_grant"}"#, Advice::Reauthorize),
    ];
    for (status, body, advice) in rows {
        let error = read_as(*status, Some("application/json"), body.as_bytes()).expect_err(body);
        assert_eq!(error.advice(), *advice, "{body}");
        assert!(!format!("{error} {error:?}").contains("CANARY"));
        assert!(error.to_string().bytes().all(|byte| matches!(byte, b' '..=b'~')), "{error}");
        if !body.contains(r#""x""#) {
            assert!(
                matches!(&error, ResponseError::Server { status: seen, .. } if seen == status),
                "{body}: {error:?}"
            );
        }
    }
    for (description, read) in [
        (r#""gone""#, Some("gone")),
        (r#""ab\u0007""#, Some("ab?")),
        (r#""\u001b\u0007""#, Some("?")),
        (r#""abc\u001b[31m\u0085é""#, Some("abc?[31m?")),
        ("1", None),
        ("null", None),
        (r#""\ud800""#, None),
        ("{}", None),
        (r#""""#, None),
    ] {
        let body = format!(r#"{{"error_description":{description},"error":"invalid_grant"}}"#);
        for status in [200, 400] {
            let error = read_as(status, None, body.as_bytes()).expect_err("a refusal");
            let ResponseError::Server { error: words, .. } = &error else { panic!("{body}: {error}") };
            assert_eq!(
                (words.code(), words.description(), error.advice()),
                ("invalid_grant", read, Advice::Reauthorize)
            );
        }
    }
    assert!(read(r#"{"access_token":"AT","token_type":"Bearer","error":null}"#).is_ok());
    assert!(read(r#"{"access_token":"AT","token_type":"Bearer","error":""}"#).is_ok());
}

#[test]
fn status_and_content_type_are_checked() {
    let base = br#"{"access_token":"AT","token_type":"Bearer"}"#;
    for status in [301, 302, 303, 307, 308] {
        assert_eq!(read_as(status, Some("application/json"), base).map(drop), Err(Redirect(status)));
    }
    assert!(read_as(201, Some("application/json"), base).is_ok());
    for status in [202, 204, 206, 400, 403, 404, 500] {
        let plain = Err(Status { status, retry_after: None, is_page: false });
        let page = Err(Status { status, retry_after: None, is_page: true });
        assert_eq!(read_as(status, Some("application/json"), base).map(drop), plain);
        assert_eq!(read_as(status, Some("text/html"), b"").map(drop), page);
        assert_eq!(read_as(status, None, b"\r\n <html>").map(drop), page);
        assert_eq!(read_as(status, None, b"").map(drop), plain);
        assert_eq!(read_as(status, None, br#"{"error":1}"#).map(drop), plain);
        assert_eq!(read_as(status, None, br#"{"error":"a","error":"b"}"#).map(drop), plain);
        assert_eq!(read_as(status, None, br#"{"errors":["x"]}"#).map(drop), plain);
    }
    for good in [
        None,
        Some("application/json;charset=UTF-8"),
        Some("APPLICATION/JSON"),
        Some("application/x+json"),
        Some("text/json"),
        Some("text/javascript"),
        Some("text/plain"),
        Some("text/plain; charset=utf-8"),
        Some("application/octet-stream"),
        Some("application/json, application/json"),
        Some("application/json;charset=utf-8,"),
        Some("application/json;a=\"b,c\", text/plain"),
        Some(""),
    ] {
        assert!(read_as(200, good, base).is_ok(), "{good:?}");
    }
    for bad in [
        "text/html",
        "text/html;x=\", application/json",
        "application/x-www-form-urlencoded",
        "application/json, text/html",
        "application/json;a=b, text/html",
        "application/json;a=\"b\", text/html",
        "json",
    ] {
        assert_eq!(read_as(200, Some(bad), base).map(drop), Err(ContentType(bad.into())), "{bad}");
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let after = |value| {
        let mut body = *b"busy";
        let response = Response::new(503, &mut body)
            .with_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .with_header("Retry-After", value);
        let refresh = client().refresh(RefreshToken::new("R").expect("a token"));
        refresh.read(response).map(drop).map_err(|error| error.advice())
    };
    for (value, seconds) in [
        ("120", Some(120)),
        ("0", Some(0)),
        ("1000000000", Some(86_400)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
    ] {
        assert_eq!(after(value), Err(Advice::Retry { after: seconds }), "{value}");
    }
}

#[test]
fn a_replayed_refresh_token_asks_for_a_new_login() {
    let error = read_as(400, Some("application/json"), br#"{"error":"invalid_grant"}"#).expect_err("no tokens");
    assert_eq!(error.advice(), Advice::Reauthorize);
    assert!(matches!(error, ResponseError::Server { status: 400, .. }));
}
