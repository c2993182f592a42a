//! A user is only who the claims name, once: of this server, for this client alone or with it as the party, and not yet expired.
//! Text that is no token is judged without a panic.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use libfuzzer_sys::fuzz_target;
use proofkey_core::IdToken;
use proofkey_fuzz::answer::Members;
use proofkey_fuzz::login::client;

fuzz_target!(|input: &str| {
    let rules = client().id_token_rules();
    if let Ok(token) = IdToken::new(input) {
        let mut buffer = vec![0; token.claims_len()];
        let _ = token.check(&rules, NOW, &mut buffer);
    }
    let token = format!("e30.{}.c2ln", Base64UrlUnpadded::encode_string(input.as_bytes()));
    let token = IdToken::new(&token).expect("a text");
    assert_eq!(token.claims_len(), input.len());
    let mut buffer = vec![0; input.len()];
    let Ok((claims, [further])) = token.check_with(&rules, NOW, &mut buffer, &["further"]) else { return };
    let members = Members::read(input.as_bytes()).expect("a JSON object");
    let issuer = client().server().issuer().expect("an issuer");
    assert_eq!(members.text("iss").as_deref(), Some(issuer));
    assert_eq!(members.text("sub").as_deref(), Some(claims.sub()));
    assert!(claims.sub().len() <= 255 && claims.sub().bytes().all(|byte| matches!(byte, b' '..=b'~')));
    let id = client().id();
    let party = members.text("azp");
    assert!(party.as_deref().is_none_or(|party| party == id));
    match members.member::<Vec<String>>("aud") {
        Some(all) => assert!(all.iter().any(|one| one == id) && (all.len() == 1 || party.is_some())),
        None => assert_eq!(members.text("aud").as_deref(), Some(id)),
    }
    // A float may have been rounded.
    assert!(members.number("exp").expect("a number") + 61.0 > NOW as f64);
    assert_eq!(claims.name(), members.text("name").as_deref());
    assert!(further.is_none() || !members.lacks("further"));
});

const NOW: u64 = 1_700_000_000;
