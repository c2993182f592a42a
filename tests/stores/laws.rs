//! The laws of a store.

use crate::{postgres_store, redis_store};
use proofkey_store::laws::{Broken, Laws};

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_laws() -> Result<(), Broken> {
    let (store, _server) = redis_store().await;
    Laws::new().check_async(&store, tokio::time::sleep).await?;
    println!("Redis keeps all {} laws", Laws::names().count());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_laws() -> Result<(), Broken> {
    let (store, _client, _server) = postgres_store().await;
    Laws::new().check_async(&store, tokio::time::sleep).await?;
    println!("PostgreSQL keeps all {} laws", Laws::names().count());
    Ok(())
}
