//! A process that is stopped in a refresh for longer than its claim lives, and then goes on.

use crate::fleet::{Fleet, Said, Store};
use proofkey_devserver::{EndpointFault, Options, When};
use rustix::process::Signal;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn with_a_grace_the_one_that_goes_on_takes_what_the_other_has() {
    stop(Store::files(), 120);
}

#[test]
fn without_a_grace_the_answer_was_lost() {
    stop(Store::files(), 0);
}

#[test]
fn with_a_grace_and_a_store_that_is_not_here() {
    stop(Store::Redis(proofkey_tests::servers::Redis::start()), 120);
}

fn stop(store: Store, grace: u32) {
    let mut fleet = Fleet::new(store, Options { refresh_grace: grace, ..Options::default() });
    fleet.fail(When::Next(1), EndpointFault::Delay { millis: 2_000 });
    let stopped = fleet.member(0);
    let begun = Instant::now();
    while fleet.counts()[0] == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
    stopped.signal(Signal::STOP);
    let other = fleet.member(0);
    let said = fleet.listen_to_end(vec![other]);
    let took = begun.elapsed().as_secs();
    // The claim of a process that is stopped ends after its 25 seconds, and is answered two seconds later.
    assert!(took >= 26, "{took} s");
    if grace == 0 {
        assert!(matches!(&said[0], Said::Ended(end) if end.starts_with("AnswerLost")), "{said:?}");
        assert_eq!(fleet.counts(), [1, 0, 1]);
    } else {
        assert!(matches!(&said[0], Said::Token(_)), "{said:?}");
        assert_eq!(fleet.counts(), [1, 1, 0]);
    }
    stopped.signal(Signal::CONT);
    let late = fleet.listen_to_end(vec![stopped]);
    assert!(late.contains(&Said::Over), "{late:?}");
    // Whoever comes next finds one login, which works if it can.
    let next = fleet.member(0);
    let next = fleet.listen_to_end(vec![next]);
    if grace > 0 {
        // Its own answer came too late, and then it takes what is there.
        let token = late.iter().find(|said| matches!(said, Said::Token(_)));
        assert_eq!((token, &next[0]), (Some(&said[0]), &said[0]));
        assert_eq!(fleet.counts(), [1, 1, 0]);
    }
}
