//! Many callers at once: one refresh, and nobody waits who need not.

use crate::support::{Bench, Left, RUNTIME, Way, both, both_with, said, until};
use proofkey_devserver::{EndpointFault, When};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn threads_share_one_request_whatever_comes_of_it() {
    let cases = [
        (EndpointFault::Delay { millis: 300 }, "token", 1),
        (respond(400, r#"{"error":"invalid_grant"}"#), "ended: Refused", 1),
        (respond(503, r#"{"error":"temporarily_unavailable"}"#), "Refused", 1),
        // Once more after a cut.
        (EndpointFault::HangupBefore, "NoAnswer", 2),
    ];
    both_with(&cases, |way, (fault, expected, requests)| {
        let bench = Bench::new(Left::Nothing);
        let login = bench.open(way);
        login.peek().unwrap();
        bench.store.answer_after(Duration::from_secs(2));
        bench.fail(When::Every(1), fault);
        let all = Barrier::new(64);
        let come = || {
            all.wait();
            login.access_token()
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(come)).collect();
            for thread in threads {
                assert_eq!(said(&thread.join().unwrap()), expected);
            }
        });
        assert_eq!(bench.requests(), requests, "{expected}");
    });
}

#[test]
fn ten_thousand_tasks_make_one_request_whatever_comes_of_it() {
    for (fault, expected) in [
        (EndpointFault::Delay { millis: 100 }, "token"),
        (respond(400, r#"{"error":"invalid_grant"}"#), "ended: Refused"),
    ] {
        let bench = Bench::new(Left::Nothing);
        bench.fail(When::Every(1), fault);
        let sessions = bench.sessions();
        // The second time there is no request at all.
        for _ in 0..2 {
            let mut tasks = tokio::task::JoinSet::new();
            let _runtime = RUNTIME.enter();
            for _ in 0..10_000 {
                let session = sessions.of("default");
                tasks.spawn(async move { said(&session.access_token().await) });
            }
            let all = RUNTIME.block_on(tasks.join_all());
            assert_eq!(all.iter().find(|said| *said != expected), None, "{expected}");
            assert_eq!(bench.requests(), 1, "{expected}");
        }
        RUNTIME.block_on(sessions.settle()).unwrap();
    }
}

#[test]
fn a_crowd_that_wants_a_new_token_shares_one() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let login = bench.open(way);
        let old = login.access_token().unwrap();
        bench.fail(When::Every(1), EndpointFault::Stall { millis: 1_000 });
        thread::scope(|scope| {
            let first = scope.spawn(|| login.refresh().unwrap());
            until("it is sent", || bench.requests() == 1);
            let others: Vec<_> = (0..8).map(|_| scope.spawn(|| login.refresh().unwrap())).collect();
            let new = first.join().unwrap();
            assert_ne!(new.expose(), old.expose());
            for other in others {
                assert_eq!(other.join().unwrap().expose(), new.expose());
            }
        });
        assert_eq!(bench.counts(), [1, 0, 0]);
        // One who comes later gets another one.
        bench.mend();
        login.refresh().unwrap();
        assert_eq!(bench.counts(), [2, 0, 0]);
    });
}

#[test]
fn nobody_waits_for_a_refresh_ahead_of_time() {
    both(|way| {
        let bench = Bench::new(Left::Little);
        let login = bench.open(way);
        let old = login.peek().unwrap().unwrap();
        bench.fail(When::Every(1), EndpointFault::Stall { millis: 8_000 });
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                let begun = Instant::now();
                (login.access_token().unwrap(), begun.elapsed())
            });
            until("it is sent", || bench.requests() == 1);
            let begun = Instant::now();
            for _ in 0..100 {
                assert_eq!(login.access_token().unwrap().expose(), old.expose());
            }
            // Another program does not wait either.
            assert_eq!(bench.open(way).access_token().unwrap().expose(), old.expose());
            assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
            let (token, took) = first.join().unwrap();
            // A blocking session refreshes in the thread of its caller, since the others may end with `main`.
            assert_eq!(took < Duration::from_secs(6), way == Way::Async, "{took:?}");
            assert_eq!(token.expose() == old.expose(), way == Way::Async);
        });
        login.settle().unwrap();
        until("the new one", || login.access_token().unwrap().expose() != old.expose());
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

#[test]
fn while_another_refreshes_ahead_of_time_the_store_is_not_asked_at_each_call() {
    both(|way| {
        let bench = Bench::new(Left::Little);
        let (one, two) = (bench.open(way), bench.open(way));
        bench.fail(When::Every(1), EndpointFault::Stall { millis: 2_000 });
        thread::scope(|scope| {
            scope.spawn(|| one.access_token().unwrap());
            until("it is sent", || bench.requests() == 1);
            bench.store.take_seen();
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(800) {
                two.access_token().unwrap();
            }
            let seen = bench.store.take_seen();
            assert!(seen.len() <= 8, "{}", seen.len());
        });
        one.settle().unwrap();
        two.settle().unwrap();
    });
}

#[test]
fn a_failed_refresh_ahead_of_time_is_tried_less_and_less_often() {
    both(|way| {
        let bench = Bench::new(Left::Little);
        let login = bench.open(way);
        bench.fail(When::Every(1), respond(403, ""));
        let begun = Instant::now();
        while bench.requests() < 3 {
            assert!(said(&login.access_token()).starts_with("token"));
            thread::sleep(Duration::from_millis(1));
        }
        // At once, after a second, and after two more; clocks may be some milliseconds off.
        assert!(begun.elapsed() > Duration::from_millis(2_900), "{:?}", begun.elapsed());
        login.settle().unwrap();
    });
}

#[test]
fn a_server_that_refuses_is_not_asked_at_each_call() {
    both(|way| {
        let bench = Bench::new(Left::Nothing);
        let login = bench.open(way);
        bench.fail(When::Every(1), respond(403, ""));
        let begun = Instant::now();
        while bench.requests() < 3 {
            assert_eq!(said(&login.access_token()), "Refused");
            assert_eq!(said(&login.access_token_for(60)), "Refused");
            thread::sleep(Duration::from_millis(1));
        }
        // As above.
        assert!(begun.elapsed() > Duration::from_millis(2_900), "{:?}", begun.elapsed());
        // Whoever says so has it asked.
        assert_eq!(said(&login.refresh()), "Refused");
        assert_eq!(bench.requests(), 4);
        bench.mend();
        until("it is asked again", || said(&login.access_token()) == "token");
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

#[test]
fn two_users_do_not_wait_for_each_other() {
    let bench = Bench::new(Left::Nothing);
    let sessions = bench.sessions();
    let _runtime = RUNTIME.enter();
    // Bob's store hangs, as a lock of his row does.
    let bob = sessions.of("bob");
    bench.store.hang("bob");
    let waiting = RUNTIME.spawn(async move { bob.access_token().await });
    until("bob waits", || bench.store.is_hanging());
    let alice = RUNTIME.block_on(sessions.of("default").access_token());
    assert_eq!(said(&alice), "token");
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[test]
fn programs_share_one_request_at_a_server_without_a_grace() {
    both(|way| {
        let bench = Bench::new(Left::Nothing);
        let programs: Vec<_> = (0..16).map(|_| bench.open(way)).collect();
        let tokens = thread::scope(|scope| {
            let threads: Vec<_> = programs.iter().map(|login| scope.spawn(|| login.access_token().unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().expose().to_owned()).collect::<Vec<_>>()
        });
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

fn respond(status: u16, body: &str) -> EndpointFault {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    EndpointFault::Respond { status, headers, body: body.to_owned() }
}
