//! Futures that are dropped after each number of polls, and runtimes that end.

use crate::support::{Bench, Left, said, until};
use proofkey_devserver::{EndpointFault, When};
use proofkey_reqwest::{Session, Sessions};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use tokio::runtime::{Builder, Runtime};

type Work = fn(&Bench, Session) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a caller may drop, and how many refreshes it costs at most.
const WORKS: [(&str, Left, Work); 6] = [
    ("access_token", Left::Nothing, |_, session| Box::pin(async move { drop(session.access_token().await) })),
    ("ahead of time", Left::Little, |_, session| Box::pin(async move { drop(session.access_token().await) })),
    ("call", Left::Nothing, |bench, session| {
        let me = bench.me();
        Box::pin(async move { drop(session.call(me).await) })
    }),
    ("renew", Left::All, |bench, session| {
        bench.store.advance(120);
        Box::pin(async move {
            let token = session.access_token().await.unwrap();
            drop(session.renew(&token).await);
        })
    }),
    ("begin", Left::Nothing, |bench, session| {
        let signed_in = bench.sign_in();
        Box::pin(async move { drop(session.begin(&signed_in).await) })
    }),
    ("sign_out", Left::All, |_, session| Box::pin(async move { drop(session.sign_out().await) })),
];

#[test]
fn what_is_dropped_after_any_poll_is_finished_all_the_same() {
    std::thread::scope(|scope| {
        for (name, left, work) in WORKS {
            for (runtime, least) in [(one_thread as fn() -> Runtime, 2), (two_threads, 1)] {
                scope.spawn(move || {
                    let mut polls = 0;
                    while !dropped_after(polls, name, left, work, &runtime()) {
                        polls += 1;
                        assert!(polls < 500, "{name} never ends");
                    }
                    assert!(polls >= least, "{name} was done at once");
                });
            }
        }
    });
}

/// Whether the work was done within so many polls.
fn dropped_after(polls: u32, name: &str, left: Left, work: Work, runtime: &Runtime) -> bool {
    let bench = Bench::new(left);
    let sessions = bench.sessions();
    let work = work(&bench, sessions.of("default"));
    let before = bench.stored().unwrap();
    let is_done = runtime.block_on(async {
        let done = poll_times(polls, work).await;
        sessions.settle().await.unwrap();
        done
    });
    let name = format!("{name}, {polls} polls");
    // Whatever was begun is whole: the server and the store agree.
    assert!(!bench.has_mark(), "{name}");
    let [refreshes, replays, reuses] = bench.counts();
    assert!(refreshes <= 1 && replays == 0 && reuses == 0, "{name}");
    match bench.stored() {
        Some(record) => {
            let is_new = record.access_token.expose() != before.access_token.expose();
            assert!(refreshes == 0 || is_new, "{name}: a refresh was lost");
            assert!(bench.is_taken(record.access_token.expose()), "{name}");
            // And goes on.
            assert_eq!(said(&runtime.block_on(sessions.of("default").refresh())), "token", "{name}");
        }
        // Not a tombstone alone: the tokens are revoked.
        None => assert!(!bench.is_taken(before.access_token.expose()), "{name}"),
    }
    runtime.block_on(sessions.settle()).unwrap();
    is_done
}

/// Polls so many times, as the runtime wakes it, and drops it.
async fn poll_times(polls: u32, work: impl Future<Output = ()>) -> bool {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|()| true)
    })
    .await
}

#[test]
fn a_runtime_that_ends_in_a_refresh_leaves_a_mark_and_loses_what_was_on_its_way() {
    for settles in [true, false] {
        let bench = Bench::new(Left::Nothing);
        bench.fail(When::Next(1), EndpointFault::Delay { millis: 500 });
        let runtime = two_threads();
        let sessions = bench.sessions();
        begin(&runtime, &sessions);
        until("it is at the server", || bench.counts()[0] == 1);
        if settles {
            runtime.block_on(sessions.settle()).unwrap();
        }
        runtime.shutdown_background();
        assert_eq!(bench.has_mark(), !settles);
        bench.store.advance(30);
        let next = two_threads().block_on(bench.sessions().of("default").access_token());
        assert_eq!(said(&next), if settles { "token" } else { "ended: AnswerLost" });
    }
}

fn begin(runtime: &Runtime, sessions: &Sessions) {
    let session = sessions.of("default");
    runtime.spawn(async move { session.access_token().await });
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn two_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
