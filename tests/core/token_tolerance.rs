//! Odd token responses: what is read anyway, what is kept of a bad one, and what ends a login (RFC 6749 sections 5 and 6).

use proofkey_core::ResponseError::{ContentCoding, ContentType, Json};
use proofkey_core::{RefreshToken, Response, Scope, ScopeChange, TokensArray, TokensBuf};
use proofkey_core_tests::{client, read, read_as};

#[test]
fn expires_in_is_any_number_or_unknown() {
    let expires_in = |value: &str| {
        read(&format!(r#"{{"access_token":"AT","token_type":"Bearer","expires_in":{value}}}"#))
            .map(|tokens| tokens.expires_in())
    };
    for value in [
        "3600",
        "3600.0",
        "3.6e3",
        "36e2",
        "3600.9",
        "\"3600\"",
        "360000E-2",
        "\"3600.0\"",
        "\" 3600\\t\"",
        "\"3.6e3\"",
    ] {
        assert_eq!(expires_in(value), Ok(Some(3600)), "{value}");
    }
    for value in ["0", "-0", "1e-400", "\"0\""] {
        assert_eq!(expires_in(value), Ok(Some(0)), "{value}");
    }
    for value in ["4294967296", "18446744073709551616", "1e30", "1e400", "1e999999999", "\"99999999999999999999\""] {
        assert_eq!(expires_in(value), Ok(Some(u32::MAX)), "{value}");
    }
    assert_eq!(expires_in("null"), Ok(None));
    for value in [
        "\"3600abc\"",
        "\"-1\"",
        "\"\"",
        "\" \"",
        "\"1h\"",
        "\"+3600\"",
        "\"\\ud800\"",
        "-1",
        "-3600",
        "true",
        "false",
        "[]",
        "[3600]",
        "{}",
        "\"2026-01-01T00:00:00Z\"",
        "1,\"expires_in\":1",
    ] {
        assert_eq!(expires_in(value), Ok(None), "{value}");
    }
}

#[test]
fn the_lifetime_of_the_refresh_token_is_kept_if_the_server_tells_it() {
    let refresh_expires_in = |member: &str| {
        let tokens = read(&format!(r#"{{"access_token":"AT","expires_in":3600{member}}}"#)).unwrap();
        assert_eq!(tokens.expires_in(), Some(3600));
        let kept = TokensArray::<16>::try_from(tokens.as_tokens()).unwrap();
        assert_eq!(kept.as_tokens().refresh_expires_in(), tokens.refresh_expires_in());
        assert_eq!(tokens.as_tokens().refresh_expires_in(), tokens.refresh_expires_in());
        tokens.refresh_expires_in()
    };
    assert_eq!(refresh_expires_in(r#","refresh_token_expires_in":1209600"#), Some(1_209_600));
    assert_eq!(refresh_expires_in(r#","refresh_token_expires_in":"86400""#), Some(86_400));
    for unknown in ["", r#","refresh_token_expires_in":-1"#, r#","refresh_token_expires_in":null"#] {
        assert_eq!(refresh_expires_in(unknown), None, "{unknown}");
    }
}

#[test]
fn the_granted_scope_is_told_requested_or_unknown() {
    let scope = |value: &str| {
        read(&format!(r#"{{"access_token":"AT","token_type":"Bearer","scope":{value}}}"#))
            .map(|tokens| tokens.scope().granted().map(str::to_owned).ok_or_else(|| tokens.scope() == Scope::Unknown))
            .expect("a scope only informs")
    };
    assert_eq!(scope("\"a b\""), Ok("a b".into()));
    assert_eq!(scope("\"\""), Ok(String::new()));
    assert_eq!(scope("[\"a\",\"b\"]"), Ok("a b".into()));
    assert_eq!(scope("\"repo,gist\""), Ok("repo,gist".into()));
    assert_eq!(scope("null"), Err(false));
    let unknown =
        [r#"["a b"]"#, r#"[""]"#, "[1]", "1", "{}", "true", r#""a\u0007""#, r#""a\tb""#, "\"é\"", r#""a","scope":"a""#];
    for unknown in unknown {
        assert_eq!(scope(unknown), Err(true), "{unknown}");
    }

    let change = |granted: &str| {
        let body = format!(r#"{{"access_token":"AT","token_type":"Bearer"{granted}}}"#);
        read(&body).expect("tokens").as_tokens().compare_scope(&["a", "b"])
    };
    let is = |narrowed, widened| Some(ScopeChange { narrowed, widened });
    assert_eq!(change(",\"scope\":[\"a b\"]"), None);
    assert_eq!(change(",\"scope\":\"b,a\""), is(false, false), "GitHub separates by commas");
    assert_eq!(change(",\"scope\":\"b, c\""), is(true, true));
    assert_eq!(change(""), is(false, false));
    assert_eq!(change(",\"scope\":\"b  a\""), is(false, false));
    assert_eq!(change(",\"scope\":\"a\""), is(true, false));
    assert_eq!(change(",\"scope\":\"a b c\""), is(false, true));
    assert_eq!(change(",\"scope\":\"\""), is(true, false));
    assert_eq!(change(",\"scope\":\"c d\""), is(true, true));
    let words = |text: &'static str, requested: &[&str]| {
        Scope::Granted(text).words(requested).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words("a,b c", &["x"]), ["a,b", "c"], "one word was requested: a comma is part of a word");
    assert_eq!(words("a,b c", &["x,y", "z"]), ["a,b", "c"]);
    assert_eq!(words("a,b c", &["x", "y"]), ["a", "b", "c"]);
    assert_eq!(Scope::Requested.words(&["x", "y"]).collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(Scope::Unknown.words(&["x", "y"]).count(), 0);
}

#[test]
fn the_worst_content_type_counts_and_a_coded_body_is_refused() {
    let read = |fields: &[(&str, &'static str)], body: &[u8]| {
        let mut body = body.to_vec();
        let response = Response::new(200, &mut body);
        let response = fields.iter().fold(response, |response, (name, value)| response.with_header(name, value));
        client().refresh(RefreshToken::new("R").expect("a token")).read(response).map(drop)
    };
    let base = br#"{"access_token":"AT","token_type":"Bearer"}"#;
    let (json, html) = (("Content-Type", "application/json"), ("CONTENT-TYPE", "text/html"));
    assert_eq!(read(&[json, json, ("content-type", "application/json;charset=utf-8")], base), Ok(()));
    for fields in [[json, html], [html, json]] {
        assert_eq!(read(&fields, base), Err(ContentType("text/html".into())), "the worst one counts");
    }
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";
    for coding in ["gzip", "identity, br", "x"] {
        assert_eq!(read(&[json, ("Content-Encoding", coding)], gzip), Err(ContentCoding), "{coding}");
        assert_eq!(read(&[json, ("Content-Encoding", coding)], base), Ok(()), "a browser has decoded it");
    }
    assert_eq!(read(&[json], gzip), Err(ContentCoding), "nobody says so, but it begins like gzip");
    for coding in ["identity", "", " , Identity"] {
        assert!(matches!(read(&[json, ("Content-Encoding", coding)], b"\x1b"), Err(Json(_))), "{coding}");
    }
}

#[test]
fn a_new_refresh_token_is_kept_whatever_else_is_wrong() {
    let kept = |status, content_type: &'static str, body: &str| {
        let mut body = body.as_bytes().to_vec();
        let response = Response::new(status, &mut body).with_header("content-type", content_type);
        let request = client().refresh(RefreshToken::new("RT1").expect("a token"));
        let (new, tokens) = request.read_keeping(response);
        (new.map(|token| token.expose().to_owned()), tokens.map(TokensBuf::from))
    };
    let json = "application/json";
    let wrong = [
        r#""access_token":7"#,
        r#""access_token":"A","error":false"#,
        r#""access_token":"""#,
        r#""access_token":"a b""#,
        r#""access_token":"A","token_type":"mac""#,
        r#""access_token":"A","token_type":7"#,
        r#""access_token":"A","access_token":"A""#,
        "",
    ];
    for wrong in wrong {
        for status in [200, 201] {
            for body in [
                format!(r#"{{{wrong}{},"refresh_token":"RT2"}}"#, if wrong.is_empty() { r#""x":1"# } else { "" }),
                format!(r#"{{"refresh_token":"RT2",{wrong}}}"#),
            ] {
                let (new, tokens) = kept(status, json, &body);
                assert_eq!((new.as_deref(), tokens.is_err()), (Some("RT2"), true), "{body}");
            }
        }
    }
    let whole = r#"{"access_token":"A","expires_in":"","scope":7,"refresh_token":"RT2"}"#;
    let (new, tokens) = kept(200, json, whole);
    let tokens = tokens.expect("tokens");
    assert_eq!((new.as_deref(), tokens.refresh_token().map(RefreshToken::expose)), (Some("RT2"), Some("RT2")));
    assert_eq!(kept(200, "text/html", whole).0.as_deref(), Some("RT2"));
    for cut in 0..whole.len() {
        let (new, tokens) = kept(200, json, &whole[..cut]);
        let is_there = cut >= whole.len() - 1;
        assert_eq!((new.is_some(), tokens.is_err()), (is_there, true), "{}", &whole[..cut]);
    }
    let first = r#"{"refresh_token":"RT2","access_token":"A"#;
    assert_eq!(kept(200, json, first).0.as_deref(), Some("RT2"), "cut behind it");
    assert_eq!(kept(200, json, "{\"refresh_token\":\"RT2\",\"x\":\"\u{e9}").0.as_deref(), Some("RT2"));
    for (status, body) in [
        (200, r#"{"access_token":"A"}"#),
        (200, r#"{"access_token":"A","refresh_token":""}"#),
        (200, r#"{"access_token":"A","refresh_token":7}"#),
        (200, r#"{"access_token":"A","refresh_token":"a\u0001"}"#),
        (200, r#"{"access_token":"A","refresh_token":"a","refresh_token":"a"}"#),
        (200, r#"{"refresh_token":"RT2","error":"invalid_grant"}"#),
        (200, r#"{"refresh_token":"RT2","error":{}}"#),
        (202, whole),
        (204, whole),
        (400, whole),
        (503, whole),
    ] {
        assert_eq!(kept(status, json, body).0, None, "{status} {body}");
    }
}

#[test]
fn only_a_refusal_of_the_grant_ends_a_login() {
    let ends = |status, content_type, body: &str| {
        read_as(status, Some(content_type), body.as_bytes()).expect_err(body).ends_login()
    };
    let json = "application/json";
    let error = |code: &str| format!(r#"{{"error":"{code}"}}"#);
    for code in ["invalid_grant", "bad_refresh_token", "invalid_token", "invalid_request", "access_denied", "x"] {
        for status in [200, 400, 401] {
            assert!(ends(status, json, &error(code)), "{status} {code}");
        }
        for status in [301, 403, 404, 429, 500, 503] {
            assert!(!ends(status, json, &error(code)), "{status} {code}");
        }
    }
    let others = "invalid_client unauthorized_client unsupported_grant_type invalid_scope invalid_target \
        invalid_dpop_proof use_dpop_nonce slow_down server_error temporarily_unavailable";
    for code in others.split_whitespace() {
        assert!([200, 400, 401].iter().all(|status| !ends(*status, json, &error(code))), "{code}");
    }
    for status in [400, 401] {
        assert!(
            ends(status, json, "") && ends(status, json, r#"{"message":"no"}"#) && ends(status, "text/plain", "no")
        );
        assert!(!ends(status, "TEXT/HTML", "") && !ends(status, json, "<html>"), "a firewall's page");
    }
    assert!(!ends(200, "text/html", "<html>") && !ends(200, json, "") && !ends(204, json, ""));
}
