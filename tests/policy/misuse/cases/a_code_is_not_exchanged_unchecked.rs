//! RFC 6749 section 10.12: only `accept`, which checks the state, makes a token request with a code.
use proofkey_core::{Client, TokenRequest};

fn exchange<'a>(client: Client<'a>, code: &'a str) -> TokenRequest<'a> {
    client.exchange(code)
}

fn build<'a>(client: Client<'a>) -> TokenRequest<'a> {
    TokenRequest { endpoint: client.id(), extra: &[] }
}

fn main() {}
