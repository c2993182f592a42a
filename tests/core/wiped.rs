//! Secrets are wiped when they are dropped (feature `zeroize`): read off this process's own memory.
#![cfg(target_os = "linux")]

use proofkey_core::{AccessToken, Tokens, TokensArray};
use proofkey_core_tests::{begin, client, read};
use std::fs::File;
use std::os::unix::fs::FileExt;

#[test]
fn dropped_secrets_are_gone_from_memory() {
    let memory = File::open("/proc/self/mem").expect("this process's memory");
    let holds = |place: usize, length: usize, secret: &str| {
        let mut bytes = vec![0; length];
        memory.read_exact_at(&mut bytes, place as u64).expect("memory that was allocated");
        bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    };

    // What a list has dropped stays where it was.
    let mut pending = vec![begin(client())];
    let (place, length) = (pending.as_ptr().addr(), size_of_val(pending.as_slice()));
    let written = serde_json::to_string(&pending[0]).expect("it can be written down");
    let secrets: Vec<&str> = written.trim_matches('"').split('.').skip(1).take(2).collect();
    assert!(secrets.iter().all(|secret| holds(place, length, secret)), "state and verifier were found");
    pending.clear();
    assert!(!secrets.iter().any(|secret| holds(place, length, secret)));

    let mut kept =
        vec![TokensArray::<16>::try_from(Tokens::new(AccessToken::new("canary").expect("a token"))).expect("room")];
    let (place, length) = (kept.as_ptr().addr(), size_of_val(kept.as_slice()));
    assert!(holds(place, length, "canary"), "the token was found");
    kept.clear();
    assert!(!holds(place, length, "canary"));

    // The allocator writes to the first bytes of what is freed.
    let secret = "canary".repeat(50);
    let body = format!(r#"{{"access_token":"{secret}","token_type":"Bearer","refresh_token":"{secret}"}}"#);
    let tokens = read(&body).expect("tokens");
    let places = [tokens.access_token().expose(), tokens.refresh_token().expect("a refresh token").expose()];
    let places = places.map(|token| token.as_ptr().addr());
    assert!(places.iter().all(|place| holds(*place, secret.len(), &secret)), "the tokens were found");
    drop(tokens);
    assert!(!places.iter().any(|place| holds(*place, secret.len(), "canarycanary")));
}
