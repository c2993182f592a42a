//! Claims of threads and of processes.

use super::*;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CHILD: &str = "PROOFKEY_TEST_CHILD";

#[test]
fn a_claim_reserves_room_and_a_write_uses_it() {
    let shelf = Shelf::with_login();
    let room = || {
        let rooms = shelf.names().into_iter().filter(|name| name.starts_with('.'));
        rooms.map(|name| fs::metadata(shelf.folder().join(name)).unwrap().len()).collect::<Vec<_>>()
    };
    assert!(matches!(shelf.claim(FIRST, A), Ok(Answer::Claimed(_))));
    assert_eq!(room(), [32 * 1024]);
    assert!(matches!(shelf.claim(FIRST, A), Ok(Answer::Claimed(_))));
    assert_eq!(room(), [32 * 1024], "a renewal keeps it");
    assert_eq!(shelf.run(Op::Release { id: A, pause: 0 }).unwrap(), Answer::Done);
    assert_eq!((room(), shelf.names().len()), (vec![], 2));
    shelf.write(None, LATER, Some(&[b'x'; 40_000])).unwrap();
    assert!(matches!(shelf.claim(LATER, A), Ok(Answer::Claimed(_))));
    assert_eq!(room(), [80_000], "twice the present value");
    assert_eq!(shelf.write(Some((LATER, A)), LATER.next(A), Some(b"short")).unwrap(), Answer::Done);
    assert_eq!((&**shelf.row().value, shelf.names().len()), (&b"short"[..], 2));
}

#[test]
fn leftovers_of_a_dead_writer_are_removed() {
    let shelf = Shelf::with_login();
    let leave = || fs::write(shelf.folder().join(format!(".{}.0123456789abcdef", shelf.key.digest())), "half").unwrap();
    leave();
    assert_eq!(*shelf.row().value, b"first");
    assert!(matches!(shelf.claim(FIRST, A), Ok(Answer::Claimed(_))));
    assert_eq!(shelf.names().iter().filter(|name| name.starts_with('.')).count(), 1, "the room of the claim");
    leave();
    shelf.write(None, LATER, Some(b"login")).unwrap();
    assert_eq!(shelf.names().len(), 2);
}

#[test]
fn where_nothing_is_kept_no_lock_file_stays() {
    let shelf = Shelf::new();
    for op in [
        Op::Load,
        Op::Claim { version: FIRST, id: A, seconds: 25, over: None },
        Op::Release { id: A, pause: 60 },
        Op::Write { expect: Some((FIRST, A)), version: FIRST.next(A), value: Some(b"next") },
    ] {
        assert_eq!(shelf.run(op).unwrap(), Answer::Absent);
        assert!(shelf.kept().is_empty(), "{op:?}");
    }
}

/// Each thread adds one as often as it holds the claim, as a refresh does.
#[test]
fn no_two_threads_hold_a_claim_at_once() {
    let shelf = Shelf::new();
    shelf.write(None, FIRST, Some(b"0")).unwrap();
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for thread in 0..8 {
            let (shelf, barrier) = (&shelf, &barrier);
            scope.spawn(move || {
                let own = Store::files_in(&shelf.folder()).unwrap();
                let store = if thread % 2 == 0 { &own } else { &shelf.store };
                barrier.wait();
                add(store, &shelf.key, thread, 25);
            });
        }
    });
    assert_eq!(*shelf.row().value, b"200");
    assert_eq!(shelf.names().len(), 2, "{:?}", shelf.names());
}

#[test]
fn no_two_processes_hold_a_claim_at_once() {
    let shelf = Shelf::new();
    shelf.write(None, FIRST, Some(b"0")).unwrap();
    let children: Vec<_> = (1..=6).map(|number| start(&shelf, &format!("add {number}"))).collect();
    for (mut child, stdin) in children {
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(*shelf.row().value, b"120");
    assert_eq!(shelf.names().len(), 2, "{:?}", shelf.names());
}

#[test]
fn a_process_that_is_killed_leaves_its_claim_as_a_mark() {
    let shelf = Shelf::with_login();
    let (mut child, stdin) = start(&shelf, "claim");
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("claimed") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended before it had the claim");
    }
    assert!(matches!(shelf.claim(FIRST, B), Ok(Answer::Busy { left: Some(1..=25) })));
    assert_eq!(shelf.run(Op::Release { id: B, pause: 60 }).unwrap(), Answer::Fenced);
    assert_eq!(shelf.write(Some((FIRST, B)), FIRST.next(B), Some(b"next")).unwrap(), Answer::Fenced);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stdin);
    assert!(matches!(claim_soon(&shelf), Ok(Answer::Lapsed { id: A, .. })));
    let over = Op::Claim { version: FIRST, id: B, seconds: 25, over: Some(A) };
    assert!(matches!(shelf.run(over), Ok(Answer::Claimed(row)) if *row.value == b"first"));
    let rooms = shelf.names().into_iter().filter(|name| name.starts_with('.')).count();
    assert_eq!(rooms, 1, "that of the dead process is gone");
}

#[test]
fn a_child_process_does_not_inherit_a_claim() {
    let shelf = Shelf::with_login();
    assert!(matches!(shelf.claim(FIRST, A), Ok(Answer::Claimed(_))));
    let (mut browser, stdin) = start(&shelf, "wait");
    let Shelf { home, store, key } = shelf;
    drop(store);
    let store = Store::files_in(&home.path().join("state/store")).unwrap();
    // It is there until the process has ended, which needs the folder.
    let shelf = Shelf { home, store, key };
    let next = claim_soon(&shelf);
    drop(stdin);
    assert!(browser.wait().unwrap().success());
    assert!(matches!(next, Ok(Answer::Lapsed { id: A, .. })), "{next:?}");
}

#[test]
fn a_read_during_a_write_gives_the_old_row_or_the_new_one() {
    let shelf = Shelf::with_login();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let read = || {
            let mut seen = FIRST;
            while !over.load(Ordering::Relaxed) {
                let version = shelf.row().version;
                assert!(!seen.is_newer_than(version));
                seen = version;
            }
        };
        let readers = [(); 3].map(|()| scope.spawn(read));
        let end = Set(&over);
        let mut version = FIRST;
        for _ in 0..1000 {
            let next = version.next(A);
            assert_eq!(shelf.write(Some((version, A)), next, Some(b"next")).unwrap(), Answer::Done);
            version = next;
        }
        drop(end);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

/// Set at the end, also at that of a test that fails: else its threads would never end.
struct Set<'a>(&'a AtomicBool);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_process_that_is_killed_while_it_writes_leaves_the_old_row_or_the_new_one() {
    const KILLS: u32 = 30;
    let shelf = Shelf::with_login();
    for kill in 0..KILLS {
        let (mut child, stdin) = start(&shelf, "write");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut written = lines.filter_map(|line| line.strip_prefix("written ")?.parse::<u32>().ok());
        written.next().unwrap();
        let begun = Instant::now();
        let told = written.next().unwrap();
        // One write after the other, each killed a little later.
        let (told_at, until) = (Instant::now(), begun.elapsed() * kill / KILLS);
        while told_at.elapsed() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        drop(stdin);
        let count = written_count(&shelf.row());
        assert!(count >= told, "{count} after {told}");
    }
    shelf.write(None, LATER, Some(b"login")).unwrap();
    assert_eq!(shelf.names().len(), 2, "what the dead left is gone: {:?}", shelf.names());
}

/// Which of the long values of a process that writes it is, whole.
fn written_count(row: &Row) -> u32 {
    let count = str::from_utf8(&row.value[..8]).unwrap().parse().unwrap();
    assert_eq!(*row.value, *long_value(count));
    count
}

fn long_value(count: u32) -> Vec<u8> {
    format!("{count:08}").repeat(25_000).into_bytes()
}

fn write_forever(store: &Store, key: &Key) {
    for count in 1.. {
        let Answer::Row(row) = store.run(key, Op::Load).unwrap() else { panic!("a row") };
        let (version, value) = (row.version.next(A), long_value(count));
        let write = Op::Write { expect: Some((row.version, A)), version, value: Some(&value) };
        assert_eq!(store.run(key, write).unwrap(), Answer::Done);
        println!("\nwritten {count}");
    }
}

/// A process that another test is just starting has the lock too until it runs its own program. A claim lasts for longer than this
/// waits.
fn claim_soon(shelf: &Shelf) -> Result<Answer, StoreError> {
    let begun = Instant::now();
    loop {
        match shelf.claim(FIRST, B) {
            Ok(Answer::Busy { .. }) if begun.elapsed() < Duration::from_secs(15) => thread::yield_now(),
            answer => return answer,
        }
    }
}

/// The test below in a process of its own. It ends with its input.
fn start(shelf: &Shelf, what: &str) -> (Child, ChildStdin) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "claims::child", "--nocapture", "--ignored"])
        .env(CHILD, format!("{what} {}", shelf.folder().display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

#[test]
#[ignore = "a child of the tests above"]
fn child() {
    let told = std::env::var(CHILD).expect("set by its parent");
    let (what, folder) = told.rsplit_once(' ').unwrap();
    let store = Store::files_in(folder.as_ref()).unwrap();
    match what.split_once(' ') {
        Some((_, number)) => add(&store, &key("default"), number.parse().unwrap(), 20),
        None if what == "wait" => drop(std::io::stdin().read_to_end(&mut Vec::new())),
        None if what == "write" => write_forever(&store, &key("default")),
        None => {
            let claim = Op::Claim { version: FIRST, id: A, seconds: 25, over: None };
            assert!(matches!(store.run(&key("default"), claim), Ok(Answer::Claimed(_))));
            println!("\nclaimed");
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
    }
}

fn add(store: &Store, key: &Key, number: u8, times: u8) {
    for time in 0..times {
        let id = ClaimId([number, time, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        loop {
            let Answer::Row(row) = store.run(key, Op::Load).unwrap() else { panic!("a row") };
            let row = match store.run(key, Op::Claim { version: row.version, id, seconds: 600, over: None }).unwrap() {
                Answer::Claimed(row) => row,
                Answer::Busy { .. } | Answer::Changed(_) => {
                    thread::yield_now();
                    continue;
                }
                other => panic!("{other:?}"),
            };
            let count: u32 = str::from_utf8(&row.value).unwrap().parse().unwrap();
            let next = (count + 1).to_string();
            let write = Op::Write {
                expect: Some((row.version, id)),
                version: row.version.next(id),
                value: Some(next.as_bytes()),
            };
            assert_eq!(store.run(key, write).unwrap(), Answer::Done);
            break;
        }
    }
}
