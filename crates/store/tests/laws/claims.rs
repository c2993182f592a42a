//! Faults of claims and pauses.

use proofkey_store::rules::{Claim, State, apply};
use proofkey_store::{Answer, ClaimId, Op};

pub(crate) fn claim_makes_row(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match op {
        Op::Claim { version, .. } if state.is_none() => {
            apply(state, Op::Write { expect: None, version, value: Some(b"") }, now);
            Answer::Absent
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn claim_any_version(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, &state) {
        (Op::Claim { id, seconds, over, .. }, Some(found)) => {
            let version = found.version;
            apply(state, Op::Claim { version, id, seconds, over }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn takes_live_claim(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    if let (Op::Claim { over: Some(over), .. }, Some(claim)) = (op, claim(state))
        && claim.id == over
    {
        claim.until = Some(now);
    }
    apply(state, op, now)
}

pub(crate) fn own_claim_is_busy(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, claim(state)) {
        (Op::Claim { id, .. }, Some(claim)) if claim.id == id && claim.until > Some(now) => {
            Answer::Busy { left: Some(1) }
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn claimed_without_value(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    let mut answer = apply(state, op, now);
    if let Answer::Claimed(row) = &mut answer {
        row.value.clear();
    }
    answer
}

pub(crate) fn release_keeps(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    let before = claim(state).copied();
    let answer = apply(state, op, now);
    if let (Op::Release { .. }, Some(state)) = (op, state) {
        state.claim = before;
    }
    answer
}

pub(crate) fn release_any(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, claim(state)) {
        (Op::Release { pause, .. }, Some(claim)) if claim.until > Some(now) => {
            let id = claim.id;
            apply(state, Op::Release { id, pause }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn release_pauses(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    if let (Op::Release { pause, .. }, Some(state)) = (op, state.as_mut().filter(|state| state.claim.is_none())) {
        state.pause_until = now + u64::from(pause) * 1000;
    }
    apply(state, op, now)
}

pub(crate) fn short_claims(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    with_seconds(state, op, now, |seconds| seconds & 0x7FFF)
}

pub(crate) fn half_claims(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    with_seconds(state, op, now, |seconds| seconds.div_ceil(2))
}

pub(crate) fn double_claims(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    with_seconds(state, op, now, |seconds| if seconds < 600 { seconds * 2 } else { seconds })
}

fn with_seconds(state: &mut Option<State>, op: Op<'_>, now: u64, change: fn(u16) -> u16) -> Answer {
    match op {
        Op::Claim { version, id, seconds, over } => {
            apply(state, Op::Claim { version, id, seconds: change(seconds), over }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn last_pause(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    if let (Op::Release { id, .. }, Some(state)) = (op, state.as_mut())
        && state.claim.is_some_and(|claim| claim.id == id)
    {
        state.pause_until = 0;
    }
    apply(state, op, now)
}

pub(crate) fn pause_wraps(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match op {
        Op::Release { id, pause } => apply(state, Op::Release { id, pause: pause & 0x7FFF_FFFF }, now),
        _ => apply(state, op, now),
    }
}

pub(crate) fn pause_tells_its_end(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    let mut answer = apply(state, op, now);
    if let (Answer::Row(row) | Answer::Claimed(row), Some(state)) = (&mut answer, state) {
        row.pause = u32::try_from(state.pause_until / 1000).unwrap();
    }
    answer
}

pub(crate) fn busy_without_time(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match apply(state, op, now) {
        Answer::Busy { .. } => Answer::Busy { left: None },
        answer => answer,
    }
}

pub(crate) fn renewal_keeps_time(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    let before = claim(state).copied();
    let answer = apply(state, op, now);
    if let (Some(before), Some(claim)) = (before, claim(state))
        && before.id == claim.id
    {
        claim.made_at = before.made_at;
        claim.until = claim.until.max(before.until);
    }
    answer
}

pub(crate) fn lapsed_is_gone(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    if let Some(state) = state
        && state.claim.is_some_and(|claim| claim.until <= Some(now))
    {
        state.claim = None;
    }
    apply(state, op, now)
}

pub(crate) fn over_any(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, claim(state)) {
        (Op::Claim { version, id, seconds, over: Some(_) }, Some(claim)) => {
            let over = Some(claim.id);
            apply(state, Op::Claim { version, id, seconds, over }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn no_late_renewal(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    if let (Op::Claim { id, .. }, Some(claim)) = (op, claim(state))
        && claim.id == id
        && claim.until <= Some(now)
    {
        claim.id = ClaimId([0; 16]);
    }
    apply(state, op, now)
}

pub(crate) fn release_lapsed(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, claim(state)) {
        (Op::Release { pause, .. }, Some(claim)) if claim.until <= Some(now) => {
            let id = claim.id;
            apply(state, Op::Release { id, pause }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn lapsed_before_changed(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, claim(state)) {
        (Op::Claim { .. }, Some(claim)) if claim.until <= Some(now) => claim_any_version(state, op, now),
        _ => apply(state, op, now),
    }
}

pub(crate) fn claim(state: &mut Option<State>) -> Option<&mut Claim> {
    state.as_mut()?.claim.as_mut()
}
