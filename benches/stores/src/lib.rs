//! How fast sessions refresh through files, Redis and PostgreSQL, and what a million users cost.

pub mod refresh;
pub mod scale;
pub mod service;
pub mod users;

/// The servers of the tests.
#[allow(unreachable_pub, missing_docs, reason = "they are written for the tests")]
#[path = "../../../tests/src/servers"]
pub mod servers {
    mod postgres;
    mod process;
    mod redis;

    pub use postgres::{Postgres, connect};
    pub use redis::Redis;
}
