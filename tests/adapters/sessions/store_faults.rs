//! A store that fails, at each operation of a refresh, before it was done and after.

use crate::faulty::{Fault, Kind};
use crate::support::{Bench, Left, Way, both, both_with, said, until, word};
use proofkey_devserver::Options;
use proofkey_store::{Answer, ClaimId, LoginId, Row, Version};
use proofkey_ureq::{Policy, Revocation};
use std::thread;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

#[test]
fn nothing_is_sent_without_a_claim() {
    let kinds = [Kind::Load, Kind::Claim];
    let cases: Vec<_> = kinds
        .into_iter()
        .flat_map(|kind| [Fault::Before, Fault::After].map(|fault| (kind, fault)))
        .flat_map(|(kind, fault)| [Left::Nothing, Left::Little].map(|left| (kind, fault.clone(), left)))
        .collect();
    both_with(&cases, |way, (kind, fault, left)| {
        let bench = Bench::new(left);
        let login = bench.open(way);
        login.peek().unwrap();
        bench.store.fail(kind, fault.clone(), 1);
        let first = login.access_token();
        login.settle().unwrap();
        let expected = if left == Left::Little { "token, Store" } else { "Store" };
        assert_eq!(said(&first), expected, "{kind:?} {fault:?}");
        assert_eq!(bench.requests(), 0, "{kind:?} {fault:?}");
        // A claim that was made although that was not known ends by itself.
        bench.store.advance(60);
        assert_eq!(said(&bench.open(way).access_token()), "token", "{kind:?} {fault:?}");
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

#[test]
fn a_store_that_is_down_from_the_start_or_later() {
    both(|way| {
        let bench = Bench::new(Left::Little);
        let login = bench.open(way);
        let old = login.peek().unwrap().unwrap();
        bench.store.set_down(true);
        // One who has the token goes on with it, and one who has none sends nothing.
        until("the trouble shows", || said(&login.access_token()) == "token, Store");
        assert_eq!(login.access_token().unwrap().expose(), old.expose());
        let stranger = bench.open(way);
        assert_eq!(said(&stranger.access_token()), "Store");
        assert_eq!(word(&stranger.peek().unwrap_err()), "Store");
        assert_eq!(word(&stranger.begin(&bench.sign_in()).unwrap_err()), "Store");
        assert_eq!(word(&stranger.sign_out().unwrap_err()), "Store");
        assert_eq!(bench.counts(), [0, 0, 0]);
        assert!(bench.is_taken(old.expose()), "nothing was revoked");
        bench.store.works();
        assert_eq!(said(&stranger.access_token()), "token");
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

#[test]
fn tokens_that_cannot_be_saved_are_used_and_saved_a_second_later() {
    both_with(&[Fault::Before, Fault::After], |way, fault| {
        let bench = Bench::new(Left::Nothing);
        let login = bench.open(way);
        let old = login.peek().unwrap().unwrap();
        bench.store.fail(Kind::Save, fault, 2);
        let handle = thread::scope(|scope| {
            let first = scope.spawn(|| login.access_token());
            // Whoever comes meanwhile has the new token at once, and is told.
            until("the token is used", || login.peek().is_ok() && bench.counts()[0] == 1);
            until("another has it", || said(&login.access_token()).starts_with("token"));
            let token = login.access_token().unwrap();
            assert_ne!(token.expose(), old.expose());
            assert!(bench.is_taken(token.expose()));
            let first = first.join().unwrap().unwrap();
            assert_eq!(first.expose(), token.expose());
            first
        });
        login.settle().unwrap();
        assert_eq!(said(&login.access_token()), "token");
        assert_eq!(bench.stored().unwrap().access_token.expose(), handle.expose());
        assert!(!bench.has_mark());
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

#[test]
fn a_second_program_waits_for_tokens_that_are_not_saved_yet() {
    both(|way| {
        let bench = Bench::new(Left::Nothing);
        let (one, two) = (bench.open(way), bench.open(way));
        two.peek().unwrap();
        bench.store.fail(Kind::Save, Fault::Before, 2);
        thread::scope(|scope| {
            let one = scope.spawn(|| one.access_token().unwrap());
            until("the refresh is there", || bench.counts()[0] == 1);
            let two = two.access_token().unwrap();
            assert_eq!(one.join().unwrap().expose(), two.expose());
        });
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

#[test]
fn a_store_that_stays_away_costs_neither_the_token_nor_a_sign_out() {
    both(|way| {
        let bench = Bench::new(Left::Nothing);
        let login = bench.open(way);
        bench.store.fail(Kind::Save, Fault::Before, u32::MAX);
        bench.store.fail(Kind::Claim, Fault::Before, 0);
        thread::scope(|scope| {
            let first = scope.spawn(|| login.access_token());
            until("the refresh is there", || bench.counts()[0] == 1);
            until("its token is used", || said(&login.access_token()) == "token, Unsaved");
            let token = login.access_token().unwrap();
            // The user does not wait for a store that takes all but this.
            let begun = Instant::now();
            let out = login.sign_out().unwrap();
            assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
            assert!(matches!(out.revocation, Ok(Revocation::Done)));
            assert_eq!(out.record.unwrap().access_token.expose(), token.expose());
            assert!(!bench.is_taken(token.expose()), "the tokens that were not saved are revoked");
            drop(first.join());
        });
        login.settle().unwrap();
        assert_eq!(said(&login.access_token()), "ended: SignedOut");
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

#[test]
fn tokens_that_are_still_not_saved_after_a_claims_life_are_saved_by_later_callers() {
    let bench = Bench::new(Left::Nothing);
    let login = bench.open(Way::Blocking);
    bench.store.fail(Kind::Save, Fault::Before, u32::MAX);
    let begun = Instant::now();
    assert_eq!(said(&login.access_token()), "token, Unsaved");
    assert!((20..40).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(said(&login.access_token()), "token, Unsaved");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    bench.store.works();
    // Nobody calls `settle`: the token is simply used.
    let begun = Instant::now();
    until("it is saved", || said(&login.access_token()) == "token");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(bench.stored().unwrap().access_token.expose(), login.access_token().unwrap().expose());
    login.settle().unwrap();
    assert_eq!(bench.counts(), [1, 0, 0]);
}

#[test]
fn a_row_that_vanishes_before_its_tokens_are_saved_ends_the_login_and_if_it_comes_back_its_claim_counts() {
    both_with(&[0, 60], |way, grace| {
        let options = Options { refresh_grace: grace, ..Options::default() };
        let bench = Bench::with(Left::Nothing, options, Policy::new());
        let login = bench.open(way);
        bench.store.fail(Kind::Save, Fault::Before, 1);
        bench.store.fail(Kind::Save, Fault::Say(Answer::Absent), 1);
        let first = login.access_token();
        // A blocking session returns when it is saved, or knows that it will not be.
        let expected = if way == Way::Blocking { "ended: Forgotten" } else { "token, Unsaved" };
        assert_eq!(said(&first), expected);
        login.settle().unwrap();
        assert_eq!(bench.counts(), [1, 0, 0], "nothing was sent a second time");
        assert!(bench.has_mark());
        // Its claim lapses. What it brought is not known any longer.
        bench.store.advance(30);
        let (next, counts) = if grace == 0 { ("ended: AnswerLost", [1, 0, 1]) } else { ("token", [1, 1, 0]) };
        assert_eq!(said(&login.access_token()), next);
        assert_eq!(bench.counts(), counts);
    });
}

#[test]
fn a_login_or_a_sign_out_that_was_done_without_an_answer_is_done_once_more() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let login = bench.open(way);
        let signed_in = bench.sign_in();
        login.peek().unwrap();
        bench.store.fail(Kind::Put, Fault::After, 1);
        assert_eq!(word(&login.begin(&signed_in).unwrap_err()), "Store");
        // It is the same login, and nothing that the caller may revoke.
        assert!(login.begin(&signed_in).unwrap().is_none());
        let token = login.access_token().unwrap();
        assert_eq!(token.expose(), signed_in.tokens.access_token().expose());
        bench.store.fail(Kind::Put, Fault::After, 1);
        assert_eq!(word(&login.sign_out().unwrap_err()), "Store");
        assert!(bench.is_taken(token.expose()));
        let out = login.sign_out().unwrap();
        assert!(matches!(out.revocation, Ok(Revocation::Done)));
        assert!(out.record.is_some() && !bench.is_taken(token.expose()), "what is known of it is revoked");
    });
}

#[test]
fn no_answer_of_a_store_is_taken_for_another() {
    let row = || Row::new(Version::first(LoginId::new(1, None, 1)), Zeroizing::new(b"rubbish".to_vec()), 0, 0);
    let answers: [fn(Row) -> Answer; 11] = [
        |_| Answer::Absent,
        |_| Answer::Busy { left: None },
        Answer::Changed,
        Answer::Claimed,
        Answer::Displaced,
        |_| Answer::Done,
        |_| Answer::Fenced,
        |row| Answer::Lapsed { id: ClaimId([3; 16]), age: 5, row },
        Answer::Row,
        |_| Answer::SignedOut { version: Version::first(LoginId::new(1, None, 1)) },
        |row| Answer::Row(Row::new(row.version, Zeroizing::default(), 0, 0)),
    ];
    both(|way| {
        thread::scope(|scope| {
            for answer in answers {
                for kind in [Kind::Load, Kind::Claim, Kind::Release, Kind::Save] {
                    scope.spawn(move || {
                        let bench = Bench::new(Left::Nothing);
                        let login = bench.open(way);
                        let old = login.peek().unwrap().unwrap();
                        let name = format!("{:?} to {kind:?}, {way:?}", answer(row()));
                        bench.store.fail(kind, Fault::Say(answer(row())), 1);
                        let first = login.access_token();
                        if let Ok(token) = &first {
                            assert_ne!(token.expose(), old.expose(), "{name}");
                        }
                        assert!(bench.counts()[0] <= 1 && bench.counts()[2] == 0, "{name}");
                        login.settle().unwrap();
                        assert!(bench.stored().is_some(), "{name}");
                    });
                }
            }
        });
    });
}
