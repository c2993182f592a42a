//! A proof is three parts of base64url. Its claims are JSON that says exactly what was given, and the URL without its query.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use libfuzzer_sys::fuzz_target;
use proofkey_core::{AccessToken, Provable, PublicKey};
use proofkey_fuzz::Counter;
use proofkey_fuzz::login::browse;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Position;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, url, token, nonce) = (line(), line(), line(), line());
    let Ok(token) = AccessToken::new(token) else { return };
    let Ok(call) = Provable::call(method, url, token.bound()) else { return };
    let call = if nonce.is_empty() { Ok(call) } else { call.with_nonce(nonce) };
    let Ok(call) = call else { return };
    let key = PublicKey::new([1; 32], [2; 32]);
    let proof = key.prove(call, text.len() as u64, &mut Counter::default()).expect("no generator fails").sign([3; 64]);
    let value = proof.value();
    assert_eq!(value.len(), proof.len());
    let parts: Vec<_> = value.split('.').map(|part| Base64UrlUnpadded::decode_vec(part).expect("base64url")).collect();
    let [head, claims, signature] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    let head: Value = serde_json::from_slice(head).expect("JSON");
    assert_eq!(head["jwk"].as_object().map(serde_json::Map::len), Some(4));
    assert_eq!(signature, &[3; 64]);
    let claims: Value = serde_json::from_slice(claims).expect("JSON");
    let htu = claims["htu"].as_str().expect("a URL");
    assert!(!htu.contains(['?', '#']));
    assert_eq!(browse(htu).as_str(), &browse(url)[..Position::AfterPath]);
    let mut expected = json!({
        "jti": claims["jti"], "htm": method, "htu": htu, "iat": text.len(),
        "ath": Base64UrlUnpadded::encode_string(&Sha256::digest(token.expose())),
    });
    if !nonce.is_empty() {
        expected["nonce"] = nonce.into();
    }
    assert_eq!(claims, expected);
});
