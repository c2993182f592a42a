//! A token store with one record.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_native::{Key, Record, Secret, Store, StoreError};
use proofkey_store::{Answer, LoginId, Op, Store as _, StoreFault, Version};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
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
    /// Stores a record, as a login.
    ///
    /// # Errors
    /// [`StoreFault::Newer`] if there is one of a newer format, [`StoreFault::Setup`] if there is one with the last version.
    pub fn save(&self, record: &Record) -> Result<(), StoreError> {
        let value = record.to_bytes().ok_or(StoreError::new(StoreFault::TooBig))?;
        let mut previous = None;
        for _ in 0..2 {
            let version = Version::first(LoginId::new(1, previous, u64::MAX));
            let write = Op::Write { expect: None, version, value: Some(&value) };
            match self.store.run(&record.key, write)? {
                Answer::Changed(row) => previous = Some(row.version.login()),
                Answer::SignedOut { version } => previous = Some(version.login()),
                _ => return Ok(()),
            }
        }
        // No login can be later than that of the row.
        Err(StoreError::new(StoreFault::Setup))
    }

    /// Loads the record of `key`.
    ///
    /// # Errors
    /// [`StoreError`] if it is not there whole.
    pub fn load(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let Answer::Row(row) = self.store.run(key, Op::Load)? else { return Ok(None) };
        let record = Record::from_bytes(&row.value);
        record.map(Some).map_err(|error| StoreError::new(StoreFault::Corrupt).because(error))
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).expect("a row")
    }

    /// Puts other bytes in its place.
    pub fn replace(&self, bytes: &[u8]) {
        fs::write(self.file(), bytes).expect("a row");
    }

    /// The file of a row with a checksum that fits what stands behind it.
    #[must_use]
    pub fn seal_row(&self, bytes: &[u8]) -> Vec<u8> {
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let (line, value) = bytes.split_at(line);
        let fields = line.splitn(5, |byte| *byte == b' ').nth(4).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default();
        let file = self.file();
        let name = file.file_name().expect("a name").as_encoded_bytes();
        let checksum = Sha256::digest([name, b"\n", fields, b"\n", value].concat());
        let start = format!("proofkey record 3 {} ", Base64UrlUnpadded::encode_string(&checksum));
        [start.as_bytes(), fields, b"\n", value].concat()
    }

    fn file(&self) -> PathBuf {
        let paths = fs::read_dir(self.folder.path().join("store"))
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path());
        paths.into_iter().find(|path| path.extension().is_none()).expect("a row")
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
    record.quirks.clone_from(&record.features);
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
        && one.quirks == other.quirks
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

/// The formats of a file that is a record and nothing else, as earlier versions wrote it.
pub const FORMATS: [u32; 2] = [1, 2];
