//! What is written into a form is what is read in it: decode(encode(x)) == x.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{CallbackError, Redirect, RefreshToken};
use proofkey_fuzz::login::{ISSUER, STATE, accept, client};

fuzz_target!(|text: &str| {
    let text: String = text.chars().filter(|letter| matches!(letter, ' '..='~')).take(200).collect();
    let Ok(token) = RefreshToken::new(&text) else { return assert!(text.is_empty()) };
    let (request, mut body) = (client().refresh(token), String::new());
    request.request().write_body(&mut body).expect("a string takes all");
    assert_eq!(request.request().body_len(), body.len());
    let (_, encoded) = body.split_once("&refresh_token=").expect("the token");
    let query = format!("error=e&error_description={encoded}&state={STATE}&iss={ISSUER}");
    let Err(CallbackError::Server(error)) = accept(Redirect::Query(&query)).1 else { panic!("{query} is no error") };
    assert_eq!(error.description(), Some(text.as_str()));
});
