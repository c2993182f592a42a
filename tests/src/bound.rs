//! The flow of a client whose tokens are bound to a key (RFC 9449), through both adapters.

use crate::flows::{Target, browse, ended, get, refresh_token};
use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_core::{AccessToken, Advice};
use proofkey_devserver::user_agent::Decision;
use proofkey_ureq::{Signer, SigningKey};

/// The claims of a proof.
pub fn claims(proof: &str) -> serde_json::Value {
    part(proof, 1)
}

/// A part of a proof: its head, or its claims.
pub fn part(proof: &str, at: usize) -> serde_json::Value {
    let part = proof.split('.').nth(at).expect("a proof has three parts");
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).expect("base64url")).expect("JSON")
}

/// A new key.
pub fn key() -> SigningKey {
    SigningKey::generate().expect("randomness")
}

/// Login, API call, refresh and rotation through the blocking adapter; then what a stolen token is worth.
pub fn blocking(target: &Target, key: &SigningKey) {
    let http = proofkey_ureq::Http::new().with_signer(key.clone());
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).expect("metadata");
    let client = client.as_client().bound_to(key.public_key()).expect("the server takes ES256");
    let mut user = None;
    let login = proofkey_ureq::Login::new(client, target.scope).with_extra(target.extra);
    let tokens = http.login(login, |url| {
        user = Some(browse(url, Decision::Allow));
        Ok(())
    });
    assert_eq!(ended(user).status, 200);
    let first = tokens.expect("tokens").tokens;
    assert!(first.access_token().is_bound());
    let status =
        |http: &proofkey_ureq::Http, token: AccessToken<'_>| http.call(get(&target.api), token).map(|a| a.status);
    assert_eq!(status(&http, first.access_token()).expect("an answer"), 200);
    let second = http.exchange(client.refresh(refresh_token(&first))).expect("a refresh");
    assert_eq!(status(&http, second.access_token()).expect("an answer"), 200);

    // Without the key, or with another, both tokens are worth nothing.
    let bare = proofkey_ureq::Http::new();
    let unsent = status(&bare, second.access_token()).expect_err("no key");
    assert!(unsent.kind() == proofkey_ureq::TransportKind::Proof && !unsent.was_sent(), "{unsent}");
    let plain = AccessToken::new(second.access_token().expose()).expect("a token");
    assert_eq!(status(&bare, plain).expect("an answer"), 401);
    let thief = self::key();
    let stolen = proofkey_ureq::Http::new().with_signer(thief.clone());
    assert_eq!(status(&stolen, second.access_token()).expect("an answer"), 401);
    let unbound = stolen.discover(&target.issuer, target.client_id, REDIRECT_URI).expect("metadata");
    let bound = unbound.as_client().bound_to(thief.public_key()).expect("the server takes ES256");
    let refused = stolen.exchange(bound.refresh(refresh_token(&second))).expect_err("another key");
    assert!(refused.advice() != Some(Advice::Retry { after: None }), "{refused}");
    // Nothing of it is lost to its owner.
    assert_eq!(status(&http, second.access_token()).expect("an answer"), 200);
}

/// Login, API call, refresh and rotation through the async adapter.
pub async fn asynchronous(target: &Target, key: &SigningKey) {
    let http = proofkey_reqwest::Http::new().expect("a client").with_signer(key.clone());
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).await.expect("metadata");
    let client = client.as_client().bound_to(key.public_key()).expect("the server takes ES256");
    let mut user = None;
    let login = proofkey_reqwest::Login::new(client, target.scope).with_extra(target.extra);
    let tokens = http.login(login, |url| {
        user = Some(browse(url, Decision::Allow));
        Ok(())
    });
    let first = tokens.await.expect("tokens").tokens;
    assert_eq!(ended(user).status, 200);
    assert!(first.access_token().is_bound());
    let status = async |http: &proofkey_reqwest::Http, token: AccessToken<'_>| {
        http.call(get(&target.api), token).await.map(|answer| answer.status)
    };
    assert_eq!(status(&http, first.access_token()).await.expect("an answer"), 200);
    let second = http.exchange(client.refresh(refresh_token(&first))).await.expect("a refresh");
    assert_eq!(status(&http, second.access_token()).await.expect("an answer"), 200);
    let stolen = proofkey_reqwest::Http::new().expect("a client").with_signer(self::key());
    assert_eq!(status(&stolen, second.access_token()).await.expect("an answer"), 401);
}

const REDIRECT_URI: &str = "http://127.0.0.1/callback";
