//! The statements, for those who use another driver: each is one [`Op`](proofkey_store::Op), as a whole or not at all.
//!
//! Run each outside of a transaction and at the isolation level `READ COMMITTED`. [`LOAD`], [`CLAIM`], [`RELEASE`] and
//! [`WRITE_EXPECTED`] give one row, or none: then the answer is `Absent`. The columns:
//!
//! | column | type | holds |
//! |---|---|---|
//! | `answer` | `text` | `busy`, `changed`, `claimed`, `displaced`, `done`, `fenced`, `lapsed`, `row` or `signed out`; also `released` and `written`, which are `Done` |
//! | `version` | `bytea` | the version that was there, as of `Version::to_bytes` |
//! | `value` | `bytea` | the value that was there, if the answer has a row |
//! | `age` | `int8` | seconds since it was written; below zero if the clock was set back |
//! | `pause` | `int8` | seconds of the pause that are left, if above zero |
//! | `claim` | `bytea` | the claim that was there |
//! | `claim_age` | `int8` | seconds since the claim was made |
//! | `claim_left` | `int8` | seconds of the claim that are left |

/// Makes the table, if it is not there.
pub const TABLE: &str = include_str!("sql/table.sql");

/// Deletes tombstones that are older than a day. Without it they take up room, and nothing else.
pub const PURGE: &str = include_str!("sql/purge.sql");

/// `Load`. Parameters: the key's digest (`text`).
pub const LOAD: &str = concat!(include_str!("sql/load.sql"), include_str!("sql/answer.sql"));

/// `Claim`. Parameters: the key's digest (`text`), the version (`bytea`), the claim (`bytea`), its seconds (`int4`), and the lapsed
/// claim that it answers, or null (`bytea`).
pub const CLAIM: &str =
    concat!(include_str!("sql/locked.sql"), include_str!("sql/claim.sql"), include_str!("sql/answer.sql"));

/// `Release`. Parameters: the key's digest (`text`), the claim (`bytea`) and the pause in seconds (`int8`).
pub const RELEASE: &str =
    concat!(include_str!("sql/locked.sql"), include_str!("sql/release.sql"), include_str!("sql/answer.sql"));

/// `Write` with `expect`. Parameters: the key's digest (`text`), the version that must be there (`bytea`), the claim (`bytea`), the
/// version to write (`bytea`), and the value, or null for a tombstone (`bytea`).
pub const WRITE_EXPECTED: &str =
    concat!(include_str!("sql/locked.sql"), include_str!("sql/write_expected.sql"), include_str!("sql/answer.sql"));

/// `Write` without `expect`. Parameters: the key's digest (`text`), the version to write (`bytea`), and the value, or null for a
/// tombstone (`bytea`).
///
/// If it gives no row, another one came in between, and nothing was written: run it again.
pub const WRITE_NEWER: &str = concat!(
    include_str!("sql/locked.sql"),
    include_str!("sql/write_newer.sql"),
    include_str!("sql/answer.sql"),
    "UNION ALL SELECT 'written', NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM inserted\n"
);
