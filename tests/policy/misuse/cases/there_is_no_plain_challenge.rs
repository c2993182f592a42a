//! RFC 7636 section 7.2: S256 is the only method.
use proofkey_core::CodeChallenge;

fn plain(verifier: &str) -> CodeChallenge {
    CodeChallenge::plain(verifier)
}

fn raw(verifier: [u8; 43]) -> CodeChallenge {
    CodeChallenge(verifier)
}

fn main() {}
