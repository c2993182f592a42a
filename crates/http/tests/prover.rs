//! What `Debug` prints of a key and of a call that is bound to it, and the texts that say why there is no proof.

use proofkey_core::{AccessToken, Client, PublicKey, RefreshToken, Response, Server};
use proofkey_http::{Calling, DriveError, Prover, SignError, Signer, TransportError, TransportKind, drive_with};
use std::error::Error;

#[test]
fn nothing_secret_is_shown_by_debug() {
    let prover = Prover::new(element());
    let shown = format!("{prover:?}");
    assert!(shown.starts_with("Prover { key: ") && shown.ends_with(", .. }"), "{shown}");
    let mut calling = Calling::new(request(), token(), Some(&prover)).unwrap();
    assert!(calling.request().unwrap().headers()["dpop"].is_sensitive());
    assert_eq!(format!("{calling:?}"), "Calling { url: https://api.example/me, .. }");
}

#[test]
fn a_call_is_sent_once_more_for_a_nonce_and_no_more() {
    let prover = Prover::new(element());
    let mut calling = Calling::new(request(), token(), Some(&prover)).unwrap();
    let mut body = *br#"{"error":"use_dpop_nonce"}"#;
    let mut challenged = || calling.is_again(&Response::new(401, &mut body).with_header("dpop-nonce", "N1"));
    assert_eq!([challenged(), challenged(), challenged()], [true, false, false]);
}

#[test]
fn why_there_is_no_proof_is_said() {
    let reason = |error: TransportError| {
        assert_eq!((error.kind(), error.was_sent()), (TransportKind::Proof, false));
        error.source().expect("a cause").to_string()
    };
    let none = Calling::new(request(), token(), None).unwrap_err();
    assert_eq!(reason(none), "the adapter has no key to sign with (`with_signer`)");

    let locked = Prover::new(Element { locked: Some("a PIN is wanted"), ..element() });
    let failed = Calling::new(request(), token(), Some(&locked)).unwrap().request().unwrap_err();
    assert_eq!(reason(failed), "the key cannot sign: a PIN is wanted");

    let another = PublicKey::new([3; 32], [4; 32]);
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    let client = Client::new("app", "http://127.0.0.1/cb", server).unwrap().bound_to(&another).unwrap();
    let mut refresh = client.refresh(RefreshToken::new("RT").unwrap());
    let prover = Prover::new(element());
    let driven = drive_with(Some(&prover), &mut refresh, |_| panic!("it was sent"), |_| panic!("it waited"));
    let Err(DriveError::Transport(error)) = driven.map(drop) else { panic!("an answer") };
    assert_eq!(reason(error), "the client is bound to another key than the adapter signs with");
}

fn request() -> http::Request<Vec<u8>> {
    http::Request::get("https://api.example/me").body(Vec::new()).unwrap()
}

fn token() -> AccessToken<'static> {
    AccessToken::new("AT1").unwrap().bound()
}

fn element() -> Element {
    Element { key: PublicKey::new([1; 32], [2; 32]), locked: None }
}

/// Signs all alike, or says why it does not.
struct Element {
    key: PublicKey,
    locked: Option<&'static str>,
}

impl Signer for Element {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], SignError> {
        self.locked.map_or(Ok([7; 64]), |why| Err(SignError::new(why)))
    }
}
