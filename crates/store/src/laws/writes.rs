//! Writes: refreshes, logins and sign-outs.

use super::{A, B, Bench, C, EARLIER, FIRST, Got, LATER, LONG, Place, laws, login, must};
use crate::op::{Answer, Op};

laws! { pub(super) LAWS:
    "a refresh is written" refresh,
    "a refresh needs the version" refresh_version,
    "a refresh that is repeated is Done" refresh_again,
    "a refresh is fenced by another's claim" refresh_fenced,
    "what is written ends the claim" write_ends_claim,
    "what is written ends the pause" write_ends_pause,
    "of two logins the later one stays" later_stays,
    "of logins at once, the latest stays" logins_at_once,
    "a login asks for no claim" login_over_claim,
    "a sign-out answers the row that was there" sign_out,
    "an older sign-out does not end a login" old_sign_out,
    "a late refresh does not undo a sign-out" late_refresh,
    "a login over a tombstone must be newer" login_over_tombstone,
    "a shorter pause does not end a longer one" pauses,
}

async fn refresh(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    let second = FIRST.next(A);
    must!(place.write(Some((FIRST, A)), second, b"second"), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.version == second && *row.value == b"second");
    // Without a claim the version alone is enough.
    let third = second.next(B);
    must!(place.write(Some((second, B)), third, b"third"), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.version == third && *row.value == b"third");
    // The version may stay as it is, such as for a login that the server has ended.
    must!(place.write(Some((third, B)), third, b"ended"), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.version == third && *row.value == b"ended");
    Ok(())
}

async fn refresh_version(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    for other in [EARLIER, LATER, FIRST.next(B)] {
        let write = place.write(Some((other, A)), other.next(A), b"second");
        must!(write, Answer::Changed(row) if row.version == FIRST && *row.value == b"first");
    }
    must!(place.load(), Answer::Row(row) if row.version == FIRST && *row.value == b"first");
    must!(place.claim(FIRST, B, LONG), Answer::Busy { .. });
    Ok(())
}

async fn refresh_again(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    let (second, third) = (FIRST.next(A), FIRST.next(A).next(B));
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.write(Some((FIRST, A)), second, b"second"), Answer::Done);
    must!(place.write(Some((FIRST, A)), second, b"second"), Answer::Done);
    must!(place.claim(second, B, LONG), Answer::Claimed(_));
    must!(place.write(Some((FIRST, A)), second, b"second"), Answer::Done);
    must!(place.claim(second, C, LONG), Answer::Busy { .. });
    must!(place.write(Some((second, B)), third, b"third"), Answer::Done);
    must!(place.write(Some((FIRST, A)), second, b"second"), Answer::Changed(row) if row.version == third);
    must!(place.load(), Answer::Row(row) if row.version == third && *row.value == b"third");
    Ok(())
}

async fn refresh_fenced(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.write(Some((FIRST, B)), FIRST.next(B), b"second"), Answer::Fenced);
    must!(place.load(), Answer::Row(row) if row.version == FIRST && *row.value == b"first");
    let tombstone = Op::Write { expect: Some((FIRST, B)), version: FIRST.next(B), value: None };
    must!(bench.trial.run(&place.key, tombstone), Answer::Fenced);
    must!(place.claim(FIRST, B, LONG), Answer::Busy { .. });
    Ok(())
}

async fn write_ends_claim(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.write(Some((FIRST, A)), FIRST.next(A), b"second"), Answer::Done);
    must!(place.claim(FIRST.next(A), B, LONG), Answer::Claimed(row) if *row.value == b"second");
    must!(place.write(None, LATER, b"later"), Answer::Displaced(_));
    must!(place.claim(LATER, C, LONG), Answer::Claimed(row) if *row.value == b"later");
    Ok(())
}

async fn write_ends_pause(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.release(A, 3_600), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.pause > 3_000);
    must!(place.write(Some((FIRST, A)), FIRST.next(A), b"second"), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.pause == 0);
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.release(A, 3_600), Answer::Done);
    must!(place.write(None, LATER, b"later"), Answer::Displaced(row) if row.pause > 3_000);
    must!(place.load(), Answer::Row(row) if row.pause == 0);
    Ok(())
}

async fn later_stays(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    for old in [EARLIER, FIRST] {
        must!(place.write(None, old, b"old"), Answer::Changed(row) if row.version == FIRST && *row.value == b"first");
        must!(place.load(), Answer::Row(row) if row.version == FIRST && *row.value == b"first");
    }
    let displaced = place.write(None, LATER, b"later");
    must!(displaced, Answer::Displaced(row) if row.version == FIRST && *row.value == b"first");
    must!(place.load(), Answer::Row(row) if row.version == LATER && *row.value == b"later");
    must!(place.write(None, FIRST.next(A), b"old"), Answer::Changed(row) if row.version == LATER);
    Ok(())
}

async fn logins_at_once(bench: &Bench<'_>) -> Result<(), Got> {
    let write = |number| Op::Write { expect: None, version: login(number), value: Some(b"at once") };
    let writes: Vec<_> = (1..=16).map(write).collect();
    for _ in 0..8 {
        let place = Place::new(bench)?;
        let answers = bench.trial.at_once(&place.key, &writes).await;
        let first = answers.iter().filter(|answer| matches!(answer, Ok(Answer::Done))).count();
        let known = |answer| matches!(answer, &Ok(Answer::Done | Answer::Displaced(_) | Answer::Changed(_)));
        if first != 1 || !answers.iter().all(known) {
            return Err(Got(format!("{} logins at once gave {answers:?}", writes.len())));
        }
        must!(place.load(), Answer::Row(row) if row.version == login(16));
    }
    Ok(())
}

async fn login_over_claim(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.write(None, LATER, b"later"), Answer::Displaced(row) if row.version == FIRST);
    // Whoever held the claim learns that there is another login.
    must!(place.write(Some((FIRST, A)), FIRST.next(A), b"second"), Answer::Changed(row) if row.version == LATER);
    must!(place.release(A, 600), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.version == LATER && *row.value == b"later" && row.pause == 0);
    Ok(())
}

async fn sign_out(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.sign_out(LATER), Answer::Displaced(row) if row.version == FIRST && *row.value == b"first");
    must!(place.load(), Answer::SignedOut { version: LATER });
    must!(place.sign_out(LATER), Answer::SignedOut { version: LATER });
    must!(place.sign_out(login(1_700_000_009)), Answer::Done);
    must!(place.load(), Answer::SignedOut { version } if version == login(1_700_000_009));
    Ok(())
}

async fn old_sign_out(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.sign_out(EARLIER), Answer::Changed(row) if row.version == FIRST && *row.value == b"first");
    must!(place.sign_out(FIRST), Answer::Changed(row) if row.version == FIRST);
    must!(place.load(), Answer::Row(row) if row.version == FIRST);
    Ok(())
}

async fn late_refresh(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.sign_out(LATER), Answer::Displaced(_));
    for expected in [FIRST, LATER] {
        let write = place.write(Some((expected, A)), expected.next(A), b"second");
        must!(write, Answer::SignedOut { version: LATER });
    }
    let tombstone = Op::Write { expect: Some((LATER, A)), version: LATER.next(A), value: None };
    must!(bench.trial.run(&place.key, tombstone), Answer::SignedOut { version: LATER });
    must!(place.load(), Answer::SignedOut { version: LATER });
    Ok(())
}

async fn login_over_tombstone(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::signed_out(bench).await?;
    for old in [EARLIER, FIRST, LATER] {
        must!(place.write(None, old, b"old"), Answer::SignedOut { version: LATER });
    }
    must!(place.load(), Answer::SignedOut { version: LATER });
    let again = login(1_700_000_002);
    must!(place.write(None, again, b"again"), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.version == again && *row.value == b"again");
    must!(place.claim(again, A, LONG), Answer::Claimed(_));
    Ok(())
}

async fn pauses(bench: &Bench<'_>) -> Result<(), Got> {
    let place = Place::with_login(bench).await?;
    for pause in [3_600, 0, 60] {
        must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
        must!(place.release(A, pause), Answer::Done);
        must!(place.load(), Answer::Row(row) if row.pause > 3_000);
    }
    must!(place.claim(FIRST, B, LONG), Answer::Claimed(row) if row.pause > 3_000);
    must!(place.release(B, u32::MAX), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.pause > u32::MAX - 600);
    Ok(())
}
