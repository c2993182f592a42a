//! A token store with one record.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_native::old::{Store, StoreError};
use proofkey_native::{Key, Record, Secret};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// A store in a folder of its own.
pub struct Shelf {
    store: Store,
    folder: TempDir,
}

impl Default for Shelf {
    fn default() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { store: Store::files_in(&folder.path().join("store")).expect("a store"), folder }
    }
}

impl Shelf {
    /// Saves a record.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if there is one of a newer format.
    pub fn save(&self, record: &Record) -> Result<(), StoreError> {
        self.store.lock(&record.key, Duration::ZERO).expect("a lock").save(record)
    }

    /// Loads the record of `key`.
    pub fn load(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.store.load(key)
    }

    /// The bytes of the saved record.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).expect("a saved record")
    }

    /// Puts other bytes in the place of the saved record.
    pub fn replace(&self, bytes: &[u8]) {
        fs::write(self.file(), bytes).expect("a saved record");
    }

    fn file(&self) -> PathBuf {
        let paths = fs::read_dir(self.folder.path().join("store"))
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path());
        paths.into_iter().find(|path| path.extension().is_none()).expect("a saved record")
    }
}

/// The record with these texts, one a line, in the order of the fields.
#[must_use]
pub fn record(text: &str) -> Record {
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let key = Key { issuer: next(), client_id: next(), account: next() };
    let mut record = Record::new(key, Secret::new(next()));
    record.refresh_token = Some(next()).filter(|token| !token.is_empty()).map(Secret::new);
    record.requested_at = next().parse().unwrap_or_default();
    record.expires_in = next().parse().ok();
    record.requested_scope = next().split(' ').map(str::to_owned).collect();
    record.granted_scope = Some(next()).filter(|scope| !scope.is_empty());
    record.redirect_uri = next();
    record.issuer = Some(next()).filter(|issuer| !issuer.is_empty());
    record.endpoints = next().split_whitespace().filter_map(|pair| pair.split_once('=')).map(own).collect();
    record.features = next().split_whitespace().map(str::to_owned).collect();
    record.notes = lines.map(|line| line.split_once('=').unwrap_or((line, ""))).map(own).collect();
    record
}

fn own((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Whether two records say the same.
#[must_use]
pub fn same(one: &Record, other: &Record) -> bool {
    let refresh_token = |record: &Record| record.refresh_token.as_ref().map(|token| token.expose().to_owned());
    one.key == other.key
        && one.access_token.expose() == other.access_token.expose()
        && refresh_token(one) == refresh_token(other)
        && one.requested_at == other.requested_at
        && one.expires_in == other.expires_in
        && one.requested_scope == other.requested_scope
        && one.granted_scope == other.granted_scope
        && one.redirect_uri == other.redirect_uri
        && one.issuer == other.issuer
        && one.endpoints == other.endpoints
        && one.features == other.features
        && one.notes == other.notes
}

/// The file of a record with a checksum that fits what stands behind the first line.
#[must_use]
pub fn seal(format: u32, bytes: &[u8]) -> Vec<u8> {
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let json = bytes.get(line + 1..).unwrap_or_default();
    let checksum = Base64UrlUnpadded::encode_string(&Sha256::digest(json));
    [format!("proofkey record {format} {checksum}\n").as_bytes(), json].concat()
}

/// The formats that are read, of which the last is written.
pub const FORMATS: [u32; 2] = [1, 2];
