//! Formats of records: older ones are read, newer ones are refused.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_core::{Endpoint, Server};
use proofkey_native::{Key, Record, Secret};
use proofkey_store::RecordError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Records as version 0.1.0 wrote them before format 2.
const ENDPOINTS: &str = include_str!("data/format-1-endpoints");
const LEAST: &str = include_str!("data/format-1-least");
const WHOLE: &str = include_str!("data/format-1-whole");

#[test]
fn a_record_of_format_1_is_read_and_written_in_format_2() {
    for old in [ENDPOINTS, LEAST, WHOLE] {
        let record = read(old);
        let text = write(&record);
        assert!(text.starts_with("proofkey record 2 "), "{text}");
        let again = read(&text);
        assert_eq!(format!("{again:?}"), format!("{record:?}"));
        assert_eq!(secrets(&again), secrets(&record));
    }
}

#[test]
fn nothing_of_format_1_is_lost() {
    let whole = read(WHOLE);
    assert_eq!(secrets(&whole), ["AT-1 \"\\/\u{e9}", "RT-1"]);
    assert_eq!((whole.requested_at, whole.expires_in), (1_700_000_000, Some(3600)));
    assert_eq!(
        (&whole.requested_scope[..], whole.granted_scope.as_deref()),
        (&["a".into(), "b".into()][..], Some("a"))
    );
    assert_eq!(whole.redirect_uri, "http://127.0.0.1/callback");
    assert_eq!(whole.notes, [("profile".to_owned(), "work".to_owned())].into());
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    assert_eq!(
        whole.server(),
        server.with(Endpoint::Revocation, "https://as.example/revoke").with_issuer("https://as.example")
    );

    let by_endpoints = read(ENDPOINTS);
    assert_eq!(by_endpoints.server(), server, "the key has an endpoint in the place of the issuer");
    let least = read(LEAST);
    assert!(least.endpoints.is_empty() && secrets(&least) == ["AT-1"], "{least:?}");
}

#[test]
fn a_newer_record_is_refused() {
    for (newer, format) in
        [("proofkey record 3 other\n\0sealed", 3), ("proofkey record 3\n", 3), ("proofkey record 10", 10)]
    {
        let error = Record::from_bytes(newer.as_bytes()).unwrap_err();
        assert_eq!(error, RecordError::Newer(format));
        assert_eq!(Record::newer_format(newer.as_bytes()), Some(format));
    }
}

#[test]
fn members_that_are_not_known_are_kept_and_not_printed() {
    let further = json!({ "tokens": [{ "access": "CANARY" }], "uses": 18_446_744_073_709_551_615_u64, "x": null });
    let mut json = json_of(&read(WHOLE));
    json.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    json["endpoints"]["further_endpoint"] = "https://as.example/further".into();
    json["features"].as_array_mut().unwrap().push("further".into());

    let mut record = read(&seal(2, &json));
    assert!(!format!("{record:?}").contains("CANARY"), "{record:?}");
    record.access_token = Secret::new("AT-2".into());
    json["access_token"] = "AT-2".into();
    assert_eq!(json_of(&record), json);
}

#[test]
fn a_record_with_a_member_that_is_missing_or_of_another_type_is_damaged() {
    let whole = json_of(&read(WHOLE));
    let fault = |format, json: &Value| Record::from_bytes(seal(format, json).as_bytes()).unwrap_err();
    let unfit = RecordError::Corrupt("its contents do not fit its format");
    for (name, value) in whole.as_object().unwrap() {
        let mut json = whole.clone();
        json[name] = if value.is_number() { "7".into() } else { 7.into() };
        assert_eq!(fault(2, &json), unfit, "{name}");
        let is_optional = ["expires_in", "granted_scope", "issuer"].contains(&name.as_str());
        let mut json = whole.clone();
        json.as_object_mut().unwrap().remove(name);
        if !is_optional {
            assert_eq!(fault(2, &json), unfit, "{name}");
        }
    }
    for (part, value) in
        [("/endpoints/token_endpoint", Value::Null), ("/features", json!([true])), ("/expires_in", (-1).into())]
    {
        let mut json = whole.clone();
        *json.pointer_mut(part).unwrap() = value;
        assert_eq!(fault(2, &json), unfit, "{part}");
    }
    let mut json = whole.clone();
    json["key"]["realm"] = "x".into();
    assert_eq!(fault(2, &json), unfit, "a further part of the key");
    assert_eq!(fault(2, &json!([whole])), unfit, "no object");
    assert_eq!(fault(1, &whole), unfit);
    assert_eq!(fault(0, &whole), RecordError::Corrupt("its format is unknown"));
    assert_eq!(secrets(&read(&seal(2, &whole))).len(), 2);
}

#[test]
fn every_cut_and_every_changed_bit_is_seen() {
    let whole = write(&read(WHOLE)).into_bytes();
    for length in 0..whole.len() {
        assert!(matches!(Record::from_bytes(&whole[..length]), Err(RecordError::Corrupt(_))), "cut at {length}");
    }
    for at in 0..whole.len() {
        let mut edited = whole.clone();
        edited[at] ^= 1;
        match Record::from_bytes(&edited).unwrap_err() {
            RecordError::Newer(3) => assert_eq!(whole[at], b'2'),
            error => assert!(matches!(error, RecordError::Corrupt(_)), "edited at {at}: {error:?}"),
        }
    }
}

#[test]
fn half_a_mebibyte_is_written_and_no_more() {
    let key = Key::new("https://as.example", "app", "default");
    let mut record = Record::new(key, Secret::new("AT".into()));
    record.notes.insert("long".into(), String::new());
    let rest = json_of(&record).to_string().len();
    record.notes.insert("long".into(), "x".repeat(512 * 1024 - rest));
    assert_eq!(read(&write(&record)).notes, record.notes);
    record.notes.insert("long".into(), "x".repeat(512 * 1024 - rest + 1));
    assert!(record.to_bytes().is_none());
}

fn read(text: &str) -> Record {
    Record::from_bytes(text.as_bytes()).unwrap()
}

fn write(record: &Record) -> String {
    String::from_utf8(record.to_bytes().unwrap().to_vec()).unwrap()
}

fn json_of(record: &Record) -> Value {
    serde_json::from_str(write(record).split_once('\n').unwrap().1).unwrap()
}

/// These contents with the checksum that fits.
fn seal(format: u32, json: &Value) -> String {
    let checksum = Base64UrlUnpadded::encode_string(&Sha256::digest(json.to_string()));
    format!("proofkey record {format} {checksum}\n{json}")
}

fn secrets(record: &Record) -> Vec<&str> {
    [Some(&record.access_token), record.refresh_token.as_ref()].into_iter().flatten().map(Secret::expose).collect()
}
