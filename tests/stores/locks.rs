//! PostgreSQL's locks: what an operation does that has waited for another one.

use crate::{A, B, FIRST, VALUE, claim, login, new_key, postgres_store, signed_in, write};
use proofkey_postgres::Postgres;
use proofkey_store::{Answer, AsyncStore, Key, Op, StoreError, StoreFault};
use proofkey_tests::servers::{self, connect};
use std::error::Error;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};

/// With the time of before the wait, the claim would be shorter by the wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_begins_after_the_wait_for_the_lock() -> Result<(), Box<dyn Error>> {
    let (store, client, server) = postgres_store().await;
    let key = signed_in(&store).await?;
    for end in ["COMMIT", "ROLLBACK"] {
        let lock = Lock::of(&key, &client, &server).await?;
        let claiming = start(&store, &key, claim(FIRST, A));
        lock.is_waited_for().await?;
        let time = "SELECT clock_timestamp()::text";
        let before_end: String = lock.client.query_one(time, &[]).await?.get(0);
        lock.client.batch_execute(end).await?;
        assert!(matches!(claiming.await??, Answer::Claimed(_)));
        let question = "SELECT claimed > $2::text::timestamptz FROM proofkey_logins WHERE key = $1";
        assert!(client.query_one(question, &[&key.digest(), &before_end]).await?.get::<_, bool>(0), "{end}");
    }
    Ok(())
}

/// What was committed meanwhile counts, not what was there when the statement began.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_during_the_wait_is_answered() -> Result<(), Box<dyn Error>> {
    let (store, client, server) = postgres_store().await;
    let claimed = "UPDATE proofkey_logins SET claim = '\\x0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b',
        claimed = clock_timestamp(), claim_ends = clock_timestamp() + interval '1 hour' WHERE key = $1";
    let signed_out = "UPDATE proofkey_logins SET value = NULL WHERE key = $1";
    let gone = "DELETE FROM proofkey_logins WHERE key = $1";
    let refresh = write(Some((FIRST, A)), FIRST.next(A), VALUE);
    let later = write(None, login(1_800_000_000), VALUE);
    let release = Op::Release { id: A, pause: 0 };
    for (change, op, is_right) in [
        (
            claimed,
            claim(FIRST, A),
            (|answer| matches!(answer, Answer::Busy { left: Some(3600) })) as fn(&Answer) -> bool,
        ),
        (claimed, claim(FIRST, B), |answer| matches!(answer, Answer::Claimed(_))),
        (claimed, refresh, |answer| *answer == Answer::Fenced),
        (claimed, release, |answer| *answer == Answer::Fenced),
        (claimed, later, |answer| matches!(answer, Answer::Displaced(row) if row.version == FIRST)),
        (signed_out, claim(FIRST, A), |answer| *answer == Answer::SignedOut { version: FIRST }),
        (signed_out, later, |answer| *answer == Answer::Done),
        (gone, claim(FIRST, A), |answer| *answer == Answer::Absent),
        (gone, refresh, |answer| *answer == Answer::Absent),
        (gone, later, |answer| *answer == Answer::Done),
    ] {
        let key = signed_in(&store).await?;
        let lock = Lock::of(&key, &client, &server).await?;
        let running = start(&store, &key, op);
        lock.is_waited_for().await?;
        lock.client.execute(change, &[&key.digest()]).await?;
        lock.client.batch_execute("COMMIT").await?;
        let answer = running.await??;
        assert!(is_right(&answer), "{change}: {op:?}: {answer:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_first_logins_the_second_finds_the_first() -> Result<(), Box<dyn Error>> {
    let (store, client, server) = postgres_store().await;
    for (end, second, is_right) in [
        (
            "COMMIT",
            login(1_800_000_000),
            (|answer| matches!(answer, Answer::Displaced(row) if row.version == FIRST)) as fn(&Answer) -> bool,
        ),
        ("COMMIT", login(1_600_000_000), |answer| matches!(answer, Answer::Changed(row) if row.version == FIRST)),
        ("ROLLBACK", login(1_600_000_000), |answer| *answer == Answer::Done),
    ] {
        let key = new_key();
        let first = Lock::begin(&client, &server).await?;
        let insert =
            "INSERT INTO proofkey_logins (key, version, value, written) VALUES ($1, $2, $3, clock_timestamp())";
        first.client.execute(insert, &[&key.digest(), &&FIRST.to_bytes()[..], &VALUE]).await?;
        let running = start(&store, &key, write(None, second, VALUE));
        first.is_waited_for().await?;
        first.client.batch_execute(end).await?;
        let answer = running.await??;
        assert!(is_right(&answer), "{end}: {answer:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_or_a_lock_that_is_not_had_in_time_is_tried_again() -> Result<(), Box<dyn Error>> {
    let (store, client, server) = postgres_store().await;
    for (options, code) in [
        ("-c default_transaction_isolation=serializable", "40001"),
        ("-c lock_timeout=1", "55P03"),
        ("-c statement_timeout=50", "57014"),
    ] {
        let key = signed_in(&store).await?;
        let mut config = config_of(&client, &server).await?;
        let store = Postgres::new(Arc::new(connect(config.options(options)).await));
        let lock = Lock::of(&key, &client, &server).await?;
        let claiming = start(&store, &key, claim(FIRST, A));
        if code == "40001" {
            lock.is_waited_for().await?;
            lock.client.batch_execute("UPDATE proofkey_logins SET written = written; COMMIT").await?;
        }
        let error = claiming.await?.expect_err(code);
        assert_eq!(error.fault(), StoreFault::Unavailable, "{error}");
        let source =
            error.source().and_then(|source| source.downcast_ref::<tokio_postgres::Error>()).expect("the driver's");
        assert_eq!(source.code().expect("a code").code(), code);
    }
    Ok(())
}

/// The lock on a row that a transaction holds.
struct Lock {
    client: Client,
    id: i32,
}

impl Lock {
    async fn of(key: &Key, of: &Client, server: &servers::Postgres) -> Result<Self, tokio_postgres::Error> {
        let lock = Self::begin(of, server).await?;
        lock.client.query_one("SELECT FROM proofkey_logins WHERE key = $1 FOR UPDATE", &[&key.digest()]).await?;
        Ok(lock)
    }

    /// A transaction in the database of `of`.
    async fn begin(of: &Client, server: &servers::Postgres) -> Result<Self, tokio_postgres::Error> {
        let client = connect(&config_of(of, server).await?).await;
        let id = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        client.batch_execute("BEGIN").await?;
        Ok(Self { client, id })
    }

    /// Waits until somebody waits for it.
    async fn is_waited_for(&self) -> Result<(), tokio_postgres::Error> {
        let question = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
        while self.client.query_one(question, &[&self.id]).await?.get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// How to connect to the database of `client`.
async fn config_of(client: &Client, server: &servers::Postgres) -> Result<Config, tokio_postgres::Error> {
    let mut config = server.config();
    config.dbname(client.query_one("SELECT current_database()::text", &[]).await?.get::<_, &str>(0));
    Ok(config)
}

/// Runs an operation in a task of its own.
fn start(store: &Postgres, key: &Key, op: Op<'static>) -> JoinHandle<Result<Answer, StoreError>> {
    let (store, key) = (store.clone(), key.clone());
    tokio::spawn(async move { store.run(&key, op).await })
}
