//! What errors of the driver, of a pool and of the server mean.

use proofkey_store::{StoreError, StoreFault};
use std::{error, fmt};
use tokio_postgres::error::{DbError, SqlState};

/// An error of the driver, or one of a pool that has it for a cause.
pub(crate) fn of(error: impl error::Error + Send + Sync + 'static) -> StoreError {
    let mut cause: Option<&(dyn error::Error + 'static)> = Some(&error);
    while let Some(found) = cause {
        if let Some(said) = found.downcast_ref::<DbError>() {
            let store_error = StoreError::new(fault(said.code().code()));
            // The details of a violated constraint are the whole row.
            return match said.detail() {
                Some(_) => store_error.because(Undetailed(said.code().code().to_owned(), said.message().to_owned())),
                None => store_error.because(error),
            };
        }
        cause = found.source();
    }
    StoreError::new(StoreFault::Unavailable).because(error)
}

/// Whether something of this name is there already.
pub(crate) fn is_duplicate(error: &tokio_postgres::Error) -> bool {
    let duplicate = [SqlState::DUPLICATE_OBJECT, SqlState::DUPLICATE_TABLE, SqlState::UNIQUE_VIOLATION];
    error.code().is_some_and(|code| duplicate.contains(code))
}

/// By SQLSTATE.
fn fault(code: &str) -> StoreFault {
    match code {
        // No room on the disk.
        "53100" => StoreFault::Setup,
        // Serialization and deadlocks; a lock that was not had in time; a standby, as a primary is after a failover.
        "25006" | "55P03" => StoreFault::Unavailable,
        "54000" => StoreFault::TooBig,
        "XX001" | "XX002" => StoreFault::Corrupt,
        _ => match code.get(..2) {
            // Connections, rollbacks, resources, operators, the system.
            Some("08" | "40" | "53" | "57" | "58") => StoreFault::Unavailable,
            _ => StoreFault::Setup,
        },
    }
}

/// An error of the server without its details.
#[derive(Debug)]
struct Undetailed(String, String);

impl fmt::Display for Undetailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(code, message) = self;
        write!(f, "{message} ({code})")
    }
}

impl error::Error for Undetailed {}
