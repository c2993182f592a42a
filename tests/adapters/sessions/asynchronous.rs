//! The async sessions.

use proofkey_core::ClientBuf;
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Options};
use proofkey_reqwest::{End, Http, Login, Memory, SessionError, Sessions, SignedIn};
use std::thread;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test]
async fn ten_thousand_tasks_on_an_ended_token_make_one_request() {
    let server = server(2);
    let sessions = sessions(&server).await;
    let before = sessions.of("alice").access_token().await.unwrap();
    sleep(Duration::from_millis(2_100)).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10_000 {
        let session = sessions.of("alice");
        tasks.spawn(async move { session.access_token().await.unwrap().expose().to_owned() });
    }
    let tokens = tasks.join_all().await;
    assert!(tokens.iter().all(|token| *token == tokens[0] && token != before.expose()));
    assert_eq!((server.counts().refreshes, server.counts().reuses), (1, 0));
    sessions.settle().await.unwrap();
    let out = sessions.of("alice").sign_out().await.unwrap();
    assert!(out.revocation.is_ok());
    let gone = sessions.of("alice").access_token().await.unwrap_err();
    assert!(matches!(gone, SessionError::Ended { end: End::SignedOut, .. }), "{gone}");
}

fn server(lifetime: u32) -> DevServer {
    DevServer::start(Options { access_token_ttl: lifetime, ..Options::default() }).unwrap()
}

async fn client(server: &DevServer) -> ClientBuf {
    Http::new().unwrap().discover(&server.issuer(), "demo-native", "http://127.0.0.1/callback").await.unwrap()
}

async fn sessions(server: &DevServer) -> Sessions {
    let http = Http::new().unwrap();
    let client = client(server).await;
    let sessions = Sessions::new(&http, client.as_client(), Memory::new());
    assert!(sessions.of("alice").peek().await.unwrap().is_none());
    sessions.of("alice").begin(&sign_in(&http, &client).await).await.unwrap();
    sessions
}

async fn sign_in(http: &Http, client: &ClientBuf) -> SignedIn {
    let mut user = None;
    let login = Login::new(client.as_client(), &["itwin-platform", "offline_access"]);
    let signed_in = http.login(login, |url| {
        let url = url.to_owned();
        user = Some(thread::spawn(move || UserAgent::new().run(&url, Decision::Allow).map(drop)));
        Ok(())
    });
    let signed_in = signed_in.await.unwrap();
    user.unwrap().join().unwrap().unwrap();
    signed_in
}
