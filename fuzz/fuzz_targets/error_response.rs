//! What a server says of an error is printable ASCII and short, and no status but 200 is a success.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::ResponseError;
use proofkey_fuzz::{answer, is_printable};

fuzz_target!(|text: &str| {
    let answer = answer::parse(text);
    let errors = answer::errors(&answer);
    assert!(answer.status == 200 || errors.len() == 4);
    for error in errors {
        let text = format!("{error}{error:?}");
        assert!(is_printable(&text) && text.len() <= 1024, "{text}");
        if let ResponseError::Server { error, .. } = error {
            assert!((1..=64).contains(&error.code().len()) && error.description().unwrap_or_default().len() <= 200);
        }
    }
});
