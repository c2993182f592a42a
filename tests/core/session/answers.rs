//! What a pass makes of the server's answer, or of none.

use super::*;
use proofkey_core::ResponseError;
use proofkey_core::Unanswered::{Closed, Lost, Unsent};
use proofkey_core_tests::read_as;

#[test]
fn a_request_is_sent_once_more_after_a_cut_only() {
    let again = Step::Send { within: 15_000 };
    let over =
        |outcome: fn(Option<Trouble>) -> Outcome| Step::Done(outcome(Some(Trouble::NoAnswer { since: SECONDS })));
    let fail = |trouble: Option<Trouble>| Outcome::Fail(trouble.unwrap());
    let none = POLICY.with_grace(Grace::None);
    for (held, policy, why, step) in [
        (ended(first()), POLICY, Closed, again),
        (ended(first()), POLICY, Lost, over(fail)),
        (due(first()), POLICY, Closed, again),
        (due(first()), POLICY, Lost, over(Outcome::Use)),
        (ended(first()), none, Closed, again),
        (due(first()), none, Closed, over(Outcome::Use)),
    ] {
        let mut pass = sending(held, &policy);
        assert_eq!(pass.step(Event::Unanswered(why), NOW), step, "{why:?} {policy:?}");
        if step == again {
            let third = pass.step(Event::Unanswered(Closed), NOW);
            assert!(matches!(third, Step::Done(_)), "{third:?}");
        }
    }
    // Whatever comes of the second one, the mark stays.
    let mut pass = sending(ended(first()), &POLICY);
    pass.step(Event::Unanswered(Closed), NOW);
    let unsent = pass.step(Event::Unanswered(Unsent), NOW);
    assert_eq!(unsent, Step::Done(Outcome::Fail(Trouble::Unsent)));
}

#[test]
fn all_sends_end_seven_seconds_before_the_claim() {
    let claimed = Event::Claimed(row(ended(first())));
    for (late, step) in [
        (0, Step::Send { within: 15_000 }),
        (3_000, Step::Send { within: 15_000 }),
        (3_001, Step::Send { within: 14_999 }),
        (17_000, Step::Send { within: 1_000 }),
        (17_001, Step::Release { id: ID, pause: 0 }),
        (DAY, Step::Release { id: ID, pause: 0 }),
    ] {
        for now in [after(late), Now::new(NOW_MS + late, 0), Now::new(0, UPTIME + late)] {
            assert_eq!(claiming(ended(first()), &POLICY).step(claimed, now), step, "{now:?}");
        }
    }
    let mut pass = sending(ended(first()), &POLICY);
    assert_eq!(pass.step(Event::Unanswered(Closed), after(15_500)), Step::Send { within: 2_500 });
    let mut pass = sending(ended(first()), &POLICY);
    assert!(matches!(pass.step(Event::Unanswered(Closed), after(17_500)), Step::Done(_)));
    let policy = POLICY.with_limits(40, 20);
    assert_eq!(claiming(ended(first()), &policy).step(claimed, NOW), Step::Send { within: 40_000 });
}

#[test]
fn a_refusal_ends_the_login_only_if_nobody_else_has_refreshed() {
    let refused = Event::Refused { ends: true, pause: 0 };
    let mut pass = sending(ended(first()), &POLICY);
    assert_eq!(pass.step(refused, NOW), Step::Load);
    assert_eq!(pass.clone().step(Event::Row(row(fresh(newer()))), NOW), Step::Adopt);
    let end = Step::End { expect: first(), id: ID, version: newer(), lost: None };
    assert_eq!(pass.step(Event::Row(row(ended(first()))), NOW), end);
    assert_eq!(pass.clone().step(Event::Changed(row(fresh(newer()))), NOW), Step::Adopt);
    assert!(matches!(pass.clone().step(Event::Fenced, NOW), Step::Wait { .. }));
    for event in [Event::Done, Event::Failed] {
        let step = pass.clone().step(event, NOW);
        assert_eq!(step, Step::Done(Outcome::Fail(Trouble::Ended(End::Refused))), "{event:?}");
    }
}

#[test]
fn a_pause_holds_for_everybody() {
    let mut pass = sending(ended(first()), &POLICY);
    assert_eq!(pass.step(Event::Refused { ends: false, pause: 9 }, NOW), Step::Release { id: ID, pause: 9 });
    let paused = Seen::new(ended(first()), 1_000, 7);
    let (mut pass, _) = Pass::begin(Some(ended(first())), Need::Valid, &POLICY, ID, NOW);
    let over = Step::Done(Outcome::Fail(Trouble::Paused { seconds: 7 }));
    assert_eq!(pass.step(Event::Row(paused), NOW), over);
    let mut pass = claiming(ended(first()), &POLICY);
    assert_eq!(pass.step(Event::Claimed(paused), NOW), Step::Release { id: ID, pause: 7 });
    assert_eq!(pass.step(Event::Done, NOW), over);
}

#[test]
fn an_answer_ends_a_login_leaves_it_or_leaves_it_open() {
    let oauth = |status, code: &str, after| {
        let body = format!(r#"{{"error":"{code}"}}"#);
        match read_as(status, None, body.as_bytes()) {
            Err(ResponseError::Server { error, status, .. }) => {
                ResponseError::Server { error, status, retry_after: after }
            }
            other => panic!("{other:?}"),
        }
    };
    let status = |status, retry_after| ResponseError::Status { status, retry_after, is_page: false };
    let page = |status| ResponseError::Status { status, retry_after: None, is_page: true };
    let ends = Event::Refused { ends: true, pause: 0 };
    let refused = |pause| Event::Refused { ends: false, pause };
    let mut cases = vec![
        (status(400, None), ends),
        (status(401, None), ends),
        (page(400), refused(0)),
        (page(401), refused(0)),
        (page(403), refused(0)),
        (status(403, None), refused(0)),
        (status(404, None), refused(0)),
        (ResponseError::Redirect(302), refused(0)),
        (status(408, None), Event::Unanswered(Lost)),
        (status(429, None), refused(10)),
        (status(429, Some(7)), refused(7)),
        (status(429, Some(u32::MAX)), refused(3_600)),
        (oauth(429, "slow_down", Some(3)), refused(3)),
        (oauth(429, "slow_down", None), refused(10)),
        (status(500, None), Event::Unanswered(Lost)),
        (page(500), Event::Unanswered(Lost)),
        (status(502, None), Event::Unanswered(Closed)),
        (status(503, None), Event::Unanswered(Lost)),
        (status(503, Some(4)), refused(4)),
        (status(504, None), Event::Unanswered(Lost)),
        (status(524, None), Event::Unanswered(Lost)),
        (oauth(503, "temporarily_unavailable", None), refused(0)),
        (oauth(503, "invalid_grant", None), refused(0)),
        (oauth(403, "invalid_grant", None), refused(0)),
        (ResponseError::Json(3), Event::Unanswered(Lost)),
        (ResponseError::ContentType("text/html".into()), Event::Unanswered(Lost)),
        (ResponseError::Missing("access_token"), Event::Unanswered(Lost)),
    ];
    for code in ["invalid_grant", "invalid_token", "invalid_request", "bad_refresh_token", "access_denied"] {
        cases.extend([200, 400, 401].map(|status| (oauth(status, code, None), ends)));
    }
    for code in [
        "invalid_client",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "invalid_dpop_proof",
        "use_dpop_nonce",
        "slow_down",
        "server_error",
        "temporarily_unavailable",
    ] {
        cases.extend([200, 400, 401].map(|status| (oauth(status, code, None), refused(0))));
    }
    for (error, event) in cases {
        assert_eq!(Event::of_response(&error), event, "{error:?}");
    }
}
