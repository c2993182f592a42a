//! The file store: who can read it, what a crash leaves, who waits for whom.
#![cfg(unix)]

use proofkey_core::{Feature, Server};
use proofkey_native::old::{Store, StoreError};
use proofkey_native::{FolderError, Key, Record, Secret};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

const FILE_MAX: usize = 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn folder_and_files_belong_to_their_owner_alone() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    assert_eq!(files(&folder).len(), 2, "the record and its lock");
}

#[test]
fn wider_modes_are_refused_and_the_error_says_what_to_do() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    let file = record_file(&folder);
    for wider in [0o640, 0o604, 0o660, 0o644, 0o777] {
        fs::set_permissions(&file, Permissions::from_mode(wider)).unwrap();
        let error = store.load(&key("a")).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{wider:o}: {error}");
    }
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    assert!(store.load(&key("a")).unwrap().is_some());
    fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
    for error in [
        Store::files_in(&folder).unwrap_err(),
        store.load(&key("a")).unwrap_err(),
        store.lock(&key("a"), PATIENCE).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("belongs to you (mode 750)") && error.contains("chmod 700"), "{error}");
    }
}

#[test]
fn foreign_owners_are_refused() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    let refused = |error: StoreError| {
        assert!(matches!(error, StoreError::Folder(FolderError::Foreign(_))), "{error}");
    };
    if rustix_is_root() {
        std::os::unix::fs::chown(record_file(&folder), Some(1), None).unwrap();
        refused(store.load(&key("a")).unwrap_err());
        std::os::unix::fs::chown(&folder, Some(1), None).unwrap();
        refused(Store::files_in(&folder).unwrap_err());
    } else {
        refused(Store::files_in(Path::new("/etc")).unwrap_err());
    }
}

#[test]
fn links_are_refused_and_not_followed() {
    let (home, folder, store) = store();
    save(&store, &record("a"));
    let file = record_file(&folder);
    let elsewhere = home.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();

    symlink(&elsewhere, &file).unwrap();
    assert!(matches!(store.load(&key("a")), Err(StoreError::Folder(FolderError::Insecure { .. }))));
    let before = fs::read(&elsewhere).unwrap();
    save(&store, &record("a"));
    assert_eq!(fs::read(&elsewhere).unwrap(), before, "a write replaces the link and not what it leads to");
    assert!(!fs::symlink_metadata(&file).unwrap().is_symlink());

    fs::hard_link(&file, home.path().join("second")).unwrap();
    assert!(matches!(store.load(&key("a")), Err(StoreError::Folder(FolderError::Insecure { .. }))));

    let lock = file.with_extension("lock");
    fs::remove_file(&lock).unwrap();
    symlink(&elsewhere, &lock).unwrap();
    assert!(matches!(store.lock(&key("a"), PATIENCE), Err(StoreError::Folder(FolderError::Insecure { .. }))));

    let link = home.path().join("link");
    symlink(&folder, &link).unwrap();
    assert!(matches!(Store::files_in(&link), Err(StoreError::Folder(FolderError::Insecure { .. }))));
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(Store::files_in(&elsewhere), Err(StoreError::Folder(FolderError::Insecure { .. }))), "no folder");
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    let file = record_file(&folder);
    fs::remove_file(&file).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(store.load(&key("a")).map(drop)));
    let refused = receiver.recv_timeout(PATIENCE).expect("an answer before anybody writes");
    assert!(refused.unwrap_err().to_string().contains("not a regular file"));
}

#[test]
fn a_torn_or_edited_record_is_reported_and_left_alone() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    let file = record_file(&folder);
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        assert!(matches!(store.load(&key("a")), Err(StoreError::Corrupt { .. })), "cut at {length}");
    }
    for at in 0..whole.len() {
        let mut edited = whole.clone();
        edited[at] ^= 1;
        fs::write(&file, &edited).unwrap();
        match store.load(&key("a")) {
            Err(StoreError::Newer { format: 3, .. }) => assert_eq!(whole[at], b'2'),
            loaded => assert!(matches!(loaded, Err(StoreError::Corrupt { .. })), "edited at {at}: {loaded:?}"),
        }
        assert_eq!(fs::read(&file).unwrap(), edited);
    }
    fs::write(&file, vec![b'x'; FILE_MAX]).unwrap();
    assert!(matches!(store.load(&key("a")), Err(StoreError::Corrupt { .. })));
    fs::write(&file, vec![b'x'; FILE_MAX + 1]).unwrap();
    assert!(matches!(store.load(&key("a")), Err(StoreError::Folder(FolderError::Insecure { .. }))));
}

#[test]
fn half_a_mebibyte_is_kept_and_no_more() {
    let (_home, folder, store) = store();
    let mut record = record("a");
    record.notes.insert("long".into(), String::new());
    save(&store, &record);
    let first_line = fs::read_to_string(record_file(&folder)).unwrap().find('\n').unwrap() + 1;
    let rest = fs::metadata(record_file(&folder)).unwrap().len() as usize - first_line;
    record.notes.insert("long".into(), "x".repeat(512 * 1024 - rest));
    save(&store, &record);
    assert_eq!(store.load(&key("a")).unwrap().unwrap().notes, record.notes);
    record.notes.insert("long".into(), "x".repeat(512 * 1024 - rest + 1));
    let lock = store.lock(&record.key, PATIENCE).unwrap();
    assert!(matches!(lock.save(&record), Err(StoreError::TooBig)));
    assert_eq!(lock.load().unwrap().unwrap().notes["long"].len(), 512 * 1024 - rest, "the old one is there");
}

#[test]
fn leftovers_of_a_dead_writer_are_removed() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    let name = record_file(&folder).file_name().unwrap().to_str().unwrap().to_owned();
    fs::write(folder.join(format!(".{name}.0123456789abcdef")), "half").unwrap();
    assert_eq!(store.load(&key("a")).unwrap().unwrap().access_token.expose(), "AT-a");
    drop(store.lock(&key("a"), PATIENCE).unwrap());
    assert_eq!(files(&folder).len(), 2);
}

#[test]
fn a_reserved_record_is_written_into_its_room_or_leaves_nothing() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    let lock = store.lock(&key("a"), PATIENCE).unwrap();
    let reservation = lock.reserve().unwrap();
    let room = files(&folder).into_iter().map(|path| fs::metadata(path).unwrap().len()).max().unwrap();
    assert!(files(&folder).len() == 3 && room == 32 * 1024, "{room}");
    assert_eq!(lock.load().unwrap().unwrap().access_token.expose(), "AT-a", "the old one is there");
    drop(reservation);
    assert_eq!(files(&folder).len(), 2);

    let mut long = record("a");
    long.access_token = Secret::new("x".repeat(40_000));
    lock.reserve().unwrap().save(&long).unwrap();
    assert_eq!(lock.load().unwrap().unwrap().access_token.expose(), long.access_token.expose());
    let reservation = lock.reserve().unwrap();
    assert!(files(&folder).iter().any(|path| fs::metadata(path).unwrap().len() > 80_000), "twice the present record");
    reservation.save(&record("a")).unwrap();
    assert_eq!(lock.load().unwrap().unwrap().access_token.expose(), "AT-a", "and nothing of the longer one");
    assert!(matches!(lock.reserve().unwrap().save(&record("b")), Err(StoreError::OtherKey)));
    assert_eq!(files(&folder).len(), 2);
}

#[test]
fn where_nothing_is_kept_no_lock_file_stays() {
    let (_home, folder, store) = store();
    assert!(store.lock(&key("a"), PATIENCE).unwrap().load().unwrap().is_none());
    drop(store.lock(&key("a"), PATIENCE).unwrap().reserve().unwrap());
    assert!(files(&folder).is_empty());
    save(&store, &record("a"));
    assert_eq!(files(&folder).len(), 2);
    assert!(store.lock(&key("a"), PATIENCE).unwrap().remove().unwrap());
    assert!(files(&folder).is_empty());
}

#[test]
fn removing_the_lock_file_lets_no_two_writers_in() {
    let (_home, folder, store) = store();
    let (barrier, inside, most) = (Barrier::new(8), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..200 {
                    let lock = store.lock(&key("a"), PATIENCE).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(lock);
                }
            });
        }
    });
    assert_eq!(most.into_inner(), 1);
    assert!(files(&folder).is_empty());
}

#[test]
fn a_note_stays_when_the_record_goes() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    assert_eq!(store.note("Work/me").unwrap(), None);
    store.set_note("Work/me", Some("one")).unwrap();
    store.set_note("work/me", Some("two")).unwrap();
    store.lock(&key("a"), PATIENCE).unwrap().remove().unwrap();
    assert_eq!(store.note("Work/me").unwrap().as_deref(), Some("one"), "another name, also on macOS");
    assert!(store.list().unwrap().is_empty(), "a note is not a record");
    store.set_note("Work/me", None).unwrap();
    store.set_note("Work/me", None).unwrap();
    assert_eq!((store.note("Work/me").unwrap(), files(&folder).len()), (None, 1));
    assert_eq!(mode(&files(&folder)[0]), 0o600);
    fs::write(&files(&folder)[0], [0xff]).unwrap();
    assert!(matches!(store.note("work/me"), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_record_is_read_under_its_own_key_only() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    assert!(store.load(&key("b")).unwrap().is_none());
    for other in
        [Key { issuer: "https://as.example/".into(), ..key("a") }, Key { client_id: "other".into(), ..key("a") }]
    {
        assert!(store.load(&other).unwrap().is_none());
    }
    let stolen = fs::read(record_file(&folder)).unwrap();
    save(&store, &record("b"));
    for file in records(&folder) {
        fs::write(file, &stolen).unwrap();
    }
    assert!(matches!(store.load(&key("b")), Err(StoreError::Corrupt { .. })), "another account's record");
    let listed = store.list().unwrap();
    assert_eq!(listed.iter().filter(|record| record.is_ok()).count(), 1, "it is listed once, as its own");
    let lock = store.lock(&key("a"), PATIENCE).unwrap();
    assert!(matches!(lock.save(&record("b")), Err(StoreError::OtherKey)));
}

#[test]
fn the_lock_lets_one_writer_in_at_a_time() {
    let (_home, folder, store) = store();
    save(&store, &record("a"));
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let store = Store::files_in(&folder).unwrap();
                barrier.wait();
                for _ in 0..25 {
                    let lock = store.lock(&key("a"), PATIENCE).unwrap();
                    let mut record = lock.load().unwrap().unwrap();
                    record.requested_at += 1;
                    lock.save(&record).unwrap();
                }
            });
        }
    });
    assert_eq!(store.load(&key("a")).unwrap().unwrap().requested_at, 200);
    let _held = store.lock(&key("a"), PATIENCE).unwrap();
    let other = Store::files_in(&folder).unwrap();
    assert!(matches!(other.lock(&key("a"), Duration::from_millis(50)), Err(StoreError::Locked { .. })));
    assert!(other.lock(&key("b"), Duration::ZERO).is_ok());
}

#[test]
fn a_child_process_does_not_inherit_the_lock() {
    let (_home, _folder, store) = store();
    for lock_file in ["new", "there already"] {
        let lock = store.lock(&key("a"), PATIENCE).unwrap();
        let mut browser = Command::new("sleep").arg("60").spawn().unwrap();
        drop(lock);
        let next = store.lock(&key("a"), Duration::from_secs(5)).map(drop);
        browser.kill().and_then(|()| browser.wait()).unwrap();
        assert!(next.is_ok(), "{lock_file}");
    }
}

#[test]
fn records_are_written_listed_and_removed_whole() {
    let (_home, _folder, store) = store();
    let mut record = record("a");
    record.refresh_token = Some(Secret::new("RT".into()));
    record.expires_in = Some(3600);
    record.requested_scope = vec!["a".into(), "b".into()];
    record.granted_scope = Some("a".into());
    record.set_server(&Server::ITWIN.with_feature(Feature::IssParameter));
    record.notes.insert("profile".into(), "work".into());
    save(&store, &record);
    save(&store, &self::record("b"));
    let read = store.load(&key("a")).unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{record:?}"));
    assert_eq!(read.server(), Server::ITWIN.with_feature(Feature::IssParameter));
    assert_eq!(read.access_token.expose(), record.access_token.expose());
    let refresh_token = |record: &Record| record.refresh_token.as_ref().map(|token| token.expose().to_owned());
    assert_eq!(refresh_token(&read), refresh_token(&record));
    assert_eq!(store.list().unwrap().len(), 2);
    let lock = store.lock(&key("a"), PATIENCE).unwrap();
    assert!(lock.remove().unwrap() && !lock.remove().unwrap());
    assert!(store.load(&key("a")).unwrap().is_none());
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn stored_secrets_are_not_printed() {
    let (_home, folder, store) = store();
    let mut record = record("a");
    record.access_token = Secret::new("CANARY1".into());
    record.refresh_token = Some(Secret::new("CANARY2".into()));
    save(&store, &record);
    let file = record_file(&folder);
    let damaged = fs::read_to_string(&file).unwrap().replace("CANARY1", "CANARY3");
    fs::write(&file, damaged).unwrap();
    let error = store.load(&key("a")).unwrap_err();
    let printed = format!("{record:?} {store:?} {error} {error:?}");
    assert!(printed.contains("access_token: Secret(..)") && !printed.contains("CANARY"), "{printed}");
}

fn store() -> (tempfile::TempDir, PathBuf, Store) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state/proofkey");
    let store = Store::files_in(&folder).unwrap();
    (home, folder, store)
}

fn key(account: &str) -> Key {
    Key { issuer: "https://as.example".into(), client_id: "app".into(), account: account.into() }
}

fn record(account: &str) -> Record {
    Record::new(key(account), Secret::new(format!("AT-{account}")))
}

fn save(store: &Store, record: &Record) {
    store.lock(&record.key, PATIENCE).unwrap().save(record).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn records(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.extension().is_none()).collect()
}

fn record_file(folder: &Path) -> PathBuf {
    records(folder).pop().unwrap()
}

fn rustix_is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
