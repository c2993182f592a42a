//! The store of files when its process is killed, or the system fails, at each of its system calls in turn.
//!
//! Needs `strace`, which injects the faults.

use proofkey_native::Store;
use proofkey_store::{Answer, ClaimId, Key, LoginId, Op, Store as _, Version};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const A: ClaimId = ClaimId([0xA; 16]);
const B: ClaimId = ClaimId([0xB; 16]);
const FIRST: Version = Version::first(LoginId::new(1_700_000_000, None, 7));
const LATER: Version = Version::first(LoginId::new(1_800_000_000, None, 7));
const CHANGE: &str = env!("CARGO_BIN_EXE_change_row");
/// Where a program that measures its coverage writes, which none is to do that is killed.
const PROFILE: &str = "LLVM_PROFILE_FILE";
const NOWHERE: &str = "/dev/null";
/// What a process does, and the row that is there when it has done all of it.
const CHANGES: [(&[&str], &str); 4] = [
    (&["claim", "renew", "write"], "next"),
    (&["claim", "release-with-pause"], "first"),
    (&["claim", "login"], "login"),
    (&["sign-out"], "signed out"),
];

#[test]
fn a_process_killed_at_any_system_call_leaves_a_whole_row_and_the_mark_of_its_claim() {
    let (mut rows, mut marks) = (BTreeMap::<_, usize>::new(), [0, 0]);
    let opened = system_calls(&[]);
    for (change, last) in CHANGES {
        for (name, times) in &system_calls(change) {
            for at in opened.get(name).map_or(1, |before| before + 1)..=*times {
                let home = with_row();
                let output = strace(&home, &format!("inject={name}:signal=KILL:when={at}"), change);
                let place = format!("{change:?} killed at {name} {at}");
                assert_eq!(output.status.signal(), Some(9), "{place} was not reached: {output:?}");
                let (row, mark) = look(&home);
                assert!(row == "first" || row == last, "{place}: {row}");
                assert!(done(&output).len() < change.len() || row == last, "{place}: said to be done");
                let held = done(&output).contains(&"claim") && done(&output).last() != change.last();
                let log = Log::of(&home);
                if row != "first" || log.ends_claim() == Some(true) {
                    assert!(!mark, "{place}: a mark that is over");
                } else if log.makes_claim() == Some(false) {
                    assert!(!mark && !held, "{place}: a mark from nowhere");
                } else if log.makes_claim() == Some(true) && log.ends_claim() == Some(false) {
                    assert!(mark, "{place}: the mark is missing");
                }
                *rows.entry(row).or_default() += 1;
                marks[usize::from(mark)] += 1;
                usable(&home);
            }
        }
    }
    println!("killed at each system call: rows {rows:?}, without a mark {}, with one {}", marks[0], marks[1]);
    assert!(rows.len() == 4 && marks.iter().all(|times| *times > 0));
}

#[test]
fn a_failing_system_call_is_an_error_and_loses_nothing() {
    let (mut injected, mut refused) = (0, 0);
    let opened = system_calls(&[]);
    for (change, last) in CHANGES {
        let calls = system_calls(change);
        for name in ["openat", "fstat", "fchmod", "flock", "getdents64", "write", "fsync", "renameat", "getrandom"] {
            let times = calls.get(name).copied().unwrap_or_default();
            for error in ["ENOSPC", "EIO", "EACCES", "EMFILE"] {
                for at in opened.get(name).map_or(1, |before| before + 1)..=times {
                    let home = with_row();
                    let output = strace(&home, &format!("inject={name}:error={error}:when={at}"), change);
                    let place = format!("{change:?}, {name} {at} {error}");
                    assert_eq!(output.status.signal(), None, "{place}: {output:?}");
                    let (row, mark) = look(&home);
                    assert!(row == "first" || row == last, "{place}: {row}");
                    assert!(!output.status.success() || row == last, "{place}: said to be done");
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert!(!said.contains("panicked"), "{place}: {said}");
                    if change[0] == "claim" && done(&output).is_empty() {
                        // Only the folder's own write can fail after the mark has its name.
                        assert!(!mark || Log::of(&home).makes_claim() == Some(true), "{place}: a mark without a claim");
                        refused += 1;
                    }
                    usable(&home);
                    injected += 1;
                }
            }
        }
    }
    println!("{injected} failures of system calls, {refused} of them refused the claim");
    assert!(refused > 0);
}

#[test]
fn without_room_for_the_next_row_there_is_no_claim() {
    for bytes in [0, 1, 100, 4096, 32 * 1024 - 1] {
        let home = with_row();
        let output = limited(&home, bytes, &["claim", "write"]);
        assert!(!output.status.success() && done(&output).is_empty(), "{bytes}: {output:?}");
        assert_eq!(look(&home), ("first".to_owned(), false), "{bytes}");
        usable(&home);
    }
    assert!(limited(&with_row(), 32 * 1024, &["claim", "write"]).status.success());
}

#[test]
fn a_login_stopped_at_any_byte_leaves_the_old_row() {
    let home = with_row();
    let length = fs::metadata(folder(&home).join(key().digest())).unwrap().len();
    for bytes in 0..length {
        let home = with_row();
        assert!(!limited(&home, bytes, &["login"]).status.success(), "{bytes} of {length} bytes were enough");
        assert_eq!(look(&home), ("first".to_owned(), false), "{bytes} bytes");
        usable(&home);
    }
}

/// A file system of its own that is full: of one mebibyte.
#[test]
fn a_full_disk_refuses_the_claim() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(folder(&home)).unwrap();
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]).arg(folder(&home)).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        return eprintln!("only root mounts a disk, so that this test sees nothing; others inject ENOSPC");
    }
    login(&home);
    let filler = folder(&home).join("filler");
    assert_eq!(fs::write(&filler, vec![0; 2 << 20]).unwrap_err().kind(), ErrorKind::StorageFull);
    let full = run(Command::new(CHANGE), &home, &["claim", "write"]);
    fs::remove_file(filler).unwrap();
    let kept = look(&home);
    let remount = |mode| Command::new("mount").args(["-o", &format!("remount,{mode}")]).arg(folder(&home)).status();
    assert!(remount("ro").unwrap().success());
    let read_only = run(Command::new(CHANGE), &home, &["load", "claim"]);
    assert!(remount("rw").unwrap().success());
    usable(&home);
    assert!(Command::new("umount").arg(folder(&home)).status().unwrap().success());
    assert_eq!(kept, ("first".to_owned(), false));
    for (output, done_before, said) in [(full, vec![], "free some space"), (read_only, vec!["load"], "can be written")]
    {
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && done(&output) == done_before && told.contains(said), "{told}");
    }
}

#[test]
fn without_locks_a_claim_lasts_for_its_time() {
    for error in ["ENOLCK", "ENOSYS", "EOPNOTSUPP"] {
        let home = with_row();
        let expression = format!("inject=flock:error={error}");
        assert!(strace(&home, &expression, &["claim", "renew", "write"]).status.success(), "{error}");
        assert_eq!(look(&home), ("next".to_owned(), false));
        let home = with_row();
        assert!(strace(&home, &expression, &["claim"]).status.success(), "{error}");
        assert!(matches!(claim(&home, FIRST), Answer::Busy { left: Some(1..=25) }), "{error}");
    }
    let home = with_row();
    let output = strace(&home, "inject=flock:error=EIO", &["claim"]);
    assert!(!output.status.success() && done(&output).is_empty(), "another failure is one: {output:?}");
}

#[test]
fn without_locks_no_two_processes_hold_a_claim_at_once() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::files_in(&folder(&home)).unwrap();
    store.run(&key(), Op::Write { expect: None, version: FIRST, value: Some(b"0") }).unwrap();
    let adders: Vec<_> = (1..=4)
        .map(|number| {
            let mut command = Command::new("strace");
            command.args(["-o", NOWHERE, "-e", "inject=flock:error=ENOLCK", CHANGE]).arg(folder(&home));
            command.arg(format!("add-{number}")).env(PROFILE, NOWHERE).spawn().unwrap()
        })
        .collect();
    for mut adder in adders {
        assert!(adder.wait().unwrap().success());
    }
    assert!(matches!(store.run(&key(), Op::Load), Ok(Answer::Row(row)) if *row.value == b"40"));
}

/// What the command line waits for.
#[test]
fn a_load_takes_no_lock_and_opens_one_file() {
    let opened = system_calls(&[]);
    let loaded = difference(&system_calls(&["load"]), &opened);
    let claimed = difference(&system_calls(&["claim", "write"]), &opened);
    println!("load: {} {loaded:?}", loaded.values().sum::<usize>());
    println!("claim and write: {} {claimed:?}", claimed.values().sum::<usize>());
    assert_eq!(loaded.get("openat"), Some(&1));
    assert!(!loaded.contains_key("flock") && !loaded.contains_key("fsync") && loaded.values().sum::<usize>() <= 10);
    assert!(claimed.get("fsync").is_some_and(|times| *times <= 5), "{claimed:?}");
}

/// What `strace` wrote of a process.
struct Log(String);

impl Log {
    fn of(home: &TempDir) -> Self {
        Self(fs::read_to_string(home.path().join("log")).unwrap())
    }

    fn makes_claim(&self) -> Option<bool> {
        self.does(|line| line.starts_with("renameat") && line.contains(".claim\""))
    }

    fn ends_claim(&self) -> Option<bool> {
        self.does(|line| line.starts_with("unlinkat") && line.contains(".claim\""))
    }

    /// None if it was killed in this call.
    fn does(&self, what: impl Fn(&str) -> bool) -> Option<bool> {
        let lines: Vec<_> = self.0.lines().filter(|line| what(line)).collect();
        if lines.iter().any(|line| line.contains("= ?") || !line.contains(" = ")) {
            return None;
        }
        Some(lines.iter().any(|line| line.contains("= 0")))
    }
}

/// The system calls of a process that does this, and how often each is made.
fn system_calls(change: &[&str]) -> BTreeMap<String, usize> {
    let home = with_row();
    let output = strace(&home, "trace=all", change);
    assert!(output.status.success(), "{output:?}");
    let mut calls = BTreeMap::new();
    for line in Log::of(&home).0.lines() {
        if let Some((name, _)) = line.split_once('(') {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    calls
}

fn difference(calls: &BTreeMap<String, usize>, of: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    let more = calls.iter().map(|(name, times)| (name.clone(), times - of.get(name).unwrap_or(&0).min(times)));
    more.filter(|(_, times)| *times > 0).collect()
}

fn strace(home: &TempDir, expression: &str, change: &[&str]) -> Output {
    let mut command = Command::new("strace");
    // Names of files are longer than what it prints by default.
    command.arg("-o").arg(home.path().join("log")).args(["-s", "200", "-e", expression, CHANGE]);
    run(command, home, change)
}

fn limited(home: &TempDir, bytes: u64, change: &[&str]) -> Output {
    let mut command = Command::new("prlimit");
    command.args([&*format!("--fsize={bytes}"), CHANGE]);
    run(command, home, change)
}

fn run(mut command: Command, home: &TempDir, change: &[&str]) -> Output {
    command.env(PROFILE, NOWHERE).stdin(Stdio::null()).arg(folder(home)).args(change);
    command.output().expect("strace and prlimit are installed")
}

/// The operations that were done, as the process itself says.
fn done(output: &Output) -> Vec<&str> {
    let said = str::from_utf8(&output.stdout).unwrap();
    said.lines().filter_map(|line| line.strip_suffix(" is done")).collect()
}

fn with_row() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    login(&home);
    home
}

fn login(home: &TempDir) {
    let store = Store::files_in(&folder(home)).unwrap();
    store.run(&key(), Op::Write { expect: None, version: FIRST, value: Some(b"first") }).unwrap();
}

/// The value of the row, which is as it was written, and whether there is a mark of `A`.
fn look(home: &TempDir) -> (String, bool) {
    let store = Store::files_in(&folder(home)).unwrap();
    let row = match store.run(&key(), Op::Load).unwrap() {
        Answer::Row(row) => row,
        Answer::SignedOut { version: LATER } => return ("signed out".to_owned(), false),
        other => panic!("{other:?}"),
    };
    let value = String::from_utf8(row.value.to_vec()).unwrap();
    let version = match value.as_str() {
        "first" => FIRST,
        "next" => FIRST.next(A),
        _ => LATER,
    };
    assert_eq!(row.version, version);
    let mark = match claim(home, version) {
        Answer::Lapsed { id: A, .. } => true,
        Answer::Claimed(_) => false,
        other => panic!("{other:?}"),
    };
    (value, mark)
}

fn claim(home: &TempDir, version: Version) -> Answer {
    let store = Store::files_in(&folder(home)).unwrap();
    let answer = store.run(&key(), Op::Claim { version, id: B, seconds: 25, over: None }).unwrap();
    if matches!(answer, Answer::Claimed(_)) {
        assert_eq!(store.run(&key(), Op::Release { id: B, pause: 0 }).unwrap(), Answer::Done);
    }
    answer
}

/// The next process finds nothing in its way, and sweeps up.
fn usable(home: &TempDir) {
    let store = Store::files_in(&folder(home)).unwrap();
    let version = Version::first(LoginId::new(1_900_000_000, None, 7));
    store.run(&key(), Op::Write { expect: None, version, value: Some(b"usable") }).unwrap();
    assert!(matches!(store.run(&key(), Op::Load), Ok(Answer::Row(row)) if *row.value == b"usable"));
    let left: Vec<_> = fs::read_dir(folder(home)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| Path::new(name).extension().is_none_or(|ending| ending == "lock")), "{left:?}");
    assert_eq!(left.len(), 2, "the row and its lock: {left:?}");
}

fn folder(home: &TempDir) -> PathBuf {
    home.path().join("proofkey")
}

fn key() -> Key {
    Key::new("https://as.example", "app", "default")
}
