//! Many tasks at once, over connections of their own.

use crate::{FIRST, VALUE, login, new_key, one_server, signed_in, write};
use proofkey_postgres::Postgres;
use proofkey_redis::Redis;
use proofkey_store::{Answer, AsyncStore, ClaimId, Key, Op, StoreError};
use proofkey_tests::servers::{self, connect};
use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

type Stores = Vec<Arc<dyn AsyncStore>>;

#[tokio::test(flavor = "multi_thread")]
async fn redis_serves_a_crowd() -> Result<(), StoreError> {
    let server = servers::Redis::start();
    let mut stores: Stores = Vec::new();
    for _ in 0..CONNECTIONS {
        stores.push(Arc::new(Redis::new(server.connect().await)));
    }
    timeout(PATIENCE, serve("Redis", &stores)).await.expect("a claim came to nothing")
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_serves_a_crowd() -> Result<(), StoreError> {
    let server = one_server();
    let config = server.new_database().await;
    let mut stores: Stores = Vec::new();
    for _ in 0..CONNECTIONS {
        let store = Postgres::new(Arc::new(connect(&config).await));
        store.create_table().await?;
        stores.push(Arc::new(store));
    }
    timeout(PATIENCE, serve("PostgreSQL", &stores)).await.expect("a claim came to nothing")
}

async fn serve(name: &str, stores: &Stores) -> Result<(), StoreError> {
    for _ in 0..20 {
        one_of_the_claims_is_made(stores).await?;
        the_latest_login_stays(stores).await?;
    }
    let refreshes = no_refresh_is_lost(stores).await?;
    println!(
        "{name}: {TASKS} tasks over {CONNECTIONS} connections: 20 x 1 claim, 20 x 1 login, {refreshes} refreshes in turn"
    );
    Ok(())
}

async fn one_of_the_claims_is_made(stores: &Stores) -> Result<(), StoreError> {
    let key = signed_in(&*stores[0]).await?;
    let answers = at_once(stores, &key, |store, key, task| async move {
        store.run(&key, crate::claim(FIRST, ClaimId([task; 16]))).await
    });
    let answers = answers.await?;
    let count = |wanted: fn(&Answer) -> bool| answers.iter().filter(|answer| wanted(answer)).count();
    assert_eq!(count(|answer| matches!(answer, Answer::Claimed(row) if *row.value == VALUE)), 1, "{answers:?}");
    assert_eq!(count(|answer| matches!(answer, Answer::Busy { left: Some(3599..=3600) })), TASKS - 1, "{answers:?}");
    Ok(())
}

/// Each login but the last one is displaced once, so that each of them can be revoked.
async fn the_latest_login_stays(stores: &Stores) -> Result<(), StoreError> {
    let key = new_key();
    let answers = at_once(stores, &key, |store, key, task| async move {
        store.run(&key, write(None, login(task.into()), &[task])).await.map(|answer| (login(task.into()), answer))
    });
    let (mut written, mut displaced, mut first) = (HashSet::new(), HashSet::new(), 0);
    for (version, answer) in answers.await? {
        match answer {
            Answer::Changed(row) => {
                assert!(row.version.is_newer_than(version), "refused by an earlier one");
                continue;
            }
            Answer::Displaced(row) => assert!(displaced.insert(row.version), "displaced twice"),
            Answer::Done => first += 1,
            other => panic!("{other:?}"),
        }
        written.insert(version);
    }
    let latest = login(u64::try_from(TASKS - 1).expect("a number"));
    assert_eq!(first, 1, "one found no row");
    assert!(written.remove(&latest));
    assert_eq!(written, displaced);
    assert!(matches!(stores[0].run(&key, Op::Load).await?, Answer::Row(row) if row.version == latest));
    Ok(())
}

/// Each task refreshes until there were enough: with the claim it is alone, and it finds what the one before it has written.
async fn no_refresh_is_lost(stores: &Stores) -> Result<u32, StoreError> {
    static ALONE: AtomicBool = AtomicBool::new(true);
    static CLAIMS: AtomicU32 = AtomicU32::new(1);
    let key = signed_in(&*stores[0]).await?;
    let refreshed = at_once(stores, &key, |store, key, _| async move {
        let mut refreshes = 0;
        let mut version = FIRST;
        loop {
            let mut id = ClaimId([0; 16]);
            id.0[..4].copy_from_slice(&CLAIMS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            match store.run(&key, crate::claim(version, id)).await? {
                Answer::Claimed(_) => {}
                Answer::Changed(row) if row.version.refresh() >= REFRESHES => return Ok(refreshes),
                Answer::Changed(row) => {
                    version = row.version;
                    continue;
                }
                Answer::Busy { .. } => {
                    tokio::task::yield_now().await;
                    continue;
                }
                other => panic!("{other:?}"),
            }
            assert!(ALONE.swap(false, Ordering::SeqCst), "two hold the claim");
            let next = version.next(id);
            ALONE.store(true, Ordering::SeqCst);
            assert_eq!(store.run(&key, write(Some((version, id)), next, VALUE)).await?, Answer::Done);
            refreshes += 1;
            version = next;
            if version.refresh() >= REFRESHES {
                return Ok(refreshes);
            }
        }
    });
    let refreshes = refreshed.await?.into_iter().sum();
    let Answer::Row(row) = stores[0].run(&key, Op::Load).await? else { panic!("no row") };
    assert_eq!((row.version.refresh(), refreshes), (REFRESHES, REFRESHES));
    Ok(refreshes)
}

/// Runs what `act` makes for each task, all from the same moment on.
async fn at_once<T, F>(
    stores: &Stores,
    key: &Key,
    act: impl Fn(Arc<dyn AsyncStore>, Key, u8) -> F,
) -> Result<Vec<T>, StoreError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let start = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let number = u8::try_from(task).expect("a few tasks");
        let act = act(Arc::clone(&stores[task % stores.len()]), key.clone(), number);
        let start = Arc::clone(&start);
        tasks.spawn(async move {
            start.wait().await;
            act.await
        });
    }
    let mut done = Vec::new();
    while let Some(result) = tasks.join_next().await {
        done.push(result.expect("a task without a panic")?);
    }
    Ok(done)
}

const CONNECTIONS: usize = 8;
/// Far more than it takes.
const PATIENCE: Duration = Duration::from_secs(120);
const REFRESHES: u32 = 500;
const TASKS: usize = 32;
