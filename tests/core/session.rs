//! A pass of a session: what it asks for after each event. `tests/sessions` explores all of it together.

mod answers;
mod saving;
mod total;

use proofkey_core::Lifetime;
use proofkey_core::Unanswered::{Lost, Unsent};
use proofkey_core::session::{
    ClaimId, End, Event, Grace, LoginId, Need, Now, Outcome, Pair, Pass, Policy, Renewal, Seen, Step, Trouble, Version,
};

#[test]
fn a_valid_token_needs_no_store() {
    for need in [Need::Valid, Need::ValidFor(3_600), Need::OtherThan(newer())] {
        assert_eq!(
            Pass::begin(Some(fresh(first())), need, &POLICY, ID, NOW).1,
            Step::Done(Outcome::Use(None)),
            "{need:?}"
        );
    }
    for need in [Need::New, Need::ValidFor(3_601), Need::OtherThan(first())] {
        assert_eq!(Pass::begin(Some(fresh(first())), need, &POLICY, ID, NOW).1, Step::Load, "{need:?}");
    }
    assert_eq!(Pass::begin(None, Need::Valid, &POLICY, ID, NOW).1, Step::Load);
}

#[test]
fn a_new_pair_is_saved_before_it_is_used() {
    for need in [Need::New, Need::Valid, Need::ValidFor(9_999), Need::OtherThan(first())] {
        let (mut pass, step) = Pass::begin(Some(ended(first())), need, &POLICY, ID, NOW);
        assert_eq!(step, Step::Load);
        assert_eq!(pass.step(Event::Row(row(ended(first()))), NOW), CLAIM);
        assert_eq!(pass.step(Event::Claimed(row(ended(first()))), NOW), Step::Send { within: 15_000 });
        assert_eq!(pass.next_version(), newer());
        assert_eq!(pass.step(Event::Granted(fresh(newer())), NOW), SAVE);
        assert!(!pass.is_settled());
        assert_eq!(pass.step(Event::Done, NOW), Step::Done(Outcome::Use(None)), "{need:?}");
        assert!(pass.is_settled());
        assert_eq!(pass.step(Event::Absent, NOW), Step::Done(Outcome::Use(None)), "it stays done");
    }
}

#[test]
fn nothing_is_sent_without_a_claim() {
    let rows = [row(ended(first())), row(fresh(newer())), row(ended(later_login()))];
    let lapsed = Event::Lapsed { id: ClaimId([2; 16]), age: 30, row: rows[0] };
    let mut events =
        vec![Event::Absent, Event::Busy, Event::Done, Event::Failed, Event::Fenced, lapsed, Event::SignedOut];
    events.extend(rows.map(Event::Row));
    events.extend(rows.map(Event::Changed));
    for event in events {
        let step = claiming(ended(first()), &POLICY).step(event, NOW);
        assert!(!matches!(step, Step::Send { .. } | Step::Save { .. } | Step::Revoke), "{event:?}: {step:?}");
    }
}

#[test]
fn a_token_that_still_works_bridges_a_store_that_is_down() {
    for (held, outcome) in [
        (due(first()), Outcome::Use as fn(_) -> _),
        (ended(first()), |trouble: Option<_>| Outcome::Fail(trouble.unwrap())),
    ] {
        let (mut pass, _) = Pass::begin(Some(held), Need::Valid, &POLICY, ID, NOW);
        assert_eq!(pass.step(Event::Failed, NOW), Step::Done(outcome(Some(Trouble::Store))));
        assert_eq!(claiming(held, &POLICY).step(Event::Failed, NOW), Step::Done(outcome(Some(Trouble::Store))));
        let refused = Event::Refused { ends: false, pause: 0 };
        let mut pass = sending(held, &POLICY);
        assert_eq!(pass.step(refused, NOW), Step::Release { id: ID, pause: 0 });
        assert_eq!(pass.step(Event::Failed, NOW), Step::Done(outcome(Some(Trouble::Refused))));
        let mut pass = sending(held, &POLICY);
        assert_eq!(pass.step(Event::Unanswered(Unsent), NOW), Step::Release { id: ID, pause: 0 });
        assert_eq!(pass.step(Event::Done, NOW), Step::Done(outcome(Some(Trouble::Unsent))));
    }
}

#[test]
fn a_newer_row_is_adopted_and_an_older_login_healed() {
    let held = ended(later_login());
    for event in [Event::Row(row(fresh(newer()))), Event::Changed(row(fresh(newer())))] {
        let mut pass = claiming(held, &POLICY);
        let heals = Step::Save { expect: newer(), id: ID, version: later_login() };
        assert_eq!(pass.step(Event::Changed(row(fresh(newer()))), NOW), heals);
        assert_eq!(
            pass.step(Event::Done, NOW),
            Step::Claim { version: later_login(), id: ID, seconds: 25, over: None }
        );
        let (mut pass, _) = Pass::begin(Some(ended(first())), Need::Valid, &POLICY, ID, NOW);
        if matches!(event, Event::Changed(_)) {
            pass = claiming(ended(first()), &POLICY);
        }
        assert_eq!(pass.step(event, NOW), Step::Adopt);
        assert_eq!(pass.step(Event::Done, NOW), Step::Done(Outcome::Use(None)));
    }
}

#[test]
fn an_end_of_the_login_is_told() {
    for (event, end) in [(Event::Absent, End::Forgotten), (Event::SignedOut, End::SignedOut)] {
        let over = Step::Done(Outcome::Fail(Trouble::Ended(end)));
        let (mut pass, _) = Pass::begin(Some(due(first())), Need::Valid, &POLICY, ID, NOW);
        assert_eq!(pass.step(event, NOW), over);
        assert_eq!(claiming(due(first()), &POLICY).step(event, NOW), over);
    }
    for (renewal, trouble) in [
        (Renewal::Ended(End::Expired), Trouble::Ended(End::Expired)),
        (Renewal::NoRefreshToken, Trouble::Ended(End::NoRefreshToken)),
        (Renewal::OtherKey, Trouble::OtherKey),
    ] {
        let held = Pair::new(first(), Lifetime::new(SECONDS - 10, Some(5)), renewal, NOW);
        let (mut pass, _) = Pass::begin(Some(held), Need::Valid, &POLICY, ID, NOW);
        assert_eq!(pass.step(Event::Row(row(held)), NOW), Step::Done(Outcome::Fail(trouble)));
    }
}

#[test]
fn a_lapsed_claim_is_answered_two_seconds_later() {
    let other = ClaimId([2; 16]);
    let lapsed = Event::Lapsed { id: other, age: 30, row: row(ended(first())) };
    let mut pass = claiming(ended(first()), &POLICY);
    assert_eq!(pass.step(lapsed, NOW), Step::Wait { milliseconds: 2_000 });
    assert_eq!(pass.step(Event::Done, after(2_000)), Step::Load);
    let over = Step::Claim { version: first(), id: ID, seconds: 60, over: Some(other) };
    assert_eq!(pass.step(Event::Row(row(ended(first()))), after(2_000)), over);
    assert_eq!(pass.step(Event::Claimed(row(ended(first()))), after(2_000)), Step::Send { within: 15_000 });
    // The mark stays, whatever the answer, and a refusal is named for the answer that was lost.
    let refused = Event::Refused { ends: false, pause: 5 };
    assert_eq!(pass.clone().step(refused, after(2_000)), Step::Done(Outcome::Fail(Trouble::Refused)));
    assert_eq!(pass.step(Event::Refused { ends: true, pause: 0 }, after(2_000)), Step::Load);
    let lost = Some(SECONDS - 30);
    let end = Step::End { expect: first(), id: ID, version: newer(), lost };
    assert_eq!(pass.step(Event::Row(row(ended(first()))), after(2_000)), end);
    let answer_lost = Trouble::Ended(End::AnswerLost { since: SECONDS - 30 });
    assert_eq!(pass.step(Event::Done, after(2_000)), Step::Done(Outcome::Fail(answer_lost)));
}

#[test]
fn a_claim_that_was_renewed_and_lapsed_again_is_waited_for_again() {
    let lapsed = Event::Lapsed { id: ClaimId([2; 16]), age: 30, row: row(ended(first())) };
    let mut pass = claiming(ended(first()), &POLICY);
    pass.step(lapsed, NOW);
    pass.step(Event::Done, after(2_000));
    pass.step(Event::Row(row(ended(first()))), after(2_000));
    assert!(matches!(pass.step(Event::Busy, after(2_000)), Step::Wait { milliseconds: ..=50 }));
    assert_eq!(pass.step(Event::Done, after(25_000)), Step::Load);
    assert_eq!(pass.step(Event::Row(row(ended(first()))), after(25_000)), CLAIM);
    assert_eq!(pass.step(lapsed, after(25_000)), Step::Wait { milliseconds: 2_000 });
}

#[test]
fn an_adopted_pair_has_no_lost_answer() {
    let lapsed = Event::Lapsed { id: ClaimId([2; 16]), age: 30, row: row(ended(first())) };
    let mut pass = claiming(ended(first()), &POLICY);
    pass.step(lapsed, NOW);
    assert_eq!(pass.step(Event::Done, after(2_000)), Step::Load);
    assert_eq!(pass.step(Event::Row(row(ended(newer()))), after(2_000)), Step::Adopt);
    let claim = Step::Claim { version: newer(), id: ID, seconds: 25, over: None };
    assert_eq!(pass.step(Event::Done, after(2_000)), claim);
    assert_eq!(pass.step(Event::Claimed(row(ended(newer()))), after(2_000)), Step::Send { within: 15_000 });
    assert_eq!(pass.step(Event::Refused { ends: false, pause: 0 }, after(2_000)), Step::Release { id: ID, pause: 0 });
}

#[test]
fn without_a_grace_a_lapsed_claim_waits_for_the_end_of_the_token() {
    let policy = POLICY.with_grace(Grace::None);
    let lapsed = |pair| Event::Lapsed { id: ClaimId([2; 16]), age: 30, row: row(pair) };
    let trouble = Trouble::NoAnswer { since: SECONDS - 30 };
    let step = claiming(due(first()), &policy).step(lapsed(due(first())), NOW);
    assert_eq!(step, Step::Done(Outcome::Use(Some(trouble))));
    let step = claiming(ended(first()), &policy).step(lapsed(ended(first())), NOW);
    assert_eq!(step, Step::Wait { milliseconds: 2_000 });
}

#[test]
fn where_no_token_is_ever_spent_nothing_is_waited_for() {
    let policy = POLICY.with_grace(Grace::Unlimited);
    let other = ClaimId([2; 16]);
    let lapsed = Event::Lapsed { id: other, age: 30, row: row(ended(first())) };
    let over = Step::Claim { version: first(), id: ID, seconds: 60, over: Some(other) };
    assert_eq!(claiming(ended(first()), &policy).step(lapsed, NOW), over);
    let step = sending(ended(first()), &policy).step(Event::Unanswered(Lost), NOW);
    assert_eq!(step, Step::Release { id: ID, pause: 0 });
}

#[test]
fn a_refused_token_is_renewed_unless_it_is_young() {
    let need = Need::OtherThan(first());
    for (age, step) in [(59, Step::Done(Outcome::Fail(Trouble::Young))), (60, CLAIM), (u32::MAX, CLAIM)] {
        let (mut pass, _) = Pass::begin(Some(fresh(first())), need, &POLICY, ID, NOW);
        assert_eq!(pass.step(Event::Row(Seen::new(fresh(first()), age, 0)), NOW), step, "{age}");
    }
    let (mut pass, _) = Pass::begin(Some(fresh(first())), need, &POLICY, ID, NOW);
    assert_eq!(pass.step(Event::Row(Seen::new(fresh(newer()), 0, 0)), NOW), Step::Adopt);
    assert_eq!(pass.step(Event::Done, NOW), Step::Done(Outcome::Use(None)));
}

#[test]
fn a_busy_login_is_waited_for_half_a_minute() {
    assert_eq!(claiming(due(first()), &POLICY).step(Event::Busy, NOW), Step::Done(Outcome::Use(None)));
    let mut pass = claiming(ended(first()), &POLICY);
    let mut waited = Vec::new();
    let mut now = NOW;
    loop {
        match pass.step(Event::Busy, now) {
            Step::Wait { milliseconds } => waited.push(milliseconds),
            step => break assert_eq!(step, Step::Done(Outcome::Fail(Trouble::Busy))),
        }
        now = after(waited.iter().map(|wait| u64::from(*wait)).sum());
        assert_eq!(pass.step(Event::Done, now), Step::Load);
        assert_eq!(pass.step(Event::Row(row(ended(first()))), now), CLAIM);
    }
    assert!(waited[0] >= 25 && waited[0] <= 50 && waited.iter().all(|wait| *wait <= 1_000), "{waited:?}");
    assert!((30_000..31_000).contains(&waited.iter().sum::<u32>()), "{waited:?}");
}

/// A pass that has asked for its claim.
fn claiming(held: Pair, policy: &Policy) -> Pass {
    let (mut pass, step) = Pass::begin(Some(held), Need::Valid, policy, ID, NOW);
    assert_eq!(step, Step::Load);
    assert!(matches!(pass.step(Event::Row(row(held)), NOW), Step::Claim { .. }));
    pass
}

/// A pass that has sent the refresh token.
fn sending(held: Pair, policy: &Policy) -> Pass {
    let mut pass = claiming(held, policy);
    assert!(matches!(pass.step(Event::Claimed(row(held)), NOW), Step::Send { .. }));
    pass
}

fn row(pair: Pair) -> Seen {
    Seen::new(pair, 1_000, 0)
}

fn ended(version: Version) -> Pair {
    Pair::new(version, Lifetime::new(SECONDS - 3_600, Some(3_600)), Renewal::Possible, NOW)
}

fn due(version: Version) -> Pair {
    Pair::new(version, Lifetime::new(SECONDS - 3_590, Some(3_600)), Renewal::Possible, NOW)
}

fn fresh(version: Version) -> Pair {
    Pair::new(version, Lifetime::new(SECONDS, Some(3_600)), Renewal::Possible, NOW)
}

const fn first() -> Version {
    Version::first(LoginId::new(1_000, None, 7))
}

const fn newer() -> Version {
    first().next(ID)
}

const fn later_login() -> Version {
    Version::first(LoginId::new(2_000, None, 7))
}

const fn after(milliseconds: u64) -> Now {
    Now::new(NOW_MS + milliseconds, UPTIME + milliseconds)
}

const POLICY: Policy = Policy::new();
const ID: ClaimId = ClaimId([1; 16]);
const SECONDS: u64 = 1_700_000_000;
const NOW_MS: u64 = SECONDS * 1_000;
const UPTIME: u64 = 5_000_000;
const DAY: u64 = 86_400_000;
const YEAR: u64 = 365 * DAY;
const NOW: Now = Now::new(NOW_MS, UPTIME);
const CLAIM: Step = Step::Claim { version: first(), id: ID, seconds: 25, over: None };
const SAVE: Step = Step::Save { expect: first(), id: ID, version: newer() };
