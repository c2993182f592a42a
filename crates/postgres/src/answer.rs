//! The answers of the statements.

use proofkey_store::{Answer, ClaimId, Row, StoreError, StoreFault, Version};
use zeroize::Zeroizing;

pub(crate) fn read(found: &tokio_postgres::Row) -> Result<Answer, StoreError> {
    Ok(match text(found)? {
        "busy" => {
            let left = whole(found, CLAIM_LEFT)?;
            Answer::Busy { left: Some(left.try_into().unwrap_or(u16::MAX)) }
        }
        "changed" => Answer::Changed(row(found)?),
        "claimed" => Answer::Claimed(row(found)?),
        "displaced" => Answer::Displaced(row(found)?),
        "done" | "released" | "written" => Answer::Done,
        "fenced" => Answer::Fenced,
        "lapsed" => {
            let id = ClaimId(bytes(found, CLAIM)?.try_into().map_err(|_| corrupt())?);
            Answer::Lapsed { id, age: whole(found, CLAIM_AGE)?, row: row(found)? }
        }
        "row" => Answer::Row(row(found)?),
        "signed out" => Answer::SignedOut { version: version(found)? },
        _ => return Err(corrupt()),
    })
}

fn row(found: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let value = Zeroizing::new(bytes(found, VALUE)?.to_vec());
    Ok(Row::new(version(found)?, value, whole(found, AGE)?, whole(found, PAUSE)?))
}

fn version(found: &tokio_postgres::Row) -> Result<Version, StoreError> {
    Version::from_bytes(bytes(found, VERSION)?).ok_or_else(corrupt)
}

fn text(found: &tokio_postgres::Row) -> Result<&str, StoreError> {
    found.try_get(ANSWER).map_err(other_table)
}

fn bytes(found: &tokio_postgres::Row, column: usize) -> Result<&[u8], StoreError> {
    found.try_get::<_, Option<&[u8]>>(column).map_err(other_table)?.ok_or_else(corrupt)
}

fn whole(found: &tokio_postgres::Row, column: usize) -> Result<u32, StoreError> {
    let number = found.try_get::<_, Option<i64>>(column).map_err(other_table)?.unwrap_or_default();
    Ok(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

/// A column has another type than that of the statements.
fn other_table(error: tokio_postgres::Error) -> StoreError {
    StoreError::new(StoreFault::Setup).because(error)
}

const fn corrupt() -> StoreError {
    StoreError::new(StoreFault::Corrupt)
}

const ANSWER: usize = 0;
const VERSION: usize = 1;
const VALUE: usize = 2;
const AGE: usize = 3;
const PAUSE: usize = 4;
const CLAIM: usize = 5;
const CLAIM_AGE: usize = 6;
const CLAIM_LEFT: usize = 7;
