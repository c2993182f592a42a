//! The order of the fields, empty ones, unknown ones and needless escapes change no verdict.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{CallbackError, Redirect};
use proofkey_fuzz::{login::accept, spelling::escape_field};

fuzz_target!(|query: &str| {
    let query = query.split('#').next().unwrap_or_default();
    let fields: Vec<_> = query.split('&').rev().map(escape_field).collect();
    let respelled = format!("&&unknown=1&{}&", fields.join("&&"));
    let [(ours, one), (still_ours, other)] = [query, &respelled].map(|query| accept(Redirect::Query(query)));
    assert_eq!(ours, still_ours);
    match (one, other) {
        (Err(CallbackError::Duplicate(_)), Err(CallbackError::Duplicate(_))) => {}
        (one, other) => assert_eq!(one, other),
    }
});
