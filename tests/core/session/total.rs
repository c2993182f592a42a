//! Any clock, any event.

use super::*;
use proofkey_core::Unanswered::{Closed, Lost, Unsent};
use std::collections::HashSet;

#[test]
fn the_clock_on_which_more_time_has_passed_counts() {
    // An hour from now on; valid and due at a time on both clocks.
    let pair = fresh(first());
    for (wall, uptime, is_valid, is_due) in [
        (NOW_MS, UPTIME, true, false),
        (NOW_MS + 3_539_000, UPTIME, true, false),
        (NOW_MS + 3_540_000, UPTIME, true, true),
        (NOW_MS, UPTIME + 3_540_000, true, true),
        (NOW_MS + 3_600_000, UPTIME, false, true),
        (NOW_MS, UPTIME + 3_600_000, false, true),
        (NOW_MS + 8 * 3_600_000, UPTIME + 1_000, false, true),
        (NOW_MS + YEAR, UPTIME, false, true),
        (NOW_MS - YEAR, UPTIME + 1_000, true, false),
        (NOW_MS - YEAR, UPTIME + 3_600_000, false, true),
        (0, 0, true, false),
        (u64::MAX, 0, false, true),
        (0, u64::MAX, false, true),
        (u64::MAX, u64::MAX, false, true),
    ] {
        let now = Now::new(wall, uptime);
        assert_eq!((pair.is_valid(now), pair.is_due(now)), (is_valid, is_due), "{wall} {uptime}");
    }
    let of = |requested, seconds, now| Pair::new(first(), Lifetime::new(requested, seconds), Renewal::Possible, now);
    let unknown = of(SECONDS, None, NOW);
    for now in [NOW, Now::new(0, 0), after(YEAR), Now::new(u64::MAX - 1, u64::MAX - 1)] {
        assert!(unknown.is_valid(now) && !unknown.is_due(now), "{now:?}");
    }
    assert_eq!((unknown.remaining(NOW), pair.remaining(NOW)), (None, Some(3_600)));
    for none in [of(SECONDS, Some(0), NOW), Pair::without_token(first(), Renewal::Possible)] {
        assert!(!none.is_valid(NOW) && none.is_due(NOW));
    }
    // What was asked for in the future is due: the clock was set back.
    assert!(of(SECONDS + 1, Some(3_600), NOW).is_due(NOW));
    let last = Now::new(u64::MAX, u64::MAX);
    let at_the_end = of(u64::MAX / 1_000, Some(u32::MAX), last);
    assert!(!at_the_end.is_due(Now::new(0, 0)) || at_the_end.is_valid(Now::new(0, 0)));
}

#[test]
fn a_fleet_spreads_its_refreshes() {
    let at = after(3_500_000);
    assert!(!fresh(first()).is_due(at) && !fresh(first()).with_spread(100).is_due(after(3_400_000)));
    assert!(fresh(first()).with_spread(255).is_due(at) && fresh(first()).with_spread(255).is_valid(at));
}

#[test]
fn every_event_in_every_state_leads_to_an_end() {
    let times = [
        NOW,
        after(2_000),
        after(40_000),
        Now::new(0, 0),
        Now::new(NOW_MS + YEAR, UPTIME),
        Now::new(u64::MAX, u64::MAX),
    ];
    let policies =
        [Grace::None, Grace::Seconds(30), Grace::Unlimited, Grace::Unknown].map(|grace| POLICY.with_grace(grace));
    let mut seen = HashSet::new();
    for policy in policies.iter().chain(&[POLICY.with_limits(u16::MAX, u16::MAX), POLICY.with_limits(0, 0)]) {
        for held in [None, Some(ended(first())), Some(due(newer()))] {
            for need in [Need::New, Need::Valid, Need::ValidFor(u32::MAX), Need::OtherThan(first())] {
                let (pass, _) = Pass::begin(held, need, policy, ID, NOW);
                let mut open = vec![(pass, 0)];
                while let Some((pass, depth)) = open.pop() {
                    if depth == 4 || !seen.insert(pass.clone()) {
                        continue;
                    }
                    for event in events() {
                        let mut last = pass.clone();
                        let steps = (0..5_000).find(|_| matches!(last.step(event, after(40_000)), Step::Done(_)));
                        assert!(steps.is_some(), "{pass:?} with {event:?} for ever");
                        let time = times[(depth + seen.len()) % times.len()];
                        let mut next = pass.clone();
                        next.step(event, time);
                        open.push((next, depth + 1));
                    }
                }
            }
        }
    }
    assert!(seen.len() > 1_000, "{}", seen.len());
}

fn events() -> Vec<Event> {
    let rows = [row(ended(first())), Seen::new(fresh(newer()), 0, 3), row(ended(later_login()))];
    let mut events = vec![
        Event::Absent,
        Event::Busy,
        Event::Done,
        Event::Failed,
        Event::Fenced,
        Event::Granted(fresh(newer())),
        Event::Kept(ended(newer())),
        Event::Lapsed { id: ClaimId([2; 16]), age: u32::MAX, row: rows[0] },
        Event::Refused { ends: true, pause: 0 },
        Event::Refused { ends: false, pause: u32::MAX },
        Event::SignedOut,
    ];
    events.extend([Closed, Lost, Unsent].map(Event::Unanswered));
    events.extend(rows.into_iter().flat_map(|row| [Event::Row(row), Event::Changed(row), Event::Claimed(row)]));
    events
}
