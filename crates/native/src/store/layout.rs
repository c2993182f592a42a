//! What is in the files: a row, and the mark of a claim.
//!
//! Both begin with a line of words: what it is, the format, a checksum of all the rest and of the file's name, then the fields.
//! The value of a row follows its line. Times are milliseconds since 1970.

use crate::cause::StoreCause;
use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_store::rules::{Claim, State};
use proofkey_store::{ClaimId, LoginId, Record, RecordError, Version};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::str::SplitAsciiWhitespace;
use zeroize::Zeroizing;

/// Why a file is not a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unread {
    Corrupt(&'static str),
    Newer(u32),
}

impl Unread {
    /// The error of a file or of an entry of the keyring.
    pub(super) fn at(self, path: PathBuf) -> StoreCause {
        match self {
            Self::Corrupt(fault) => StoreCause::Corrupt { path, fault },
            Self::Newer(format) => StoreCause::Newer { path, format },
        }
    }
}

/// The file of a row. `now` tells a later reader whether the clock was set back since.
pub(super) fn write_row(name: &str, state: &State, now: u64) -> Zeroizing<Vec<u8>> {
    let State { version, value, written_at, pause_until, .. } = state;
    let kind = if value.is_some() { LOGIN } else { TOMBSTONE };
    let fields = format!("{} {written_at} {now} {pause_until} {kind}", hex(&version.to_bytes()));
    let value = value.as_ref().map_or(&[][..], |value| value);
    let line = format!("{ROW}3 {} {fields}\n", checksum(name, &fields, value));
    let mut bytes = Zeroizing::new(Vec::with_capacity(line.len().saturating_add(value.len())));
    bytes.extend_from_slice(line.as_bytes());
    bytes.extend_from_slice(value);
    bytes
}

/// The row in a file, without its claim.
pub(super) fn read_row(name: &str, bytes: &[u8], now: u64) -> Result<State, Unread> {
    let Some(rest) = bytes.strip_prefix(ROW.as_bytes()).and_then(|rest| rest.strip_prefix(b"3 ")) else {
        return read_record(name, bytes);
    };
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or(Unread::Corrupt("it is cut short"))?;
    let (line, value) = rest.split_at_checked(end).unwrap_or_default();
    let value = value.strip_prefix(b"\n").unwrap_or_default();
    let (found, fields) =
        str::from_utf8(line).ok().and_then(|line| line.split_once(' ')).ok_or(Unread::Corrupt(EDITED))?;
    if found != checksum(name, fields, value) {
        return Err(Unread::Corrupt(EDITED));
    }
    read_fields(fields, value, now).ok_or(Unread::Corrupt("its contents do not fit its format"))
}

/// The format of a newer version's row, in the first bytes of a file.
pub(super) fn newer(bytes: &[u8]) -> Option<u32> {
    Record::newer_format(bytes).filter(|format| *format > 3)
}

pub(super) fn write_mark(name: &str, version: Version, claim: &Claim, until: u64, is_timed: bool) -> String {
    let kind = if is_timed { TIMED } else { LOCKED };
    let fields = format!("{} {} {} {until} {kind}", hex(&version.to_bytes()), hex(&claim.id.0), claim.made_at);
    format!("{MARK}{} {fields}\n", checksum(name, &fields, &[]))
}

/// The mark of a claim.
pub(super) struct Mark {
    pub(super) version: Version,
    pub(super) id: ClaimId,
    pub(super) made_at: u64,
    pub(super) until: u64,
    /// It is not held by a lock too, since the file system has none.
    pub(super) is_timed: bool,
}

/// None if the file was not written to its end: then its claim was never answered.
pub(super) fn read_mark(name: &str, bytes: &[u8]) -> Option<Mark> {
    let line = str::from_utf8(bytes).ok()?.strip_prefix(MARK)?.strip_suffix('\n')?;
    let (found, fields) = line.split_once(' ')?;
    if found != checksum(name, fields, &[]) {
        return None;
    }
    let mut words = fields.split_ascii_whitespace();
    Some(Mark {
        version: read_version(&mut words)?,
        id: ClaimId(unhex(words.next()?)?),
        made_at: number(&mut words)?,
        until: number(&mut words)?,
        is_timed: words.next()? == TIMED,
    })
}

/// Whether the clock was set back since. Those of two machines can differ by some seconds.
pub(super) fn is_set_back(before: u64, now: u64) -> bool {
    now.saturating_add(SKEW) < before
}

fn read_fields(fields: &str, value: &[u8], now: u64) -> Option<State> {
    let mut words = fields.split_ascii_whitespace();
    let version = read_version(&mut words)?;
    let (written_at, stamp, pause_until) = (number(&mut words)?, number(&mut words)?, number(&mut words)?);
    let value = match words.next()? {
        LOGIN => Some(Zeroizing::new(value.to_vec())),
        TOMBSTONE if value.is_empty() => None,
        _ => return None,
    };
    // With a clock that was set back, a pause of a minute could last for a year.
    let pause_until = if is_set_back(stamp, now) { 0 } else { pause_until };
    words.next().is_none().then_some(State { version, value, written_at, claim: None, pause_until })
}

/// A record of formats 1 and 2, which is all of its file. Its version is made of what is in it, so that all readers agree.
fn read_record(name: &str, bytes: &[u8]) -> Result<State, Unread> {
    let record = Record::from_bytes(bytes).map_err(|error| match error {
        RecordError::Newer(format) if format > 3 => Unread::Newer(format),
        RecordError::Corrupt(fault) => Unread::Corrupt(fault),
        _ => Unread::Corrupt(EDITED),
    })?;
    if record.key.digest() != name {
        return Err(Unread::Corrupt("it belongs to another account"));
    }
    Ok(State {
        version: Version::first(LoginId::new(record.requested_at, None, 0)),
        value: Some(Zeroizing::new(bytes.to_vec())),
        written_at: record.requested_at.saturating_mul(1000),
        claim: None,
        pause_until: 0,
    })
}

/// The name is part of it, so that a file that was moved to another name is not taken for that login.
fn checksum(name: &str, fields: &str, value: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [name.as_bytes(), b"\n", fields.as_bytes(), b"\n", value] {
        hash.update(part);
    }
    Base64UrlUnpadded::encode_string(&hash.finalize())
}

fn read_version(words: &mut SplitAsciiWhitespace<'_>) -> Option<Version> {
    Version::from_bytes(&unhex::<{ Version::BYTES }>(words.next()?)?)
}

fn number(words: &mut SplitAsciiWhitespace<'_>) -> Option<u64> {
    words.next()?.parse().ok()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != N.checked_mul(2)? || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

const EDITED: &str = "it is damaged or was edited";
const LOCKED: &str = "locked";
const LOGIN: &str = "login";
const MARK: &str = "proofkey claim 1 ";
const ROW: &str = "proofkey record ";
const SKEW: u64 = 60 * 1000;
const TIMED: &str = "timed";
const TOMBSTONE: &str = "signed-out";
