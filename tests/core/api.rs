//! Calls of an API with an access token (RFC 6750).

use proofkey_core::{AccessToken, ApiError, ConfigError, Method, Refusal, Response, ResponseError, UriFault};

#[test]
fn the_token_is_sent_in_a_header_and_nowhere_else() {
    let request = token().get("https://api.example/itwins/?top=1").expect("a request").request();
    assert_eq!(
        (request.method(), request.url().to_string().as_str()),
        (Method::Get, "https://api.example/itwins/?top=1")
    );
    let sensitive: Vec<_> = request.headers().filter(|header| header.is_sensitive()).collect();
    assert_eq!(
        sensitive.iter().map(|header| (header.name(), header.value())).collect::<Vec<_>>(),
        [("authorization", "Bearer mF_9.B5f-4.1JqM".into())]
    );
    assert!(request.headers().filter(|header| !header.is_sensitive()).all(|header| !header.value().contains("mF_9")));
    assert_eq!(request.body_len(), 0);
}

#[test]
fn a_token_that_no_header_can_hold_is_refused() {
    for bad in ["", "a b", "a\r\nX: y", "\u{e9}"] {
        assert_eq!(AccessToken::new(bad).map(drop), Err(ConfigError::AccessToken), "{bad:?}");
    }
}

#[test]
fn a_token_goes_over_https_or_to_this_machine() {
    for good in ["https://api.example", "http://127.0.0.1:8080/me", "http://localhost/me", "http://[::1]/me"] {
        assert!(token().get(good).is_ok(), "{good}");
    }
    for (url, fault) in [
        ("", UriFault::Absent),
        ("/me", UriFault::NotAbsolute),
        ("http://api.example/me", UriFault::Scheme),
        ("https://api.example/me#top", UriFault::Fragment),
        ("https://user@api.example/me", UriFault::Host),
        ("https://api.example/a b", UriFault::Character),
    ] {
        assert_eq!(token().get(url).map(drop), Err(ConfigError::Api(fault)), "{url}");
    }
}

#[test]
fn a_response_is_its_body_or_says_what_the_api_refuses() {
    for (status, challenge, expected) in [
        (200, "", "body"),
        (204, "", "body"),
        (401, "Bearer", "refused: InvalidToken"),
        (401, "Basic realm=\"x\"", "refused: OtherScheme"),
        (403, "", "refused: Forbidden"),
        (307, "", "response: Redirect(307)"),
        (404, "", "response: Status"),
        (503, "", "response: Status"),
    ] {
        let mut body = *b"body";
        let response = Response::new(status, &mut body).with_header("WWW-Authenticate", challenge);
        let read = match token().get("https://api.example/me").expect("a request").read(response) {
            Ok(body) => String::from_utf8_lossy(body).into_owned(),
            Err(ApiError::Refused(refusal @ (Refusal::InvalidToken | Refusal::OtherScheme | Refusal::Forbidden))) => {
                format!("refused: {refusal:?}")
            }
            Err(ApiError::Response(error @ (ResponseError::Redirect(_) | ResponseError::Status { .. }))) => {
                format!("response: {error:?}")
            }
            Err(error) => panic!("{status}: {error}"),
        };
        assert!(read.starts_with(expected), "{status}: {read}");
    }
}

fn token() -> AccessToken<'static> {
    AccessToken::new("mF_9.B5f-4.1JqM").expect("a token")
}
