//! RFC 9700 section 2.1.1: each login makes its own verifier and state.
use proofkey_core::{CodeVerifier, State};

fn verifier(chosen: [u8; 43]) -> CodeVerifier {
    CodeVerifier(chosen)
}

fn state(chosen: &str) -> State {
    State::new(chosen)
}

fn main() {}
