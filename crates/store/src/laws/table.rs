//! Claims, and what is answered by a row in each state.

use super::{A, B, Bench, C, EARLIER, FIRST, Got, LATER, LONG, Place, laws, must};
use crate::op::{Answer, Op};
use proofkey_core::session::ClaimId;

laws! { pub(super) LAWS:
    "a key without a row is Absent" absent,
    "a login is read back" login,
    "a tombstone is SignedOut" tombstone,
    "a claim needs the version" claim_version,
    "a claim excludes every other" claim_excludes,
    "of claims at once, one is made" claims_at_once,
    "a claim that is made again is renewed" claim_again,
    "a claim is answered with the row" claim_row,
    "a claim that is given back is gone" released,
    "another's claim is not given back" release_fenced,
    "without a claim, a release changes nothing" release_nothing,
    "a claim of the longest time is kept" longest_claim,
}

async fn absent(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::new(bench)?;
    must!(place.load(), Answer::Absent);
    must!(place.claim(FIRST, A, LONG), Answer::Absent);
    must!(place.release(A, 60), Answer::Absent);
    must!(place.write(Some((FIRST, A)), LATER, b"value"), Answer::Absent);
    must!(place.load(), Answer::Absent);
    Ok(())
}

async fn login(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.load(), Answer::Row(row) if row.version == FIRST && *row.value == b"first" && row.pause == 0);
    Ok(())
}

async fn tombstone(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::signed_out(bench).await?;
    for _ in 0..2 {
        must!(place.load(), Answer::SignedOut { version: LATER });
        must!(place.claim(FIRST, A, LONG), Answer::SignedOut { version: LATER });
        must!(place.claim(LATER, A, LONG), Answer::SignedOut { version: LATER });
        must!(place.release(A, 60), Answer::SignedOut { version: LATER });
    }
    let place = Place::new(bench)?;
    must!(place.sign_out(FIRST), Answer::Done);
    must!(place.load(), Answer::SignedOut { version: FIRST });
    Ok(())
}

async fn claim_version(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    for other in [EARLIER, LATER, FIRST.next(A)] {
        must!(place.claim(other, A, LONG), Answer::Changed(row) if row.version == FIRST && *row.value == b"first");
    }
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.claim(LATER, B, LONG), Answer::Changed(row) if row.version == FIRST);
    must!(place.claim(LATER, A, LONG), Answer::Changed(row) if row.version == FIRST);
    must!(place.claim(FIRST, B, LONG), Answer::Busy { .. });
    Ok(())
}

async fn claim_excludes(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.claim(FIRST, B, LONG), Answer::Busy { .. });
    must!(place.claim_over(B, A), Answer::Busy { .. });
    must!(place.claim_over(B, C), Answer::Busy { .. });
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.load(), Answer::Row(row) if row.version == FIRST && *row.value == b"first");
    Ok(())
}

async fn claims_at_once(bench: &Bench<'_>) -> Result<(), Got> {
    let claim = |number| Op::Claim { version: FIRST, id: ClaimId([number; 16]), seconds: LONG, over: None };
    let claims: Vec<_> = (1..=16).map(claim).collect();
    for _ in 0..8 {
        let place = Place::with_login(bench).await?;
        let answers = bench.trial.at_once(&place.key, &claims).await;
        let made = answers.iter().filter(|answer| matches!(answer, Ok(Answer::Claimed(_)))).count();
        let busy = answers.iter().filter(|answer| matches!(answer, Ok(Answer::Busy { .. }))).count();
        if (made, busy) != (1, claims.len() - 1) {
            return Err(Got(format!("{} claims at once gave {answers:?}", claims.len())));
        }
    }
    Ok(())
}

async fn claim_again(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.claim_over(A, C), Answer::Claimed(_));
    must!(place.claim(FIRST, B, LONG), Answer::Busy { .. });
    // One release is enough, however often it was made.
    must!(place.release(A, 0), Answer::Done);
    must!(place.claim(FIRST, B, LONG), Answer::Claimed(_));
    Ok(())
}

async fn claim_row(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    for _ in 0..2 {
        must!(place.claim(FIRST, A, LONG), Answer::Claimed(row) if row.version == FIRST && *row.value == b"first");
    }
    must!(place.release(A, 0), Answer::Done);
    // A claim that nobody needs to take over.
    must!(place.claim_over(B, C), Answer::Claimed(row) if row.version == FIRST && *row.value == b"first");
    Ok(())
}

async fn released(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.release(A, 0), Answer::Done);
    must!(place.release(A, 0), Answer::Done);
    must!(place.claim(FIRST, B, LONG), Answer::Claimed(row) if row.pause == 0);
    must!(place.release(A, 0), Answer::Fenced);
    must!(place.claim(FIRST, A, LONG), Answer::Busy { .. });
    Ok(())
}

async fn release_fenced(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.release(B, 600), Answer::Fenced);
    must!(place.claim(FIRST, B, LONG), Answer::Busy { .. });
    must!(place.load(), Answer::Row(row) if row.pause == 0);
    Ok(())
}

async fn release_nothing(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.release(A, 600), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.pause == 0 && row.version == FIRST && *row.value == b"first");
    Ok(())
}

async fn longest_claim(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, u16::MAX), Answer::Claimed(_));
    must!(place.claim(FIRST, B, u16::MAX), Answer::Busy { left } if left.is_none_or(|left| left > 60_000));
    must!(place.write(Some((FIRST, A)), FIRST.next(A), b"second"), Answer::Done);
    Ok(())
}
