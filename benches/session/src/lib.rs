//! How fast sessions are: a valid token beside other crates that keep one, refreshes through stores, and a million users.

pub mod accounts;
pub mod contender;
pub mod endpoint;
pub mod ours;
pub mod peers;
pub mod refresh;
pub mod scale;
pub mod service;
pub mod users;
pub mod yardsticks;

/// Rounds over sockets, of the other benches.
#[path = "../../io/src/measure.rs"]
pub mod measure;
/// The memory of this process.
#[path = "../../io/src/memory.rs"]
pub mod memory;

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
