//! The store in files: what is in them, who can read them, who waits for whom.

#[cfg(unix)]
mod access;
#[cfg(windows)]
mod busy;
mod claims;
mod rows;

use proofkey_native::{Key, Record, Secret, Store, StoreCause, StoreError};
use proofkey_store::{Answer, ClaimId, LoginId, Op, Row, Store as _, StoreFault, Version};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const A: ClaimId = ClaimId([0xA; 16]);
const B: ClaimId = ClaimId([0xB; 16]);
const FIRST: Version = Version::first(LoginId::new(1_700_000_000, None, 7));
const LATER: Version = Version::first(LoginId::new(1_800_000_000, None, 7));

/// A store with its folder.
struct Shelf {
    home: TempDir,
    store: Store,
    key: Key,
}

impl Shelf {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::files_in(&home.path().join("state/store")).unwrap();
        Self { home, store, key: key("default") }
    }

    fn with_login() -> Self {
        let shelf = Self::new();
        assert_eq!(shelf.write(None, FIRST, Some(b"first")).unwrap(), Answer::Done);
        shelf
    }

    /// A store with this text in the file of the row.
    fn with_file(key: Key, text: impl AsRef<[u8]>) -> Self {
        let mut shelf = Self::with_login();
        shelf.put(text.as_ref());
        if key != shelf.key {
            fs::rename(shelf.file(), shelf.folder().join(key.digest())).unwrap();
            shelf.key = key;
        }
        shelf
    }

    fn run(&self, op: Op<'_>) -> Result<Answer, StoreError> {
        self.store.run(&self.key, op)
    }

    fn claim(&self, version: Version, id: ClaimId) -> Result<Answer, StoreError> {
        self.run(Op::Claim { version, id, seconds: 25, over: None })
    }

    fn write(
        &self,
        expect: Option<(Version, ClaimId)>,
        version: Version,
        value: Option<&[u8]>,
    ) -> Result<Answer, StoreError> {
        self.run(Op::Write { expect, version, value })
    }

    fn row(&self) -> Row {
        match self.run(Op::Load) {
            Ok(Answer::Row(row)) => row,
            other => panic!("{other:?}"),
        }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("state/store")
    }

    fn file(&self) -> PathBuf {
        self.folder().join(self.key.digest())
    }

    fn put(&self, bytes: &[u8]) {
        fs::write(self.file(), bytes).unwrap();
    }

    /// The names without those of locks that nobody needs any more, which Windows does not let go of.
    fn kept(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| !(cfg!(windows) && name.ends_with(".lock"))).collect()
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

fn key(account: &str) -> Key {
    Key::new("https://as.example", "app", account)
}

fn record(account: &str) -> Record {
    Record::new(key(account), Secret::new(format!("AT-{account}")))
}

fn cause(error: &StoreError) -> &StoreCause {
    std::error::Error::source(error).and_then(|cause| cause.downcast_ref()).expect("a cause")
}

#[track_caller]
fn refused(result: Result<Answer, StoreError>, fault: StoreFault) -> StoreError {
    let error = result.expect_err("an error");
    assert_eq!(error.fault(), fault, "{error:?}");
    error
}
