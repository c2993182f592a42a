//! Logins whose tokens are bound to a key (RFC 9449): the record names the key, and a login survives a restart.

use crate::support::{Login, Way, both, until};
use http::Request;
use proofkey_core::{Client, ClientBuf, Redirect};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Options, ProofRules};
use proofkey_tests::bound::key;
use proofkey_ureq::{Http, Key, Record, Session, SessionError, Signer, SigningKey, SysRng};
use std::fs;
use std::path::Path;

/// A server that takes bound tokens only, and wants nonces.
struct Bound {
    server: DevServer,
    client: ClientBuf,
    folder: tempfile::TempDir,
}

impl Bound {
    fn new() -> Self {
        let dpop = ProofRules { required: true, token_nonce: true, api_nonce: true };
        let server = DevServer::start(Options { dpop, ..Options::default() }).unwrap();
        let client = Http::new().discover(&server.issuer(), "demo-native", "https://app.example/paste").unwrap();
        Self { server, client, folder: tempfile::tempdir().unwrap() }
    }

    fn client<'b>(&'b self, key: &'b SigningKey) -> Client<'b> {
        self.client.as_client().bound_to(key.public_key()).unwrap()
    }

    fn key(&self) -> Key {
        Key::of(self.client.as_client(), "default")
    }

    /// Another program at the same files.
    fn open(&self, way: Way, client: Client<'_>, key: &SigningKey) -> Box<dyn Login> {
        let store = store(self.folder.path());
        match way {
            Way::Blocking => Box::new(Session::new(&Http::new().with_signer(key.clone()), client, store, self.key())),
            Way::Async => {
                let http = proofkey_reqwest::Http::new().unwrap().with_signer(key.clone());
                crate::support::asynchronous(proofkey_reqwest::Sessions::new(
                    &http,
                    client,
                    proofkey_reqwest::Blocking::new(store),
                ))
            }
        }
    }

    fn sign_in(&self, key: &SigningKey) -> Record {
        let client = self.client(key);
        let (url, pending) = client.authorize(&["itwin-platform", "offline_access"], &mut SysRng).unwrap();
        let redirect = UserAgent::new().run(&url.to_string(), Decision::Allow).unwrap().callback.unwrap();
        let code = pending.accept(client, Redirect::Url(&redirect)).unwrap();
        let tokens = Http::new().with_signer(key.clone()).exchange(code).unwrap();
        // It has ended: each new program refreshes.
        let mut record = Record::of_login(self.key(), client, &[], tokens.as_tokens(), 1);
        record.set_signing_key(key.to_pkcs8());
        record
    }

    fn me(&self) -> Request<Vec<u8>> {
        Request::get(self.server.api("/api/me")).body(Vec::new()).unwrap()
    }
}

fn store(folder: &Path) -> proofkey_native::Store {
    proofkey_native::Store::files_in(&folder.join("logins")).unwrap()
}

#[test]
fn a_bound_login_survives_a_restart() {
    both(|way| {
        let bound = Bound::new();
        let first = key();
        bound.open(way, bound.client(&first), &first).begin_with(bound.sign_in(&first)).unwrap();
        drop(first);
        for refreshes in 1..=3 {
            // A new process has nothing but the files: the key is kept beside the tokens.
            let kept = bound.open(way, bound.client.as_client(), &key()).peek().unwrap().unwrap();
            let key = SigningKey::from_pkcs8(&kept.record().signing_key().unwrap()).unwrap();
            assert_eq!(kept.record().bound_to.as_ref(), Some(key.public_key().thumbprint()));
            assert!(kept.access_token().is_bound());
            let client = kept.record().client().unwrap();
            assert_eq!(client.key(), Some(key.public_key().thumbprint()));
            let login = bound.open(way, client, &key);
            let token = login.refresh().unwrap();
            assert!(token.access_token().is_bound() && token.trouble().is_none());
            assert_eq!(login.call(bound.me()).unwrap().status, 200);
            until("saved", || login.settle().is_ok());
            assert_eq!(bound.server.counts().refreshes, refreshes);
            assert!(bound.server.counts().reuses == 0);
        }
        let shown =
            format!("{:?}", bound.open(way, bound.client.as_client(), &key()).peek().unwrap().unwrap().record());
        assert!(!shown.contains("MIG") && shown.contains("signing_key: Some(Secret(..))"), "{shown}");
    });
}

#[test]
fn a_login_that_is_bound_to_another_key_is_neither_refreshed_nor_ended() {
    both(|way| {
        let bound = Bound::new();
        let (own, other) = (key(), key());
        bound.open(way, bound.client(&own), &own).begin_with(bound.sign_in(&own)).unwrap();
        bound.server.clear_log();
        for client in [bound.client.as_client(), bound.client(&other)] {
            let login = bound.open(way, client, &other);
            assert!(matches!(login.access_token(), Err(SessionError::OtherKey)));
            assert!(matches!(login.refresh(), Err(SessionError::OtherKey)));
        }
        assert!(bound.server.log().is_empty(), "nothing was sent");
        // A record without the name of its key is as foreign to a bound client.
        let mut edited = bound.sign_in(&own);
        edited.bound_to = None;
        let login = bound.open(way, bound.client(&own), &own);
        assert!(matches!(login.begin_with(edited), Err(SessionError::Store(_))));
        assert!(login.access_token().is_ok());
    });
}

#[test]
fn an_edited_record_is_not_read() {
    let bound = Bound::new();
    let (own, other) = (key(), key());
    bound.open(Way::Blocking, bound.client(&own), &own).begin_with(bound.sign_in(&own)).unwrap();
    let mut edited = 0;
    for entry in fs::read_dir(bound.folder.path().join("logins")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let (old, new) = (own.public_key().thumbprint().as_str(), other.public_key().thumbprint().as_str());
        if text.contains(old) {
            fs::write(&path, text.replace(old, new)).unwrap();
            edited += 1;
        }
    }
    assert_eq!(edited, 1, "the record names the key");
    let login = bound.open(Way::Blocking, bound.client(&other), &other);
    assert!(matches!(login.access_token(), Err(SessionError::Store(_))));
}
