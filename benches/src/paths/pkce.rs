//! A code verifier and its challenge (RFC 7636), from 32 bytes of the same generator.

use crate::fixtures::Rng;
use crate::{Contender, Name, Path, Target};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use io_oauth::rfc7636::pkce::{Oauth20PkceCodeChallenge, Oauth20PkceCodeChallengeMethod};
use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use proofkey_core::{CodeChallenge, CodeVerifier};

pub(super) fn path() -> Path {
    Path {
        name: "PKCE pair",
        batch: 64,
        contenders: vec![
            Contender::new(Name::Proofkey, Rng::default, proofkey),
            Contender::new(Name::Oauth2, Rng::default, oauth2),
            Contender::new(Name::IoOauth, Rng::default, io_oauth),
            Contender::new(Name::ByHand, Rng::default, by_hand),
        ],
        target: Target { oauth2: Some(0.7), by_hand: Some(2.2), ..Target::default() },
        note: "base64url in constant time",
        others: &[
            (Name::Oauth2, "looks base64url up in a table"),
            (Name::IoOauth, "looks it up in a table; checks each character once more"),
            (Name::ByHand, "looks it up in a table"),
        ],
    }
}

fn proofkey(rng: &mut Rng) -> (CodeVerifier, CodeChallenge) {
    let Ok(verifier) = CodeVerifier::generate(rng);
    let challenge = verifier.challenge();
    (verifier, challenge)
}

/// As `PkceCodeChallenge::new_random_sha256` does it, but with the generator of everybody in place of its own.
/// `openidconnect` gives the same types on.
fn oauth2(rng: &mut Rng) -> (PkceCodeVerifier, PkceCodeChallenge) {
    let verifier = PkceCodeVerifier::new(BASE64_URL_SAFE_NO_PAD.encode(rng.bytes()));
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    (verifier, challenge)
}

/// Its own generator picks 43 characters; this is the rest of it.
fn io_oauth(rng: &mut Rng) -> (Oauth20PkceCodeChallenge, String) {
    let verifier = BASE64_URL_SAFE_NO_PAD.encode(rng.bytes()).parse().expect("unreserved characters");
    let challenge = Oauth20PkceCodeChallenge { method: Oauth20PkceCodeChallengeMethod::Sha256, verifier };
    let encoded = challenge.encode().into_owned();
    (challenge, encoded)
}

/// One block of SHA-256 without its buffering, and a table that is looked up in.
fn by_hand(rng: &mut Rng) -> ([u8; 43], [u8; 43]) {
    let verifier = base64url(&rng.bytes());
    let mut block = [0; 64];
    block[..43].copy_from_slice(&verifier);
    block[43] = 0x80;
    block[62..].copy_from_slice(&(43_u16 * 8).to_be_bytes());
    let mut state = INITIAL;
    sha2::block_api::compress256(&mut state, &[block]);
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    (verifier, base64url(&digest))
}

fn base64url(bytes: &[u8; 32]) -> [u8; 43] {
    let mut padded = [0; 33];
    padded[..32].copy_from_slice(bytes);
    let mut characters = [0; 44];
    for ([a, b, c], four) in padded.as_chunks().0.iter().zip(characters.as_chunks_mut().0) {
        let bits = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        *four = [18, 12, 6, 0].map(|shift| ALPHABET[bits >> shift & 63]);
    }
    let [characters @ .., _] = characters;
    characters
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_make_the_same_pair() {
        let (verifier, challenge) = proofkey(&mut Rng::default());
        let expected = (verifier.expose(), challenge.as_str());
        let (pair, encoded) = io_oauth(&mut Rng::default());
        assert_eq!((pair.verifier.expose(), encoded.as_str()), (expected.0.as_bytes(), expected.1));
        let (characters, hashed) = by_hand(&mut Rng::default());
        assert_eq!((&characters[..], &hashed[..]), (expected.0.as_bytes(), expected.1.as_bytes()));
        let (verifier, challenge) = oauth2(&mut Rng::default());
        assert_eq!((verifier.secret().as_str(), challenge.as_str()), expected);
    }
}
