//! How a record is written: a line with the number of the format and a checksum, then the record as JSON.
//!
//! A format may grow by members that an older program can do without: it keeps those that it does not know. A member that
//! changes how the others must be used needs a new format, in the records that have it.

use crate::key::Key;
use crate::record::{Ended, Others, Record, ResourceToken, Secret, User};
use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_core::{Endpoint, Thumbprint};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// The bytes of a record, unless it is too long.
pub(crate) fn encode(record: &Record) -> Option<Zeroizing<Vec<u8>>> {
    let json = to_json(record).ok().filter(|json| json.len() <= RECORD_MAX)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(json.len().saturating_add(128)));
    bytes.extend_from_slice(format!("{START}{FORMAT} {}\n", checksum(&json)).as_bytes());
    bytes.extend_from_slice(&json);
    Some(bytes)
}

/// The record in these bytes, or what is wrong with them.
pub(crate) fn decode(bytes: &[u8]) -> Result<Record, &'static str> {
    let line = bytes.iter().position(|byte| *byte == b'\n').ok_or("it is cut short")?;
    let (line, json) = bytes.split_at_checked(line).unwrap_or_default();
    let json = json.strip_prefix(b"\n").unwrap_or_default();
    let (format, found) = str::from_utf8(line)
        .ok()
        .and_then(|line| line.strip_prefix(START)?.split_once(' '))
        .ok_or("it does not begin as a record does")?;
    if found != checksum(json) {
        return Err("it is damaged or was edited");
    }
    let record = match format {
        "1" => read(json, |reader| Format1::deserialize(reader)).map(Record::from),
        "2" => read(json, |reader| Format2::deserialize(reader)),
        _ => return Err("its format is unknown"),
    };
    record.map_err(|_| "its contents do not fit its format")
}

/// The number of the format, if it is newer than this version. Later versions keep the start of the line.
pub(crate) fn newer(bytes: &[u8]) -> Option<u32> {
    let rest = bytes.strip_prefix(START.as_bytes())?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let format = str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    (format > FORMAT).then_some(format)
}

fn to_json(record: &Record) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    // Allocated once, because a buffer that grows leaves copies of the secrets behind.
    let mut json = Zeroizing::new(Vec::with_capacity(JSON_ROOM));
    Format2::serialize(record, &mut serde_json::Serializer::new(&mut *json))?;
    Ok(json)
}

type Reader<'j> = serde_json::Deserializer<serde_json::de::SliceRead<'j>>;

fn read<'j, T>(json: &'j [u8], read: impl FnOnce(&mut Reader<'j>) -> serde_json::Result<T>) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let record = read(&mut reader)?;
    reader.end().map(|()| record)
}

fn checksum(json: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(json))
}

/// The server is a table, so that a further endpoint or feature is a further name and not another format.
#[derive(Deserialize, Serialize)]
#[serde(remote = "Record")]
struct Format2 {
    key: Key,
    #[serde(with = "secret")]
    access_token: Secret,
    #[serde(with = "secret_option")]
    refresh_token: Option<Secret>,
    requested_at: u64,
    expires_in: Option<u32>,
    requested_scope: Vec<String>,
    granted_scope: Option<String>,
    redirect_uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "secret_option")]
    embedded_secret: Option<Secret>,
    issuer: Option<String>,
    endpoints: BTreeMap<String, String>,
    features: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    quirks: BTreeSet<String>,
    notes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_ends_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotates: Option<bool>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    resources: BTreeMap<String, ResourceToken>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "thumbprint")]
    bound_to: Option<Thumbprint>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "secret_option")]
    signing_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Format1 {
    key: Key,
    #[serde(deserialize_with = "secret::deserialize")]
    access_token: Secret,
    #[serde(deserialize_with = "secret_option::deserialize")]
    refresh_token: Option<Secret>,
    requested_at: u64,
    expires_in: Option<u32>,
    requested_scope: Vec<String>,
    granted_scope: Option<String>,
    redirect_uri: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    notes: BTreeMap<String, String>,
}

impl From<Format1> for Record {
    fn from(old: Format1) -> Self {
        // The key names the authorization endpoint if the issuer is not known.
        let issuer = Some(&old.key.issuer).filter(|issuer| **issuer != old.authorization_endpoint).cloned();
        let endpoints = [
            (Endpoint::Authorization, Some(old.authorization_endpoint)),
            (Endpoint::Revocation, old.revocation_endpoint),
            (Endpoint::Token, Some(old.token_endpoint)),
        ];
        Self {
            refresh_token: old.refresh_token,
            requested_at: old.requested_at,
            expires_in: old.expires_in,
            requested_scope: old.requested_scope,
            granted_scope: old.granted_scope,
            redirect_uri: old.redirect_uri,
            issuer,
            endpoints: endpoints
                .into_iter()
                .filter_map(|(endpoint, url)| Some((endpoint.name().to_owned(), url.filter(|url| !url.is_empty())?)))
                .collect(),
            notes: old.notes,
            ..Self::new(old.key, old.access_token)
        }
    }
}

pub(crate) mod secret {
    use super::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

pub(crate) mod secret_option {
    use super::Secret;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Option::<String>::deserialize(deserializer).map(|text| text.map(Secret::new))
    }
}

mod thumbprint {
    use proofkey_core::Thumbprint;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(super) fn serialize<S: Serializer>(key: &Option<Thumbprint>, serializer: S) -> Result<S::Ok, S::Error> {
        key.as_ref().map(Thumbprint::as_str).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Thumbprint>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let read = |text: String| Thumbprint::new(&text).ok_or_else(|| de::Error::custom("not a thumbprint"));
        text.map(read).transpose()
    }
}

/// The format that is written.
pub(crate) const FORMAT: u32 = 2;
const JSON_ROOM: usize = 64 * 1024;
const RECORD_MAX: usize = 512 * 1024;
/// The start of a record in every format.
const START: &str = "proofkey record ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_secrets_does_not_grow() {
        let key = Key { issuer: "i".into(), client_id: "c".into(), account: "a".into() };
        let record = Record::new(key, Secret::new("x".repeat(60 * 1024)));
        assert_eq!(to_json(&record).unwrap().capacity(), 64 * 1024);
    }

    #[test]
    fn only_a_higher_number_is_newer() {
        for (start, format) in [
            ("proofkey record 3 ", Some(3)),
            ("proofkey record 10\n", Some(10)),
            ("proofkey record 4294967295", Some(u32::MAX)),
            ("proofkey record 4294967296 ", None),
            ("proofkey record 2 ", None),
            ("proofkey record 1 ", None),
            ("proofkey record 0 ", None),
            ("proofkey record -3 ", None),
            ("proofkey record +3 ", None),
            ("proofkey record  3 ", None),
            ("proofkey record ", None),
            ("proofkey records 3 ", None),
            ("", None),
        ] {
            assert_eq!(newer(start.as_bytes()), format, "{start}");
        }
    }
}
