//! Tokens that are bound to a key (RFC 9449, RFC 7638): what is proved, and what is taken.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_core::{
    AccessToken, CallbackError, Client, ConfigError, Endpoint, Feature, MetadataRequest, Provable, PublicKey, Redirect,
    RefreshToken, Response, ResponseError, Server, Thumbprint, Unsigned, WellKnown,
};
use proofkey_core_tests::{Counter, begin, client, good_query, server};
use serde_json::{Value, json};
use sha2::Digest;
use std::collections::HashSet;

/// The key of RFC 9449.
const X: &str = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
const Y: &str = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn key() -> PublicKey {
    PublicKey::new(coordinate(X), coordinate(Y))
}

fn coordinate(text: &str) -> [u8; 32] {
    Base64UrlUnpadded::decode_vec(text).unwrap().try_into().unwrap()
}

fn written(unsigned: &Unsigned<'_>) -> String {
    let mut text = String::new();
    unsigned.write(&mut text).unwrap();
    text
}

fn parts(text: &str) -> Vec<Value> {
    let decode = |part: &str| serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap();
    text.split('.').take(2).map(decode).collect()
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    let key = key();
    assert_eq!(key.thumbprint().as_str(), THUMBPRINT);
    assert_eq!(Thumbprint::new(THUMBPRINT), Some(*key.thumbprint()));
    for bad in ["", "0Zc", &THUMBPRINT[..42], &format!("{THUMBPRINT}A"), &THUMBPRINT.replace('-', "+")] {
        assert_eq!(Thumbprint::new(bad), None, "{bad}");
    }
    let point = [&[4][..], &coordinate(X), &coordinate(Y)].concat();
    assert_eq!(PublicKey::from_point(&point), Some(key));
    for bad in [&point[1..], &point[..64], &[&point[..], &[0]].concat(), &[&[2], &point[1..]].concat(), &[]] {
        assert_eq!(PublicKey::from_point(bad), None);
    }
}

#[test]
fn the_head_is_byte_for_byte_that_of_rfc_9449() {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let proofs = vectors["dpop"].as_array().unwrap();
    assert_eq!(proofs.len(), 3);
    let (key, token) = (key(), AccessToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU").unwrap().bound());
    for proof in proofs {
        let proof = proof.as_str().unwrap();
        let expected = &parts(proof)[1];
        let url = expected["htu"].as_str().unwrap();
        let mut call = Provable::call(expected["htm"].as_str().unwrap(), url, token).unwrap();
        let server = Server::new(url, url);
        let client = Client::new("c", "http://127.0.0.1/cb", server).unwrap().bound_to(&key).unwrap();
        let refresh = client.refresh(RefreshToken::new("RT").unwrap());
        if expected.get("ath").is_none() {
            call = Provable::of(&refresh.request());
        }
        let unsigned = key.prove(call, expected["iat"].as_u64().unwrap(), &mut Counter::default()).unwrap();
        let ours = written(&unsigned);
        assert_eq!(ours.split('.').next(), proof.split('.').next());
        let mut claims = parts(&ours)[1].clone();
        claims["jti"] = expected["jti"].clone();
        assert_eq!(&claims, expected);
    }
}

#[test]
fn a_proof_is_the_message_a_dot_and_the_signature() {
    let (key, bound) = (key(), client());
    let bound = bound.bound_to(&key).unwrap();
    let refresh = bound.refresh(RefreshToken::new("RT").unwrap());
    let request = refresh.request();
    assert!(request.needs_proof() && request.key() == Some(key.thumbprint()));
    let unsigned = key.prove(Provable::of(&request), 1_562_262_616, &mut Counter::default()).unwrap();
    let message = written(&unsigned);
    assert_eq!(unsigned.digest(), <[u8; 32]>::from(sha2::Sha256::digest(&message)));
    let proof = unsigned.sign([255; 64]);
    let signature = "_".repeat(85) + "w";
    assert_eq!(proof.value(), format!("{message}.{signature}"));
    assert_eq!(proof.len(), proof.value().len());
    let request = request.with_proof(&proof);
    let header = request.headers().find(|header| header.name() == "dpop").unwrap();
    assert!(header.is_sensitive() && header.fixed().is_none() && header.value() == proof.value());
    let mut head = String::new();
    request.write_head(&mut head).unwrap();
    assert_eq!(head.matches("\r\ndpop: ").count(), 1);
    assert!(head.contains(&format!("\r\ndpop: {}\r\n", proof.value())));
    let shown = format!("{key:?} {unsigned:?} {proof:?} {header:?} {request:?} {bound:?}");
    assert!(!shown.contains(&message[20..40]) && !shown.contains("____"), "{shown}");
}

#[test]
fn a_bound_device_and_userinfo_prove_their_key() {
    let key = key();
    let server = Server::device("https://as.example/device", "https://as.example/token")
        .with(Endpoint::UserInfo, "https://as.example/userinfo");
    let client = Client::without_redirect("c", server).unwrap().bound_to(&key).unwrap();
    let device = client.device(&[]).unwrap();
    assert!(!device.request().needs_proof(), "the code is not bound");
    let prompt = r#"{"device_code":"D","user_code":"U","verification_uri":"https://a/d","expires_in":9}"#;
    let mut prompt = prompt.as_bytes().to_vec();
    let (_, poll) = device.read(Response::new(201, &mut prompt), 0).expect("a prompt, also with 201");
    assert!(poll.request().needs_proof() && poll.request().key() == Some(key.thumbprint()));
    let (plain, hash) = (AccessToken::new("AT").unwrap(), sha2::Sha256::digest("AT"));
    let hash = json!(Base64UrlUnpadded::encode_string(&hash));
    for (token, expected) in [(plain.bound(), hash), (plain, Value::Null)] {
        let request = client.userinfo(token, "alice").unwrap().request();
        assert_eq!(request.needs_proof(), !expected.is_null());
        let unsigned = key.prove(Provable::of(&request), 0, &mut Counter::default()).unwrap();
        assert_eq!(parts(&written(&unsigned))[1]["ath"], expected);
    }
}

#[test]
fn the_url_of_a_proof_has_no_query() {
    let key = key();
    let token = AccessToken::new("AT").unwrap().bound();
    let htu = |url: &str| {
        let call = Provable::call("GET", url, token)?;
        let unsigned = key.prove(call, 0, &mut Counter::default()).unwrap();
        Ok::<_, ConfigError>(parts(&written(&unsigned))[1]["htu"].as_str().unwrap().to_owned())
    };
    for (url, expected) in [
        ("https://api.example/a/b?c=d", "https://api.example/a/b"),
        ("https://api.example?c=/d", "https://api.example/"),
        ("https://api.example", "https://api.example/"),
        ("https://api.example:8443/a%20b/", "https://api.example:8443/a%20b/"),
        ("http://127.0.0.1:80/x?", "http://127.0.0.1:80/x"),
    ] {
        assert_eq!(htu(url).as_deref(), Ok(expected), "{url}");
    }
    for bad in ["http://api.example/", "https://api.example/#f", "https://api.example/\"", "api.example", ""] {
        assert!(matches!(htu(bad), Err(ConfigError::Api(_))), "{bad}");
    }
    for bad in ["", "G ET", "G\"", "G\\", "GÉT"] {
        assert!(matches!(Provable::call(bad, "https://api.example/", token), Err(ConfigError::Method)), "{bad}");
    }
    let first = MetadataRequest::new("https://as.example/tenant", WellKnown::OAuth).unwrap();
    let unsigned = key.prove(Provable::of(&first.request()), 0, &mut Counter::default()).unwrap();
    let expected = "https://as.example/.well-known/oauth-authorization-server/tenant";
    assert_eq!(parts(&written(&unsigned))[1]["htu"], expected);
}

#[test]
fn messages_of_every_length_are_encoded_alike() {
    let key = key();
    let token = AccessToken::new("AT").unwrap().bound();
    for length in 0..200 {
        let url = format!("https://api.example/{}", "a".repeat(length));
        let nonce = "n".repeat(length + 1);
        let call = Provable::call("DELETE", &url, token).unwrap().with_nonce(&nonce).unwrap();
        let unsigned = key.prove(call, u64::MAX, &mut Counter::default()).unwrap();
        let claims = parts(&written(&unsigned))[1].clone();
        let id = claims["jti"].as_str().unwrap();
        assert_eq!(Base64UrlUnpadded::decode_vec(id).unwrap().len(), 32, "256 bits");
        let expected = json!({"jti": id, "htm": "DELETE", "htu": url, "iat": u64::MAX, "nonce": nonce,
            "ath": claims["ath"]});
        assert_eq!(claims, expected);
    }
}

#[test]
fn no_two_proofs_are_alike() {
    let (key, mut rng) = (key(), Counter::default());
    let token = AccessToken::new("AT").unwrap().bound();
    let call = Provable::call("GET", "https://api.example/", token).unwrap();
    let ids: HashSet<_> = (0..1000)
        .map(|_| parts(&written(&key.prove(call, 0, &mut rng).unwrap()))[1]["jti"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 1000);
}

#[test]
fn a_nonce_is_nqchar_and_one_header() {
    let token = AccessToken::new("AT").unwrap().bound();
    let call = Provable::call("GET", "https://api.example/", token).unwrap();
    let long = "n".repeat(8192);
    for bad in ["", "a b", "a\"", "a\\", "a\r\nb", "é", long.as_str()] {
        assert!(matches!(call.with_nonce(bad), Err(ConfigError::Nonce)), "{bad:?}");
        let response = Response::new(200, &mut []).with_header("DPoP-Nonce", bad);
        assert_eq!(response.nonce(), None, "{bad:?}");
    }
    for good in ["eyJ7S_zG.eyJH0-Z.HX4w-7v", "!#[]^~", "n"] {
        assert!(call.with_nonce(good).is_ok());
        for status in [200, 400, 401, 503] {
            let response = Response::new(status, &mut []).with_header("dpop-nonce", good);
            assert_eq!(response.nonce(), Some(good));
        }
        let twice = Response::new(200, &mut []).with_header("dpop-nonce", good).with_header("DPoP-Nonce", good);
        assert_eq!(twice.nonce(), None);
    }
}

#[test]
fn the_key_is_named_where_the_login_begins_and_pins_it() {
    let (key, other) = (key(), PublicKey::new([1; 32], [2; 32]));
    let bound = client().bound_to(&key).unwrap();
    let (url, pending) = bound.authorize(&[], &mut Counter::default()).unwrap();
    assert!(url.to_string().ends_with(&format!("&code_challenge_method=S256&dpop_jkt={THUMBPRINT}")), "{url}");
    let query = good_query(&pending);
    for finisher in [client(), client().bound_to(&other).unwrap()] {
        let pending = begin(bound);
        let query = good_query(&pending);
        assert_eq!(pending.accept(finisher, Redirect::Query(&query)).err(), Some(CallbackError::Client));
    }
    let unbound = begin(client());
    let theirs = good_query(&unbound);
    assert_eq!(unbound.accept(bound, Redirect::Query(&theirs)).err(), Some(CallbackError::Client));
    let request = pending.accept(bound, Redirect::Query(&query)).unwrap();
    assert_eq!(request.request().key(), Some(key.thumbprint()));
    let moved = bound.with_redirect_uri("http://127.0.0.1:1/cb").unwrap();
    assert_eq!(moved.key(), Some(key.thumbprint()));
    assert_ne!(moved, client().with_redirect_uri("http://127.0.0.1:1/cb").unwrap());
    let by_thumbprint = client().bound_to_thumbprint(key.thumbprint()).unwrap();
    assert_eq!(by_thumbprint, bound);
    let extra = [("dpop_jkt", "x")];
    assert!(matches!(url.with(&extra), Err(ConfigError::ExtraParameter { .. })));
}

#[test]
fn a_pushed_login_names_the_key_and_proves_it() {
    let (key, server) = (key(), server().with(Endpoint::PushedAuthorization, "https://as.example/par"));
    let client = Client::new("client", "http://127.0.0.1:49152/cb", server).unwrap();
    let pushed = |client: Client<'_>| {
        let (push, _) = client.push(&[], &mut Counter::default()).unwrap();
        (push.request().needs_proof(), push.request().body().contains(&format!("&dpop_jkt={THUMBPRINT}")))
    };
    assert_eq!(pushed(client.bound_to(&key).unwrap()), (true, true));
    assert_eq!(pushed(client), (false, false));
}

#[test]
fn only_a_bound_token_is_taken_and_it_is_sent_as_one() {
    let key = key();
    let bound = client().bound_to(&key).unwrap();
    let read = |client: Client<'_>, body: &str| {
        let mut body = body.as_bytes().to_vec();
        let request = client.refresh(RefreshToken::new("RT0").unwrap());
        let (new, tokens) = request.read_keeping(Response::new(200, &mut body));
        let new = new.map(|token| token.expose().to_owned());
        let sent = tokens.map(|tokens| tokens.access_token().authorization().value());
        (new, sent)
    };
    for good in ["DPoP", "dpop", "DPOP"] {
        let body = format!(r#"{{"access_token":"AT","token_type":"{good}","refresh_token":"RT1"}}"#);
        assert_eq!(read(bound, &body), (Some("RT1".to_owned()), Ok("DPoP AT".to_owned())));
        assert_eq!(read(client(), &body).1, Err(ResponseError::TokenType(Some("DPoP"))));
    }
    let plain = Err(ResponseError::TokenType(Some("Bearer")));
    for (kind, expected) in [
        (r#","token_type":"Bearer""#, plain.clone()),
        (r#","token_type":"bearer""#, plain.clone()),
        ("", plain.clone()),
        (r#","token_type":null"#, plain),
        (r#","token_type":"mac""#, Err(ResponseError::TokenType(Some("mac")))),
        (r#","token_type":7"#, Err(ResponseError::Type("token_type"))),
    ] {
        let body = format!(r#"{{"access_token":"AT","refresh_token":"RT1"{kind}}}"#);
        assert_eq!(read(bound, &body), (None, expected), "{kind}");
        let without = format!(r#"{{"refresh_token":"RT1"{kind}}}"#);
        assert_eq!(read(bound, &without).0, None, "{kind}");
    }
    // It was cut off: the type may have followed.
    assert_eq!(read(bound, r#"{"access_token":"AT","refresh_token":"RT1","#).0.as_deref(), Some("RT1"));
    assert_eq!(read(bound, r#"{"token_type":"Bearer","refresh_token":"RT1","#).0, None);
}

#[test]
fn a_server_that_lists_other_algorithms_is_refused() {
    let issuer = "https://as.example";
    let read = |more: &str| {
        let mut body = format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/a","token_endpoint":"{issuer}/t"{more}}}"#
        )
        .into_bytes();
        let request = MetadataRequest::new(issuer, WellKnown::OAuth).unwrap();
        let server = request.read(Response::new(200, &mut body)).unwrap().server();
        let (has, lacks) = (server.has(Feature::Es256Proofs), server.lacks(Feature::Es256Proofs));
        let key = key();
        let client = Client::new("c", "http://127.0.0.1/cb", server).unwrap();
        (has, lacks, client.bound_to(&key).map(|_| ()))
    };
    let list = |algorithms: &str| read(&format!(r#","dpop_signing_alg_values_supported":{algorithms}"#));
    assert_eq!(list(r#"["RS256","ES256"]"#), (true, false, Ok(())));
    for other in [r#"["RS256"]"#, r#"["ES256K"]"#, "[]"] {
        assert_eq!(list(other), (false, true, Err(ConfigError::NoEs256Proofs)), "{other}");
    }
    for unknown in ["null", "\"ES256\"", "7"] {
        assert_eq!(list(unknown), (false, false, Ok(())), "{unknown}");
    }
    assert_eq!(read(""), (false, false, Ok(())));
    assert!(!server().lacks(Feature::Es256Proofs));
}
