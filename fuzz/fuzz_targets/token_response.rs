//! Tokens are granted only with a success, an access token and its type, and none can end the header that carries it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::answer::{Members, parse, read_tokens};

fuzz_target!(|answer: &str| {
    let answer = parse(answer);
    let Ok(granted) = read_tokens(&answer) else { return };
    assert_eq!(answer.status, 200);
    assert!(Members::read(&answer.body).is_some_and(|members| members.grant(&granted)));
    assert_eq!(granted.authorization.strip_prefix("Bearer "), Some(granted.access_token.as_str()));
    assert!(!granted.access_token.is_empty() && granted.access_token.bytes().all(|octet| octet.is_ascii_graphic()));
});
