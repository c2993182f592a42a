//! A quoted value reads as it was written and ends where it ends; what is printed of any challenge is printable.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::challenges;
use proofkey_fuzz::{is_printable, spelling::quote};

fuzz_target!(|text: &str| {
    for challenge in challenges(text) {
        let params = ["realm", "error", "error_description", "scope"].map(|name| challenge.param(name));
        assert!(is_printable(&format!("{}{params:?}", challenge.scheme())));
    }
    let value = text.replace(|letter: char| letter.is_control() && letter != '\t', "");
    let field = format!("Basic realm={quoted}, Bearer error={quoted},scope=x", quoted = quote(&value));
    let [basic, bearer] = challenges(&field).collect::<Vec<_>>()[..] else { panic!("{field}") };
    assert!(!basic.is_bearer() && basic.param("realm").is_some_and(|realm| realm == *value));
    assert!(bearer.is_bearer() && bearer.param("error").is_some_and(|error| error == *value));
    assert!(basic.param("scope").is_none() && bearer.param("scope").is_some_and(|scope| scope == *"x"));
});
