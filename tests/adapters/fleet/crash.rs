//! A process that is killed at each system call of a refresh in turn.
//!
//! Needs `strace`, which kills it.

use crate::fleet::{Fleet, Said, Store};
use proofkey_devserver::Options;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

#[test]
fn killed_at_any_system_call_only_what_was_in_the_window_is_lost() {
    let [lost, saved, untouched] = kill_at_each(0);
    println!("no grace: {untouched} times nothing was spent, {saved} times it was saved, {lost} times it was lost");
    assert!(lost > 0 && saved > 0 && untouched > 0);
}

#[test]
fn killed_at_any_system_call_with_a_grace_nothing_is_lost() {
    let [lost, saved, untouched] = kill_at_each(60);
    println!(
        "a grace: {untouched} times nothing was spent, {saved} times it was saved, {lost} times it was sent again"
    );
    assert!(lost > 0 && saved > 0 && untouched > 0);
}

/// How often the answer was lost, saved, and how often nothing was spent.
fn kill_at_each(grace: u32) -> [u32; 3] {
    let calls = system_calls();
    let places = calls.iter().flat_map(|(name, times)| (1..=*times).map(move |at| (name.as_str(), at)));
    let (places, found) = (Mutex::new(places), Mutex::new([0; 3]));
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                loop {
                    let Some((name, at)) = places.lock().unwrap().next() else { return };
                    let became = kill_at(grace, name, at);
                    found.lock().unwrap()[became] += 1;
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn kill_at(grace: u32, name: &str, at: u32) -> usize {
    let place = format!("killed at {name} {at}");
    let mut fleet = Fleet::new(Store::files(), Options { refresh_grace: grace, ..Options::default() });
    let before = fleet.stored();
    let killed = fleet.traced(&format!("inject={name}:signal=KILL:when={at}"));
    killed.wait_for_any_end();
    fleet.settle();
    let [refreshes, ..] = fleet.counts();
    let is_saved = fleet.stored() != before;
    assert!(refreshes <= 1 && (!is_saved || refreshes == 1), "{place}");
    let is_lost = refreshes == 1 && !is_saved;
    drop(fleet.listen(Duration::ZERO));
    let next = fleet.member(0);
    let next = fleet.listen_to_end(vec![next]);
    let [_, replays, reuses] = fleet.counts();
    if is_lost && grace == 0 {
        assert!(matches!(&next[0], Said::Ended(end) if end.starts_with("AnswerLost")), "{place}: {next:?}");
        assert_eq!(reuses, 1, "{place}");
    } else {
        assert!(matches!(&next[0], Said::Token(_)), "{place}: {next:?}");
        assert_eq!((replays, reuses), (u64::from(is_lost), 0), "{place}");
    }
    match (is_lost, is_saved) {
        (true, _) => 0,
        (_, true) => 1,
        _ => 2,
    }
}

/// The system calls that touch a file or the network, and how often each is made.
fn system_calls() -> BTreeMap<String, u32> {
    let mut fleet = Fleet::new(Store::files(), Options::default());
    let member = fleet.traced("trace=%file,%network,%desc");
    let said = fleet.listen_to_end(vec![member]);
    assert!(matches!(said[0], Said::Token(_)), "{said:?}");
    let mut calls = BTreeMap::new();
    for line in fs::read_to_string(fleet.log()).unwrap().lines() {
        if let Some((name, _)) = line.split_once('(').filter(|(name, _)| !["execve", "mmap", "access"].contains(name)) {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    println!("{calls:?}");
    calls
}
