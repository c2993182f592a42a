//! RFC 6749 section 4.1.2: `read` consumes the request with its code and verifier.
use proofkey_core::{Response, TokenRequest};

fn twice(request: TokenRequest<'_>, first: Response<'_>, second: Response<'_>) {
    drop(request.read(first).is_ok());
    drop(request.read(second).is_ok());
}

fn main() {}
