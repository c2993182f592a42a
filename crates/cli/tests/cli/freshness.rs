//! How long the token is valid that `proofkey token` prints.

use crate::desk::{Desk, access, refresh, waits};
use proofkey_devserver::{Alteration, EndpointFault, Faults};

/// The server gives tokens with another `expires_in`, or without one.
fn give(desk: &Desk, expires_in: Option<&str>) {
    let members = vec![("expires_in".to_owned(), expires_in.map(str::to_owned))];
    let token = Some(EndpointFault::Alter(Alteration { members, ..Alteration::default() }));
    desk.server.set_faults(Faults { token, ..Faults::default() });
}

#[test]
fn a_new_token_can_be_asked_for() {
    let desk = Desk::signed_in();
    let before = desk.record();
    let run = desk.run(&["token", "--refresh"]);
    let after = desk.record();
    assert_eq!(run.stdout, format!("{}\n", after.access_token.expose()), "{run:?}");
    assert!(access(&before) != access(&after) && refresh(&before) != refresh(&after));
    desk.edit(|record| record.refresh_token = None);
    let run = desk.run(&["token", "--refresh"]);
    run.fails(3, &["no refresh token", "proofkey login"]);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_lifetime_that_is_not_known_is_said() {
    let desk = Desk::new();
    give(&desk, None);
    desk.sign_in(&[]);
    let run = desk.run(&["token", "--min-valid", "600"]);
    assert_eq!((run.code, desk.refreshes()), (Some(0), 0), "{run:?}");
    for words in ["warning", "does not say how long", "--min-valid cannot be checked", "proofkey token --refresh"] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert_eq!(desk.run(&["token"]).stderr, "", "nobody asked");
    let (before, run) = (desk.record(), desk.run(&["token", "--refresh", "--min-valid", "600"]));
    assert!(run.code == Some(0) && run.stderr.contains("cannot be checked"), "{run:?}");
    assert_ne!(access(&desk.record()), access(&before));
}

#[test]
fn a_new_token_that_is_too_short_is_no_success() {
    let desk = Desk::new();
    give(&desk, Some("864000"));
    desk.sign_in(&[]);
    give(&desk, Some("3600"));
    assert_eq!(desk.run(&["token", "--min-valid", "7200"]).code, Some(0), "the first one is long enough");
    desk.edit(|record| record.requested_at -= 864_000 - 5_000);
    let run = desk.run(&["token", "--min-valid", "7200"]);
    run.fails(2, &["valid for 3600 seconds at most", "asks for 7200"]);
    assert_eq!((run.stdout.as_str(), desk.refreshes()), ("", 1));
    desk.run(&["token", "--min-valid", "7200"]).fails(2, &["valid for 3600 seconds at most"]);
    assert_eq!(desk.refreshes(), 1, "now it is known beforehand");
    assert_eq!(desk.run(&["token", "--min-valid", "3000"]).code, Some(0));
    assert_eq!(desk.refreshes(), 1, "the new token is kept");
}

#[test]
fn a_first_token_that_is_short_says_nothing_of_the_next() {
    let desk = Desk::new();
    give(&desk, Some("300"));
    desk.sign_in(&[]);
    give(&desk, Some("3600"));
    assert_eq!(desk.run(&["token", "--min-valid", "1000"]).code, Some(0));
    assert_eq!(desk.refreshes(), 1);
}

#[test]
fn a_token_that_was_issued_since_is_good_enough() {
    for args in [&["token", "--min-valid", "3600"][..], &["token", "--refresh"]] {
        let desk = Desk::signed_in();
        desk.edit(|record| record.requested_at -= 10);
        // All of them have read the old record when the first one is let at it.
        let claim = desk.claim();
        let runs: Vec<_> = (0..20).map(|_| desk.command(args).spawn().unwrap()).collect();
        for run in &runs {
            waits(run.id());
        }
        desk.release(claim);
        let outputs: Vec<_> = runs.into_iter().map(|run| run.wait_with_output().unwrap()).collect();
        let token = format!("{}\n", desk.record().access_token.expose());
        for output in &outputs {
            assert_eq!(String::from_utf8_lossy(&output.stdout), token, "{output:?}");
        }
        assert_eq!(desk.refreshes(), 1, "{args:?}");
    }
}
