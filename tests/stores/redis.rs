//! What Redis does when it is short of memory, is a replica, fails over or is restarted, and what errors say.

use crate::{A, B, FIRST, VALUE, claim, login, new_key, redis_store, signed_in, write};
use proofkey_redis::Redis;
use proofkey_store::{Answer, AsyncStore, Key, Op, StoreError, StoreFault};
use proofkey_tests::servers::{self, Relay};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{FromRedisValue, cmd};
use std::time::Duration;

#[tokio::test]
async fn without_memory_no_claim_is_made_and_what_was_claimed_is_written() -> Result<(), StoreError> {
    let (store, server) = redis_store().await;
    let raw = &mut server.connect().await;
    let (refreshed, released, unclaimed) =
        (signed_in(&store).await?, signed_in(&store).await?, signed_in(&store).await?);
    for key in [&refreshed, &released] {
        assert!(matches!(store.run(key, claim(FIRST, A)).await?, Answer::Claimed(_)));
    }
    ask::<()>(raw, "CONFIG SET maxmemory 1").await;

    let error = store.run(&unclaimed, claim(FIRST, A)).await.expect_err("no memory");
    assert_eq!(error.fault(), StoreFault::Setup);
    assert!(error.to_string().contains("OOM"), "{error}");
    let error = store.run(&new_key(), write(None, FIRST, VALUE)).await.expect_err("no memory");
    assert_eq!(error.fault(), StoreFault::Setup);
    assert!(!error.to_string().contains("quotes"), "{error}");
    assert!(matches!(store.run(&unclaimed, Op::Load).await?, Answer::Row(_)));

    assert_eq!(store.run(&refreshed, write(Some((FIRST, A)), FIRST.next(A), VALUE)).await?, Answer::Done);
    assert!(matches!(store.run(&refreshed, Op::Load).await?, Answer::Row(row) if row.version == FIRST.next(A)));
    assert_eq!(store.run(&released, Op::Release { id: A, pause: 60 }).await?, Answer::Done);
    assert!(matches!(store.run(&released, Op::Load).await?, Answer::Row(row) if row.pause == 60));
    let sign_out = Op::Write { expect: None, version: login(1_800_000_000), value: None };
    assert!(matches!(store.run(&unclaimed, sign_out).await?, Answer::Displaced(_)));

    ask::<()>(raw, "CONFIG SET maxmemory 0").await;
    assert!(matches!(store.run(&released, claim(FIRST, B)).await?, Answer::Claimed(_)), "nobody had claimed it");
    Ok(())
}

#[tokio::test]
async fn a_server_that_evicts_is_found_at_the_start() -> Result<(), StoreError> {
    let (store, server) = redis_store().await;
    store.check().await?;
    let raw = &mut server.connect().await;
    for policy in ["allkeys-lru", "volatile-ttl"] {
        ask::<()>(raw, &format!("CONFIG SET maxmemory-policy {policy}")).await;
        let error = store.check().await.expect_err("a server that evicts");
        assert_eq!(error.fault(), StoreFault::Setup);
        assert!(
            error.to_string().ends_with(&format!(": maxmemory-policy is {policy}, and must be noeviction")),
            "{error}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_can_be_read_and_refuses_claims() -> Result<(), StoreError> {
    let pair = Pair::start().await;
    let key = signed_in(&pair.primary).await?;
    pair.in_step().await;
    assert!(matches!(pair.replica.run(&key, Op::Load).await?, Answer::Row(row) if *row.value == VALUE));
    for op in [claim(FIRST, A), write(None, login(1_800_000_000), VALUE)] {
        let error = pair.replica.run(&key, op).await.expect_err("a replica");
        assert_eq!(error.fault(), StoreFault::Unavailable);
        assert_eq!(error.to_string().matches("read only replica").count(), 1, "{error}");
    }
    Ok(())
}

/// The named loss. The claim is on the replica, so the spent token is not sent again without a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_lost_in_a_failover_leaves_the_claim() -> Result<(), StoreError> {
    let mut pair = Pair::start().await;
    let key = signed_in(&pair.primary).await?;
    pair.in_step().await;
    let waiting = pair.waiting();
    let claim = Op::Claim { version: FIRST, id: A, seconds: 1, over: None };
    assert!(matches!(waiting.run(&key, claim).await?, Answer::Claimed(_)));
    pair.cut().await;
    assert_eq!(pair.primary.run(&key, write(Some((FIRST, A)), FIRST.next(A), b"lost")).await?, Answer::Done);

    let (promoted, _server) = pair.fail_over().await;
    assert!(matches!(promoted.run(&key, Op::Load).await?, Answer::Row(row) if row.version == FIRST));
    let answer = loop {
        match promoted.run(&key, crate::claim(FIRST, B)).await? {
            Answer::Busy { .. } => tokio::time::sleep(Duration::from_millis(20)).await,
            answer => break answer,
        }
    };
    assert!(matches!(&answer, Answer::Lapsed { id: A, .. }), "{answer:?}");
    println!("Redis, failed over without the last write: {answer:?}");
    Ok(())
}

/// The same without waiting for replicas, and the claim is lost: two may refresh.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_lost_in_a_failover_is_made_again() -> Result<(), StoreError> {
    let mut pair = Pair::start().await;
    let key = signed_in(&pair.primary).await?;
    pair.in_step().await;
    pair.cut().await;
    assert!(matches!(pair.primary.run(&key, claim(FIRST, A)).await?, Answer::Claimed(_)));
    let (promoted, _server) = pair.fail_over().await;
    let answer = promoted.run(&key, claim(FIRST, B)).await?;
    assert!(matches!(answer, Answer::Claimed(_)));
    println!("Redis, failed over without the claim: {answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_replicas_do_not_have_fails_and_is_withdrawn() -> Result<(), StoreError> {
    let mut pair = Pair::start().await;
    let (new, renewed) = (signed_in(&pair.primary).await?, signed_in(&pair.primary).await?);
    pair.in_step().await;
    let waiting = pair.waiting();
    assert!(matches!(waiting.run(&renewed, claim(FIRST, A)).await?, Answer::Claimed(_)));
    pair.cut().await;
    for key in [&new, &renewed] {
        let error = waiting.run(key, claim(FIRST, A)).await.expect_err("no replica");
        assert_eq!(error.fault(), StoreFault::Unavailable);
        assert!(error.to_string().ends_with(": 0 of 1 replicas have the claim"), "{error}");
    }
    assert!(matches!(pair.primary.run(&new, claim(FIRST, B)).await?, Answer::Claimed(_)));
    // A token may have been sent under this one before.
    assert!(matches!(pair.primary.run(&renewed, claim(FIRST, B)).await?, Answer::Busy { .. }));
    Ok(())
}

#[tokio::test]
async fn a_restart_keeps_logins_claims_and_tombstones() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = servers::Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = Redis::new(server.connect_for_long().await);
    let (claimed, signed_out) = (signed_in(&store).await?, signed_in(&store).await?);
    assert!(matches!(store.run(&claimed, claim(FIRST, A)).await?, Answer::Claimed(_)));
    let later = login(1_800_000_000);
    store.run(&signed_out, Op::Write { expect: None, version: later, value: None }).await?;
    server.restart();

    let answer = loop {
        match store.run(&claimed, claim(FIRST, B)).await {
            // The manager connects anew, and the server does not know the scripts any more.
            Err(error) => assert_eq!(error.fault(), StoreFault::Unavailable, "{error}"),
            Ok(answer) => break answer,
        }
    };
    assert!(matches!(answer, Answer::Busy { .. }), "{answer:?}");
    assert_eq!(store.run(&claimed, write(Some((FIRST, A)), FIRST.next(A), VALUE)).await?, Answer::Done);
    assert_eq!(store.run(&signed_out, Op::Load).await?, Answer::SignedOut { version: later });
    Ok(())
}

#[tokio::test]
async fn only_tombstones_expire() -> Result<(), StoreError> {
    let (store, server) = redis_store().await;
    let raw = &mut server.connect().await;
    let key = signed_in(&store).await?;
    let name = name_of(&key);
    assert_eq!(ask::<i64>(raw, &format!("TTL {name}")).await, -1);
    store.run(&key, Op::Write { expect: None, version: login(1_800_000_000), value: None }).await?;
    let seconds = ask::<i64>(raw, &format!("TTL {name}")).await;
    assert!((86_300..=86_400).contains(&seconds), "{seconds}");
    store.run(&key, write(None, login(1_800_000_001), VALUE)).await?;
    assert_eq!(ask::<i64>(raw, &format!("TTL {name}")).await, -1);
    Ok(())
}

#[tokio::test]
async fn a_damaged_row_is_left_as_it_is() -> Result<(), StoreError> {
    let (store, server) = redis_store().await;
    let raw = &mut server.connect().await;
    for damage in
        ["SET KEY text", "HSET KEY v short w 1 d value", "HSET KEY w 1 d value", "HSET KEY v VERSION w text d value"]
    {
        let key = new_key();
        let damage = damage.replace("KEY", &name_of(&key)).replace("VERSION", &"v".repeat(36));
        ask::<()>(raw, &damage).await;
        let before: Vec<u8> = ask(raw, &format!("DUMP {}", name_of(&key))).await;
        let release = Op::Release { id: A, pause: 0 };
        let refresh = write(Some((FIRST, A)), FIRST.next(A), VALUE);
        for op in [Op::Load, claim(FIRST, A), release, refresh, write(None, FIRST, VALUE)] {
            let error = store.run(&key, op).await.expect_err("a damaged row");
            assert_eq!(error.fault(), StoreFault::Corrupt, "{damage}: {error}");
        }
        assert_eq!(ask::<Vec<u8>>(raw, &format!("DUMP {}", name_of(&key))).await, before);
    }
    Ok(())
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_lengthen_a_claim_for_long() -> Result<(), StoreError> {
    let (store, server) = redis_store().await;
    let raw = &mut server.connect().await;
    let key = signed_in(&store).await?;
    assert!(matches!(store.run(&key, claim(FIRST, A)).await?, Answer::Claimed(_)));
    // As if it had been made in the year 2100, for 25 seconds, and then a pause.
    let name = name_of(&key);
    ask::<i64>(raw, &format!("HSET {name} m 4102444800000 e 4102444825000 q 4102444800000 p 4102444860000")).await;
    assert_eq!(store.run(&key, claim(FIRST, B)).await?, Answer::Busy { left: Some(25) });
    let end: u64 = ask(raw, &format!("HGET {name} e")).await;
    assert!(end < 4_102_444_800_000, "{end}");
    assert!(matches!(store.run(&key, Op::Load).await?, Answer::Row(row) if row.pause == 0 && row.age < 60));
    Ok(())
}

#[tokio::test]
async fn stores_with_other_prefixes_are_apart() -> Result<(), StoreError> {
    let (store, server) = redis_store().await;
    let key = signed_in(&store).await?;
    let other = Redis::new(server.connect().await).with_prefix("other:");
    assert_eq!(other.run(&key, Op::Load).await?, Answer::Absent);
    assert_eq!(other.run(&key, write(None, FIRST, VALUE)).await?, Answer::Done);
    let mut names: Vec<String> = ask(&mut server.connect().await, "KEYS *").await;
    names.sort();
    assert_eq!(names, [format!("other:{}", key.digest()), name_of(&key)]);
    Ok(())
}

#[tokio::test]
async fn a_refused_user_is_a_fault_of_the_setup() -> Result<(), StoreError> {
    let (store, server) = redis_store().await;
    let key = signed_in(&store).await?;
    ask::<()>(&mut server.connect().await, "ACL SETUSER default -@scripting").await;
    let error = store.run(&key, Op::Load).await.expect_err("a refused user");
    assert_eq!(error.fault(), StoreFault::Setup);
    assert!(error.to_string().contains("no permissions"), "{error}");
    Ok(())
}

/// A primary, and a replica that follows it through a relay.
struct Pair {
    primary: Redis<MultiplexedConnection>,
    replica: Redis<MultiplexedConnection>,
    servers: (servers::Redis, servers::Redis),
    relay: Option<Relay>,
    connection: MultiplexedConnection,
}

impl Pair {
    async fn start() -> Self {
        let first = servers::Redis::start();
        let relay = Relay::start(first.socket()).await;
        let port = relay.address().port().to_string();
        let second = servers::Redis::with(&["--save", "", "--replicaof", &format!("127.0.0.1 {port}")]);
        let connection = first.connect().await;
        Self {
            primary: Redis::new(connection.clone()),
            replica: Redis::new(second.connect().await),
            servers: (first, second),
            relay: Some(relay),
            connection,
        }
    }

    /// Waits until the replica has what was written over this connection.
    async fn in_step(&self) {
        let raw = &mut self.connection.clone();
        while ask::<u32>(raw, "WAIT 1 100").await == 0 {}
    }

    /// The primary, with claims that the replica must have.
    fn waiting(&self) -> Redis<MultiplexedConnection> {
        self.primary.clone().with_replicas(1, Duration::from_millis(300))
    }

    /// From now on, nothing comes to the replica.
    async fn cut(&mut self) {
        self.relay.take().expect("a relay").end().await;
    }

    /// Ends the primary, and promotes the replica.
    async fn fail_over(self) -> (Redis<MultiplexedConnection>, servers::Redis) {
        let (first, second) = self.servers;
        drop(first);
        ask::<()>(&mut second.connect().await, "REPLICAOF NO ONE").await;
        (self.replica, second)
    }
}

fn name_of(key: &Key) -> String {
    format!("proofkey:{}", key.digest())
}

async fn ask<T: FromRedisValue>(connection: &mut impl ConnectionLike, command: &str) -> T {
    let mut words = command.split(' ');
    let mut command = cmd(words.next().expect("a name"));
    command.arg(words.collect::<Vec<_>>());
    command.query_async(connection).await.expect("an answer")
}
