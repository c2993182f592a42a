//! What a server says of an error is printable ASCII and short, and each endpoint has its own statuses of success.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::ResponseError;
use proofkey_fuzz::{answer, is_printable};

fuzz_target!(|text: &str| {
    let answer = answer::parse(text);
    let errors = answer::errors(&answer);
    let fewest = match answer.status {
        200 => 0,
        // Metadata is a 200 alone.
        201 => 1,
        202..=299 => 3,
        // A token that is not valid need not be revoked.
        400 => 3,
        _ => 4,
    };
    assert!(errors.len() >= fewest, "{errors:?}");
    for error in errors {
        let text = format!("{error}{error:?}");
        assert!(is_printable(&text) && text.len() <= 1024, "{text}");
        if let ResponseError::Server { error, .. } = error {
            assert!((1..=64).contains(&error.code().len()) && error.description().unwrap_or_default().len() <= 200);
        }
    }
});
