//! The files of the store if somebody else is at work in its folder.
//!
//! Needs `strace`, which shows the system calls.

use proofkey_native::{FolderError, Store, StoreCause};
use proofkey_store::{Answer, Key, LoginId, Op, Store as _, Version};
use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Where a program that measures its coverage writes.
const NOWHERE: &str = "/dev/null";

#[test]
fn links_that_come_and_go_lead_no_write_outside() {
    let home = tempfile::tempdir().unwrap();
    let (folder, outside) = (home.path().join("store"), home.path().join("outside"));
    let (store, key) = (Store::files_in(&folder).unwrap(), Key::new("https://as.example", "app", "default"));
    let file = folder.join(key.digest());
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
        for second in 1..=2000 {
            let version = Version::first(LoginId::new(second, None, 7));
            match store.run(&key, Op::Write { expect: None, version, value: Some(b"login") }) {
                Ok(Answer::Displaced(_) | Answer::Done) => {}
                other => met += is_link(other),
            }
            match store.run(&key, Op::Load) {
                Ok(Answer::Row(row)) => assert_eq!(*row.value, b"login"),
                other => met += is_link(other),
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    println!("{met} of 4000 operations met a link");
    assert!(met > 0, "the links never came in time");
    assert_eq!(fs::read_to_string(outside).unwrap(), "untouched");
}

/// A link, a second name, or what had one a moment ago.
fn is_link(result: Result<Answer, proofkey_store::StoreError>) -> usize {
    let error = result.expect_err("a refusal");
    let cause = error.source().and_then(<dyn Error>::downcast_ref::<StoreCause>);
    let is_link = matches!(cause, Some(StoreCause::Folder(FolderError::Insecure { .. } | FolderError::Exposed { .. })));
    assert!(is_link, "{error}");
    1
}

#[test]
fn no_file_has_a_wider_mode_even_for_an_instant() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("strace");
    command.env("LLVM_PROFILE_FILE", NOWHERE).arg("-o").arg(home.path().join("log"));
    command.args(["-e", "trace=openat,creat,mkdir,fchmod,umask", env!("CARGO_BIN_EXE_change_row")]);
    let output = command.arg(home.path().join("store")).arg("login").output().expect("strace is installed");
    assert!(output.status.success(), "{output:?}");
    let log = fs::read_to_string(home.path().join("log")).unwrap();
    let created: Vec<_> = log.lines().filter(|line| line.contains("O_CREAT") && !line.contains(NOWHERE)).collect();
    assert!(created.len() >= 2, "the lock and the row: {log}");
    for line in created {
        assert!(line.contains("|O_EXCL|") && line.contains("O_NOFOLLOW") && line.contains(", 0600)"), "{line}");
    }
    for line in log.lines().filter(|line| line.starts_with("fchmod")) {
        assert!(line.contains(", 0600)") || line.contains(", 0700)"), "{line}");
    }
}
