//! A redirect is accepted only with the exact state and issuer, in the same way however it was seen.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{CallbackError, Redirect};
use proofkey_fuzz::login::{ISSUER, ORIGIN, REDIRECT_URI, STATE, accept};
use proofkey_fuzz::values;

fuzz_target!(|query: &str| {
    let url = format!("{REDIRECT_URI}?{query}");
    let seen = [Redirect::Query(query), Redirect::Target(&url[ORIGIN.len()..]), Redirect::Url(&url)].map(|redirect| {
        let (ours, accepted) = accept(redirect);
        // Where it should have arrived is told as far as it was seen.
        (ours, accepted.map_err(|error| if let CallbackError::Target { .. } = error { None } else { Some(error) }))
    });
    assert!(seen.iter().all(|verdict| *verdict == seen[0]), "{seen:?}");
    if let (ours, Ok(_)) = seen[0] {
        let query = query.split('#').next().unwrap_or_default();
        assert!(ours);
        assert_eq!((values(query, "state"), values(query, "iss")), (vec![STATE.into()], vec![ISSUER.into()]));
    }
});
