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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn each_error_has_its_fault() {
        for (said, fault) in [
            ("BUSY Redis is busy running a script.", StoreFault::Unavailable),
            ("CLUSTERDOWN The cluster is down", StoreFault::Unavailable),
            ("LOADING Redis is loading the dataset in memory", StoreFault::Unavailable),
            ("MASTERDOWN Link with MASTER is down", StoreFault::Unavailable),
            ("MISCONF Errors writing to the AOF file: No space left on device", StoreFault::Setup),
            ("NOAUTH Authentication required.", StoreFault::Setup),
            ("NOPERM this user has no permissions", StoreFault::Setup),
            ("NOREPLICAS Not enough good replicas to write.", StoreFault::Unavailable),
            ("OOM command not allowed when used memory > 'maxmemory'.", StoreFault::Setup),
            ("READONLY You can't write against a read only replica.", StoreFault::Unavailable),
            ("TRYAGAIN Multiple keys request during rehashing of slot", StoreFault::Unavailable),
            ("WRONGTYPE Operation against a key", StoreFault::Corrupt),
        ] {
            let reply = redis::parse_redis_value(format!("-{said}\r\n").as_bytes()).unwrap();
            assert_eq!(of(reply.extract_error().unwrap_err()).fault(), fault, "{said}");
        }
        let broken = RedisError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(of(broken).to_string(), "the store cannot be reached; try again: broken pipe");
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let error = of(redis::parse_redis_value(b"?secret\r\n").unwrap_err());
        assert_eq!(error.fault(), StoreFault::Unavailable);
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}
