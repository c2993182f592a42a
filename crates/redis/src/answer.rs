//! The replies of the scripts.

use crate::error::{self, Problem};
use proofkey_store::{Answer, ClaimId, Row, StoreError, StoreFault, Version};
use redis::Value;
use zeroize::Zeroizing;

/// The answer in a reply: a word, and what belongs to it.
pub(crate) fn read(reply: Value) -> Result<Answer, StoreError> {
    let Value::Array(items) = reply else { return Err(error::corrupt()) };
    let mut items = items.into_iter();
    let word = bytes(items.next()).unwrap_or_default();
    let answer = match word.as_slice() {
        b"absent" => Some(Answer::Absent),
        b"busy" => whole(items.next()).map(|left| Answer::Busy { left: Some(left.try_into().unwrap_or(u16::MAX)) }),
        b"changed" => row(&mut items).map(Answer::Changed),
        b"claimed" | b"renewed" => row(&mut items).map(Answer::Claimed),
        b"displaced" => row(&mut items).map(Answer::Displaced),
        b"done" => Some(Answer::Done),
        b"fenced" => Some(Answer::Fenced),
        b"lapsed" => lapsed(&mut items),
        b"row" => row(&mut items).map(Answer::Row),
        b"signed out" => version(items.next()).map(|version| Answer::SignedOut { version }),
        _ => None,
    };
    answer.ok_or_else(error::corrupt)
}

/// Whether a reply is a claim that was not there before.
pub(crate) fn is_new_claim(reply: &Value) -> bool {
    matches!(reply, Value::Array(items) if matches!(items.first(), Some(Value::BulkString(word)) if word == b"claimed"))
}

/// Refuses a server, or any node of a cluster, that may evict.
pub(crate) fn check_policy(info: &Value) -> Result<(), StoreError> {
    let unfit = |problem| Err(StoreError::new(StoreFault::Setup).because(problem));
    let text = match info {
        Value::BulkString(text) => String::from_utf8_lossy(text),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.into(),
        Value::Map(nodes) if !nodes.is_empty() => return nodes.iter().try_for_each(|(_, info)| check_policy(info)),
        _ => return unfit(Problem::NoPolicy),
    };
    match text.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")) {
        Some("noeviction") => Ok(()),
        Some(policy) => unfit(Problem::Evicts(policy.to_owned())),
        None => unfit(Problem::NoPolicy),
    }
}

fn lapsed(items: &mut impl Iterator<Item = Value>) -> Option<Answer> {
    let row = row(items)?;
    let id = ClaimId(bytes(items.next())?.try_into().ok()?);
    Some(Answer::Lapsed { id, age: whole(items.next())?, row })
}

fn row(items: &mut impl Iterator<Item = Value>) -> Option<Row> {
    let version = version(items.next())?;
    let value = Zeroizing::new(bytes(items.next())?);
    Some(Row::new(version, value, whole(items.next())?, whole(items.next())?))
}

fn version(item: Option<Value>) -> Option<Version> {
    Version::from_bytes(&bytes(item)?)
}

fn bytes(item: Option<Value>) -> Option<Vec<u8>> {
    match item? {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}

fn whole(item: Option<Value>) -> Option<u32> {
    match item? {
        Value::Int(number) => Some(u32::try_from(number.max(0)).unwrap_or(u32::MAX)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_of_a_cluster_that_evicts_is_enough() {
        let node = |policy: &str| {
            let info = format!("# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:{policy}\r\n");
            (Value::SimpleString("127.0.0.1:7000".into()), Value::BulkString(info.into_bytes()))
        };
        assert!(check_policy(&Value::Map(vec![node("noeviction"), node("noeviction")])).is_ok());
        for unfit in [
            Value::Map(vec![node("noeviction"), node("allkeys-lfu")]),
            Value::Map(Vec::new()),
            Value::SimpleString("# Memory".into()),
            Value::Nil,
        ] {
            assert_eq!(check_policy(&unfit).unwrap_err().fault(), StoreFault::Setup, "{unfit:?}");
        }
    }

    #[test]
    fn a_reply_of_another_shape_is_corrupt() {
        let word = |word: &str| Value::BulkString(word.into());
        for reply in [
            Value::Nil,
            Value::Array(Vec::new()),
            Value::Array(vec![word("unknown")]),
            Value::Array(vec![word("row"), word("short")]),
            Value::Array(vec![word("busy"), word("3")]),
        ] {
            assert_eq!(read(reply).unwrap_err().fault(), StoreFault::Corrupt);
        }
    }
}
