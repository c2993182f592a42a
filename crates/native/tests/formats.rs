//! Formats of records: older ones are read, newer ones are left alone.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_core::{Endpoint, Server};
use proofkey_native::old::{Store, StoreError};
use proofkey_native::{Key, Record, Secret};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// Records as version 0.1.0 wrote them before format 2.
const ENDPOINTS: &str = include_str!("data/format-1-endpoints");
const LEAST: &str = include_str!("data/format-1-least");
const WHOLE: &str = include_str!("data/format-1-whole");
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_record_of_format_1_is_read_and_saved_in_format_2() {
    for old in [ENDPOINTS, LEAST, WHOLE] {
        let shelf = Shelf::with(old);
        let read = shelf.load();
        assert_eq!(shelf.text(), old, "it is only read");
        shelf.save(&read).unwrap();
        assert!(shelf.text().starts_with("proofkey record 2 "), "{}", shelf.text());
        let again = shelf.load();
        assert_eq!(format!("{again:?}"), format!("{read:?}"));
        assert_eq!(secrets(&again), secrets(&read));
    }
}

#[test]
fn nothing_of_format_1_is_lost() {
    let whole = Shelf::with(WHOLE).load();
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

    let by_endpoints = Shelf::with(ENDPOINTS).load();
    assert_eq!(by_endpoints.server(), server, "the key has an endpoint in the place of the issuer");
    let least = Shelf::with(LEAST).load();
    assert!(least.endpoints.is_empty() && secrets(&least) == ["AT-1"], "{least:?}");
}

#[test]
fn a_newer_record_is_refused_and_left_as_it_is() {
    for newer in ["proofkey record 3 other\n\0sealed", "proofkey record 3\n", "proofkey record 10", &long()] {
        let shelf = Shelf::with(WHOLE);
        let record = shelf.load();
        shelf.put(newer);
        let lock = shelf.store.lock(&shelf.key, PATIENCE).unwrap();
        let room_of_an_older = || {
            shelf.put(WHOLE);
            let room = lock.reserve().unwrap();
            shelf.put(newer);
            room
        };
        let refused = [
            shelf.store.load(&shelf.key).map(drop),
            lock.reserve().map(drop),
            lock.save(&record),
            room_of_an_older().save(&record),
            lock.remove().map(drop),
        ];
        for result in refused {
            let error = result.unwrap_err();
            let place = shelf.file().display().to_string();
            assert!(matches!(&error, StoreError::Newer { name, .. } if *name == place), "{error:?}");
            let text = error.to_string();
            assert!(
                text.contains(&place) && text.contains("newer proofkey (it has format ") && text.contains("upgrade"),
                "{text}"
            );
        }
        drop(lock);
        assert_eq!(shelf.text(), newer);
        assert_eq!(fs::read_dir(shelf.folder()).unwrap().count(), 2, "the record and its lock");
    }
}

#[test]
fn a_newer_record_does_not_hide_the_others() {
    let shelf = Shelf::with(WHOLE);
    let other = Record::new(Key { account: "other".into(), ..shelf.key.clone() }, Secret::new("AT".into()));
    shelf.store.lock(&other.key, PATIENCE).unwrap().save(&other).unwrap();
    shelf.put("proofkey record 3 ");
    let listed = shelf.store.list().unwrap();
    assert_eq!(listed.iter().filter(|record| record.is_ok()).count(), 1);
    assert!(listed.iter().any(|record| matches!(record, Err(StoreError::Newer { format: 3, .. }))));
}

#[test]
fn a_newer_record_can_be_discarded_on_purpose() {
    let shelf = Shelf::with("proofkey record 3 ");
    let lock = shelf.store.lock(&shelf.key, PATIENCE).unwrap();
    assert!(lock.discard().unwrap() && !lock.discard().unwrap());
    lock.save(&Record::new(shelf.key.clone(), Secret::new("AT".into()))).unwrap();
    assert!(lock.remove().unwrap());
}

#[cfg(unix)]
#[test]
fn a_newer_record_that_others_can_read_is_not_overwritten_either() {
    use std::os::unix::fs::PermissionsExt;
    let shelf = Shelf::with("proofkey record 3 ");
    fs::set_permissions(shelf.file(), fs::Permissions::from_mode(0o644)).unwrap();
    let saved = shelf.save(&Record::new(shelf.key.clone(), Secret::new("AT".into())));
    assert!(matches!(saved, Err(StoreError::Newer { .. })), "{saved:?}");
    assert_eq!(shelf.text(), "proofkey record 3 ");
}

#[test]
fn members_that_are_not_known_are_kept_and_not_printed() {
    let shelf = Shelf::with(WHOLE);
    shelf.save(&shelf.load()).unwrap();
    let further = json!({ "tokens": [{ "access": "CANARY" }], "uses": 18_446_744_073_709_551_615_u64, "x": null });
    let mut json = shelf.json();
    json.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    json["endpoints"]["further_endpoint"] = "https://as.example/further".into();
    json["features"].as_array_mut().unwrap().push("further".into());
    shelf.put_json(2, &json);

    let mut record = shelf.load();
    assert!(!format!("{record:?}").contains("CANARY"), "{record:?}");
    record.access_token = Secret::new("AT-2".into());
    shelf.save(&record).unwrap();
    json["access_token"] = "AT-2".into();
    assert_eq!(shelf.json(), json);
}

#[test]
fn a_record_with_a_member_that_is_missing_or_of_another_type_is_damaged() {
    let shelf = Shelf::with(WHOLE);
    shelf.save(&shelf.load()).unwrap();
    let whole = shelf.json();
    let damaged = |json: &Value, what: &str| {
        shelf.put_json(2, json);
        let error = shelf.store.load(&shelf.key).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{what}: {error:?}");
        assert!(error.to_string().contains("its contents do not fit its format"), "{what}: {error}");
    };
    for (name, value) in whole.as_object().unwrap() {
        let mut json = whole.clone();
        json[name] = if value.is_number() { "7".into() } else { 7.into() };
        damaged(&json, name);
        let is_optional = ["expires_in", "granted_scope", "issuer"].contains(&name.as_str());
        let mut json = whole.clone();
        json.as_object_mut().unwrap().remove(name);
        if !is_optional {
            damaged(&json, name);
        }
    }
    let edited = |part: &str, value: Value| {
        let mut json = whole.clone();
        *json.pointer_mut(part).unwrap() = value;
        json
    };
    damaged(&edited("/endpoints/token_endpoint", Value::Null), "an endpoint that is not a text");
    damaged(&edited("/features", json!([true])), "a feature that is not a text");
    damaged(&edited("/expires_in", (-1).into()), "a lifetime below zero");
    let mut json = whole.clone();
    json["key"]["realm"] = "x".into();
    damaged(&json, "a further part of the key");
    damaged(&json!([whole]), "no object");
    let error = |format| {
        shelf.put_json(format, &whole);
        shelf.store.load(&shelf.key).unwrap_err().to_string()
    };
    assert!(error(1).contains("its contents do not fit its format"));
    assert!(error(0).contains("its format is unknown"));
    shelf.put_json(2, &whole);
    assert_eq!(secrets(&shelf.load()).len(), 2);
}

#[test]
fn a_damaged_record_gives_way_to_the_next_one() {
    let shelf = Shelf::with("proofkey record 2 x\n{}");
    let lock = shelf.store.lock(&shelf.key, PATIENCE).unwrap();
    lock.reserve().unwrap().save(&Record::new(shelf.key.clone(), Secret::new("AT".into()))).unwrap();
    assert!(lock.load().unwrap().is_some());
}

/// A newer record that is longer than this version reads.
fn long() -> String {
    format!("proofkey record 3 {}", "x".repeat(1024 * 1024))
}

fn secrets(record: &Record) -> Vec<&str> {
    [Some(&record.access_token), record.refresh_token.as_ref()].into_iter().flatten().map(Secret::expose).collect()
}

/// A store with the file of one record in it.
struct Shelf {
    home: TempDir,
    store: Store,
    key: Key,
}

impl Shelf {
    /// The file is that of the key in `text`, if it has one.
    fn with(text: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::files_in(&home.path().join("store")).unwrap();
        let json = text.split_once('\n').and_then(|(_, json)| serde_json::from_str::<Value>(json).ok());
        let key = json.and_then(|json| serde_json::from_value(json["key"].clone()).ok());
        let key = key.unwrap_or_else(|| Key { issuer: "i".into(), client_id: "c".into(), account: "a".into() });
        let shelf = Self { home, store, key };
        shelf.save(&Record::new(shelf.key.clone(), Secret::new("AT".into()))).unwrap();
        shelf.put(text);
        shelf
    }

    fn load(&self) -> Record {
        self.store.load(&self.key).unwrap().unwrap()
    }

    fn save(&self, record: &Record) -> Result<(), StoreError> {
        self.store.lock(&self.key, PATIENCE).unwrap().save(record)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn put(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.text().split_once('\n').unwrap().1).unwrap()
    }

    fn put_json(&self, format: u32, json: &Value) {
        let checksum = Base64UrlUnpadded::encode_string(&Sha256::digest(json.to_string()));
        self.put(&format!("proofkey record {format} {checksum}\n{json}"));
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("store")
    }

    fn file(&self) -> PathBuf {
        let mut paths = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        paths
            .find(|path| path.extension().is_none() && !path.file_name().unwrap().to_string_lossy().starts_with('.'))
            .unwrap()
    }
}
