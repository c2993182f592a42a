//! How many operations a second each server does, one after the other. Only reported, and only on request: `--ignored`.

use crate::{A, FIRST, claim, login, new_key, postgres_store, redis_store, write};
use proofkey_store::{AsyncStore, Op, StoreError};
use std::time::Instant;

#[tokio::test]
#[ignore = "it measures, and proves nothing"]
async fn redis_operations_a_second() -> Result<(), StoreError> {
    let (store, _server) = redis_store().await;
    measure("Redis", &store).await
}

#[tokio::test]
#[ignore = "it measures, and proves nothing"]
async fn postgres_operations_a_second() -> Result<(), StoreError> {
    let (store, _client, _server) = postgres_store().await;
    measure("PostgreSQL", &store).await
}

async fn measure(name: &str, store: &dyn AsyncStore) -> Result<(), StoreError> {
    let key = new_key();
    let value = [b'x'; 1024];
    store.run(&key, write(None, FIRST, &value)).await?;
    let mut times =
        [("Load", 0.0), ("Claim", 0.0), ("Release", 0.0), ("Write with expect", 0.0), ("Write without", 0.0)];
    let mut version = FIRST;
    for round in 0..ROUNDS {
        let next = version.next(A);
        let later = login(FIRST.login().since() + 1 + u64::from(round));
        let ops = [
            Op::Load,
            claim(version, A),
            Op::Release { id: A, pause: 0 },
            write(Some((version, A)), next, &value),
            write(None, later, &value),
        ];
        for (op, (_, time)) in ops.into_iter().zip(&mut times) {
            let begun = Instant::now();
            store.run(&key, op).await?;
            *time += begun.elapsed().as_secs_f64();
        }
        version = later;
    }
    for (op, time) in times {
        println!("{name}: {op}: {:.0} a second", f64::from(ROUNDS) / time);
    }
    Ok(())
}

const ROUNDS: u32 = 3_000;
