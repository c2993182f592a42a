//! RFC 6749 section 10.3: a secret is read by `expose` only.
use proofkey_core::{AccessToken, CodeVerifier, RefreshToken, Request, State, TokensBuf};

fn print(
    access: AccessToken<'_>,
    refresh: RefreshToken<'_>,
    verifier: &CodeVerifier,
    state: &State,
    request: &Request<'_>,
    tokens: &TokensBuf,
) {
    println!("{access}");
    println!("{refresh}");
    println!("{verifier}");
    println!("{state}");
    println!("{request}");
    println!("{tokens}");
}

fn main() {}
