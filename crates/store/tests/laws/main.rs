//! The laws of a store: the store in memory keeps them, and each of them catches a store that breaks it.

mod claims;
mod faults;
mod faulty;
mod values;
mod writes;

use faults::FAULTS;
use faulty::{Faulty, Hasty, Missing, Yielding, block_on};
use proofkey_store::laws::{Broken, Laws};
use proofkey_store::{Memory, Store};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::{future, thread};

#[test]
fn the_store_in_memory_keeps_the_laws() {
    let store = Memory::new();
    Laws::new().check(&store, |time| store.advance(time)).unwrap();
    let advance = |time| {
        store.advance(time);
        future::ready(())
    };
    // It can be spawned.
    let check: &mut (dyn Future<Output = _> + Send + Unpin) = &mut Box::pin(Laws::new().check_async(&store, advance));
    block_on(check).unwrap();
}

#[test]
fn the_laws_hold_by_real_time() {
    Laws::new().check(&Memory::new(), thread::sleep).unwrap();
}

#[test]
fn shared_and_boxed_stores_keep_the_laws() {
    let store = Arc::new(Memory::new());
    let boxed: Box<dyn Store> = Box::new(Arc::clone(&store));
    Laws::default().check(&boxed, |time| store.advance(time)).unwrap();
}

#[test]
fn a_store_that_keeps_the_rules_keeps_the_laws() {
    let store = Faulty::none();
    Laws::new().check(&store, |time| store.advance(time)).unwrap();
    let store = Yielding(Memory::new());
    let advance = |time| {
        store.0.advance(time);
        future::ready(())
    };
    block_on(Laws::new().check_async(&store, advance)).unwrap();
}

#[test]
fn each_planted_fault_is_caught_by_its_law() {
    let mut alone = BTreeSet::new();
    for (law, fault, plant) in FAULTS {
        let store = plant();
        let broken = names(Laws::new().check(&store, |time| store.advance(time)));
        assert!(broken.contains(law), "{fault}: not caught by `{law}`, but by {broken:?}");
        if broken.len() == 1 {
            alone.insert(*law);
        }
    }
    println!("{} faults, {} laws that catch one alone", FAULTS.len(), alone.len());
}

#[test]
fn every_law_catches_a_fault() {
    let planted = FAULTS
        .iter()
        .map(|(law, ..)| *law)
        .chain(["of claims at once, one is made", "of logins at once, the latest stays"]);
    assert_eq!(planted.collect::<BTreeSet<_>>(), Laws::names().collect());
}

#[test]
fn a_store_that_reads_and_writes_in_two_steps_is_caught() {
    let both = BTreeSet::from(["of claims at once, one is made", "of logins at once, the latest stays"]);
    let store = Hasty::default();
    assert_eq!(names(Laws::new().check(&store, |time| store.0.advance(time))), both);
    let advance = |time| {
        store.0.advance(time);
        future::ready(())
    };
    assert_eq!(names(block_on(Laws::new().check_async(&store, advance))), both);
}

#[test]
fn a_store_whose_claims_end_with_a_process_is_held_to_the_other_laws() {
    let store = Faulty::until_the_process_ends();
    Laws::new().lapses_by_time(false).check(&store, |time| store.advance(time)).unwrap();
    let broken = Laws::new().check(&store, |time| store.advance(time));
    assert!(names(broken).contains("a claim lapses after its time"));
}

#[test]
fn a_broken_law_tells_its_name_and_what_the_store_gave() {
    let broken = Laws::new().check(&Missing, |_| {}).unwrap_err();
    let text = broken.to_string();
    assert!(text.starts_with("the store breaks "), "{text}");
    let line = "a key without a row is Absent: `place.load()` gave Err(StoreError { fault: Unavailable, source: None }) and not Answer::Absent";
    assert!(text.lines().any(|found| found == line), "{text}");
    assert!(broken.names().next().is_some());
}

fn names(result: Result<(), Broken>) -> BTreeSet<&'static str> {
    result.err().iter().flat_map(Broken::names).collect()
}
