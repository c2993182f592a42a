//! Tokens that are bound to a key (RFC 9449): proofs, nonces, and what is refused.

use crate::adapter::{ExchangeError, Http, TransportKind, Wait, http, pieces};
use http::Request;
use proofkey_core::{Client, ClientBuf, Redirect, RefreshToken, ResponseError, Server as Endpoints, TokensBuf};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Faults, Options, ProofFault, ProofRules};
use proofkey_tests::bound::{claims, key, part};
use proofkey_tests::recording::{Server, header, json};
use proofkey_ureq::{Signer, SigningKey, SysRng};
use std::collections::HashSet;

/// A login at the development server, with a key.
struct Bound {
    server: DevServer,
    key: SigningKey,
    http: Http,
    client: ClientBuf,
}

impl Bound {
    fn new(dpop: ProofRules) -> Self {
        let server = DevServer::start(Options { dpop, ..Options::default() }).unwrap();
        let key = key();
        let http = http().with_signer(key.clone());
        let client = http.discover(&server.issuer(), "demo-native", "https://app.example/paste").wait().unwrap();
        let client = client.as_client().bound_to(key.public_key()).unwrap().into();
        Self { server, key, http, client }
    }

    fn sign_in(&self) -> Result<TokensBuf, ExchangeError> {
        let client = self.client.as_client();
        let (url, pending) = client.authorize(&["itwin-platform", "offline_access"], &mut SysRng).unwrap();
        assert!(url.to_string().contains(&format!("&dpop_jkt={}", self.key.public_key().thumbprint())));
        let redirect = UserAgent::new().run(&url.to_string(), Decision::Allow).unwrap().callback.unwrap();
        self.http.exchange(pending.accept(client, Redirect::Url(&redirect)).unwrap()).wait()
    }

    fn refresh(&self, tokens: &TokensBuf) -> Result<TokensBuf, ExchangeError> {
        self.http.exchange(self.client.as_client().refresh(tokens.refresh_token().unwrap())).wait()
    }

    fn call(&self, request: Request<Vec<u8>>, tokens: &TokensBuf) -> u16 {
        self.http.call(request, tokens.access_token()).wait().unwrap().status
    }

    fn me(&self) -> Request<Vec<u8>> {
        Request::get(self.server.api("/api/me")).body(Vec::new()).unwrap()
    }

    fn fail(&self, fault: ProofFault) {
        self.server.set_faults(Faults { proof: Some(fault), ..Faults::default() });
    }

    /// The statuses at a path since the last look, and the proofs.
    fn seen(&self, path: &str) -> (Vec<u16>, Vec<String>) {
        let log = self.server.take_log().into_iter().filter(|entry| entry.path == path);
        log.map(|entry| {
            let proofs: Vec<_> = entry.headers.iter().filter(|(name, _)| name == "dpop").collect();
            assert_eq!(proofs.len(), 1);
            (entry.status, proofs[0].1.clone())
        })
        .unzip()
    }
}

const NONCES: ProofRules = ProofRules { required: true, token_nonce: true, api_nonce: true };
const TOKEN: &str = "/connect/token";
const ME: &str = "/api/me";

#[test]
fn each_request_of_a_bound_client_has_a_proof_of_its_own() {
    let bound = Bound::new(ProofRules { required: true, ..ProofRules::default() });
    let tokens = bound.sign_in().unwrap();
    let tokens = bound.refresh(&tokens).unwrap();
    let (statuses, mut proofs) = bound.seen(TOKEN);
    assert_eq!(statuses, [200, 200]);
    assert!(proofs.iter().all(|proof| claims(proof).get("ath").is_none()));
    assert_eq!(bound.call(bound.me(), &tokens), 200);
    let query = format!("{}?a=b", bound.server.api(ME));
    assert_eq!(bound.call(Request::get(&query).body(Vec::new()).unwrap(), &tokens), 200, "without the query");
    let body = br#"{"displayName":"x"}"#.to_vec();
    let post = Request::post(bound.server.api("/api/itwins")).body(body).unwrap();
    assert_eq!(bound.call(post, &tokens), 201);
    let log = bound.server.take_log();
    for entry in &log {
        let value = |name: &str| entry.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        assert_eq!(value("authorization"), Some(format!("DPoP {}", tokens.access_token().expose()).as_str()));
        proofs.push(value("dpop").unwrap().to_owned());
    }
    let ids: HashSet<_> = proofs.iter().map(|proof| claims(proof)["jti"].to_string()).collect();
    assert_eq!((proofs.len(), ids.len()), (5, 5));
    for proof in &proofs {
        let head = part(proof, 0);
        assert_eq!((&head["typ"], &head["alg"]), (&"dpop+jwt".into(), &"ES256".into()));
        assert_eq!(head["jwk"].as_object().unwrap().len(), 4, "a public key alone");
    }
}

#[test]
fn a_nonce_is_asked_for_once_by_each_server_and_then_known() {
    let bound = Bound::new(NONCES);
    let tokens = bound.sign_in().unwrap();
    let tokens = bound.refresh(&tokens).unwrap();
    let (statuses, proofs) = bound.seen(TOKEN);
    assert_eq!(statuses, [400, 200, 200]);
    let nonces: Vec<_> = proofs.iter().map(|proof| claims(proof).get("nonce").cloned()).collect();
    assert!(nonces[0].is_none() && nonces[1].is_some() && nonces[1] == nonces[2], "{nonces:?}");
    assert_ne!(claims(&proofs[0])["jti"], claims(&proofs[1])["jti"], "a new proof");
    for _ in 0..2 {
        assert_eq!(bound.call(bound.me(), &tokens), 200);
    }
    let (statuses, proofs) = bound.seen(ME);
    assert_eq!(statuses, [401, 200, 200]);
    assert!(claims(&proofs[0]).get("nonce").is_none(), "that of the authorization server stays there");
    assert_ne!(claims(&proofs[1])["nonce"], nonces[1].clone().unwrap());
}

#[test]
fn a_body_goes_along_when_the_api_asks_for_a_nonce() {
    let bound = Bound::new(NONCES);
    let tokens = bound.sign_in().unwrap();
    bound.server.clear_log();
    let post = || Request::post(bound.server.api("/api/itwins")).body(br#"{"displayName":"x"}"#.to_vec()).unwrap();
    assert_eq!(bound.call(post(), &tokens), 201);
    let log = bound.server.take_log();
    assert_eq!(log.iter().map(|entry| entry.status).collect::<Vec<_>>(), [401, 201]);
    assert!(log.iter().all(|entry| entry.body == r#"{"displayName":"x"}"#));
    let streamed = Bound::new(NONCES);
    let tokens = streamed.sign_in().unwrap();
    let mut heard = Vec::new();
    let answer = pieces(&streamed.http, streamed.me(), tokens.access_token(), |piece| heard.extend_from_slice(piece));
    assert_eq!(answer.unwrap().0, 200);
    assert!(String::from_utf8(heard).unwrap().contains("displayName"));
    assert_eq!(streamed.seen(ME).0, [401, 200]);
}

#[test]
fn the_newest_nonce_replaces_the_last_also_from_a_success() {
    let bound = Bound::new(NONCES);
    let mut tokens = bound.sign_in().unwrap();
    assert_eq!(bound.call(bound.me(), &tokens), 200);
    bound.fail(ProofFault::NonceInSuccess);
    bound.server.clear_log();
    for _ in 0..3 {
        tokens = bound.refresh(&tokens).unwrap();
        assert_eq!(bound.call(bound.me(), &tokens), 200);
    }
    let log = bound.server.take_log();
    assert!(log.len() == 6 && log.iter().all(|entry| entry.status == 200), "{log:?}");
    let proof = |entry: &proofkey_devserver::Entry| {
        claims(&entry.headers.iter().find(|(name, _)| name == "dpop").unwrap().1)["nonce"].to_string()
    };
    assert_eq!(log.iter().map(proof).collect::<HashSet<_>>().len(), 6);
}

#[test]
fn a_server_that_always_wants_another_nonce_is_asked_twice() {
    let bound = Bound::new(NONCES);
    let tokens = bound.sign_in().unwrap();
    for (fault, requests) in [(ProofFault::AlwaysNonce, 2), (ProofFault::NoNonce, 1), (ProofFault::TwoNonces, 1)] {
        let bound = Bound::new(NONCES);
        bound.fail(fault);
        let error = bound.sign_in().unwrap_err();
        let is_nonce = matches!(&error, ExchangeError::Response(ResponseError::Server { error, .. }) if error.code() == "use_dpop_nonce");
        assert!(is_nonce, "{error}");
        assert_eq!(bound.seen(TOKEN).0, vec![400; requests], "{fault:?}");
    }
    bound.fail(ProofFault::AlwaysNonce);
    bound.server.clear_log();
    assert_eq!(bound.call(bound.me(), &tokens), 401);
    assert_eq!(bound.seen(ME).0, [401, 401]);
}

#[test]
fn a_token_that_is_not_bound_is_not_taken() {
    let bound = Bound::new(ProofRules::default());
    bound.fail(ProofFault::BearerAnswer);
    let error = bound.sign_in().unwrap_err();
    assert!(matches!(error, ExchangeError::Response(ResponseError::TokenType(Some("Bearer")))), "{error}");
    bound.server.set_faults(Faults::default());
    let tokens = bound.sign_in().unwrap();
    bound.fail(ProofFault::BearerAnswer);
    let error = bound.refresh(&tokens).unwrap_err();
    assert!(matches!(error, ExchangeError::Response(ResponseError::TokenType(Some("Bearer")))), "{error}");
}

#[test]
fn without_the_key_nothing_is_sent() {
    let bound = Bound::new(ProofRules::default());
    let tokens = bound.sign_in().unwrap();
    bound.server.clear_log();
    for other in [http(), http().with_signer(key())] {
        let refresh = bound.client.as_client().refresh(tokens.refresh_token().unwrap());
        match other.exchange(refresh).wait().unwrap_err() {
            ExchangeError::Transport(error) => {
                assert_eq!((error.kind(), error.was_sent()), (TransportKind::Proof, false), "{error}");
            }
            error => panic!("{error}"),
        }
    }
    let error = http().call(bound.me(), tokens.access_token()).wait().unwrap_err();
    assert_eq!(error.kind(), TransportKind::Proof, "never as a Bearer token: {error}");
    assert!(bound.server.log().is_empty());
}

#[test]
fn a_nonce_is_taken_from_a_400_or_401_in_header_or_body_and_only_if_it_can_be_sent() {
    let challenge = "WWW-Authenticate: DPoP error=\"use_dpop_nonce\"\r\n";
    let body = r#"{"error":"use_dpop_nonce"}"#;
    let nonce = "DPoP-Nonce: N1\r\n".to_owned();
    let cases = [
        (400, nonce.clone(), body, 2),
        (401, nonce.clone(), body, 2),
        (401, nonce.clone() + challenge, "{}", 2),
        (400, nonce.clone() + challenge, "", 2),
        (403, nonce.clone() + challenge, body, 1),
        (400, nonce.clone(), "{}", 1),
        (400, String::new(), body, 1),
        (400, nonce.clone() + &nonce, body, 1),
        (400, "DPoP-Nonce: N 1\r\n".to_owned(), body, 1),
        (400, "DPoP-Nonce: N\"1\r\n".to_owned(), body, 1),
        (400, format!("DPoP-Nonce: {}\r\n", "N".repeat(8192)), body, 1),
    ];
    for (status, fields, body, requests) in cases {
        let said = fields.clone();
        let server = Server::answering(move |_| json(status, body).replacen("\r\n", &format!("\r\n{fields}"), 1));
        let (authorize, token) = (server.url("/authorize"), server.url("/token?tenant=t"));
        let key = key();
        let client = Client::new("app", "http://127.0.0.1/callback", Endpoints::new(&authorize, &token)).unwrap();
        let client = client.bound_to(key.public_key()).unwrap();
        let refused = http().with_signer(key.clone()).exchange(client.refresh(RefreshToken::new("rt").unwrap())).wait();
        assert!(refused.is_err());
        let seen = server.requests();
        assert_eq!(seen.len(), requests, "{status} {said} {body}");
        let claims: Vec<_> = seen.iter().map(|request| claims(header(request, "dpop").unwrap())).collect();
        assert_eq!(claims[0]["htu"], server.url("/token"), "without the query");
        if requests == 2 {
            assert_eq!((claims[0].get("nonce"), &claims[1]["nonce"]), (None, &"N1".into()));
            assert_ne!(claims[0]["jti"], claims[1]["jti"]);
            let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
            assert_eq!(body(&seen[0]), body(&seen[1]));
        }
    }
}
