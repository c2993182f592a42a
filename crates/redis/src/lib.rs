//! Keeps logins in Redis or Valkey.
//!
//! ```no_run
//! use proofkey_redis::Redis;
//!
//! # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
//! let client = redis::Client::open("redis://127.0.0.1/")?;
//! let store = Redis::new(client.get_connection_manager().await?).with_prefix("my-service:login:");
//! store.check().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Each login is one hash, and each operation is one script on that one key, so it works in a cluster. The clock is that of the
//! server. A login does not expire by itself; the mark of a sign-out does, after a day.
//!
//! # What the server must be
//! - Redis 7 or later, or Valkey.
//! - The primary. A replica refuses to claim and to write, but it answers `Load`, with what may be old.
//! - Set to `maxmemory-policy noeviction`, which is the default: see [`Redis::check`]. If memory runs out, claims are refused, so
//!   no refresh token is spent. What a live claim was for is still written.
//! - Durable enough. Replication is asynchronous, and `appendfsync everysec` may lose a second. If a claim is lost with the
//!   primary, two processes may refresh at once. If only the write is lost, the spent refresh token comes back; the claim is
//!   still there, lapses, and tells of it. [`Redis::with_replicas`] waits until replicas have the claim.
//!
//! Tokens are stored as they come: seal them first (`Sealed` of `proofkey-store`). Copies in the driver's buffers are not wiped.

mod answer;
mod error;
mod script;

use crate::script::{Call, Scripts};
use proofkey_store::{Answer, AsyncStore, BoxFuture, ClaimId, Key, Op, StoreError, StoreFault};
use redis::aio::ConnectionLike;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Logins in Redis, over a connection of the crate `redis`: a `ConnectionManager`, a `MultiplexedConnection` or a
/// `ClusterConnection`.
///
/// Timeouts and lost connections are left to the connection. This store sends nothing twice.
#[derive(Clone)]
pub struct Redis<C> {
    connection: C,
    prefix: Arc<str>,
    replicas: Option<(u32, Duration)>,
    scripts: Arc<Scripts>,
}

impl<C: ConnectionLike + Clone + Send + Sync> Redis<C> {
    /// A store over this connection, which is cloned for each operation.
    pub fn new(connection: C) -> Self {
        Self { connection, prefix: "proofkey:".into(), replicas: None, scripts: Arc::default() }
    }

    /// What each name starts with, in place of `proofkey:`. The digest of the login's [`Key`] follows.
    #[must_use]
    pub fn with_prefix(self, prefix: impl Into<Arc<str>>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Makes a claim fail unless this many replicas have it within `timeout` (`WAIT`). A replica that has it and is promoted
    /// knows that the refresh token may be spent.
    ///
    /// The time is rounded down to milliseconds, and must be shorter than the connection's own. The wait holds up what else is
    /// sent over the same connection. It is for a server with replicas, not for a cluster.
    #[must_use]
    pub fn with_replicas(self, replicas: u32, timeout: Duration) -> Self {
        Self { replicas: Some((replicas, timeout)), ..self }
    }

    /// Checks that the server evicts nothing. With a policy other than `noeviction`, it may drop a login or a claim. Call it once
    /// at the start.
    ///
    /// # Errors
    /// [`StoreError`]: the fault is [`StoreFault::Setup`] if the server evicts.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut connection = self.connection.clone();
        let info = redis::cmd("INFO").arg("memory").query_async(&mut connection).await.map_err(error::of)?;
        answer::check_policy(&info)
    }

    async fn answer(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let name = format!("{}{}", self.prefix, key.digest());
        let connection = &mut self.connection.clone();
        let reply = match op {
            Op::Load => self.scripts.load.call(&name, &[]).run(connection).await,
            Op::Claim { version, id, seconds, over } => {
                let (version, seconds, over) = (version.to_bytes(), seconds.to_string(), over.map(|over| over.0));
                let over = over.as_ref().map_or(&[][..], |over| over);
                let args: [&[u8]; 4] = [&version, &id.0, seconds.as_bytes(), over];
                let claim = self.scripts.claim.call(&name, &args);
                match self.replicas {
                    Some(replicas) => return self.claim_with_replicas(&name, claim, id, replicas).await,
                    None => claim.run(connection).await,
                }
            }
            Op::Release { id, pause } => {
                self.scripts.release.call(&name, &[&id.0, pause.to_string().as_bytes()]).run(connection).await
            }
            Op::Write { expect, version, value } => {
                let version = version.to_bytes();
                match expect {
                    Some((expected, claim)) => {
                        let (expected, claim) = (expected.to_bytes(), claim.0);
                        let args = [&expected[..], &claim, &version].into_iter().chain(value).collect::<Vec<_>>();
                        self.scripts.write_expected.call(&name, &args).run(connection).await
                    }
                    None => {
                        let args = [&version[..]].into_iter().chain(value).collect::<Vec<_>>();
                        self.scripts.write_newer.call(&name, &args).run(connection).await
                    }
                }
            }
            _ => return Err(StoreError::new(StoreFault::Setup)),
        };
        answer::read(reply.map_err(error::of)?)
    }

    async fn claim_with_replicas(
        &self,
        name: &str,
        claim: Call<'_>,
        id: ClaimId,
        (wanted, timeout): (u32, Duration),
    ) -> Result<Answer, StoreError> {
        let connection = &mut self.connection.clone();
        let (reply, found) = claim.run_and_wait(connection, wanted, timeout).await.map_err(error::of)?;
        let is_new = answer::is_new_claim(&reply);
        let answer = answer::read(reply)?;
        if !matches!(answer, Answer::Claimed(_)) || found >= wanted {
            return Ok(answer);
        }
        if is_new {
            // Nothing was sent under it, so nobody should have to wait for its end. If this fails, it ends by itself.
            drop(self.scripts.release.call(name, &[&id.0, b"0"]).run(connection).await);
        }
        Err(StoreError::new(StoreFault::Unavailable).because(error::Problem::Replicas { wanted, found }))
    }
}

impl<C: ConnectionLike + Clone + Send + Sync> AsyncStore for Redis<C> {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(self.answer(key, op))
    }
}

impl<C> fmt::Debug for Redis<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, replicas, .. } = self;
        f.debug_struct("Redis").field("prefix", prefix).field("replicas", replicas).finish_non_exhaustive()
    }
}
