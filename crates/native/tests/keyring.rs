//! Logins sealed with a key in a real system keyring. `.ci/run keyring` starts one, unlocked, on a bus of its own.
#![cfg(all(feature = "keyring", any(target_os = "linux", windows)))]

use proofkey_native::{Key, Record, Secret, Store, StoreCause, StoreError};
use proofkey_store::laws::Laws;
use proofkey_store::{Answer, ClaimId, LoginId, Op, Store as _, StoreFault, Version};
use std::error::Error;
use std::process::Command;
use std::{env, fs, thread};

/// Where the folder for state is.
const STATE: &str = if cfg!(windows) { "LOCALAPPDATA" } else { "XDG_STATE_HOME" };
const FIRST: Version = Version::first(LoginId::new(1_700_000_000, None, 7));
const LATER: Version = Version::first(LoginId::new(1_800_000_000, None, 7));

#[test]
#[ignore = "needs a keyring"]
fn the_keyring_holds_a_key_and_the_files_are_sealed() {
    in_a_home("child_keeps_the_laws");
    in_a_home("child_loses_the_key");
    in_a_home("child_moves_a_record");
}

#[test]
#[ignore = "a child of a test"]
fn child_keeps_the_laws() {
    let store = Store::keyring("proofkey-laws").unwrap();
    Laws::new().check(&store, thread::sleep).unwrap();
    let entry = keyring::Entry::new("proofkey-laws", "sealing-key").unwrap();
    assert_eq!(entry.get_secret().unwrap().len(), 32);
    let other = Store::keyring("proofkey-laws").unwrap();
    let listed = other.list().unwrap();
    assert!(listed.len() > 50 && listed.iter().all(Result::is_ok), "{}", listed.len());
}

#[test]
#[ignore = "a child of a test"]
fn child_loses_the_key() {
    let store = Store::keyring("proofkey-lost").unwrap();
    let write = |store: &Store, version| store.run(&key(), Op::Write { expect: None, version, value: Some(b"CANARY") });
    assert_eq!(write(&store, FIRST).unwrap(), Answer::Done);
    let entry = keyring::Entry::new("proofkey-lost", "sealing-key").unwrap();
    let first = entry.get_secret().unwrap();
    let state = env::var_os(STATE).unwrap();
    let file = std::path::Path::new(&state).join("proofkey-lost/keyring").join(key().digest());
    assert!(!fs::read(file).unwrap().windows(6).any(|part| part == b"CANARY"));

    entry.delete_credential().unwrap();
    let other = Store::keyring("proofkey-lost").unwrap();
    let error = other.run(&key(), Op::Load).unwrap_err();
    assert!(matches!(cause(&error), StoreCause::KeyLost { .. }), "{error:?}");
    let claim = other.run(&key(), Op::Claim { version: FIRST, id: ClaimId([1; 16]), seconds: 25, over: None });
    assert_eq!(claim.unwrap_err().fault(), StoreFault::Corrupt);
    assert!(matches!(entry.get_secret(), Err(keyring::Error::NoEntry)), "no new key");
    assert_eq!(write(&other, LATER).unwrap(), Answer::Done);
    assert_ne!(entry.get_secret().unwrap(), first);
    assert!(matches!(Store::keyring("proofkey-lost").unwrap().run(&key(), Op::Load), Ok(Answer::Row(_))));
}

#[test]
#[ignore = "a child of a test"]
fn child_moves_a_record() {
    let record = Record::new(key(), Secret::new("AT".into())).to_bytes().unwrap();
    let entry = keyring::Entry::new("proofkey-earlier", &key().digest()).unwrap();
    entry.set_secret(&record).unwrap();
    let store = Store::keyring("proofkey-earlier").unwrap();
    let Ok(Answer::Row(row)) = store.run(&key(), Op::Load) else { panic!("a row") };
    assert_eq!(row.value, record);
    let id = ClaimId([1; 16]);
    let claim = Op::Claim { version: row.version, id, seconds: 25, over: None };
    assert!(matches!(store.run(&key(), claim), Ok(Answer::Claimed(row)) if row.value == record));
    assert!(matches!(entry.get_secret(), Err(keyring::Error::NoEntry)));
    assert!(
        matches!(Store::keyring("proofkey-earlier").unwrap().run(&key(), Op::Load), Ok(Answer::Row(row)) if row.value == record)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_keyring_the_error_names_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    let mut child = child("child_finds_no_keyring", home.path());
    let bus = format!("unix:path={}", home.path().join("no-bus").display());
    let output = child.env("DBUS_SESSION_BUS_ADDRESS", bus).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("keep the logins in files"), "{said}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing is made for a store that is not there");
}

#[test]
#[ignore = "a child of a test"]
fn child_finds_no_keyring() {
    let error = Store::keyring("my-app").unwrap_err();
    assert!(matches!(cause(&error), StoreCause::NoKeyring(_)), "{error:?}");
    assert_eq!(error.fault(), StoreFault::Setup);
    println!("{error}");
}

fn in_a_home(test: &str) {
    let home = tempfile::tempdir().unwrap();
    let output = child(test, home.path()).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A test in a process of its own, with its own folder for state.
fn child(test: &str, home: &std::path::Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env(STATE, home);
    command
}

fn cause(error: &StoreError) -> &StoreCause {
    error.source().and_then(|cause| cause.downcast_ref()).expect("a cause")
}

fn key() -> Key {
    Key::new("https://as.example", "app", "default")
}
