//! The token store when the process is killed, or the system fails, at each of its system calls in turn.
//!
//! Needs `strace`, which injects the faults.

use proofkey_native::old::{Store, StoreError};
use proofkey_native::{FolderError, Key, Record, Secret};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const OLD: &str = "old-token";
const NEW: &str = "new-token";
/// The arguments of a save, and of one in room that is reserved first.
const SAVES: [&[&str]; 2] = [&[NEW], &[NEW, "reserved"]];
/// Where a program that measures its coverage writes, which none is to do that is killed.
const PROFILE: &str = "LLVM_PROFILE_FILE";
const NOWHERE: &str = "/dev/null";
const SAVE: &str = env!("CARGO_BIN_EXE_save_record");

#[test]
fn a_save_killed_at_any_system_call_leaves_the_old_or_the_new_record() {
    for save in SAVES {
        let (mut old, mut new) = (0, 0);
        for (name, times) in system_calls(save).into_iter().filter(|(name, _)| name != "execve") {
            for at in 1..=times {
                let home = with_old_record();
                let output = strace(&home, &format!("inject={name}:signal=KILL:when={at}"), save);
                assert_eq!(output.status.signal(), Some(9), "{name} {at} was not reached: {output:?}");
                match whole(&home).as_str() {
                    OLD => old += 1,
                    NEW => new += 1,
                    token => panic!("killed at {name} {at}: {token}"),
                }
                usable(&home);
            }
        }
        println!("killed at each of {} system calls: {old} times the old record, {new} times the new one", old + new);
        assert!(old > 0 && new > 0);
    }
}

#[test]
fn a_save_killed_at_any_byte_leaves_the_old_record() {
    let home = with_old_record();
    let length = fs::metadata(record_file(&home)).unwrap().len();
    for bytes in 0..length {
        let home = with_old_record();
        let limit = format!("--fsize={bytes}");
        let output = Command::new("prlimit")
            .env(PROFILE, NOWHERE)
            .args([&*limit, SAVE])
            .arg(folder(&home))
            .arg(NEW)
            .output()
            .unwrap();
        assert!(!output.status.success(), "{bytes} of {length} bytes were enough");
        assert_eq!(whole(&home), OLD, "{bytes} bytes");
        usable(&home);
    }
    println!("stopped at each of {length} bytes: the old record each time");
}

#[test]
fn a_failing_system_call_is_an_error_and_loses_no_record() {
    let mut injected = 0;
    for save in SAVES {
        let calls = system_calls(save);
        for name in
            ["mkdir", "openat", "fstat", "fchmod", "flock", "getdents64", "write", "fsync", "renameat", "getrandom"]
        {
            let times = *calls.get(name).expect("a system call of each save");
            for error in ["ENOSPC", "EIO", "EDQUOT", "EROFS", "EACCES", "EMFILE"] {
                for at in 1..=times {
                    let home = with_old_record();
                    let output = strace(&home, &format!("inject={name}:error={error}:when={at}"), save);
                    assert_eq!(output.status.signal(), None, "{name} {at} {error}: {output:?}");
                    let token = whole(&home);
                    assert!(token == OLD || token == NEW, "{name} {at} {error}");
                    assert!(!output.status.success() || token == NEW, "{name} {at} {error}: said to be saved");
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert!(!said.contains(OLD) && !said.contains(NEW) && !said.contains("panicked"), "{said}");
                    usable(&home);
                    injected += 1;
                }
            }
        }
    }
    println!("{injected} failures of system calls: an error or the new record each time");
}

#[test]
fn links_that_come_and_go_lead_no_write_outside() {
    let home = with_old_record();
    let (file, outside) = (record_file(&home), home.path().join("outside"));
    fs::write(&outside, "untouched").unwrap();
    let (done, mut met) = (AtomicBool::new(false), 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let link = home.path().join("link");
            while !done.load(Ordering::Relaxed) {
                drop(symlink(&outside, &link));
                drop(fs::rename(&link, &file));
                drop(fs::hard_link(&outside, &link));
                drop(fs::rename(&link, &file));
            }
        });
        let store = Store::files_in(&folder(&home)).unwrap();
        for _ in 0..2000 {
            store.lock(&key(), Duration::from_secs(5)).unwrap().save(&record(NEW)).unwrap();
            match store.load(&key()) {
                Ok(record) => assert_eq!(record.expect("a record").access_token.expose(), NEW),
                // A link, a second name, or what had one a moment ago.
                Err(StoreError::Folder(FolderError::Insecure { .. } | FolderError::Exposed { .. })) => met += 1,
                Err(error) => panic!("{error}"),
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    println!("{met} of 2000 reads met a link");
    assert!(met > 0, "the links never came in time");
    assert_eq!(fs::read_to_string(outside).unwrap(), "untouched");
}

#[test]
fn no_file_has_a_wider_mode_even_for_an_instant() {
    let home = with_old_record();
    assert!(strace(&home, "trace=openat,creat,mkdir,fchmod,umask", &[NEW]).status.success());
    let log = fs::read_to_string(home.path().join("log")).unwrap();
    let created: Vec<_> = log.lines().filter(|line| line.contains("O_CREAT") && !line.contains(NOWHERE)).collect();
    assert!(created.len() >= 2, "the lock and the record: {log}");
    for line in created {
        assert!(line.contains("|O_EXCL|") && line.contains("O_NOFOLLOW") && line.contains(", 0600)"), "{line}");
    }
    for line in log.lines().filter(|line| line.starts_with("fchmod")) {
        assert!(line.contains(", 0600)") || line.contains(", 0700)"), "{line}");
    }
}

#[test]
fn a_removal_killed_at_any_system_call_leaves_the_record_whole_or_gone() {
    let (mut there, mut gone) = (0, 0);
    let calls = system_calls(&[]);
    let failing = ["openat", "fstat", "flock", "getdents64", "unlinkat", "fsync"];
    let killed =
        calls.iter().filter(|(name, _)| *name != "execve").map(|(name, times)| (name.as_str(), "signal=KILL", *times));
    let failed = failing.iter().flat_map(|name| {
        ["error=EIO", "error=EROFS", "error=EACCES"]
            .map(|error| (*name, error, *calls.get(*name).expect("a call of each removal")))
    });
    for (name, fault, times) in killed.chain(failed) {
        for at in 1..=times {
            let home = with_old_record();
            let output = strace(&home, &format!("inject={name}:{fault}:when={at}"), &[]);
            assert_eq!(output.status.signal() == Some(9), fault == "signal=KILL", "{name} {at} {fault}: {output:?}");
            let record = Store::files_in(&folder(&home)).unwrap().load(&key()).unwrap();
            match record {
                Some(record) => {
                    assert_eq!(record.access_token.expose(), OLD, "{name} {at} {fault}");
                    assert!(!output.status.success(), "{name} {at} {fault}: said to be removed");
                    there += 1;
                }
                None => gone += 1,
            }
            usable(&home);
        }
    }
    println!("a removal killed or failed at each system call: {there} times the record, {gone} times none");
    assert!(there > 0 && gone > 0);
}

/// A file system of its own that is full: of one mebibyte.
#[test]
fn a_full_disk_loses_no_record() {
    let home = tempfile::tempdir().unwrap();
    let disk = folder(&home);
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]).arg(&disk).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        return eprintln!("only root mounts a disk, so that this test sees nothing; others inject ENOSPC");
    }
    save(&home, OLD);
    let filler = fs::write(disk.join("filler"), vec![0; 2 << 20]).unwrap_err();
    assert_eq!(filler.kind(), ErrorKind::StorageFull);
    let output = Command::new(SAVE).env(PROFILE, NOWHERE).arg(&disk).arg(NEW).output().unwrap();
    let kept = whole(&home);
    fs::remove_file(disk.join("filler")).unwrap();
    usable(&home);
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("No space left"), "{said}");
    assert_eq!(kept, OLD);
}

/// The system calls of one save of a token, or of one removal, and how often each is made.
fn system_calls(token: &[&str]) -> BTreeMap<String, usize> {
    let home = with_old_record();
    let output = strace(&home, "trace=all", token);
    assert!(output.status.success(), "{output:?}");
    let mut calls = BTreeMap::new();
    for line in fs::read_to_string(home.path().join("log")).unwrap().lines() {
        if let Some((name, _)) = line.split_once('(') {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    calls
}

/// One save of a token, or one removal, traced into the file `log`. Counts in the expression are for each system call on its
/// own.
fn strace(home: &TempDir, expression: &str, token: &[&str]) -> Output {
    let mut command = Command::new("strace");
    command.env(PROFILE, NOWHERE);
    command.arg("-o").arg(home.path().join("log")).args(["-e", expression]);
    command.arg(SAVE).arg(folder(home)).args(token).output().expect("strace is installed")
}

fn with_old_record() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    save(&home, OLD);
    home
}

fn save(home: &TempDir, token: &str) {
    let store = Store::files_in(&folder(home)).unwrap();
    store.lock(&key(), Duration::from_secs(5)).unwrap().save(&record(token)).unwrap();
}

/// The access token of the record, which is as it was written.
fn whole(home: &TempDir) -> String {
    let record = Store::files_in(&folder(home)).unwrap().load(&key()).unwrap().expect("a record");
    record.access_token.expose().to_owned()
}

/// The next writer finds nothing in its way, and sweeps up.
fn usable(home: &TempDir) {
    save(home, "next-token");
    assert_eq!(whole(home), "next-token");
    assert_eq!(fs::read_dir(folder(home)).unwrap().count(), 2, "the record and its lock");
}

fn folder(home: &TempDir) -> PathBuf {
    home.path().join("proofkey")
}

fn record_file(home: &TempDir) -> PathBuf {
    let entries = fs::read_dir(folder(home)).unwrap().map(|entry| entry.unwrap().path());
    let records: Vec<_> = entries.filter(|path: &PathBuf| path.extension().is_none()).collect();
    <[PathBuf; 1]>::try_from(records).unwrap()[0].clone()
}

fn key() -> Key {
    Key { issuer: "https://as.example".into(), client_id: "app".into(), account: "default".into() }
}

fn record(token: &str) -> Record {
    Record::new(key(), Secret::new(token.into()))
}
