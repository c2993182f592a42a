//! The stores of Redis and of PostgreSQL, each with a real server.

mod crowd;
mod cuts;
mod laws;
mod locks;
mod postgres;
mod redis;
mod speed;

use ::redis::aio::MultiplexedConnection;
use proofkey_postgres::Postgres;
use proofkey_redis::Redis;
use proofkey_store::{Answer, AsyncStore, ClaimId, Key, LoginId, Op, StoreError, Version};
use proofkey_tests::servers::{self, connect};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio_postgres::Client;

async fn redis_store() -> (Redis<MultiplexedConnection>, servers::Redis) {
    let server = servers::Redis::start();
    (Redis::new(server.connect().await), server)
}

/// A store in a new database, with a connection to it.
async fn postgres_store() -> (Postgres, Arc<Client>, Arc<servers::Postgres>) {
    let server = one_server();
    let config = server.new_database().await;
    let client = Arc::new(connect(&config).await);
    let store = Postgres::new(client.clone());
    store.create_table().await.expect("a table");
    (store, client, server)
}

/// The server that all tests at one time share, since it takes long to start.
fn one_server() -> Arc<servers::Postgres> {
    static SERVER: Mutex<Weak<servers::Postgres>> = Mutex::new(Weak::new());
    let mut shared = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(servers::Postgres::start());
        *shared = Arc::downgrade(&server);
        server
    })
}

/// A key that no other test has.
fn new_key() -> Key {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Key::new("https://as.example", "client", NEXT.fetch_add(1, Ordering::Relaxed).to_string())
}

const fn login(since: u64) -> Version {
    Version::first(LoginId::new(since, None, 7))
}

const fn claim(version: Version, id: ClaimId) -> Op<'static> {
    Op::Claim { version, id, seconds: 3600, over: None }
}

const fn write(expect: Option<(Version, ClaimId)>, version: Version, value: &[u8]) -> Op<'_> {
    Op::Write { expect, version, value: Some(value) }
}

/// A new key with a login.
async fn signed_in(store: &dyn AsyncStore) -> Result<Key, StoreError> {
    let key = new_key();
    assert_eq!(store.run(&key, write(None, FIRST, VALUE)).await?, Answer::Done);
    Ok(key)
}

const A: ClaimId = ClaimId([0xA; 16]);
const B: ClaimId = ClaimId([0xB; 16]);
const FIRST: Version = login(1_700_000_000);
const VALUE: &[u8] = b"a value that no error quotes";
