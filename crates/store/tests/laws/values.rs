//! Faults of values, keys and versions.

use crate::faulty::Faulty;
use proofkey_store::rules::{State, apply};
use proofkey_store::{Answer, Key, Op, Row, Version};

/// A store that changes the rows of its answers.
pub(crate) fn answers(change: fn(&mut Row)) -> Faulty {
    Faulty::rule(move |state, op, now| {
        let mut answer = apply(state, op, now);
        if let Answer::Row(row) | Answer::Claimed(row) | Answer::Changed(row) | Answer::Displaced(row) = &mut answer {
            change(row);
        }
        answer
    })
}

pub(crate) fn values_are_text(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    with_value(state, op, now, |value| String::from_utf8_lossy(value).into_owned().into_bytes())
}

pub(crate) fn values_are_cut(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    with_value(state, op, now, |value| value.iter().take(512 * 1024).copied().collect())
}

fn with_value(state: &mut Option<State>, op: Op<'_>, now: u64, change: fn(&[u8]) -> Vec<u8>) -> Answer {
    match op {
        Op::Write { expect, version, value: Some(value) } => {
            apply(state, Op::Write { expect, version, value: Some(&change(value)) }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn empty_is_tombstone(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match op {
        Op::Write { expect, version, value: Some(b"") } => {
            apply(state, Op::Write { expect, version, value: None }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn version_without_last_byte(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    let found = state.as_ref().map(|state| state.version);
    let alike =
        |version: Version| found.filter(|found| found.to_bytes()[..35] == version.to_bytes()[..35]).unwrap_or(version);
    match op {
        Op::Claim { version, id, seconds, over } => {
            apply(state, Op::Claim { version: alike(version), id, seconds, over }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn signed_order(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    by_order(state, op, now, |new, old| {
        number(new).cast_signed() > number(old).cast_signed() || number(new) == number(old) && new.is_newer_than(old)
    })
}

pub(crate) fn order_of_doubles(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    by_order(state, op, now, |new, old| {
        number(new) as f64 > number(old) as f64 || number(new) == number(old) && new.is_newer_than(old)
    })
}

pub(crate) fn order_by_all_bytes(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    by_order(state, op, now, |new, old| new.to_bytes() > old.to_bytes())
}

fn number(version: Version) -> u64 {
    version.login().since()
}

/// Writes a login or a sign-out if it is newer by another order.
fn by_order(state: &mut Option<State>, op: Op<'_>, now: u64, newer: fn(Version, Version) -> bool) -> Answer {
    match (op, &state) {
        (Op::Write { expect: None, version, .. }, Some(found))
            if version.is_newer_than(found.version) != newer(version, found.version) =>
        {
            let Answer::Row(row) = apply(state, Op::Load, now) else { return Answer::Done };
            if newer(version, row.version) { Answer::Displaced(row) } else { Answer::Changed(row) }
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn account(account: String, key: &Key) -> Key {
    Key::new(&*key.issuer, &*key.client_id, account)
}

pub(crate) fn until_nul(key: &Key) -> Key {
    account(key.account.split('\0').next().unwrap_or_default().to_owned(), key)
}

pub(crate) fn first_bytes(text: &str) -> String {
    text.chars().take(255).collect()
}

pub(crate) fn joined(key: &Key, by: &str) -> Key {
    Key::new([&*key.issuer, &key.client_id, &key.account].join(by), "", "")
}
