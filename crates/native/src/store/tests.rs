//! The laws of a store, with locks and without, and what only the inside of the store can be told.

mod vault;

use super::guard::Guard;
use super::*;
use proofkey_store::laws::Laws;
use proofkey_store::{ClaimId, LoginId, Store as _, StoreFault, Version};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const A: ClaimId = ClaimId([0xA; 16]);
const B: ClaimId = ClaimId([0xB; 16]);
const FIRST: Version = Version::first(LoginId::new(1_700_000_000, None, 7));

#[test]
fn files_keep_the_laws_of_a_store() {
    let (home, store) = store();
    Laws::new().check(&store, |time| pass(&store, time)).unwrap();
    let rows = fs::read_dir(home.path().join("store")).unwrap().count();
    drop(store);
    let left = names(&home).into_iter().filter(|name| name.starts_with('.')).count();
    assert!(rows > 100 && left == 0, "{left} files of dropped claims");
}

#[test]
fn files_keep_them_without_locks() {
    let (home, store) = without_locks();
    Laws::new().check(&store, |time| pass(&store, time)).unwrap();
    assert_eq!(names(&home).iter().filter(|name| name.ends_with(".locked")).count(), 0);
}

#[test]
fn a_claim_of_a_process_that_has_ended_has_lapsed() {
    let (home, store) = store();
    login(&store);
    assert!(matches!(claim(&store, A, None), Answer::Claimed(_)));
    let other = open(&home);
    assert!(matches!(claim(&other, B, None), Answer::Busy { left: Some(25) }));
    drop(store);
    for _ in 0..2 {
        assert!(matches!(claim(&other, B, None), Answer::Lapsed { id: A, age: 0, .. }));
        assert!(matches!(claim(&other, B, Some(B)), Answer::Lapsed { id: A, .. }));
    }
    assert!(matches!(claim(&other, B, Some(A)), Answer::Claimed(_)));
    assert!(matches!(claim(&open(&home), A, None), Answer::Busy { .. }));
}

#[test]
fn without_locks_a_claim_lasts_for_its_time() {
    let (home, store) = without_locks();
    login(&store);
    assert!(matches!(claim(&store, A, None), Answer::Claimed(_)));
    drop(store);
    // A process that finds locks does not take it either.
    let mut other = open(&home);
    assert!(matches!(claim(&other, B, None), Answer::Busy { left: Some(1..=25) }));
    lock_less(&mut other);
    assert!(matches!(claim(&other, B, None), Answer::Busy { left: Some(1..=25) }));
    pass(&other, Duration::from_secs(25));
    assert!(matches!(claim(&other, B, None), Answer::Lapsed { id: A, age: 25.., .. }));
}

#[test]
fn a_holder_that_lives_on_loses_its_claim_after_its_time() {
    let (home, store) = store();
    login(&store);
    assert!(matches!(claim(&store, A, None), Answer::Claimed(_)));
    let other = open(&home);
    pass(&other, Duration::from_secs(25));
    assert!(matches!(claim(&other, B, None), Answer::Lapsed { id: A, .. }));
    assert!(matches!(claim(&other, B, Some(A)), Answer::Claimed(_)));
    pass(&store, Duration::from_secs(25));
    let write = |id| Op::Write { expect: Some((FIRST, id)), version: FIRST.next(id), value: Some(b"next") };
    assert_eq!(store.run(&key(), write(A)).unwrap(), Answer::Fenced);
    assert_eq!(store.run(&key(), Op::Release { id: A, pause: 0 }).unwrap(), Answer::Fenced);
    assert_eq!(other.run(&key(), write(B)).unwrap(), Answer::Done);
    assert_eq!(names(&home).len(), 2, "the row and its lock");
}

#[test]
fn a_claim_that_was_taken_over_leaves_no_room_to_write_in() {
    let (home, store) = store();
    login(&store);
    assert!(matches!(claim(&store, A, None), Answer::Claimed(_)));
    let other = open(&home);
    pass(&other, Duration::from_secs(25));
    assert!(matches!(claim(&other, B, Some(A)), Answer::Claimed(_)));
    drop(other);
    let write = Op::Write { expect: Some((FIRST, A)), version: FIRST.next(A), value: Some(b"next") };
    assert_eq!(store.run(&key(), write).unwrap(), Answer::Done, "the claim of B has lapsed");
    assert_eq!(names(&home).len(), 2, "the row and its lock");
}

#[test]
fn a_lock_file_that_is_removed_lets_no_two_in() {
    let (home, store) = store();
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let mut guard = Guard::take(&files(&store).folder, "name", true).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    guard.is_idle = true;
                }
            });
        }
    });
    assert_eq!(most.into_inner(), 1);
    assert!(names(&home).is_empty());
}

#[test]
fn a_clock_that_was_set_back_ends_claims_and_pauses() {
    for (_home, store) in [store(), without_locks()] {
        login(&store);
        pass(&store, Duration::from_secs(1000));
        assert!(matches!(claim(&store, A, None), Answer::Claimed(_)));
        assert_eq!(store.run(&key(), Op::Release { id: A, pause: 500 }).unwrap(), Answer::Done);
        let paused = |pause: u32| {
            let Answer::Row(row) = store.run(&key(), Op::Load).unwrap() else { panic!("a row") };
            assert!(row.pause.abs_diff(pause) <= 5, "{row:?}");
        };
        paused(500);
        assert!(matches!(claim(&store, A, None), Answer::Claimed(_)));
        files(&store).ahead.store(0, Ordering::Relaxed);
        paused(0);
        assert!(matches!(claim(&store, B, None), Answer::Lapsed { id: A, age: 0, .. }));
    }
}

#[test]
fn clocks_that_differ_by_seconds_end_no_claim() {
    let (home, store) = store();
    login(&store);
    pass(&store, Duration::from_secs(50));
    assert!(matches!(claim(&store, A, None), Answer::Claimed(_)));
    assert!(matches!(claim(&open(&home), B, None), Answer::Busy { .. }));
}

#[test]
fn a_tombstone_is_kept_for_a_day() {
    let (home, store) = store();
    login(&store);
    let version = Version::first(LoginId::new(1_700_000_001, None, 7));
    store.run(&key(), Op::Write { expect: None, version, value: None }).unwrap();
    let day = Duration::from_secs(Op::TOMBSTONE_SECONDS.into());
    pass(&store, day - Duration::from_secs(60));
    assert_eq!(store.run(&key(), Op::Load).unwrap(), Answer::SignedOut { version });
    assert_eq!(store.list().unwrap().len(), 0);
    pass(&store, Duration::from_secs(60));
    assert_eq!(store.run(&key(), Op::Load).unwrap(), Answer::Absent);
    assert_eq!(claim(&store, A, None), Answer::Absent);
    assert!(names(&home).is_empty(), "{:?}", names(&home));
}

#[test]
fn a_guard_that_a_dead_process_left_is_taken_by_one() {
    for left in ["", "0123456789abcdef0123456789abcdef"] {
        let (home, store) = without_locks();
        login(&store);
        fs::write(home.path().join("store").join(format!("{}.locked", key().digest())), left).unwrap();
        private(&home);
        let begun = Instant::now();
        let claims = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..=8)
                .map(|id| {
                    let mut other = open(&home);
                    lock_less(&mut other);
                    scope.spawn(move || (claim(&other, ClaimId([id; 16]), None), other))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap().0).collect::<Vec<_>>()
        });
        assert!(begun.elapsed() >= Duration::from_secs(5), "a holder that lives is not displaced");
        assert_eq!(claims.iter().filter(|claim| matches!(claim, Answer::Claimed(_))).count(), 1, "{claims:?}");
        assert!(names(&home).iter().all(|name| !name.contains(".locked")), "{:?}", names(&home));
    }
}

#[test]
fn claims_of_one_process_are_bounded() {
    let (home, store) = store();
    let claim = |number: u32| {
        let key = Key::new("https://as.example", "app", number.to_string());
        store.run(&key, Op::Write { expect: None, version: FIRST, value: Some(b"value") }).unwrap();
        store.run(&key, Op::Claim { version: FIRST, id: A, seconds: 25, over: None })
    };
    assert!((0..256).all(|number| matches!(claim(number), Ok(Answer::Claimed(_)))));
    let error = claim(256).unwrap_err();
    assert_eq!(error.fault(), StoreFault::Unavailable, "{error}");
    assert!(error.to_string().contains("holds too many claims"), "{error}");
    assert_eq!(names(&home).iter().filter(|name| name.ends_with(".claim")).count(), 256);
    pass(&store, Duration::from_secs(25));
    assert!(matches!(claim(257), Ok(Answer::Claimed(_))), "those that have lapsed make room");
}

#[test]
fn an_app_has_a_folder_of_its_own() {
    let folder = folder_of("my-app").unwrap();
    assert!(folder.ends_with("my-app") && folder.parent() == folder_of("com.example.app_2").unwrap().parent());
    for refused in ["", ".", "..", ".hidden", "a/b", "a\\b", "../up", "a b", "a.", "ä", "C:", "a\0"] {
        let error = Store::files(refused).unwrap_err();
        assert_eq!(error.fault(), StoreFault::Setup, "{refused:?}");
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<StoreCause>());
        assert!(matches!(cause, Some(StoreCause::App(name)) if name == refused), "{error:?}");
    }
}

fn store() -> (TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = open(&home);
    (home, store)
}

fn without_locks() -> (TempDir, Store) {
    let (home, mut store) = store();
    lock_less(&mut store);
    (home, store)
}

fn open(home: &TempDir) -> Store {
    Store::files_in(&home.path().join("store")).unwrap()
}

fn lock_less(store: &mut Store) {
    match &mut store.place {
        Place::Files(files) => files.locks = false,
        Place::Vault(_) => panic!("no files"),
    }
}

fn files(store: &Store) -> &Files {
    match &store.place {
        Place::Files(files) => files,
        Place::Vault(_) => panic!("no files"),
    }
}

fn pass(store: &Store, time: Duration) {
    files(store).ahead.fetch_add(time.as_millis().try_into().unwrap(), Ordering::Relaxed);
}

fn key() -> Key {
    Key::new("https://as.example", "app", "default")
}

fn login(store: &Store) {
    let answer = store.run(&key(), Op::Write { expect: None, version: FIRST, value: Some(b"first") });
    assert_eq!(answer.unwrap(), Answer::Done);
}

fn claim(store: &Store, id: ClaimId, over: Option<ClaimId>) -> Answer {
    store.run(&key(), Op::Claim { version: FIRST, id, seconds: 25, over }).unwrap()
}

fn names(home: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(home.path().join("store")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// As the store makes its files.
fn private(home: &TempDir) {
    #[cfg(unix)]
    for name in names(home) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(home.path().join("store").join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = home;
}
