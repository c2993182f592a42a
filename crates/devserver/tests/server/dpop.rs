//! Proofs of possession (RFC 9449), made by other means than the client's: what is taken, and what is not.

use crate::client::{VERIFIER, agent, query, text, url, visit};
use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Faults, Options, ProofFault, ProofRules};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::SystemTime;

struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})
    }

    fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        encode(&Sha256::digest(text))
    }

    fn sign(&self, head: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(head.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature.as_ref()))
    }

    fn head(&self) -> Value {
        json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()})
    }

    fn prove(&self, claims: &Value) -> String {
        self.sign(&self.head(), claims)
    }
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// With an id that no other has.
fn claims(method: &str, url: &str) -> Value {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    json!({"jti": format!("{:032}", now.as_nanos()), "htm": method, "htu": url, "iat": now.as_secs()})
}

/// The status, the answer, and its nonces.
fn exchange(server: &DevServer, form: &[(&str, &str)], proofs: &[String]) -> (u16, Value, Vec<String>) {
    let mut request = agent().post(server.token_endpoint());
    for proof in proofs {
        request = request.header("dpop", proof);
    }
    let mut response = request.send_form(form.iter().copied()).unwrap();
    let nonces =
        response.headers().get_all("dpop-nonce").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    let body = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&body).unwrap(), nonces)
}

fn with_code(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "demo-native"),
        ("code", code),
        ("redirect_uri", "https://app.example/paste"),
        ("code_verifier", VERIFIER),
    ]
}

fn code(server: &DevServer, more: &str) -> String {
    query(&visit(server, Decision::Allow, more).callback.unwrap(), "code").unwrap()
}

fn call(server: &DevServer, authorization: &str, proof: Option<&str>) -> (u16, String) {
    let mut request = agent().get(server.api("/api/me")).header("authorization", authorization);
    if let Some(proof) = proof {
        request = request.header("dpop", proof);
    }
    let response = request.call().unwrap();
    let challenge = response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap()).to_owned();
    (response.status().as_u16(), challenge)
}

#[test]
fn only_a_whole_proof_is_taken() {
    let server = DevServer::start(Options::default()).unwrap();
    let (key, other) = (Key::new(), Key::new());
    let token = server.token_endpoint();
    let good = || claims("POST", &token);
    let with = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        key.prove(&claims)
    };
    let head = |name: &str, value: Value| {
        let mut head = key.head();
        head[name] = value;
        key.sign(&head, &good())
    };
    let mut private = key.jwk();
    private["d"] = json!("AA");
    let proof = key.prove(&good());
    let bad = [
        vec![with("htm", json!("GET"))],
        vec![with("htu", json!(server.api("/api/me")))],
        vec![with("htu", json!(format!("{token}?a=b")))],
        vec![with("iat", json!(0))],
        vec![with("iat", json!(null))],
        vec![with("jti", json!("short"))],
        vec![with("ath", json!("AA"))],
        vec![head("typ", json!("JWT"))],
        vec![head("alg", json!("none"))],
        vec![head("jwk", other.jwk())],
        vec![head("jwk", private)],
        vec![proof.clone(), key.prove(&good())],
        vec![format!("{proof}A")],
        vec!["a.b.c".to_owned()],
        vec![String::new()],
    ];
    for proofs in bad {
        let (status, answer, _) = exchange(&server, &with_code(&code(&server, "")), &proofs);
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_dpop_proof")), "{proofs:?}");
    }
    let (status, answer, _) = exchange(&server, &with_code(&code(&server, "")), &[proof.clone()]);
    assert_eq!((status, &answer["token_type"]), (200, &json!("DPoP")));
    let (status, answer, _) = exchange(&server, &with_code(&code(&server, "")), &[proof]);
    assert_eq!((status, &answer["error_description"]), (400, &json!("jti was used before")));
}

#[test]
fn tokens_are_bound_to_the_key() {
    let server = DevServer::start(Options::default()).unwrap();
    let (key, other) = (Key::new(), Key::new());
    let token = server.token_endpoint();
    let prove = |key: &Key| key.prove(&claims("POST", &token));
    let named = format!("&dpop_jkt={}", key.thumbprint());
    for wrong in [vec![], vec![prove(&other)]] {
        let (status, answer, _) = exchange(&server, &with_code(&code(&server, &named)), &wrong);
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    }
    let (_, granted, _) = exchange(&server, &with_code(&code(&server, &named)), &[prove(&key)]);
    let refresh_token = text(&granted, "refresh_token").to_owned();
    let form = [("grant_type", "refresh_token"), ("client_id", "demo-native"), ("refresh_token", &*refresh_token)];
    for wrong in [vec![], vec![prove(&other)]] {
        assert_eq!(exchange(&server, &form, &wrong).1["error"], "invalid_grant");
    }
    let access = text(&granted, "access_token").to_owned();
    let at_api = |key: &Key, ath: &str| {
        let mut claims = claims("GET", &server.api("/api/me"));
        claims["ath"] = json!(encode(&Sha256::digest(ath)));
        key.prove(&claims)
    };
    let bound = format!("DPoP {access}");
    assert_eq!(call(&server, &bound, Some(&at_api(&key, &access))).0, 200);
    for (authorization, proof) in [
        (format!("Bearer {access}"), Some(at_api(&key, &access))),
        (format!("Bearer {access}"), None),
        (bound.clone(), None),
        (bound.clone(), Some(at_api(&other, &access))),
        (bound.clone(), Some(at_api(&key, "another"))),
        (bound.clone(), Some(key.prove(&claims("GET", &server.api("/api/me"))))),
    ] {
        let (status, challenge) = call(&server, &authorization, proof.as_deref());
        let scheme = authorization.split(' ').next().unwrap();
        assert!(status == 401 && challenge.starts_with(scheme), "{authorization} {challenge}");
    }
    let (status, answer, _) = exchange(&server, &form, &[prove(&key)]);
    assert_eq!((status, &answer["token_type"]), (200, &json!("DPoP")), "nothing was spent");
}

#[test]
fn nonces_are_wanted_where_the_rules_say_so_and_faults_bite() {
    let dpop = ProofRules { required: true, token_nonce: true, api_nonce: false };
    let server = DevServer::start(Options { dpop, ..Options::default() }).unwrap();
    let key = Key::new();
    let token = server.token_endpoint();
    let with_nonce = |nonce: Option<&str>| {
        let mut claims = claims("POST", &token);
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        key.prove(&claims)
    };
    let form = |code: &str| with_code(code).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let send = |proofs: &[String]| {
        let code = code(&server, "");
        let form = form(&code);
        let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        exchange(&server, &form, proofs)
    };
    assert_eq!(send(&[]).1["error"], "invalid_dpop_proof");
    let (status, answer, nonces) = send(&[with_nonce(None)]);
    assert_eq!((status, &answer["error"], nonces.len()), (400, &json!("use_dpop_nonce"), 1));
    assert_eq!(send(&[with_nonce(Some("another"))]).1["error"], "use_dpop_nonce");
    assert_eq!(send(&[with_nonce(Some(&nonces[0]))]).0, 200);

    let fail = |proof| server.set_faults(Faults { proof: Some(proof), ..Faults::default() });
    fail(ProofFault::TwoNonces);
    assert_eq!(send(&[with_nonce(None)]).2.len(), 2);
    fail(ProofFault::NoNonce);
    assert_eq!(send(&[with_nonce(None)]).2.len(), 0);
    fail(ProofFault::AlwaysNonce);
    assert_eq!(send(&[with_nonce(Some(&nonces[0]))]).1["error"], "use_dpop_nonce");
    fail(ProofFault::BearerAnswer);
    assert_eq!(send(&[with_nonce(Some(&nonces[0]))]).1["token_type"], "Bearer");
    fail(ProofFault::NonceInSuccess);
    let (status, _, fresh) = send(&[with_nonce(Some(&nonces[0]))]);
    assert_eq!((status, fresh.len()), (200, 1));
    assert_eq!(send(&[with_nonce(Some(&nonces[0]))]).1["error"], "use_dpop_nonce", "only the newest is good");
    let exposed = |server: &DevServer| {
        let response =
            agent().post(server.token_endpoint()).header("origin", "http://127.0.0.1:1").send_empty().unwrap();
        response.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase()
    };
    assert!(exposed(&server).contains("dpop-nonce"));
    fail(ProofFault::HiddenNonce);
    assert!(!exposed(&server).contains("dpop-nonce"));
    assert!(UserAgent::new().run(&url(&server, ""), Decision::Allow).is_ok());
}
