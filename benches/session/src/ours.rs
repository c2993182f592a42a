//! The sessions of both adapters.

use crate::accounts::Accounts;
use crate::contender::Contender;
use crate::endpoint::access_token;
use proofkey_core::{Client, ClientBuf, Server};
use proofkey_store::{Key, Memory, Record, Secret};
use std::time::SystemTime;

/// `Session` of `proofkey-ureq`.
///
/// # Panics
/// If it has no token.
#[must_use]
pub fn ureq() -> Contender {
    let client = client();
    let client = client.as_client();
    let key = Key::of(client, "default");
    let session = proofkey_ureq::Session::new(&proofkey_ureq::Http::new(), client, Memory::new(), key.clone());
    session.begin_with(record(key)).expect("a login");
    Contender::blocking("proofkey-ureq Session", move |_| session.access_token().expect("a token"))
}

/// A session of `proofkey-reqwest` that is kept.
///
/// # Panics
/// If it has no token.
#[must_use]
pub fn reqwest() -> Contender {
    let session = sessions(&Accounts::new(1)).of("user-000000");
    Contender::future("proofkey-reqwest Session", async move |_| session.access_token().await.expect("a token"))
}

/// A session of `proofkey-reqwest` that is looked up among so many for each token.
///
/// # Panics
/// If it has no token.
#[must_use]
pub fn reqwest_of(name: &'static str, number: usize) -> Contender {
    let accounts = Accounts::new(number);
    let sessions = sessions(&accounts);
    assert_eq!(sessions.in_memory(), number);
    Contender::future(name, async move |call| sessions.of(accounts.at(call)).access_token().await.expect("a token"))
}

fn sessions(accounts: &Accounts) -> proofkey_reqwest::Sessions {
    let client = client();
    let client = client.as_client();
    let http = proofkey_reqwest::Http::new().expect("a client");
    let sessions = proofkey_reqwest::Sessions::new(&http, client, Memory::new()).with_capacity(ROOM);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for account in accounts.iter() {
            let record = record(Key::of(client, account));
            sessions.of(account).begin_with(record).await.expect("a login");
        }
    });
    sessions
}

fn client() -> ClientBuf {
    let server = Server::new("http://127.0.0.1:1/authorize", "http://127.0.0.1:1/token");
    Client::new("my-client-id", "http://127.0.0.1/callback", server).expect("a client").into()
}

fn record(key: Key) -> Record {
    let mut record = Record::new(key, Secret::new(access_token()));
    record.refresh_token = Some(Secret::new("the-refresh-token".to_owned()));
    record.expires_in = Some(3599);
    record.requested_at = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    record
}

/// More than there are, so that nobody has to go.
const ROOM: usize = 1_000_000;
