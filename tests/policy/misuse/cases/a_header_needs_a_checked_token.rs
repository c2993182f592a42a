//! RFC 6750 section 2.1: a string that could split a header makes none.
use proofkey_core::{AccessToken, Authorization};

fn unchecked(token: &str) -> Authorization<'_> {
    Authorization(token)
}

fn wrapped(token: &str) -> AccessToken<'_> {
    AccessToken(token)
}

fn main() {}
