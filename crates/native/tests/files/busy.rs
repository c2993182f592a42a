//! Files that another program has open, as a virus scanner does.

use super::*;
use proofkey_native::FolderError;
use std::fs::{File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_write_waits_for_a_program_that_has_the_file_open() {
    let shelf = Shelf::with_login();
    let scanned = scan(&shelf);
    thread::scope(|scope| {
        let write = scope.spawn(|| shelf.write(Some((FIRST, A)), FIRST.next(A), Some(b"next")));
        while !write.is_finished() && !shelf.names().iter().any(|name| name.starts_with('.')) {
            thread::yield_now();
        }
        assert_eq!(*shelf.row().value, b"first");
        drop(scanned);
        assert_eq!(write.join().unwrap().unwrap(), Answer::Done);
    });
    assert_eq!(*shelf.row().value, b"next");
}

#[test]
fn a_write_that_has_waited_too_long_leaves_the_old_row() {
    let shelf = Shelf::with_login();
    let scanned = scan(&shelf);
    let begun = Instant::now();
    let error = shelf.write(Some((FIRST, A)), FIRST.next(A), Some(b"next")).unwrap_err();
    assert!(begun.elapsed() >= Duration::from_secs(1), "it waits for a program that lets go soon");
    assert!(
        matches!(cause(&error), StoreCause::Folder(FolderError::Io { path, .. }) if *path == shelf.file()),
        "{error:?}"
    );
    assert!(error.to_string().contains("another p"), "{error}");
    assert_eq!((&**shelf.row().value, shelf.names().len()), (&b"first"[..], 2));
    drop(scanned);
    assert_eq!(shelf.write(Some((FIRST, A)), FIRST.next(A), Some(b"next")).unwrap(), Answer::Done);
}

/// Opens the file of the row and lets others read it only.
fn scan(shelf: &Shelf) -> File {
    const FILE_SHARE_READ: u32 = 1;
    OpenOptions::new().read(true).share_mode(FILE_SHARE_READ).open(shelf.file()).unwrap()
}
