//! Tokens are granted only with a success and an access token, and none can end the header that carries it. A new refresh token
//! is kept whatever the rest is, but only as it stands in the answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::answer::{Members, kept, parse, read_tokens, readable};

fuzz_target!(|answer: &str| {
    let answer = parse(answer);
    if let Some(token) = kept(&answer) {
        let members = Members::read_first(&answer.body, readable(&answer.body));
        assert!(matches!(answer.status, 200 | 201));
        assert_eq!(members.text("refresh_token"), Some(token));
        assert!(members.lacks("error") || [r#""""#, "false"].contains(&members.raw("error").unwrap_or_default()));
    }
    let Ok(granted) = read_tokens(&answer) else { return };
    assert!(matches!(answer.status, 200 | 201));
    assert!(Members::read(&answer.body).is_some_and(|members| members.grant(&granted)));
    assert_eq!(granted.authorization.strip_prefix("Bearer "), Some(granted.access_token.as_str()));
    assert!(!granted.access_token.is_empty() && granted.access_token.bytes().all(|byte| byte.is_ascii_graphic()));
});
