//! RFC 6749 section 10.3: the body of a token request is written where the caller says, and nowhere by accident.
use proofkey_core::TokenRequest;

fn print(request: &TokenRequest<'_>) -> String {
    request.to_string()
}

fn main() {}
