//! A redirect is taken only at the redirect URI, byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::Redirect;
use proofkey_fuzz::login::{ORIGIN, REDIRECT_URI, accept};

fuzz_target!(|seen: &str| {
    let path = &REDIRECT_URI[ORIGIN.len()..];
    for (redirect, place) in [(Redirect::Url(seen), REDIRECT_URI), (Redirect::Target(seen), path)] {
        let (ours, accepted) = accept(redirect);
        let arrived = seen.strip_prefix(place).is_some_and(|rest| rest.starts_with('?'));
        assert!(arrived || !ours && accepted.is_err());
    }
});
