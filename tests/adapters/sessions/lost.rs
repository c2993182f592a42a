//! A refresh that goes wrong, in each way and at each kind of server: what the caller gets, what the server did, whether the claim
//! stays as a mark, and what becomes of the login.

use crate::support::{Bench, Left, Way, both, both_with, said, seconds_since_1970, until};
use proofkey_devserver::{Alteration, EndpointFault, Faults, Options, RefreshFault, Successor, When};
use proofkey_ureq::{End, Grace, Policy, SessionError};
use std::fmt::Debug;
use std::sync::Mutex;
use std::thread;

/// What is wrong, then at a server without a grace: the answer to the caller, what the server counted (refreshes, replays, reuses),
/// and whether there is a mark; then what the next caller gets, when the server works and the claim has lapsed. Then the same for a
/// server with a grace.
struct Case {
    what: &'static str,
    when: When,
    fault: EndpointFault,
    without: Expected,
    with: Expected,
}

struct Expected(&'static str, [u64; 3], bool, &'static str);

#[test]
fn a_refresh_that_goes_wrong_at_each_kind_of_server() {
    use Successor::{AccessTokenOnly, Newest, Same};
    let graces = [(0, Newest), (5, Newest), (30, AccessTokenOnly), (30, Newest), (30, Same)];
    let (cases, wrong) = (cases(), Mutex::new(Vec::new()));
    // Some wait for seconds: many at a time, but not so many that the machine is the slow one.
    for cases in cases.chunks(14) {
        thread::scope(|scope| {
            for case in cases {
                for (grace, successor) in graces {
                    for way in [Way::Async, Way::Blocking] {
                        let wrong = &wrong;
                        scope.spawn(move || {
                            let found = run(case, grace, successor, way);
                            let name = format!("{}, grace {grace}, {successor:?}, {way:?}", case.what);
                            found.map_err(|found| wrong.lock().unwrap().push(format!("{name}: {found}")))
                        });
                    }
                }
            }
        });
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn run(case: &Case, grace: u32, successor: Successor, way: Way) -> Result<(), String> {
    // A time-out takes three seconds.
    let is_late = matches!(case.fault, EndpointFault::Stall { .. } | EndpointFault::Delay { .. });
    let policy = if is_late { Policy::new().with_limits(3, 13) } else { Policy::new() };
    let bench = Bench::with(Left::Nothing, Options { refresh_grace: grace, successor, ..Options::default() }, policy);
    let login = bench.open(way);
    bench.fail(case.when, case.fault.clone());
    let before = bench.stored().unwrap();
    let Expected(first, counts, has_mark, next) = if grace == 0 { &case.without } else { &case.with };
    let result = login.access_token();
    same("the caller got", said(&result), (*first).to_owned())?;
    same("the server counted", bench.counts(), *counts)?;
    same("there is a mark", bench.has_mark(), *has_mark)?;
    let stored = bench.stored().ok_or("nothing is stored")?;
    let is_ended = first.starts_with("ended");
    same("the end is stored", stored.ended.is_some(), is_ended)?;
    same("the refresh token is gone", stored.refresh_token.is_none(), is_ended)?;
    let token = result.as_ref().map_or_else(|_| before.access_token.expose(), |token| token.expose());
    same("stored is", stored.access_token.expose(), token)?;
    if matches!(case.fault, EndpointFault::Stall { .. }) {
        until("the late request arrives", || bench.counts()[0] > 0);
    }
    bench.mend();
    bench.store.advance(30);
    let result = bench.open(way).access_token();
    let said_next = said(&result);
    // A claim is answered two seconds later, when a short grace may be over.
    let is_over = grace == 5 && *has_mark && said_next == case.without.3;
    same("the next caller got", &*said_next, if is_over { &*said_next } else { *next })?;
    if let Ok(token) = &result {
        same("the API takes it", bench.is_taken(token.expose()), true)?;
        same("reuses", bench.counts()[2], 0)?;
        same("there still is a mark", bench.has_mark(), false)?;
    }
    // An ended login costs no more requests, and says when its answer was lost.
    if let Err(SessionError::Ended { end, .. }) = &result {
        let requests = bench.requests();
        same("the first caller gets", said(&login.access_token()), said_next)?;
        same("requests", bench.requests(), requests)?;
        if let End::AnswerLost { since } = end {
            same("it was lost lately", since.abs_diff(seconds_since_1970()) <= 60, true)?;
        }
    }
    Ok(())
}

fn same<T: Debug + PartialEq>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} {found:?}, not {expected:?}")) }
}

#[test]
fn a_due_token_that_is_valid_is_handed_out_with_its_trouble() {
    let cases = [
        (EndpointFault::HangupBefore, "token, NoAnswer"),
        (EndpointFault::Hangup, "token, NoAnswer"),
        (respond(403, &[], "no"), "token, Refused"),
        (respond(429, &[], ""), "token, Refused"),
        (respond(400, &[], INVALID_GRANT), "token, ended: Refused"),
    ];
    both_with(&cases, |way, (fault, trouble)| {
        let bench = Bench::new(Left::Little);
        let login = bench.open(way);
        let old = login.peek().unwrap().unwrap();
        bench.fail(When::Every(1), fault);
        let first = login.access_token().unwrap();
        assert_eq!(first.expose(), old.expose());
        login.settle().unwrap();
        until(trouble, || said(&login.access_token()) == trouble);
        assert_eq!(login.access_token().unwrap().expose(), old.expose());
    });
}

#[test]
fn a_pause_that_the_server_asks_for_is_kept_by_all() {
    let cases = [
        (respond(429, &[("retry-after", "40")], ""), 35),
        (respond(429, &[], ""), 5),
        (respond(503, &[("retry-after", "40")], ""), 35),
        (respond(429, &[("retry-after", "86400")], ""), 3500),
    ];
    both_with(&cases, |way, (fault, least)| {
        let bench = Bench::new(Left::Nothing);
        bench.fail(When::Every(1), fault);
        assert_eq!(said(&bench.open(way).access_token()), "Refused");
        bench.mend();
        let paused = bench.open(way).access_token().unwrap_err();
        let SessionError::Paused { seconds } = paused else { panic!("{paused}") };
        assert!((least..=3600).contains(&seconds), "{seconds}");
        assert_eq!(bench.requests(), 1);
        bench.store.advance(u64::from(seconds) + 1);
        assert_eq!(said(&bench.open(way).access_token()), "token");
    });
}

#[test]
fn without_a_grace_nothing_is_sent_again_while_the_token_is_valid() {
    both(|way| {
        let bench = Bench::with(Left::Little, Options::default(), Policy::new().with_grace(Grace::None));
        let login = bench.open(way);
        let old = login.peek().unwrap().unwrap();
        bench.fail(When::Next(1), EndpointFault::Hangup);
        until("the trouble shows", || said(&login.access_token()) == "token, NoAnswer");
        login.settle().unwrap();
        bench.store.advance(30);
        // Another program finds the mark, and leaves the token alone that it would end.
        let another = bench.open(way);
        until("it sees the trouble", || said(&another.access_token()) == "token, NoAnswer");
        another.settle().unwrap();
        assert_eq!((bench.requests(), bench.counts()), (1, [1, 0, 0]));
        assert!(bench.is_taken(old.expose()));
    });
}

#[test]
fn a_server_whose_refresh_tokens_stay_is_asked_again_at_once() {
    both(|way| {
        let bench = Bench::new(Left::Nothing);
        let keeps = Faults { keep_refresh_token: true, ..Faults::default() };
        bench.server.set_faults(keeps.clone());
        let login = bench.open(way);
        login.access_token().unwrap();
        assert_eq!(bench.stored().unwrap().rotates, Some(false));
        let fault = RefreshFault { when: When::Every(1), fault: EndpointFault::Hangup };
        bench.server.set_faults(Faults { refresh: vec![fault], ..keeps.clone() });
        assert_eq!(said(&login.refresh()), "NoAnswer");
        assert!(!bench.has_mark());
        bench.server.set_faults(keeps);
        assert_eq!(said(&bench.open(way).refresh()), "token");
        assert_eq!(bench.counts(), [3, 0, 0]);
    });
}

fn cases() -> Vec<Case> {
    let once = When::Next(1);
    let always = When::Every(1);
    let case = |what, when, fault, without, with| Case { what, when, fault, without, with };
    // The login goes on, and nothing was spent.
    let refused = |what, fault| {
        let expected = || Expected("Refused", [0, 0, 0], false, "token");
        case(what, always, fault, expected(), expected())
    };
    // Nobody knows, and nothing was spent.
    let unsure = |what, fault| {
        let expected = || Expected("NoAnswer", [0, 0, 0], true, "token");
        case(what, always, fault, expected(), expected())
    };
    // Nobody knows, and the token was spent.
    let lost = |what, fault| {
        let without = Expected("NoAnswer", [1, 0, 0], true, "ended: AnswerLost");
        case(what, always, fault, without, Expected("NoAnswer", [1, 0, 0], true, "token"))
    };
    // It is sent once more, and the server remembers.
    let again = |what, fault| {
        let without = Expected("ended: AnswerLost", [1, 0, 1], false, "ended: AnswerLost");
        case(what, once, fault, without, Expected("token", [1, 1, 0], false, "token"))
    };
    let arrives_again = |what, fault| {
        let expected = || Expected("token", [1, 0, 0], false, "token");
        case(what, once, fault, expected(), expected())
    };
    let ends = |what, fault| {
        let expected = || Expected("ended: Refused", [0, 0, 0], false, "ended: Refused");
        case(what, always, fault, expected(), expected())
    };
    // The next refresh token is saved, although the answer is otherwise of no use.
    let kept = |what, fault| {
        let expected = || Expected("Refused", [1, 0, 0], false, "token");
        case(what, once, fault, expected(), expected())
    };
    vec![
        case(
            "cut after arrival, each time",
            always,
            EndpointFault::Hangup,
            Expected("NoAnswer", [1, 0, 1], true, "ended: AnswerLost"),
            Expected("NoAnswer", [1, 1, 0], true, "token"),
        ),
        case(
            "late arrival",
            always,
            EndpointFault::Stall { millis: 4_500 },
            Expected("NoAnswer", [0, 0, 0], true, "ended: AnswerLost"),
            Expected("NoAnswer", [0, 0, 0], true, "token"),
        ),
        again("cut after arrival", EndpointFault::Hangup),
        again("cut body", alter(200, JSON, None, Some("refresh_token"))),
        again("502 after arrival", alter(502, HTML, Some(PAGE), None)),
        arrives_again("502 before arrival", respond(502, &[], PAGE)),
        arrives_again("cut before arrival", EndpointFault::HangupBefore),
        ends("bad_refresh_token with 200", respond(200, &[JSON_TYPE], r#"{"error":"bad_refresh_token"}"#)),
        ends("invalid_grant", respond(400, &[JSON_TYPE], INVALID_GRANT)),
        ends("400 without words", respond(400, &[], "")),
        kept("cut behind the refresh token", alter(200, JSON, None, Some("\"scope\""))),
        kept("no access token", without_access_token()),
        lost("answer in time too late", EndpointFault::Delay { millis: 4_500 }),
        lost("rubbish after arrival", alter(200, JSON, Some("{\"a\":"), None)),
        lost("a page after arrival", alter(200, HTML, Some(PAGE), None)),
        lost("500 after arrival", alter(500, HTML, Some(PAGE), None)),
        refused("403", respond(403, &[], PAGE)),
        refused("404", respond(404, &[], "")),
        refused("429", respond(429, &[], "")),
        refused("503 with Retry-After", respond(503, &[("retry-after", "20")], "")),
        refused("a page with 400", respond(400, &[("content-type", HTML)], PAGE)),
        refused("a redirect", respond(302, &[("location", "/elsewhere")], "")),
        refused("invalid_client", respond(401, &[JSON_TYPE], r#"{"error":"invalid_client"}"#)),
        refused("server_error", respond(500, &[JSON_TYPE], r#"{"error":"server_error"}"#)),
        unsure("503 without Retry-After", respond(503, &[], PAGE)),
        unsure("504", respond(504, &[], "")),
        unsure("cut before arrival, each time", EndpointFault::HangupBefore),
    ]
}

fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> EndpointFault {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    EndpointFault::Respond { status, headers, body: body.to_owned() }
}

fn alter(status: u16, content_type: &str, body: Option<&str>, cut_before: Option<&str>) -> EndpointFault {
    let (body, cut_before) = (body.map(str::to_owned), cut_before.map(str::to_owned));
    let content_type = content_type.to_owned();
    EndpointFault::Alter(Alteration { status, content_type, members: Vec::new(), body, cut_before })
}

fn without_access_token() -> EndpointFault {
    EndpointFault::Alter(Alteration { members: vec![("access_token".to_owned(), None)], ..Alteration::default() })
}

const HTML: &str = "text/html";
const INVALID_GRANT: &str = r#"{"error":"invalid_grant"}"#;
const JSON: &str = "application/json";
const JSON_TYPE: (&str, &str) = ("content-type", JSON);
const PAGE: &str = "<html><body>Sorry</body></html>";
