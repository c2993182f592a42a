//! Every error of the core says in one printable line what is wrong, where, and what to do.

use proofkey_core::{
    Advice, ApiError, AuthorizeError, CallbackError, ConfigError, IdTokenError, ParameterFault, Refusal, ResponseError,
    UriFault, UserInfoError,
};
use proofkey_core_tests::{accept, read_as};
use std::collections::BTreeSet;
use std::error::Error;

const URI_FAULTS: &[UriFault] = &[
    UriFault::Absent,
    UriFault::Character,
    UriFault::DotSegment,
    UriFault::Fragment,
    UriFault::Host,
    UriFault::HostSpelling,
    UriFault::NotAbsolute,
    UriFault::Parameter,
    UriFault::Port,
    UriFault::Query,
    UriFault::RepeatedParameter,
    UriFault::Scheme,
];

#[test]
fn every_error_is_one_line_of_its_own() {
    let mut said = BTreeSet::new();
    let mut say = |error: &dyn Error| {
        let text = error.to_string();
        assert!((10..300).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text:?}");
        assert!(text.starts_with(|first: char| first.is_ascii_lowercase()) && !text.ends_with('.'), "{text:?}");
        assert!(said.insert(text.clone()), "{text:?} is said twice");
    };
    for error in config_errors() {
        say(&error);
    }
    for fault in URI_FAULTS {
        assert!(ConfigError::RedirectUri(*fault).to_string().starts_with("redirect URI: "));
    }
    for (error, private) in
        [(ConfigError::RedirectUri(UriFault::Scheme), true), (ConfigError::Issuer(UriFault::Scheme), false)]
    {
        assert_eq!(error.to_string().contains("com.example.app:/"), private, "{error}");
    }
    for (error, _) in callback_errors() {
        say(&error);
    }
    for (error, _) in response_errors() {
        say(&error);
    }
    for (error, advice, says) in id_token_errors() {
        say(&error);
        assert_eq!(error.advice(), advice, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    for (error, advice) in user_info_errors() {
        say(&error);
        assert_eq!(error.advice(), advice, "{error}");
    }
    say(&AuthorizeError::<ConfigError>::RandomRepeats);
    say(&AuthorizeError::Random(ConfigError::ClientId));
    say(&ApiError::Refused(Refusal::Forbidden));
    let passed_on: [&dyn Error; 3] = [
        &AuthorizeError::<ConfigError>::Config(ConfigError::Scope(1)),
        &ApiError::Response(ResponseError::Json(7)),
        &UserInfoError::Response(ResponseError::Json(7)),
    ];
    for error in passed_on {
        assert!(said.contains(&error.to_string()), "{error}");
    }
}

#[test]
fn every_error_has_advice() {
    for (error, advice) in callback_errors() {
        assert_eq!(error.advice(), advice, "{error}");
    }
    for (error, advice) in response_errors() {
        assert_eq!(error.advice(), advice, "{error}");
    }
}

fn config_errors() -> Vec<ConfigError> {
    use ConfigError::{
        AccessToken, Api, ClientId, CodeVerifier, EmbeddedSecret, Endpoint, ExtraParameter, ExtraParametersTwice,
        Issuer, Method, NoEs256Proofs, Nonce, PushRequired, RedirectUri, RefreshToken, Scope,
    };
    let mut errors = vec![
        AccessToken,
        ClientId,
        CodeVerifier,
        EmbeddedSecret,
        ExtraParametersTwice,
        Method,
        NoEs256Proofs,
        Nonce,
        PushRequired,
        RefreshToken,
        Scope(1),
    ];
    let faults = [
        ParameterFault::Empty,
        ParameterFault::InEndpoint,
        ParameterFault::Protocol("state"),
        ParameterFault::Repeated,
    ];
    errors.extend(faults.map(|fault| ExtraParameter { index: 1, fault }));
    errors.extend([Api, Issuer, RedirectUri].map(|place| place(UriFault::Absent)));
    errors.extend(proofkey_core::Endpoint::ALL.iter().map(|endpoint| Endpoint(*endpoint, UriFault::Absent)));
    errors.extend(URI_FAULTS[1..].iter().map(|fault| RedirectUri(*fault)));
    errors
}

fn callback_errors() -> Vec<(CallbackError, Advice)> {
    use CallbackError::{Ambiguous, Client, Duplicate, Issuer, Malformed, MissingCode, Mode, State, Target};
    let refused = |code: &str| {
        let error = accept(|s| format!("error={code}&state={s}&iss=https://as.example")).1.unwrap_err();
        assert!(matches!(error, CallbackError::Server(_)), "{error}");
        error
    };
    vec![
        (Ambiguous, Advice::Reauthorize),
        (Client, Advice::Fix),
        (Duplicate("code"), Advice::Reauthorize),
        (Issuer { expected: "a".into(), found: "b".into() }, Advice::Reauthorize),
        (Issuer { expected: "a".into(), found: "".into() }, Advice::Reauthorize),
        (Malformed("code"), Advice::Reauthorize),
        (MissingCode, Advice::Reauthorize),
        (Mode, Advice::Fix),
        (refused("access_denied"), Advice::Reauthorize),
        (refused("account_selection_required"), Advice::Reauthorize),
        (refused("temporarily_unavailable"), Advice::Retry { after: None }),
        (refused("invalid_request_uri"), Advice::Reauthorize),
        (refused("invalid_scope"), Advice::Fix),
        (State, Advice::Reauthorize),
        (Target { expected: "a".into(), found: "b".into() }, Advice::Fix),
        (Target { expected: "a".into(), found: "a".into() }, Advice::Fix),
        (Target { expected: "a".into(), found: "".into() }, Advice::Fix),
    ]
}

fn response_errors() -> Vec<(ResponseError, Advice)> {
    use ResponseError::{
        ContentCoding, ContentType, Duplicate, Endpoint, Issuer, Json, Malformed, Missing, NoS256, Redirect, Server,
        Status, TokenType, TooBig, Type,
    };
    let refused = |status, code: &str| {
        let body = format!(r#"{{"error":"{code}","error_description":"{status}"}}"#);
        let error = read_as(status, None, body.as_bytes()).unwrap_err();
        assert!(matches!(error, Server { .. }), "{error}");
        error
    };
    vec![
        (ContentCoding, Advice::Fix),
        (ContentType("text/html".into()), Advice::Fix),
        (Duplicate("access_token"), Advice::Fix),
        (Endpoint(ConfigError::Endpoint(proofkey_core::Endpoint::Token, UriFault::Query)), Advice::Fix),
        (Issuer { expected: "a".into(), found: "b".into() }, Advice::Fix),
        (Json(7), Advice::Fix),
        (Malformed("access_token"), Advice::Fix),
        (Missing("access_token"), Advice::Fix),
        (NoS256("plain".into()), Advice::Fix),
        (Redirect(307), Advice::Fix),
        (refused(400, "invalid_grant"), Advice::Reauthorize),
        (refused(400, "invalid_client"), Advice::Fix),
        (refused(503, "invalid_request"), Advice::Retry { after: None }),
        (Status { status: 404, retry_after: Some(7), is_page: true }, Advice::Fix),
        (Status { status: 429, retry_after: Some(7), is_page: false }, Advice::Retry { after: Some(7) }),
        (TokenType(Some("mac")), Advice::Fix),
        (TokenType(None), Advice::Fix),
        (TooBig("access_token"), Advice::Fix),
        (Type("expires_in"), Advice::Fix),
    ]
}

fn id_token_errors() -> Vec<(IdTokenError, Advice, &'static str)> {
    let text = || "x".into();
    vec![
        (IdTokenError::Audience { expected: text(), found: text() }, Advice::Fix, "another client"),
        (IdTokenError::Encrypted, Advice::Fix, "id_token_encrypted_response_alg"),
        (IdTokenError::Expired { at: 1, now: 2 }, Advice::Fix, "check the clock"),
        (IdTokenError::Format, Advice::Fix, "not a JSON Web Token"),
        (IdTokenError::Issuer { expected: text(), found: text() }, Advice::Fix, "another issuer"),
        (IdTokenError::Malformed("sub"), Advice::Fix, "`sub`"),
        (IdTokenError::Missing("sub"), Advice::Fix, "no `sub`"),
        (IdTokenError::NoRoom { needed: 7 }, Advice::Fix, "7 bytes"),
        (IdTokenError::Nonce, Advice::Reauthorize, "`nonce`"),
        (IdTokenError::Party { expected: text(), found: "".into() }, Advice::Fix, "several audiences"),
        (IdTokenError::Party { expected: text(), found: text() }, Advice::Fix, "got x"),
        (IdTokenError::Stale { age: 70, max_age: 5 }, Advice::Reauthorize, "70 s before this login, and at most 5 s"),
        (IdTokenError::Subject { expected: text(), found: text() }, Advice::Reauthorize, "another user"),
        (IdTokenError::UnknownIssuer, Advice::Fix, "issuer is not known"),
    ]
}

fn user_info_errors() -> Vec<(UserInfoError, Advice)> {
    vec![
        (UserInfoError::NoUser, Advice::Fix),
        (UserInfoError::OtherResource, Advice::Fix),
        (UserInfoError::Refused(401), Advice::Reauthorize),
        (UserInfoError::Refused(403), Advice::Fix),
        (UserInfoError::Signed, Advice::Fix),
        (UserInfoError::Subject { expected: "a".into(), found: "b".into() }, Advice::Reauthorize),
    ]
}
