//! The laws of a store.

use crate::{postgres, redis};
use proofkey_store::laws::{Broken, Laws};

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_laws() -> Result<(), Broken> {
    let place = redis().await;
    Laws::new().check_async(&place.store, tokio::time::sleep).await?;
    println!("Redis keeps all {} laws", Laws::names().count());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_laws() -> Result<(), Broken> {
    let place = postgres().await;
    Laws::new().check_async(&place.store, tokio::time::sleep).await?;
    println!("PostgreSQL keeps all {} laws", Laws::names().count());
    Ok(())
}
