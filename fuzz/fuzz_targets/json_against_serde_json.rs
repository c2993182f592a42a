//! A body is a JSON object where `serde_json` says so, and says what `serde_json` reads in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::ResponseError;
use proofkey_fuzz::answer::{Members, read_body};

fuzz_target!(|body: &str| {
    let body = format!("{{{body}}}");
    let members = Members::read(body.as_bytes());
    match read_body(body.as_bytes()) {
        Ok(granted) => assert!(members.is_some_and(|members| members.grant(&granted))),
        Err(ResponseError::Json(_)) => assert!(members.is_none() || body.matches(['[', '{']).count() > 32),
        Err(ResponseError::Missing(_) | ResponseError::TokenType(_) | ResponseError::Server { .. }) => {
            assert!(members.is_some())
        }
        Err(_) => {}
    }
});
