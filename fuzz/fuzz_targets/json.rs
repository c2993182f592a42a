//! However JSON is spelled it says the same, and no part of a body is a body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::ResponseError;
use proofkey_fuzz::{answer::read_body, spelling::respell_json};

fuzz_target!(|body: &str| {
    let [one, other] = [body, &respell_json(body)].map(|body| match read_body(body.as_bytes()) {
        Err(ResponseError::Json(_)) => Err(ResponseError::Json(0)),
        read => read,
    });
    assert_eq!(one, other);
    if one.is_ok() {
        let end = body.trim_end().len();
        assert!((0..end).all(|end| read_body(&body.as_bytes()[..end]).is_err()));
    }
});
