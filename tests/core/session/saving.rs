//! A new pair is saved before all else.

use super::*;

#[test]
fn a_pair_that_cannot_be_saved_meets_what_is_there() {
    let saving = || {
        let mut pass = sending(ended(first()), &POLICY);
        assert_eq!(pass.step(Event::Granted(fresh(newer())), NOW), SAVE);
        pass
    };
    let other = first().next(ClaimId([2; 16]));
    let dead = Pair::new(other, Lifetime::new(SECONDS, Some(5)), Renewal::Ended(End::Refused), NOW);
    let over_dead = Step::Save { expect: other, id: ID, version: other.next(ID) };
    let unsaved = Step::Done(Outcome::Use(Some(Trouble::Unsaved)));
    let forgotten = Step::Done(Outcome::Fail(Trouble::Ended(End::Forgotten)));
    for (event, step, is_settled) in [
        (Event::Done, Step::Done(Outcome::Use(None)), true),
        (Event::Changed(row(fresh(newer()))), Step::Done(Outcome::Use(None)), true),
        (Event::Changed(row(fresh(other))), Step::Adopt, true),
        (Event::Changed(row(fresh(other.next(ID)))), Step::Adopt, true),
        (Event::Changed(row(fresh(later_login()))), Step::Adopt, true),
        (Event::Changed(row(dead)), over_dead, false),
        (Event::Changed(row(ended(first()))), SAVE, false),
        (Event::SignedOut, Step::Revoke, true),
        (Event::Absent, forgotten, true),
        (Event::Fenced, unsaved, false),
        (Event::Failed, unsaved, false),
    ] {
        let mut pass = saving();
        assert_eq!((pass.step(event, NOW), pass.is_settled()), (step, is_settled), "{event:?}");
        if step == Step::Revoke {
            let next = Step::Done(Outcome::Fail(Trouble::Ended(End::SignedOut)));
            assert_eq!(pass.step(Event::Done, NOW), next);
        }
    }
}

#[test]
fn an_unsaved_pair_is_written_until_it_is_saved() {
    let mut pass = sending(ended(first()), &POLICY);
    pass.step(Event::Granted(fresh(newer())), NOW);
    for second in 0..2_000 {
        let now = after(second * 1_000);
        assert_eq!(pass.step(Event::Failed, now), Step::Done(Outcome::Use(Some(Trouble::Unsaved))));
        assert_eq!(pass.step(Event::Done, now), CLAIM, "its claim is renewed");
        let answers = [
            Event::Claimed(row(ended(first()))),
            Event::Lapsed { id: ClaimId([2; 16]), age: 9, row: row(ended(first())) },
        ];
        assert_eq!(pass.step(answers[usize::from(second % 2 == 0)], now), SAVE);
    }
    let ended = after(4_000_000);
    assert_eq!(pass.clone().step(Event::Failed, ended), Step::Done(Outcome::Fail(Trouble::Unsaved)));
    assert_eq!(pass.step(Event::Done, NOW), Step::Done(Outcome::Use(None)));
}

#[test]
fn a_flawed_answer_is_saved_all_the_same() {
    for (kept, outcome) in
        [(due(newer()), Outcome::Use(Some(Trouble::Refused))), (ended(newer()), Outcome::Fail(Trouble::Refused))]
    {
        let mut pass = sending(ended(first()), &POLICY);
        assert_eq!(pass.step(Event::Kept(kept), NOW), SAVE);
        assert_eq!(pass.step(Event::Done, NOW), Step::Done(outcome));
    }
}

#[test]
fn a_store_that_always_has_another_row_is_left_alone_for_a_second() {
    let mut pass = sending(ended(first()), &POLICY);
    pass.step(Event::Granted(fresh(newer())), NOW);
    let steps = (0..2_000).find(|_| pass.step(Event::Changed(row(ended(first()))), NOW) != SAVE);
    assert!(steps.is_some() && !pass.is_settled());
    assert_eq!(pass.step(Event::Done, NOW), CLAIM, "and tried again");
}
