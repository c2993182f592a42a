//! Redis and PostgreSQL: real servers, each in a folder of its own and at a socket in it. They end when they are dropped, and
//! with the process of the test.

mod postgres;
mod process;
mod redis;
mod relay;

pub use postgres::{Postgres, connect};
pub use redis::Redis;
pub use relay::{Fault, Relay};
