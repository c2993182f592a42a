//! Faults of writes.

use crate::claims::claim;
use proofkey_store::rules::{State, apply};
use proofkey_store::{Answer, LoginId, Op, Row, Version};

pub(crate) fn refresh_makes_row(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match op {
        Op::Write { version, value, .. } if state.is_none() => {
            apply(state, Op::Write { expect: None, version, value }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn no_tombstones(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match apply(state, op, now) {
        Answer::SignedOut { .. } if matches!(op, Op::Load) => Answer::Absent,
        answer => answer,
    }
}

pub(crate) fn write_needs_claim(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, &state) {
        (Op::Write { expect: Some((version, _)), .. }, Some(found))
            if found.version == version && found.claim.is_none() =>
        {
            Answer::Fenced
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn write_needs_new_version(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, &state) {
        (Op::Write { expect: Some(_), version, .. }, Some(found)) if found.version == version => Answer::Done,
        _ => apply(state, op, now),
    }
}

pub(crate) fn write_any_version(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, &state) {
        (Op::Write { expect: Some((_, id)), version, value }, Some(found)) if found.version != version => {
            let expect = Some((found.version, id));
            apply(state, Op::Write { expect, version, value }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn repeated_is_changed(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, &state) {
        (Op::Write { expect: Some((expected, _)), version, .. }, Some(found))
            if found.version == version && expected != version && found.value.is_some() =>
        {
            let Answer::Row(row) = apply(state, Op::Load, now) else { unreachable!() };
            Answer::Changed(row)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn write_despite_claim(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    if let (Op::Write { expect: Some(_), .. }, Some(claim)) = (op, claim(state)) {
        claim.until = Some(now);
    }
    apply(state, op, now)
}

pub(crate) fn write_keeps_claim(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    kept(state, op, now, |before, after| after.claim = before.claim)
}

pub(crate) fn login_keeps_lapsed(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    kept(state, op, now, |before, after| {
        after.claim = before.claim.filter(|claim| claim.until <= Some(after.written_at));
    })
}

pub(crate) fn write_keeps_pause(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    kept(state, op, now, |before, after| after.pause_until = before.pause_until)
}

/// Keeps something of a row that is written over.
fn kept(state: &mut Option<State>, op: Op<'_>, now: u64, keep: fn(&State, &mut State)) -> Answer {
    let before = state.clone();
    let answer = apply(state, op, now);
    if let (Op::Write { .. }, Some(before), Some(after)) = (op, before, state) {
        keep(&before, after);
    }
    answer
}

pub(crate) fn last_login_stays(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match op {
        Op::Write { expect: None, version, value: Some(_) } => forced(state, op, now, version),
        _ => apply(state, op, now),
    }
}

pub(crate) fn any_sign_out(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match op {
        Op::Write { expect: None, version, value: None } => forced(state, op, now, version),
        _ => apply(state, op, now),
    }
}

/// Writes over a row, whatever its version is.
fn forced(state: &mut Option<State>, op: Op<'_>, now: u64, version: Version) -> Answer {
    let Some(found) = state.as_mut().filter(|state| state.value.is_some()) else { return apply(state, op, now) };
    let was = found.version;
    if !version.is_newer_than(was) {
        found.version = Version::first(LoginId::new(0, None, 0));
    }
    match apply(state, op, now) {
        Answer::Displaced(row) => Answer::Displaced(Row::new(was, row.value, row.age, row.pause)),
        answer => answer,
    }
}

pub(crate) fn login_without_displaced(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, apply(state, op, now)) {
        (Op::Write { value: Some(_), .. }, Answer::Displaced(_)) => Answer::Done,
        (_, answer) => answer,
    }
}

pub(crate) fn sign_out_without_row(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, apply(state, op, now)) {
        (Op::Write { value: None, .. }, Answer::Displaced(_)) => Answer::Done,
        (_, answer) => answer,
    }
}

pub(crate) fn login_is_fenced(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, claim(state)) {
        (Op::Write { expect: None, .. }, Some(claim)) if claim.until > Some(now) => Answer::Fenced,
        _ => apply(state, op, now),
    }
}

pub(crate) fn refresh_over_tombstone(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match op {
        Op::Write { expect: Some(_), version, value } if is_tombstone(state) => {
            *state = None;
            apply(state, Op::Write { expect: None, version, value }, now)
        }
        _ => apply(state, op, now),
    }
}

pub(crate) fn any_login_over_tombstone(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    if is_tombstone(state) && matches!(op, Op::Write { expect: None, value: Some(_), .. }) {
        *state = None;
    }
    apply(state, op, now)
}

pub(crate) fn lapsed_fences(state: &mut Option<State>, op: Op<'_>, now: u64) -> Answer {
    match (op, &state) {
        (Op::Write { expect: Some((version, id)), .. }, Some(found))
            if found.version == version && found.claim.is_some_and(|claim| claim.id != id) =>
        {
            Answer::Fenced
        }
        _ => apply(state, op, now),
    }
}

fn is_tombstone(state: &Option<State>) -> bool {
    state.as_ref().is_some_and(|state| state.value.is_none())
}
