//! What is in the file of a row: earlier formats are read, newer ones and damaged ones are left alone.

use super::*;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

/// Records as version 0.1.0 wrote them before format 2.
const ENDPOINTS: &str = include_str!("../data/format-1-endpoints");
const LEAST: &str = include_str!("../data/format-1-least");
const WHOLE: &str = include_str!("../data/format-1-whole");

#[test]
fn a_record_of_an_earlier_format_is_a_row() {
    let format_2 = record("default");
    let format_2 = String::from_utf8(format_2.to_bytes().unwrap().to_vec()).unwrap();
    for old in [ENDPOINTS, LEAST, WHOLE, &format_2] {
        let record = Record::from_bytes(old.as_bytes()).unwrap();
        let shelf = Shelf::with_file(record.key.clone(), old);
        let row = shelf.row();
        assert_eq!(*row.value, old.as_bytes());
        assert_eq!(row.version, Version::first(LoginId::new(record.requested_at, None, 0)));
        let again = Store::files_in(&shelf.folder()).unwrap().run(&shelf.key, Op::Load).unwrap();
        assert!(
            matches!(&again, Answer::Row(again) if again.version == row.version && again.value == row.value),
            "{again:?}"
        );
        assert_eq!(fs::read(shelf.file()).unwrap(), old.as_bytes(), "it is only read");

        assert!(matches!(shelf.claim(row.version, A), Ok(Answer::Claimed(claimed)) if claimed.value == row.value));
        assert_eq!(shelf.run(Op::Release { id: A, pause: 600 }).unwrap(), Answer::Done);
        let paused = shelf.row();
        assert!(paused.value == row.value && paused.version == row.version && paused.pause > 500, "{paused:?}");
        let next = row.version.next(A);
        assert_eq!(shelf.write(Some((row.version, A)), next, Some(b"next")).unwrap(), Answer::Done);
        assert!(fs::read(shelf.file()).unwrap().starts_with(b"proofkey record 3 "));
        assert!(shelf.row().version == next && *shelf.row().value == b"next");
    }
}

#[test]
fn an_earlier_program_says_that_the_row_is_newer() {
    let shelf = Shelf::with_login();
    assert_eq!(Record::newer_format(&fs::read(shelf.file()).unwrap()), Some(3));
    assert!(shelf.names().contains(&format!("{}.lock", shelf.key.digest())), "it lists the rows by their locks");
}

#[test]
fn a_newer_row_is_refused_and_left_as_it_is() {
    let long = format!("proofkey record 4 {}", "x".repeat(1024 * 1024));
    for newer in ["proofkey record 4 other\n\0sealed", "proofkey record 4\n", "proofkey record 10", &long] {
        let shelf = Shelf::with_file(key("default"), newer);
        for result in [
            shelf.run(Op::Load),
            shelf.claim(FIRST, A),
            shelf.run(Op::Release { id: A, pause: 60 }),
            shelf.write(Some((FIRST, A)), FIRST.next(A), Some(b"next")),
            shelf.write(None, LATER, Some(b"login")),
            shelf.write(None, LATER, None),
        ] {
            let error = refused(result, StoreFault::Newer);
            assert!(
                matches!(cause(&error), StoreCause::Newer { path, format: 4.. } if *path == shelf.file()),
                "{error:?}"
            );
            let text = error.to_string();
            assert!(text.contains("upgrade") && text.contains("reads formats up to 3"), "{text}");
        }
        assert_eq!(fs::read_to_string(shelf.file()).unwrap(), newer);
        assert_eq!(shelf.names().len(), 2, "the row and its lock");
        let other = key("other");
        shelf.store.run(&other, Op::Write { expect: None, version: FIRST, value: Some(b"other") }).unwrap();
        let listed = shelf.store.list().unwrap();
        assert_eq!(listed.iter().filter(|row| row.as_ref().is_ok_and(|row| *row.value == b"other")).count(), 1);
        assert_eq!(
            listed.iter().filter(|row| row.as_ref().is_err_and(|error| error.fault() == StoreFault::Newer)).count(),
            1
        );
        assert!(shelf.store.discard(&shelf.key).unwrap() && !shelf.store.discard(&shelf.key).unwrap());
        assert_eq!(shelf.run(Op::Load).unwrap(), Answer::Absent);
    }
}

#[test]
fn a_torn_or_edited_row_is_reported_and_only_a_login_replaces_it() {
    let shelf = Shelf::with_login();
    let whole = fs::read(shelf.file()).unwrap();
    for length in 0..whole.len() {
        shelf.put(&whole[..length]);
        refused(shelf.run(Op::Load), StoreFault::Corrupt);
    }
    for at in 0..whole.len() {
        let mut edited = whole.clone();
        edited[at] ^= 1;
        shelf.put(&edited);
        let error = refused(shelf.run(Op::Load), StoreFault::Corrupt);
        assert!(matches!(cause(&error), StoreCause::Corrupt { path, .. } if *path == shelf.file()));
        assert_eq!(fs::read(shelf.file()).unwrap(), edited);
    }
    let mut edited = whole.clone();
    edited.pop();
    shelf.put(&edited);
    for result in [
        shelf.claim(FIRST, A),
        shelf.run(Op::Release { id: A, pause: 60 }),
        shelf.write(Some((FIRST, A)), FIRST.next(A), Some(b"next")),
        shelf.write(None, LATER, None),
    ] {
        refused(result, StoreFault::Corrupt);
    }
    assert_eq!(fs::read(shelf.file()).unwrap(), edited);
    assert_eq!(shelf.write(None, FIRST, Some(b"again")).unwrap(), Answer::Done);
    assert_eq!(*shelf.row().value, b"again");
}

/// With the right checksum, as no accident makes them.
#[test]
fn a_row_whose_fields_do_not_fit_is_damaged() {
    let shelf = Shelf::with_login();
    let whole = fs::read_to_string(shelf.file()).unwrap();
    let (line, value) = whole.split_once('\n').unwrap();
    let words: Vec<_> = line.split(' ').collect();
    let fields = |words: &[&str], value: &str| {
        let fields = words[4..].join(" ");
        let hash = Sha256::digest(format!("{}\n{fields}\n{value}", shelf.key.digest()));
        shelf
            .put(format!("proofkey record 3 {} {fields}\n{value}", Base64UrlUnpadded::encode_string(&hash)).as_bytes());
    };
    fields(&words, value);
    assert_eq!(*shelf.row().value, b"first");
    for place in 4..words.len() {
        for wrong in ["", "x", "-1", "18446744073709551616", "0"] {
            let mut words = words.clone();
            words[place] = wrong;
            fields(&words, value);
            let is_time = (5..8).contains(&place) && wrong == "0";
            assert_eq!(shelf.run(Op::Load).is_ok(), is_time, "{words:?}");
        }
        fields(&[&words[..place], &words[place + 1..]].concat(), value);
        refused(shelf.run(Op::Load), StoreFault::Corrupt);
    }
    fields(&[&words[..], &["more"]].concat(), value);
    refused(shelf.run(Op::Load), StoreFault::Corrupt);
    let mut words = words;
    *words.last_mut().unwrap() = "signed-out";
    fields(&words, value);
    refused(shelf.run(Op::Load), StoreFault::Corrupt);
    fields(&words, "");
    assert_eq!(shelf.run(Op::Load).unwrap(), Answer::SignedOut { version: FIRST });
}

#[test]
fn a_row_counts_under_its_own_name_only() {
    let shelf = Shelf::with_login();
    for other in [
        Key { issuer: "https://as.example/".into(), ..key("default") },
        Key { client_id: "other".into(), ..key("default") },
        key("other"),
    ] {
        assert_eq!(shelf.store.run(&other, Op::Load).unwrap(), Answer::Absent);
        fs::copy(shelf.file(), shelf.folder().join(other.digest())).unwrap();
        refused(shelf.store.run(&other, Op::Load), StoreFault::Corrupt);
        let stolen = record("default").to_bytes().unwrap();
        fs::write(shelf.folder().join(other.digest()), &*stolen).unwrap();
        refused(shelf.store.run(&other, Op::Load), StoreFault::Corrupt);
    }
    assert_eq!(
        shelf.store.list().unwrap().iter().filter(|row| row.is_ok()).count(),
        1,
        "it is listed once, as its own"
    );
}

#[test]
fn a_mebibyte_is_kept_and_no_more() {
    let shelf = Shelf::with_login();
    let longest = vec![0xFF; 1024 * 1024 - 1024];
    assert!(matches!(shelf.write(None, LATER, Some(&longest)), Ok(Answer::Displaced(_))));
    assert!(*shelf.row().value == longest);
    assert!(matches!(shelf.claim(LATER, A), Ok(Answer::Claimed(_))));
    let longer = vec![0xFF; longest.len() + 1];
    refused(shelf.write(Some((LATER, A)), LATER.next(A), Some(&longer)), StoreFault::TooBig);
    assert_eq!(shelf.write(Some((LATER, A)), LATER.next(A), Some(b"short")).unwrap(), Answer::Done);
    assert_eq!(*shelf.row().value, b"short", "and nothing of the longer one");
}

#[test]
fn nothing_stored_is_printed() {
    let shelf = Shelf::new();
    shelf.write(None, FIRST, Some(b"CANARY")).unwrap();
    let canary = format!("{:?}", b"CANARY");
    let row = shelf.row();
    assert!(matches!(shelf.claim(FIRST, A), Ok(Answer::Claimed(_))));
    let damaged = fs::read_to_string(shelf.file()).unwrap().replace("login", "logon");
    shelf.put(damaged.as_bytes());
    let error = refused(shelf.run(Op::Load), StoreFault::Corrupt);
    let printed = format!("{row:?} {:?} {error} {error:?}", shelf.store);
    assert!(!printed.contains("CANARY") && !printed.contains(&canary), "{printed}");
}

#[test]
fn a_note_stays_when_the_login_goes() {
    let shelf = Shelf::with_login();
    let store = &shelf.store;
    assert_eq!(store.note("Work/me").unwrap(), None);
    store.set_note("Work/me", Some("one")).unwrap();
    store.set_note("work/me", Some("two")).unwrap();
    assert!(store.discard(&shelf.key).unwrap());
    assert_eq!(store.note("Work/me").unwrap().as_deref(), Some("one"), "another name, also on macOS");
    assert!(store.list().unwrap().is_empty(), "a note is not a row");
    store.set_note("Work/me", None).unwrap();
    store.set_note("Work/me", None).unwrap();
    let [note] = &shelf.kept()[..] else { panic!("{:?}", shelf.names()) };
    fs::write(shelf.folder().join(note), [0xff]).unwrap();
    assert_eq!(store.note("work/me").unwrap_err().fault(), StoreFault::Corrupt);
    assert_eq!(store.note("Work/me").unwrap(), None);
}
