//! What errors of the driver and of the server mean.

use proofkey_store::{StoreError, StoreFault};
use redis::{ErrorKind, RedisError};
use std::{error, fmt};

pub(crate) fn of(error: RedisError) -> StoreError {
    if error.kind() == ErrorKind::Parse {
        // Its text may quote what could not be read.
        return StoreError::new(StoreFault::Unavailable).because(Problem::Reply);
    }
    StoreError::new(fault(&error)).because(error)
}

pub(crate) fn corrupt() -> StoreError {
    StoreError::new(StoreFault::Corrupt)
}

fn fault(error: &RedisError) -> StoreFault {
    if let Some(errors) = error.clone().into_server_errors() {
        return match errors.first().map_or("", |(_, error)| error.code()) {
            "WRONGTYPE" => StoreFault::Corrupt,
            "ASK" | "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "MOVED" | "NOREPLICAS" | "READONLY"
            | "TRYAGAIN" | "UNBLOCKED" => StoreFault::Unavailable,
            _ => StoreFault::Setup,
        };
    }
    match error.kind() {
        ErrorKind::ClusterConnectionNotFound
        | ErrorKind::Io
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel => StoreFault::Unavailable,
        _ => StoreFault::Setup,
    }
}

/// What is wrong although the server answered.
#[derive(Debug)]
pub(crate) enum Problem {
    Evicts(String),
    NoPolicy,
    Replicas { wanted: u32, found: u32 },
    Reply,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evicts(policy) => write!(f, "maxmemory-policy is {policy}, and must be noeviction"),
            Self::NoPolicy => f.write_str("the server does not tell its maxmemory-policy"),
            Self::Replicas { wanted, found } => write!(f, "{found} of {wanted} replicas have the claim"),
            Self::Reply => f.write_str("the reply cannot be read"),
        }
    }
}

impl error::Error for Problem {}
