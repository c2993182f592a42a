//! RFC 6749 section 10.3: what carries a secret is written where the caller says, and once.
use proofkey_core::{Authorization, Pending, RevocationRequest, TokenRequest, Tokens};

fn cloned<T: Clone>() {}

fn print(authorization: &Authorization<'_>, pending: &Pending, revocation: &RevocationRequest<'_>, tokens: &Tokens<'_>) {
    println!("{authorization}");
    println!("{pending}");
    println!("{revocation}");
    println!("{tokens}");
    cloned::<TokenRequest<'_>>();
}

fn main() {}
