//! Keeps logins in PostgreSQL.
//!
//! ```no_run
//! use proofkey_postgres::Postgres;
//! use std::sync::Arc;
//! use tokio_postgres::NoTls;
//!
//! # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
//! let (client, connection) = tokio_postgres::connect("host=127.0.0.1 user=service", NoTls).await?;
//! tokio::spawn(connection);
//! let store = Postgres::new(Arc::new(client));
//! store.create_table().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Each login is one row, and each operation is one statement that locks it, so no lock outlives a statement. The clock is that of
//! the server. Statements have no names, so `pgbouncer` can pool them. There are no advisory locks.
//!
//! # What the server must be
//! - The primary. A standby refuses to claim and to write, but it answers `Load`, with what may be old.
//! - Durable: if `synchronous_commit` is off, or the standby that is promoted is asynchronous, a write or a claim may be lost. Then
//!   the spent refresh token comes back, and the login may end.
//!
//! Operations must not be part of a transaction of yours, since a claim has to stay if you roll back. Give the store a connection
//! of its own or a pool, at the isolation level `READ COMMITTED`, which is the default. With a stricter one, those who come at the
//! same time are told to try again.
//!
//! Tokens are stored as they come: seal them first (`Sealed` of `proofkey-store`). Copies in the driver's buffers are not wiped.

mod answer;
mod error;
pub mod sql;

use proofkey_store::{Answer, AsyncStore, BoxFuture, Key, Op, StoreError, StoreFault};
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// Logins in the table `proofkey_logins`, over connections of the crate `tokio-postgres`.
///
/// Timeouts are left to the connection and to the server (`statement_timeout`, `lock_timeout`, `tcp_user_timeout`).
#[derive(Clone)]
pub struct Postgres {
    clients: Arc<dyn Fn() -> BoxFuture<'static, Result<Lent, StoreError>> + Send + Sync>,
}

impl Postgres {
    /// A store over one connection. If it is lost, all that follows is
    /// [`Unavailable`](StoreFault::Unavailable): what runs for long needs [a pool](Self::from_pool).
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        Self {
            clients: Arc::new(move || {
                let client: Lent = Box::new(Arc::clone(&client));
                Box::pin(async { Ok(client) })
            }),
        }
    }

    /// A store over a pool: `get` takes a connection out of it, and `client` is the client in that.
    ///
    /// ```no_run
    /// # fn store(pool: deadpool_postgres::Pool) -> proofkey_postgres::Postgres {
    /// proofkey_postgres::Postgres::from_pool(
    ///     move || {
    ///         let pool = pool.clone();
    ///         async move { pool.get().await }
    ///     },
    ///     |client| client,
    /// )
    /// # }
    /// ```
    pub fn from_pool<C, E, F>(get: impl Fn() -> F + Send + Sync + 'static, client: fn(&C) -> &Client) -> Self
    where
        C: Send + Sync + 'static,
        E: std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<C, E>> + Send + 'static,
    {
        Self {
            clients: Arc::new(move || {
                let pooled = get();
                Box::pin(async move {
                    let lent: Lent = Box::new(Pooled(pooled.await.map_err(error::of)?, client));
                    Ok(lent)
                })
            }),
        }
    }

    /// Makes the table `proofkey_logins`, if it is not there, in the first schema of the `search_path`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_table(&self) -> Result<(), StoreError> {
        match (self.clients)().await?.batch_execute(sql::TABLE).await {
            // Another one makes it at the same time, which `IF NOT EXISTS` does not see.
            Err(error) if error::is_duplicate(&error) => Ok(()),
            made => made.map_err(error::of),
        }
    }

    /// Deletes the tombstones that are older than a day, and says how many. Once a day is enough.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn purge(&self) -> Result<u64, StoreError> {
        (self.clients)().await?.execute_typed(sql::PURGE, &[]).await.map_err(error::of)
    }

    async fn answer(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let client = (self.clients)().await?;
        let key = key.digest();
        let key = (&key as Parameter<'_>, Type::TEXT);
        match op {
            Op::Load => one(&client, sql::LOAD, &[key]).await,
            Op::Claim { version, id, seconds, over } => {
                let over = over.map(|over| over.0);
                let (version, id, over) = (&version.to_bytes()[..], &id.0[..], over.as_ref().map(|over| &over[..]));
                let parameters = [
                    key,
                    (&version, Type::BYTEA),
                    (&id, Type::BYTEA),
                    (&i32::from(seconds), Type::INT4),
                    (&over, Type::BYTEA),
                ];
                one(&client, sql::CLAIM, &parameters).await
            }
            Op::Release { id, pause } => {
                let parameters = [key, (&&id.0[..], Type::BYTEA), (&i64::from(pause), Type::INT8)];
                one(&client, sql::RELEASE, &parameters).await
            }
            Op::Write { expect: Some((expected, claim)), version, value } => {
                let (expected, claim, version) = (&expected.to_bytes()[..], &claim.0[..], &version.to_bytes()[..]);
                let parameters = [
                    key,
                    (&expected, Type::BYTEA),
                    (&claim, Type::BYTEA),
                    (&version, Type::BYTEA),
                    (&value, Type::BYTEA),
                ];
                one(&client, sql::WRITE_EXPECTED, &parameters).await
            }
            Op::Write { expect: None, version, value } => {
                let version = &version.to_bytes()[..];
                let parameters = [key, (&version, Type::BYTEA), (&value, Type::BYTEA)];
                for _ in 0..WRITE_TRIES {
                    match one(&client, sql::WRITE_NEWER, &parameters).await? {
                        // The first login came in after this statement had begun to look.
                        Answer::Absent => {}
                        answer => return Ok(answer),
                    }
                }
                Err(StoreError::new(StoreFault::Unavailable))
            }
            _ => Err(StoreError::new(StoreFault::Setup)),
        }
    }
}

impl AsyncStore for Postgres {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(self.answer(key, op))
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

type Parameter<'a> = &'a (dyn ToSql + Sync);
type Lent = Box<dyn Deref<Target = Client> + Send + Sync>;

/// A connection of a pool, and the way to the client in it.
struct Pooled<C>(C, fn(&C) -> &Client);

impl<C> Deref for Pooled<C> {
    type Target = Client;

    fn deref(&self) -> &Client {
        (self.1)(&self.0)
    }
}

async fn one(client: &Client, statement: &str, parameters: &[(Parameter<'_>, Type)]) -> Result<Answer, StoreError> {
    let row = client.query_typed_opt(statement, parameters).await.map_err(error::of)?;
    row.map_or(Ok(Answer::Absent), |row| answer::read(&row))
}

/// A row comes in between once. For a second time it must also have been deleted.
const WRITE_TRIES: u8 = 4;
