//! A service with many users, in a process of its own so that its memory can be told.

use crate::users::KEPT;
use crate::users::{any, client, name};
use proofkey_postgres::Postgres;
use proofkey_reqwest::{Http, Sessions, Settings};
use proofkey_store::AsyncStore;
use redis::AsyncConnectionConfig;
use std::convert::Infallible;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io};
use tokio::task::JoinSet;
use tokio_postgres::Config;

/// Serves so many users of the store at `socket`, and prints a row of the table.
///
/// # Errors
/// If there is no such store.
pub async fn run(kind: &str, socket: &Path, users: usize, origin: &str, idle: bool) -> io::Result<()> {
    let store = connect(kind, socket).await?;
    let client = client(origin);
    let http = Http::with_settings(Settings::new().with_kept_connections(KEPT)).map_err(io::Error::other)?;
    let sessions = Sessions::new(&http, client.as_client(), store);
    let before = memory()?;

    let come = users.min(COME);
    let first = rate(&sessions, come, move |sessions, call| hand_out(sessions, any(call, users))).await;
    let (all, in_memory) = (memory()?, sessions.in_memory());
    // These came last.
    let few = users.min(1_000);
    let again =
        rate(&sessions, HANDED_OUT, move |sessions, call| hand_out(sessions, any(come - 1 - call % few, users)));
    let again = again.await;
    let refreshed = rate(&sessions, REFRESHED, move |sessions, call| async move {
        let token = sessions.of(&name(any(call, users))).refresh().await.expect("a token");
        assert!(token.trouble().is_none());
    });
    let refreshed = refreshed.await;
    sessions.settle().await.map_err(io::Error::other)?;
    let row =
        format!("| {kind} | {users} | {first:.0} | {again:.0} | {refreshed:.0} | {before} | {all} / {in_memory} |");
    if !idle {
        println!("{row} |");
        return Ok(());
    }
    tokio::time::sleep(IDLE).await;
    rate(&sessions, few, move |sessions, call| hand_out(sessions, any(call, users))).await;
    println!("{row} {} / {} |", memory()?, sessions.in_memory());
    Ok(())
}

async fn hand_out(sessions: Sessions, user: usize) {
    let token = sessions.of(&name(user)).access_token().await.expect("a token");
    assert!(token.trouble().is_none());
}

/// Runs so many calls, some at a time, and returns how many a second there were.
async fn rate<F>(sessions: &Sessions, calls: usize, call: impl Fn(Sessions, usize) -> F + Clone + Send + 'static) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..AT_A_TIME {
        let (sessions, next, call) = (sessions.clone(), Arc::clone(&next), call.clone());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return;
                }
                call(sessions.clone(), number).await;
                // A token that is there is handed out at once, and others wait for the store.
                tokio::task::consume_budget().await;
            }
        });
    }
    tasks.join_all().await;
    calls as f64 / begun.elapsed().as_secs_f64()
}

/// The store of this kind at this socket.
///
/// # Errors
/// If there is none.
pub async fn connect(kind: &str, socket: &Path) -> io::Result<Arc<dyn AsyncStore>> {
    match kind {
        REDIS => {
            let connection = redis(socket)?
                .get_multiplexed_async_connection_with_config(&patient())
                .await
                .map_err(io::Error::other)?;
            Ok(Arc::new(proofkey_redis::Redis::new(connection)))
        }
        POSTGRES => {
            let store = postgres(&config(socket)).await;
            store.create_table().await.map_err(io::Error::other)?;
            Ok(Arc::new(store))
        }
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// A client of the server of the tests.
///
/// # Errors
/// If that is no path.
pub fn redis(socket: &Path) -> io::Result<redis::Client> {
    redis::Client::open(format!("redis+unix://{}", socket.display())).map_err(io::Error::other)
}

/// With more patience than by default, since the machine is shared.
#[must_use]
pub fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(30)))
}

/// How to connect to the server of the tests.
#[must_use]
pub fn config(socket: &Path) -> Config {
    let mut config = Config::new();
    config.host_path(socket).user("postgres").dbname("postgres");
    config
}

/// A store over as many connections as a small pool would have.
///
/// # Panics
/// If there is no server.
pub async fn postgres(config: &Config) -> Postgres {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Arc::new(crate::servers::connect(config).await));
    }
    let next = AtomicUsize::new(0);
    let get = move || {
        let turn = next.fetch_add(1, Ordering::Relaxed) % clients.len();
        let client = Arc::clone(&clients[turn]);
        async move { Ok::<_, Infallible>(client) }
    };
    Postgres::from_pool(get, |client| client)
}

/// The memory of this process in MiB: what is resident of it.
fn memory() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    Ok(kib / 1024)
}

/// How long idle users stay, and a moment.
const IDLE: Duration = Duration::from_secs(602);
/// The name of a kind.
pub const REDIS: &str = "Redis";
/// The name of a kind.
pub const POSTGRES: &str = "PostgreSQL";
const AT_A_TIME: usize = 64;
/// How many users come at most: more than there is room for.
const COME: usize = 200_000;
const CONNECTIONS: usize = 8;
const HANDED_OUT: usize = 200_000;
const REFRESHED: usize = 5_000;
