//! A refresh through a store, beside an exchange without one, and the operations of the store alone.

use crate::measure::Contender;
use crate::servers::{Postgres, Redis};
use crate::service;
use crate::users::KEPT;
use crate::users::{client, record, version};
use proofkey_core::RefreshToken;
use proofkey_core::session::{ClaimId, Version};
use proofkey_reqwest::{Blocking, Sessions};
use proofkey_store::{Answer, AsyncStore, Key, Memory, Op, Store};
use std::cell::RefCell;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

type Shared = Arc<dyn AsyncStore>;

/// Over reqwest: first the exchange alone, then through each store.
pub fn of_tokio(origin: &str, redis: &Redis, postgres: &Postgres, folder: &Path) -> Vec<Contender> {
    let (client, http) = (client(origin), reqwest());
    let bare = Contender::of_tokio("proofkey-reqwest, the exchange alone", async move || {
        let token = RefreshToken::new("the-refresh-token").expect("a token");
        http.exchange(client.as_client().refresh(token)).await.expect("tokens")
    });
    let (redis, postgres, folder) = (redis.client(), postgres.config(), folder.to_owned());
    vec![
        bare,
        session("Sessions, memory", origin, async || Arc::new(Memory::new()) as Shared),
        session("Sessions, Redis", origin, async move || of_redis(&redis).await),
        session("Sessions, PostgreSQL", origin, async move || of_postgres(&postgres).await),
        session("Sessions, files", origin, async move || Arc::new(Blocking::new(files(&folder))) as Shared),
    ]
}

/// Over ureq.
pub fn blocking(origin: &str, folder: &Path) -> Vec<Contender> {
    let (client, http) = (client(origin), ureq());
    let bare = Contender::blocking("proofkey-ureq, the exchange alone", move || {
        let token = RefreshToken::new("the-refresh-token").expect("a token");
        http.exchange(client.as_client().refresh(token)).expect("tokens")
    });
    vec![
        bare,
        session_blocking("Session, memory", origin, Arc::new(Memory::new())),
        session_blocking("Session, files", origin, Arc::new(files(folder))),
    ]
}

/// The operations of each store alone: what a refresh takes, and a read.
pub fn operations(origin: &str, redis: &Redis, postgres: &Postgres, folder: &Path) -> Vec<Contender> {
    let make_redis = |client: redis::Client| async move || of_redis(&client).await;
    let make_postgres = |config: tokio_postgres::Config| async move || of_postgres(&config).await;
    let make_files = |folder: std::path::PathBuf| async move || Arc::new(Blocking::new(files(&folder))) as Shared;
    vec![
        refreshing("Redis: load, claim, write", origin, make_redis(redis.client())),
        loading("Redis: load", origin, make_redis(redis.client())),
        refreshing("PostgreSQL: load, claim, write", origin, make_postgres(postgres.config())),
        loading("PostgreSQL: load", origin, make_postgres(postgres.config())),
        refreshing("files: load, claim, write", origin, make_files(folder.to_owned())),
        loading("files: load", origin, make_files(folder.to_owned())),
    ]
}

/// Refreshes a login that nobody else refreshes at the time.
fn session(name: &'static str, origin: &str, store: impl AsyncFn() -> Shared + 'static) -> Contender {
    let client = client(origin);
    let (made, free, http) = (OnceCell::new(), RefCell::new((0..USERS).collect::<Vec<_>>()), reqwest());
    Contender::of_tokio(name, async move || {
        let make = async || {
            let sessions = Sessions::new(&http, client.as_client(), store().await);
            let mut all = Vec::new();
            for user in 0..USERS {
                let record = record(client.as_client(), user);
                let session = sessions.of(&record.key.account);
                session.begin_with(record).await.expect("a login");
                all.push(session);
            }
            all
        };
        let sessions = made.get_or_init(make).await;
        let user = free.borrow_mut().pop().expect("a user who is free");
        let token = sessions[user].refresh().await.expect("a token");
        assert!(token.trouble().is_none());
        free.borrow_mut().push(user);
        token
    })
}

fn session_blocking(name: &'static str, origin: &str, store: Arc<dyn Store>) -> Contender {
    let client = client(origin);
    let http = ureq();
    let sessions = (0..USERS).map(|user| {
        let record = record(client.as_client(), user);
        let session = proofkey_ureq::Session::new(&http, client.as_client(), Arc::clone(&store), record.key.clone());
        session.begin_with(record).expect("a login");
        session
    });
    let free = Mutex::new(sessions.collect::<Vec<_>>());
    Contender::blocking(name, move || {
        let free = || free.lock().unwrap_or_else(PoisonError::into_inner);
        let session = free().pop().expect("a user who is free");
        let token = session.refresh().expect("a token");
        assert!(token.trouble().is_none());
        free().push(session);
        token
    })
}

fn refreshing(name: &'static str, origin: &str, store: impl AsyncFn() -> Shared + 'static) -> Contender {
    operating(name, origin, USERS, store, async |store, key, version| {
        let id = ClaimId([7; 16]);
        let Answer::Row(row) = store.run(key, Op::Load).await? else { panic!("no row") };
        let claim = Op::Claim { version, id, seconds: 25, over: None };
        assert!(matches!(store.run(key, claim).await?, Answer::Claimed(_)));
        let next = version.next(id);
        let write = Op::Write { expect: Some((version, id)), version: next, value: Some(&row.value) };
        assert_eq!(store.run(key, write).await?, Answer::Done);
        Ok(next)
    })
}

fn loading(name: &'static str, origin: &str, store: impl AsyncFn() -> Shared + 'static) -> Contender {
    operating(name, origin, 2 * USERS, store, async |store, key, version| {
        assert!(matches!(store.run(key, Op::Load).await?, Answer::Row(_)));
        Ok(version)
    })
}

type Operated = Result<Version, proofkey_store::StoreError>;

fn operating(
    name: &'static str,
    origin: &str,
    first: usize,
    store: impl AsyncFn() -> Shared + 'static,
    operate: impl AsyncFn(&Shared, &Key, Version) -> Operated + 'static,
) -> Contender {
    let client = client(origin);
    let (made, free) = (OnceCell::new(), RefCell::new(Vec::new()));
    Contender::of_tokio(name, async move || {
        let make = async || {
            let store = store().await;
            // Others have the users before them, in the same store.
            for user in first..first + USERS {
                let record = record(client.as_client(), user);
                let (version, value) = (version(user), record.to_bytes().expect("a record"));
                let write = Op::Write { expect: None, version, value: Some(&value) };
                store.run(&record.key, write).await.expect("a store");
                free.borrow_mut().push((record.key, version));
            }
            store
        };
        let store = made.get_or_init(make).await;
        let (key, version) = free.borrow_mut().pop().expect("a user who is free");
        let version = operate(store, &key, version).await.expect("a store");
        free.borrow_mut().push((key, version));
    })
}

fn of_redis(client: &redis::Client) -> impl Future<Output = Shared> {
    let connection = client.get_multiplexed_async_connection();
    async { Arc::new(proofkey_redis::Redis::new(connection.await.expect("a connection"))) as Shared }
}

/// Over as many connections as a pool would have.
async fn of_postgres(config: &tokio_postgres::Config) -> Shared {
    let store = service::postgres(config).await;
    store.create_table().await.expect("a table");
    Arc::new(store)
}

fn files(folder: &Path) -> proofkey_native::Store {
    proofkey_native::Store::files_in(&folder.join("logins")).expect("a folder")
}

fn reqwest() -> proofkey_reqwest::Http {
    let settings = proofkey_reqwest::Settings::new().with_kept_connections(KEPT);
    proofkey_reqwest::Http::with_settings(settings).expect("a client")
}

fn ureq() -> proofkey_ureq::Http {
    proofkey_ureq::Http::with_settings(proofkey_ureq::Settings::new().with_kept_connections(KEPT))
}

/// More than there are at a time.
const USERS: usize = 32;
