//! A request gets the same verdict in whatever pieces it comes; it is bounded; a reply holds nothing of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::loopback::HEAD_MAX;
use proofkey_fuzz::head::{Outcome, is_constant, receive, swell};

fuzz_target!(|input: &[u8]| {
    let Some((piece, input)) = input.split_first() else { return };
    let request = swell(input);
    let outcome = receive(&request, request.len());
    assert_eq!(outcome, receive(&request, (*piece).into()));
    assert!(outcome != Outcome::More || request.len() <= HEAD_MAX);
    if let Outcome::Refuse(reply) = outcome {
        assert!(is_constant(reply));
    }
});
