//! Files that are sealed with a key in a keyring.

use super::*;
use crate::store::vault::{Keyring, Vault};
use proofkey_store::{Record, Secret};
use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Barrier, Mutex};
use zeroize::Zeroizing;

const LATER: Version = Version::first(LoginId::new(1_800_000_000, None, 7));

/// A keyring in memory.
#[derive(Clone, Debug, Default)]
struct Fake {
    entries: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<usize>>,
    forgets: bool,
    is_locked: bool,
    /// Where all wait for one another that ask for the key for the first time.
    meeting: Option<Arc<Barrier>>,
    has_met: Arc<AtomicBool>,
}

impl Keyring for Fake {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreCause> {
        *self.asked.lock().unwrap() += 1;
        let found = self.entries.lock().unwrap().get(name).cloned().map(Zeroizing::new);
        let meeting = self.meeting.as_ref().filter(|_| name == "sealing-key");
        if let Some(meeting) = meeting.filter(|_| !self.has_met.swap(true, Ordering::Relaxed)) {
            meeting.wait();
        }
        match self.is_locked {
            true => Err(StoreCause::ManyClaims),
            false => Ok(found),
        }
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), StoreCause> {
        if !self.forgets {
            self.entries.lock().unwrap().insert(name.to_owned(), secret.to_vec());
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<bool, StoreCause> {
        Ok(self.entries.lock().unwrap().remove(name).is_some())
    }
}

struct Shelf {
    home: TempDir,
    keyring: Fake,
    store: Store,
}

impl Shelf {
    fn new() -> Self {
        Self::with(Fake::default())
    }

    fn with(keyring: Fake) -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = open(&home, &keyring);
        Self { home, keyring, store }
    }

    /// As another process, which asks the keyring itself.
    fn other(&self) -> Store {
        open(&self.home, &self.keyring)
    }

    fn asked(&self) -> usize {
        std::mem::take(&mut *self.keyring.asked.lock().unwrap())
    }

    fn key(&self) -> Option<Vec<u8>> {
        self.keyring.entries.lock().unwrap().get("sealing-key").cloned()
    }

    fn sealed(&self) -> Vec<u8> {
        fs::read(self.home.path().join("app/keyring").join(key().digest())).unwrap()
    }
}

fn open(home: &TempDir, keyring: &Fake) -> Store {
    let vault = Vault::open(&home.path().join("app"), Box::new(keyring.clone())).unwrap();
    Store { place: Place::Vault(vault) }
}

#[test]
fn a_vault_keeps_the_laws_of_a_store() {
    let shelf = Shelf::new();
    Laws::new().check(&shelf.store, |time| pass(&shelf.store, time)).unwrap();
    assert_eq!(shelf.keyring.entries.lock().unwrap().len(), 1, "the key and nothing else");
}

#[test]
fn what_is_kept_is_sealed_and_the_keyring_is_asked_once() {
    let shelf = Shelf::new();
    login(&shelf.store, b"a token");
    assert!(!shelf.sealed().windows(7).any(|part| part == b"a token"));
    assert!(shelf.sealed().starts_with(b"proofkey record 3 "));
    let other = shelf.other();
    shelf.asked();
    for _ in 0..3 {
        assert_eq!(value(&other), b"a token");
    }
    assert!(matches!(claim(&other, FIRST), Ok(Answer::Claimed(_))));
    let write = Op::Write { expect: Some((FIRST, A)), version: FIRST.next(A), value: Some(b"next") };
    assert_eq!(other.run(&key(), write).unwrap(), Answer::Done);
    assert_eq!(shelf.asked(), 1);
    assert_eq!(value(&shelf.store), b"next");
    let long = vec![b'x'; 100_000];
    assert!(matches!(other.run(&key(), later(Some(&long))), Ok(Answer::Displaced(row)) if *row.value == b"next"));
    assert_eq!(value(&shelf.store), long, "of any length");
}

#[test]
fn processes_that_sign_in_at_once_make_one_key() {
    let shelf = Shelf::new();
    let meeting = Some(Arc::new(Barrier::new(8)));
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (meeting, has_met) = (meeting.clone(), Arc::default());
            let other = open(&shelf.home, &Fake { meeting, has_met, ..shelf.keyring.clone() });
            scope.spawn(move || {
                let key = Key::new("https://as.example", "app", number.to_string());
                other.run(&key, Op::Write { expect: None, version: FIRST, value: Some(b"value") }).unwrap();
            });
        }
    });
    let listed = shelf.other().list().unwrap();
    assert_eq!(listed.iter().filter(|row| row.as_ref().is_ok_and(|row| *row.value == b"value")).count(), 8);
}

#[test]
fn a_lost_key_is_told_and_only_a_login_makes_a_new_one() {
    let shelf = Shelf::new();
    login(&shelf.store, b"first");
    let lost = shelf.key().unwrap();
    shelf.keyring.entries.lock().unwrap().clear();
    let before = shelf.sealed();
    let other = shelf.other();
    let write = Op::Write { expect: Some((FIRST, A)), version: FIRST.next(A), value: Some(b"next") };
    for op in [Op::Load, CLAIM, Op::Release { id: A, pause: 60 }, write] {
        is_lost(&other.run(&key(), op).unwrap_err());
    }
    is_lost(other.list().unwrap().pop().unwrap().as_ref().unwrap_err());
    assert!(shelf.key().is_none() && shelf.sealed() == before);
    assert_eq!(value(&shelf.store), b"first", "a process that has the key goes on");

    assert_eq!(other.run(&key(), later(Some(b"again"))).unwrap(), Answer::Done);
    assert!(shelf.key().is_some_and(|key| key != lost));
    assert_eq!(value(&other), b"again");
    assert_eq!(value(&shelf.store), b"again", "it asks once more");
}

#[test]
fn a_row_of_another_key_is_told_and_left_alone() {
    let shelf = Shelf::new();
    login(&shelf.store, b"first");
    let key_of_row = shelf.key().unwrap();
    shelf.keyring.set("sealing-key", &[7; 32]).unwrap();
    let other = shelf.other();
    is_lost(&other.run(&key(), Op::Load).unwrap_err());
    is_lost(&claim(&other, FIRST).unwrap_err());
    shelf.keyring.set("sealing-key", &key_of_row).unwrap();
    assert_eq!(value(&other), b"first");
}

#[test]
fn without_a_key_a_user_can_sign_out_and_what_is_not_there_is_absent() {
    let shelf = Shelf::new();
    for op in [Op::Load, CLAIM, Op::Release { id: A, pause: 60 }] {
        assert_eq!(shelf.store.run(&key(), op).unwrap(), Answer::Absent);
    }
    login(&shelf.store, b"first");
    shelf.keyring.entries.lock().unwrap().clear();
    let other = shelf.other();
    assert_eq!(other.run(&key(), later(None)).unwrap(), Answer::Done, "nothing that could be revoked");
    assert_eq!(other.run(&key(), Op::Load).unwrap(), Answer::SignedOut { version: LATER });
    assert!(shelf.key().is_none());
}

#[test]
fn a_keyring_that_keeps_nothing_or_is_locked_stores_nothing() {
    let shelf = Shelf::with(Fake { forgets: true, ..Fake::default() });
    let error = shelf.store.run(&key(), later(Some(b"login"))).unwrap_err();
    assert!(error.fault() == StoreFault::Setup && matches!(cause(&error), StoreCause::KeyNotKept), "{error:?}");
    assert!(error.to_string().contains("keep the logins in files"), "{error}");
    assert_eq!(shelf.store.run(&key(), Op::Load).unwrap(), Answer::Absent);
    let locked = open(&shelf.home, &Fake { is_locked: true, ..shelf.keyring.clone() });
    assert!(locked.run(&key(), later(Some(b"login"))).is_err() && locked.run(&key(), Op::Load).is_err());
}

#[test]
fn a_record_in_the_keyring_is_read_and_moved_into_a_file() {
    let mut record = Record::new(key(), Secret::new("AT".into()));
    record.requested_at = 1_750_000_000;
    let (old, version) = (record.to_bytes().unwrap(), Version::first(LoginId::new(1_750_000_000, None, 0)));
    let shelf = || {
        let shelf = Shelf::new();
        shelf.keyring.set(&key().digest(), &old).unwrap();
        // As earlier versions left it.
        fs::write(shelf.home.path().join("app").join(format!("{}.lock", key().digest())), "").unwrap();
        shelf
    };
    let there = |shelf: &Shelf| shelf.keyring.entries.lock().unwrap().contains_key(&key().digest());

    let read = shelf();
    assert!(
        matches!(read.store.run(&key(), Op::Load), Ok(Answer::Row(row)) if row.version == version && row.value == old)
    );
    assert!(matches!(&read.store.list().unwrap()[..], [Ok(row)] if row.value == old));
    assert!(there(&read) && read.key().is_none(), "it is only read");

    assert!(matches!(claim(&read.store, version), Ok(Answer::Claimed(row)) if row.value == old));
    assert!(!there(&read) && read.key().is_some());
    let other = read.other();
    assert!(matches!(other.run(&key(), Op::Load), Ok(Answer::Row(row)) if row.version == version && row.value == old));
    assert!(matches!(&other.list().unwrap()[..], [Ok(row)] if row.value == old), "it is listed once");

    for (value, left) in [(Some(&b"login"[..]), 1), (None, 0)] {
        let shelf = shelf();
        let displaced = shelf.store.run(&key(), later(value));
        assert!(matches!(displaced, Ok(Answer::Displaced(row)) if row.value == old), "it is told, to be revoked");
        assert!(!there(&shelf) && shelf.store.list().unwrap().len() == left);
    }
    let shelf = shelf();
    assert!(shelf.store.discard(&key()).unwrap() && !there(&shelf) && !shelf.store.discard(&key()).unwrap());
}

#[test]
fn a_newer_or_damaged_record_in_the_keyring_is_left_alone() {
    for (bytes, fault) in
        [(&b"proofkey record 3 x"[..], StoreFault::Newer), (b"proofkey record 2 x\n{}", StoreFault::Corrupt)]
    {
        let shelf = Shelf::new();
        shelf.keyring.set(&key().digest(), bytes).unwrap();
        for op in [Op::Load, CLAIM, Op::Release { id: A, pause: 60 }, later(None)] {
            let error = shelf.store.run(&key(), op).unwrap_err();
            assert_eq!(error.fault(), fault, "{op:?}: {error}");
            assert!(error.to_string().contains("in the system keyring"), "{error}");
        }
        let login = shelf.store.run(&key(), later(Some(b"login")));
        let is_newer = fault == StoreFault::Newer;
        assert_eq!(login.is_err_and(|error| error.fault() == fault), is_newer, "a login replaces a damaged one");
        assert_eq!(shelf.keyring.entries.lock().unwrap().contains_key(&key().digest()), is_newer);
    }
}

#[test]
fn notes_are_beside_the_files_of_the_app() {
    let shelf = Shelf::new();
    shelf.store.set_note("name", Some("text")).unwrap();
    let files = Store::files_in(&shelf.home.path().join("app")).unwrap();
    assert_eq!(files.note("name").unwrap().as_deref(), Some("text"));
    login(&files, b"a file");
    login(&shelf.store, b"sealed");
    assert_eq!((value(&files), value(&shelf.store)), (b"a file".to_vec(), b"sealed".to_vec()));
    assert_eq!((files.list().unwrap().len(), shelf.store.list().unwrap().len()), (1, 1));
}

const CLAIM: Op<'static> = Op::Claim { version: FIRST, id: A, seconds: 25, over: None };

fn later(value: Option<&[u8]>) -> Op<'_> {
    Op::Write { expect: None, version: LATER, value }
}

fn login(store: &Store, value: &[u8]) {
    assert_eq!(
        store.run(&key(), Op::Write { expect: None, version: FIRST, value: Some(value) }).unwrap(),
        Answer::Done
    );
}

fn claim(store: &Store, version: Version) -> Result<Answer, StoreError> {
    store.run(&key(), Op::Claim { version, id: A, seconds: 25, over: None })
}

fn value(store: &Store) -> Vec<u8> {
    match store.run(&key(), Op::Load) {
        Ok(Answer::Row(row)) => row.value.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn cause(error: &StoreError) -> &StoreCause {
    error.source().and_then(|cause| cause.downcast_ref()).expect("a cause")
}

fn is_lost(error: &StoreError) {
    assert_eq!(error.fault(), StoreFault::Corrupt);
    assert!(matches!(cause(error), StoreCause::KeyLost { .. }), "{error:?}");
    assert!(error.to_string().contains("sign in again"), "{error}");
}

fn pass(store: &Store, time: Duration) {
    let Place::Vault(vault) = &store.place else { panic!("no vault") };
    vault.files.ahead.fetch_add(time.as_millis().try_into().unwrap(), Ordering::Relaxed);
}
