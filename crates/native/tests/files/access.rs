//! Who can read and write the files.

use super::*;
use proofkey_native::FolderError;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[test]
fn folder_and_files_belong_to_their_owner_alone() {
    let shelf = Shelf::with_login();
    assert!(matches!(shelf.claim(FIRST, A), Ok(Answer::Claimed(_))));
    shelf.store.set_note("note", Some("text")).unwrap();
    assert_eq!(mode(&shelf.folder()), 0o700);
    assert_eq!(shelf.names().len(), 5, "the row, its lock, its claim, room for the next one, a note");
    for name in shelf.names() {
        assert_eq!(mode(&shelf.folder().join(&name)), 0o600, "{name}");
    }
}

#[test]
fn wider_modes_are_refused_and_the_error_says_what_to_do() {
    let shelf = Shelf::with_login();
    let set_mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for wider in [0o640, 0o604, 0o660, 0o644, 0o777] {
        set_mode(&shelf.file(), wider);
        for result in [shelf.run(Op::Load), shelf.claim(FIRST, A), shelf.write(None, LATER, None)] {
            let error = refused(result, StoreFault::Setup);
            assert!(matches!(cause(&error), StoreCause::Folder(FolderError::Exposed { .. })), "{error:?}");
            assert!(error.to_string().contains("chmod 600"), "{wider:o}: {error}");
        }
    }
    assert_eq!(shelf.write(None, FIRST, Some(b"login")).unwrap(), Answer::Done, "a login replaces it");
    assert_eq!((mode(&shelf.file()), &**shelf.row().value), (0o600, &b"login"[..]));
    shelf.put(b"proofkey record 4 ");
    set_mode(&shelf.file(), 0o644);
    refused(shelf.write(None, LATER, Some(b"login")), StoreFault::Newer);
    assert!(shelf.store.discard(&shelf.key).unwrap());

    set_mode(&shelf.folder(), 0o750);
    for error in [
        Store::files_in(&shelf.folder()).unwrap_err(),
        shelf.run(Op::Load).unwrap_err(),
        shelf.claim(FIRST, A).unwrap_err(),
        shelf.write(None, LATER, Some(b"login")).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("belongs to you (mode 750)") && error.contains("chmod 700"), "{error}");
    }
}

#[test]
fn foreign_owners_are_refused() {
    let shelf = Shelf::with_login();
    let refused = |error: StoreError| {
        assert!(matches!(cause(&error), StoreCause::Folder(FolderError::Foreign(_))), "{error}");
    };
    if is_root() {
        std::os::unix::fs::chown(shelf.file(), Some(1), None).unwrap();
        refused(shelf.run(Op::Load).unwrap_err());
        std::os::unix::fs::chown(shelf.folder(), Some(1), None).unwrap();
        refused(Store::files_in(&shelf.folder()).unwrap_err());
    } else {
        refused(Store::files_in(Path::new("/etc")).unwrap_err());
    }
}

#[test]
fn links_are_refused_and_not_followed() {
    let shelf = Shelf::with_login();
    let insecure = |result: Result<Answer, StoreError>| {
        let error = refused(result, StoreFault::Setup);
        assert!(matches!(cause(&error), StoreCause::Folder(FolderError::Insecure { .. })), "{error:?}");
    };
    let elsewhere = shelf.home.path().join("elsewhere");
    fs::rename(shelf.file(), &elsewhere).unwrap();
    symlink(&elsewhere, shelf.file()).unwrap();
    insecure(shelf.run(Op::Load));
    insecure(shelf.claim(FIRST, A));
    let before = fs::read(&elsewhere).unwrap();
    shelf.write(None, LATER, Some(b"login")).unwrap();
    assert_eq!(fs::read(&elsewhere).unwrap(), before, "a login replaces the link and not what it leads to");
    assert!(!fs::symlink_metadata(shelf.file()).unwrap().is_symlink());

    let second = shelf.home.path().join("second");
    fs::hard_link(shelf.file(), &second).unwrap();
    insecure(shelf.run(Op::Load));
    fs::remove_file(second).unwrap();
    for file in ["claim", "lock"].map(|ending| shelf.file().with_extension(ending)) {
        let _ = fs::remove_file(&file);
        symlink(&elsewhere, &file).unwrap();
        insecure(shelf.claim(LATER, A));
    }

    let link = shelf.home.path().join("link");
    symlink(shelf.folder(), &link).unwrap();
    for no_folder in [&link, &elsewhere] {
        let error = Store::files_in(no_folder).unwrap_err();
        assert!(matches!(cause(&error), StoreCause::Folder(FolderError::Insecure { .. })), "{error:?}");
    }
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let shelf = Shelf::with_login();
    fs::remove_file(shelf.file()).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, shelf.file(), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send([shelf.run(Op::Load), shelf.claim(FIRST, A)]));
    for result in receiver.recv_timeout(Duration::from_secs(20)).expect("an answer before anybody writes") {
        assert!(result.unwrap_err().to_string().contains("not a regular file"));
    }
}

#[test]
fn a_folder_that_cannot_be_written_refuses_the_claim_and_not_the_load() {
    if is_root() {
        return eprintln!("root may write everywhere; the tests with a read-only file system see it");
    }
    let shelf = Shelf::with_login();
    fs::set_permissions(shelf.folder(), Permissions::from_mode(0o500)).unwrap();
    let error = refused(shelf.claim(FIRST, A), StoreFault::Setup);
    assert!(error.to_string().contains("chmod u+rwX"), "{error}");
    assert_eq!(*shelf.row().value, b"first");
    fs::set_permissions(shelf.folder(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(shelf.names().len(), 2);
}

#[test]
fn what_the_system_refuses_is_told_with_its_place() {
    let shelf = Shelf::with_login();
    let error = Store::files_in(&shelf.file().join("proofkey")).unwrap_err();
    assert_eq!(error.fault(), StoreFault::Setup);
    assert!(error.to_string().contains("/proofkey: "), "{error}");
    assert_eq!(error.to_string().matches("os error").count(), 1, "it is told once: {error}");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
