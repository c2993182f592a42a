//! The blocking session.

use proofkey_core::{Client, ClientBuf};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Options};
use proofkey_ureq::{End, Http, Key, Login, Memory, Session, SessionError, SignedIn};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

#[test]
fn sixteen_threads_at_an_expiry_make_one_refresh() {
    let server = server(2);
    let session = signed_in(&server, Memory::new());
    let before = session.access_token().unwrap();
    thread::sleep(Duration::from_millis(2_100));
    let tokens = thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| session.access_token().unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(tokens.iter().all(|token| token.expose() == tokens[0].expose() && token.expose() != before.expose()));
    assert_eq!(server.counts().refreshes, 1);
    assert_eq!(server.counts().reuses, 0);
}

#[test]
fn two_programs_share_a_refresh() {
    let server = server(2);
    let store = Arc::new(Memory::new());
    let one = signed_in(&server, Arc::clone(&store));
    let two = Session::new(&Http::new(), client(&server).as_client(), store, key(&server));
    assert_eq!(one.access_token().unwrap().expose(), two.access_token().unwrap().expose());
    thread::sleep(Duration::from_millis(2_100));
    thread::scope(|scope| {
        let [a, b] = [&one, &two].map(|session| scope.spawn(|| session.access_token().unwrap()));
        assert_eq!(a.join().unwrap().expose(), b.join().unwrap().expose());
    });
    assert_eq!(server.counts().refreshes, 1);
    one.sign_out().unwrap();
    let gone = two.refresh().unwrap_err();
    assert!(matches!(gone, SessionError::Ended { end: End::SignedOut, .. }), "{gone}");
}

fn server(lifetime: u32) -> DevServer {
    DevServer::start(Options { access_token_ttl: lifetime, ..Options::default() }).unwrap()
}

fn client(server: &DevServer) -> ClientBuf {
    Http::new().discover(&server.issuer(), "demo-native", "http://127.0.0.1/callback").unwrap()
}

fn key(server: &DevServer) -> Key {
    Key::of(client(server).as_client(), "default")
}

fn signed_in(server: &DevServer, store: impl proofkey_ureq::Store + 'static) -> Session {
    let http = Http::new();
    let client = client(server);
    let session = Session::new(&http, client.as_client(), store, key(server));
    assert!(session.peek().unwrap().is_none());
    session.begin(&sign_in(&http, client.as_client())).unwrap();
    session
}

fn sign_in(http: &Http, client: Client<'_>) -> SignedIn {
    let mut user = None;
    let login = Login::new(client, &["itwin-platform", "offline_access"]);
    let signed_in = http.login(login, |url| {
        let url = url.to_owned();
        user = Some(thread::spawn(move || UserAgent::new().run(&url, Decision::Allow).map(drop)));
        Ok(())
    });
    user.unwrap().join().unwrap().unwrap();
    signed_in.unwrap()
}
