//! What time does to a row.

use super::{A, B, Bench, C, FIRST, Got, LATER, LONG, Place, laws, must};
use crate::op::Answer;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

laws! { pub(super) LAWS:
    "a row tells its age" age,
    "a pause counts down" pause,
}

laws! { pub(super) LAPSE:
    "a claim tells how long it lives" left,
    "a claim lapses after its time" lapse,
    "a lapsed claim is taken over only by its name" takeover,
    "a lapsed claim can be renewed" renewal,
    "a lapsed claim does not fence a refresh" late_write,
    "another's lapsed claim is not given back" late_release,
    "a login ends a lapsed claim" login_over_lapsed,
    "a lapsed claim needs the version" lapsed_version,
}

async fn age(bench: &Bench<'_>) -> Result<(), Got> {
    let time = Time::start(bench);
    let place = Place::with_login(bench).await?;
    must!(place.load(), Answer::Row(row) if row.age <= time.at_most());
    time.wait_a_moment().await;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(row) if (1..=time.at_most()).contains(&row.age));
    must!(place.release(A, 60), Answer::Done);
    must!(place.load(), Answer::Row(row) if (1..=time.at_most()).contains(&row.age));
    let time = Time::start(bench);
    must!(place.write(Some((FIRST, A)), FIRST.next(A), b"second"), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.age <= time.at_most());
    Ok(())
}

async fn pause(bench: &Bench<'_>) -> Result<(), Got> {
    let time = Time::start(bench);
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(place.release(A, 600), Answer::Done);
    let short = Place::with_login(bench).await?;
    must!(short.claim(FIRST, A, LONG), Answer::Claimed(_));
    must!(short.release(A, 1), Answer::Done);
    must!(place.load(), Answer::Row(row) if (600_u32.saturating_sub(time.at_most())..=600).contains(&row.pause));
    time.wait_a_moment().await;
    must!(place.load(), Answer::Row(row) if (600_u32.saturating_sub(time.at_most())..=599).contains(&row.pause));
    must!(short.load(), Answer::Row(row) if row.pause == 0);
    Ok(())
}

async fn left(bench: &Bench<'_>) -> Result<(), Got> {
    let time = Time::start(bench);
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, 600), Answer::Claimed(_));
    let least = || u16::try_from(600_u32.saturating_sub(time.at_most())).unwrap_or(0);
    must!(place.claim(FIRST, B, 600), Answer::Busy { left: Some(left) } if (least()..=600).contains(&left));
    time.wait_a_moment().await;
    must!(place.claim(FIRST, B, 600), Answer::Busy { left: Some(left) } if (least()..=599).contains(&left));
    must!(place.claim(FIRST, A, 3_600), Answer::Claimed(_));
    must!(place.claim(FIRST, B, 600), Answer::Busy { left: Some(left) } if left > 600);
    Ok(())
}

async fn lapse(bench: &Bench<'_>) -> Result<(), Got> {
    let time = Time::start(bench);
    let place = Place::with_login(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(_));
    time.wait_a_moment().await;
    must!(place.claim(FIRST, B, 1), Answer::Busy { .. });
    // Its time and its age count from when it was last renewed.
    let renewed = Time::start(bench);
    must!(place.claim(FIRST, A, 1), Answer::Claimed(_));
    renewed.wait_a_moment().await;
    for _ in 0..2 {
        let claim = place.claim(FIRST, B, 1);
        must!(claim, Answer::Lapsed { id: A, age, row } if (1..=renewed.at_most()).contains(&age)
            && row.version == FIRST && *row.value == b"first");
    }
    must!(place.load(), Answer::Row(row) if row.version == FIRST);
    Ok(())
}

async fn takeover(bench: &Bench<'_>) -> Result<(), Got> {
    let place = lapsed(bench).await?;
    must!(place.claim_over(B, C), Answer::Lapsed { id: A, .. });
    must!(place.claim_over(B, B), Answer::Lapsed { id: A, .. });
    must!(place.claim_over(B, A), Answer::Claimed(row) if row.version == FIRST && *row.value == b"first");
    must!(place.claim_over(C, A), Answer::Busy { .. });
    must!(place.claim_over(B, A), Answer::Claimed(_));
    // The one that was taken over holds nothing any more.
    must!(place.claim(FIRST, A, LONG), Answer::Busy { .. });
    must!(place.release(A, 0), Answer::Fenced);
    must!(place.write(Some((FIRST, A)), FIRST.next(A), b"late"), Answer::Fenced);
    must!(place.write(Some((FIRST, B)), FIRST.next(B), b"second"), Answer::Done);
    Ok(())
}

async fn renewal(bench: &Bench<'_>) -> Result<(), Got> {
    let place = lapsed(bench).await?;
    must!(place.claim(FIRST, A, LONG), Answer::Claimed(row) if row.version == FIRST);
    must!(place.claim_over(B, A), Answer::Busy { .. });
    let place = lapsed(bench).await?;
    must!(place.release(A, 3_600), Answer::Done);
    must!(place.claim(FIRST, B, LONG), Answer::Claimed(row) if row.pause > 3_000);
    Ok(())
}

async fn late_write(bench: &Bench<'_>) -> Result<(), Got> {
    // Its holder is late, or somebody else has the pair that follows.
    for id in [A, B] {
        let place = lapsed(bench).await?;
        must!(place.write(Some((FIRST, id)), FIRST.next(id), b"second"), Answer::Done);
        must!(place.claim(FIRST.next(id), C, LONG), Answer::Claimed(row) if *row.value == b"second");
    }
    Ok(())
}

async fn late_release(bench: &Bench<'_>) -> Result<(), Got> {
    let place = lapsed(bench).await?;
    must!(place.release(B, 600), Answer::Fenced);
    must!(place.claim(FIRST, B, LONG), Answer::Lapsed { id: A, row, .. } if row.pause == 0);
    Ok(())
}

async fn login_over_lapsed(bench: &Bench<'_>) -> Result<(), Got> {
    let place = lapsed(bench).await?;
    must!(place.write(None, LATER, b"later"), Answer::Displaced(row) if row.version == FIRST);
    must!(place.claim(LATER, B, LONG), Answer::Claimed(_));
    let place = lapsed(bench).await?;
    must!(place.sign_out(LATER), Answer::Displaced(row) if row.version == FIRST);
    must!(place.claim(LATER, B, LONG), Answer::SignedOut { version: LATER });
    Ok(())
}

async fn lapsed_version(bench: &Bench<'_>) -> Result<(), Got> {
    let place = lapsed(bench).await?;
    must!(place.claim(LATER, B, LONG), Answer::Changed(row) if row.version == FIRST);
    must!(place.write(Some((LATER, A)), LATER.next(A), b"late"), Answer::Changed(row) if row.version == FIRST);
    must!(place.claim(FIRST, B, LONG), Answer::Lapsed { id: A, .. });
    Ok(())
}

/// A login with a lapsed claim of `A`.
async fn lapsed<'a>(bench: &'a Bench<'a>) -> Result<Place<'a>, Got> {
    let known = || bench.lapsed.lock().unwrap_or_else(PoisonError::into_inner);
    if known().is_empty() {
        for _ in 0..16 {
            let place = Place::with_login(bench).await?;
            must!(place.claim(FIRST, A, 1), Answer::Claimed(_));
            known().push(place.key);
        }
        bench.trial.wait(MOMENT).await;
    }
    let key = known().pop().ok_or_else(|| Got("no claim was made".to_owned()))?;
    Ok(Place { bench, key })
}

/// Measures how much time has passed for a store at most, so that a slow machine breaks no law.
struct Time<'a> {
    bench: &'a Bench<'a>,
    start: Instant,
    waited: AtomicU32,
}

impl<'a> Time<'a> {
    fn start(bench: &'a Bench<'a>) -> Self {
        Self { bench, start: Instant::now(), waited: AtomicU32::new(0) }
    }

    async fn wait_a_moment(&self) {
        self.waited.fetch_add(1, Ordering::Relaxed);
        self.bench.trial.wait(MOMENT).await;
    }

    /// In whole seconds. `wait` may move the store's clock instead of waiting.
    fn at_most(&self) -> u32 {
        let waited = MOMENT.saturating_mul(self.waited.load(Ordering::Relaxed));
        let real = self.start.elapsed();
        let most = if real < waited { real.saturating_add(waited) } else { real };
        u32::try_from(most.as_secs()).unwrap_or(u32::MAX)
    }
}

/// Longer than a claim of one second.
const MOMENT: Duration = Duration::from_millis(1_100);
