//! Proof Key for Code Exchange (RFC 7636).

use proofkey_core::{AuthorizeError, CallbackError, CodeChallenge, CodeVerifier, ConfigError};
use proofkey_core_tests::{Counter, REDIRECT_URI, accept, client, server, values};
use std::collections::HashSet;
use std::fmt;

#[test]
fn s256_challenges_match_the_vectors() {
    for vector in vectors()["s256"].as_array().expect("a list") {
        let verifier = vector["code_verifier"].as_str().expect("a string");
        let challenge = CodeChallenge::s256(verifier).expect(verifier);
        assert_eq!(challenge.as_str(), vector["code_challenge"], "{}", vector["source"]);
        if let Some(bytes) = vector["bytes"].as_str() {
            let bytes = (0..64).step_by(2).map(|at| u8::from_str_radix(&bytes[at..at + 2], 16).expect("hex")).collect();
            let generated = CodeVerifier::generate(&mut Scripted { bytes, at: 0 }).expect("a verifier");
            assert_eq!(generated.expose(), verifier);
            assert_eq!(generated.challenge(), challenge);
        }
    }
}

#[test]
fn a_verifier_is_43_to_128_unreserved_characters() {
    let base = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for length in [43, 128] {
        let verifier: String = base.chars().cycle().take(length).collect();
        assert!(CodeChallenge::s256(&verifier).is_ok(), "{length}");
    }
    let bad = ["a".repeat(42), "a".repeat(129), String::new()].into_iter();
    let bad = bad.chain(["+", "/", "=", "\0", "é", " "].map(|wrong| format!("{}{wrong}", "a".repeat(43))));
    for verifier in bad {
        assert_eq!(CodeChallenge::s256(&verifier), Err(ConfigError::CodeVerifier), "{verifier:?}");
    }
}

#[test]
fn verifiers_and_states_are_fresh_and_independent() {
    let mut rng = Counter::default();
    let mut seen = HashSet::new();
    for _ in 0..1000 {
        let (url, pending) = client().authorize(&[], &mut rng).expect("a login begins");
        let state = pending.state().expose().to_owned();
        let query = format!("code=C&state={state}&iss=https%3A%2F%2Fas.example");
        let request = pending.accept(client(), proofkey_core::Redirect::Query(&query)).expect("a good redirect");
        let body = request.request().body();
        let verifier = values(&body, "code_verifier")[0].to_owned();
        assert_eq!((state.len(), verifier.len()), (43, 43));
        let challenge = CodeChallenge::s256(&verifier).expect("a verifier");
        assert_eq!(values(&url.to_string(), "code_challenge"), [challenge.as_str()]);
        assert!(seen.insert(state) && seen.insert(verifier), "a value came twice");
    }
}

#[test]
fn challenge_and_method_are_sent_and_the_verifier_is_not() {
    let (url, _) = client().authorize(&[], &mut Counter::default()).expect("a login begins");
    let url = url.to_string();
    assert_eq!(values(&url, "code_challenge_method"), ["S256"]);
    assert_eq!(values(&url, "code_challenge")[0].len(), 43);
    assert!(!url.contains("code_verifier"));
}

#[test]
fn a_failing_generator_begins_no_login() {
    for drawn in [0, 32, 63] {
        let failed = client().authorize(&[], &mut Scripted { bytes: (0..drawn).collect(), at: 0 }).map(|_| ());
        assert_eq!(failed, Err(AuthorizeError::Random(NoEntropy)), "{drawn} bytes");
    }
}

#[test]
fn a_generator_that_repeats_itself_begins_no_login() {
    for half in [vec![7; 32], (0..32).collect()] {
        let repeated = client().authorize(&[], &mut Scripted { bytes: half.repeat(2), at: 0 }).map(|_| ());
        assert_eq!(repeated, Err(AuthorizeError::RandomRepeats));
    }
}

/// Each draw can be a system call.
#[test]
fn state_and_verifier_come_from_one_draw() {
    let mut once = Once { drawn: false };
    let (url, pending) = client().authorize(&[], &mut once).expect("a login begins");
    assert!(once.drawn);
    assert_eq!(pending.state().expose(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    let verifier = CodeChallenge::s256("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8").expect("a verifier");
    assert_eq!(values(&url.to_string(), "code_challenge"), [verifier.as_str()]);
}

#[test]
fn every_login_has_its_own_challenge() {
    let client = proofkey_core::Client::new("c", REDIRECT_URI, server()).expect("a client");
    let mut rng = Counter::default();
    let challenges: HashSet<String> = (0..100)
        .map(|_| client.authorize(&[], &mut rng).expect("a login begins").0.to_string())
        .map(|url| values(&url, "code_challenge")[0].to_owned())
        .collect();
    assert_eq!(challenges.len(), 100);
}

#[test]
fn there_is_no_fallback_to_plain() {
    let refused = accept(|s| {
        format!(
            "error=invalid_request&error_description=transform+algorithm+not+supported&state={s}&iss=https://as.example"
        )
    });
    let (true, Err(CallbackError::Server(error))) = refused else { panic!("the login is over: {refused:?}") };
    assert_eq!(error.description(), Some("transform algorithm not supported"));
}

fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("vectors.json")).expect("the vectors are JSON")
}

/// Gives the bytes that it was given.
struct Scripted {
    bytes: Vec<u8>,
    at: usize,
}

/// Counts up from 0 in its first draw, and fails in any other.
struct Once {
    drawn: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no entropy")
    }
}

impl std::error::Error for NoEntropy {}

impl rand_core::TryRng for Scripted {
    type Error = NoEntropy;

    fn try_next_u32(&mut self) -> Result<u32, NoEntropy> {
        Err(NoEntropy)
    }

    fn try_next_u64(&mut self) -> Result<u64, NoEntropy> {
        Err(NoEntropy)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        let end = self.at + bytes.len();
        bytes.copy_from_slice(self.bytes.get(self.at..end).ok_or(NoEntropy)?);
        self.at = end;
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Scripted {}

impl rand_core::TryRng for Once {
    type Error = NoEntropy;

    fn try_next_u32(&mut self) -> Result<u32, NoEntropy> {
        Err(NoEntropy)
    }

    fn try_next_u64(&mut self) -> Result<u64, NoEntropy> {
        Err(NoEntropy)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        if std::mem::replace(&mut self.drawn, true) {
            return Err(NoEntropy);
        }
        bytes.iter_mut().zip(0..).for_each(|(byte, number)| *byte = number);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Once {}
