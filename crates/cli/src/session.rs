//! A stored login in use: its access token is refreshed when it is due, by one process at a time.
//!
//! A rotated refresh token cannot be had twice. So the order is: make sure that it can be stored, send, keep whatever refresh
//! token the answer has, judge the answer, store.

use crate::failure::{Failure, Kind};
use crate::logins::{LOCK_WAIT, Login};
use crate::time::Span;
use crate::{interrupt, output, time};
use proofkey_core::{Advice, ResponseError};
use proofkey_native::{Lock, Reservation, Secret, StoreError};
use proofkey_ureq::{ExchangeError, Http};
use std::thread;
use std::time::Duration;

/// An HTTP client that trusts whom the operating system trusts, a company's own authority included.
pub fn http() -> Http {
    Http::new().with_platform_roots()
}

/// Makes sure that the access token is valid for `min_valid` seconds more, as far as anyone can know.
///
/// # Errors
/// [`Kind::LoginRequired`] if only the user can help; else why there is no new token.
pub fn ensure_valid(login: &mut Login, min_valid: u32) -> Result<(), Failure> {
    if is_good(login, min_valid) {
        if let Some(why) = login.ended() {
            output::warn(format_args!(
                "this is the last token of this sign-in: {why}; when it has ended, sign in again with `{}`",
                login.name.command("login")
            ));
        }
        return long_enough(login, min_valid);
    }
    // The lifetime of the first token says nothing of those that a refresh brings.
    if login.is_refreshed() || login.record.refresh_token.is_none() {
        long_enough(login, min_valid)?;
    }
    match renew(login) {
        Ok(()) => long_enough(login, min_valid),
        // A failed refresh does not displace a token that still works.
        Err(failure) if min_valid == 0 && failure.kind != Kind::Interrupted && !login.is_expired() => {
            let left = login.lifetime().remaining(time::now()).unwrap_or_default();
            output::warn(format_args!(
                "the token was not refreshed, and this one ends in {}: {}",
                Span(left.into()),
                failure.message
            ));
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

/// Gets another access token, although nothing is known to be wrong with this one.
///
/// # Errors
/// As [`ensure_valid`].
pub fn refresh_now(login: &mut Login, min_valid: u32) -> Result<(), Failure> {
    renew(login)?;
    long_enough(login, min_valid)
}

/// Gets another access token for one that an API has refused.
///
/// # Errors
/// As [`ensure_valid`].
pub fn renew_refused(login: &mut Login) -> Result<(), Failure> {
    renew(login)
}

/// Whether the token serves as it is.
fn is_good(login: &Login, min_valid: u32) -> bool {
    let (lifetime, now) = (login.lifetime(), time::now());
    // Without a refresh token there is nothing to be early for.
    let due = if login.record.refresh_token.is_some() { lifetime.is_due(now) } else { lifetime.is_expired(now) };
    !due && lifetime.remaining(now).is_none_or(|left| left >= min_valid)
}

/// What the server's tokens last, beside what was asked for.
fn long_enough(login: &Login, min_valid: u32) -> Result<(), Failure> {
    match login.record.expires_in {
        None if min_valid > 0 => {
            output::warn(format_args!(
                "the server does not say how long this token is valid, so --min-valid cannot be checked; \
                 `{}` gets a new one",
                login.name.command("token --refresh")
            ));
            Ok(())
        }
        Some(given) if given < min_valid => Err(Kind::Configuration
            .because(format_args!(
                "this server's tokens are valid for {given} seconds at most, and --min-valid asks for {min_valid}"
            ))
            .advise(format_args!("ask for --min-valid {given} or less"))),
        _ => Ok(()),
    }
}

/// Takes the lock, reads again, and refreshes. A token that another process got in the meantime is good enough.
fn renew(login: &mut Login) -> Result<(), Failure> {
    let before = login.record.access_token.clone();
    interrupt::deferred_exchange(|| {
        let store = login.store();
        let lock = store.lock(&login.record.key, LOCK_WAIT)?;
        match lock.load()? {
            Some(record) => login.record = record,
            None => {
                // Its tokens are revoked, or will be.
                login.record.expires_in = Some(0);
                return Err(again(login, "signed out in the meantime"));
            }
        }
        let is_new = login.record.access_token != before;
        if is_new && !login.is_expired() { Ok(()) } else { refresh(login, &lock) }
    })
}

fn refresh(login: &mut Login, lock: &Lock<'_>) -> Result<(), Failure> {
    let Some(refresh_token) = login.refresh_token()? else { return Err(not_refreshable(login)) };
    if let Some(left) = pause_left(login) {
        return Err(paused(left).at(login.token_endpoint()));
    }
    let request = login.client()?.refresh(refresh_token);
    let reservation = lock.reserve()?;
    let requested_at = time::now();
    let (new, answer) = http().exchange_keeping(request);
    let mut changed = new.is_some();
    if let Some(new) = new {
        login.record.refresh_token = Some(Secret::new(new.as_refresh_token().expose().to_owned()));
    }
    let outcome = match answer {
        Ok(tokens) => {
            changed = true;
            login.take(&tokens, requested_at);
            login.mark_refreshed();
            Ok(())
        }
        Err(ExchangeError::Response(error)) if error.ends_login() => {
            changed = true;
            login.end(&error.to_string());
            Err(not_refreshable(login))
        }
        Err(error) => {
            if let Some(pause) = wanted_pause(&error) {
                changed = true;
                login.pause(time::now().saturating_add(pause.min(PAUSE_MAX).into()));
            }
            let failure = Failure::from(error).at(login.token_endpoint());
            let is_final = failure.kind == Kind::LoginRequired;
            Err(if is_final { again(login, &failure.message) } else { failure })
        }
    };
    if changed && let Err(error) = store(login, lock, reservation) {
        output::warn(format_args!(
            "what the server answered could not be stored: {error}; when the access token has ended, sign in again with `{}`",
            login.name.command("login")
        ));
    }
    outcome
}

/// Stores the record, however often that has to be tried: the server will not give these tokens again.
fn store(login: &Login, lock: &Lock<'_>, reservation: Reservation<'_>) -> Result<(), StoreError> {
    let mut stored = reservation.save(&login.record);
    for _ in 0..STORE_TRIES {
        if stored.is_ok() {
            login.remember();
            break;
        }
        thread::sleep(Duration::from_secs(1));
        stored = lock.save(&login.record);
    }
    stored
}

/// How long the server wants to be left alone.
fn wanted_pause(error: &ExchangeError) -> Option<u32> {
    let ExchangeError::Response(error) = error else { return None };
    match (error.advice(), error) {
        (Advice::Retry { after: Some(seconds) }, _) => Some(seconds),
        (_, ResponseError::Server { status: 429, .. } | ResponseError::Status { status: 429, .. }) => Some(PAUSE),
        _ => None,
    }
}

/// What is left of a pause. One that is too long comes of a clock that was set back.
fn pause_left(login: &Login) -> Option<u64> {
    let left = login.paused_until()?.saturating_sub(time::now());
    (1..=PAUSE_MAX.into()).contains(&left).then_some(left)
}

fn paused(left: u64) -> Failure {
    Kind::Network
        .because("the server is busy and asked for a pause, so nothing was sent")
        .advise(format_args!("try again in {}", Span(left)))
}

fn not_refreshable(login: &Login) -> Failure {
    match login.ended() {
        Some(why) => again(login, &format!("sign-in expired: {why}")),
        None => again(login, "the access token has ended or ends too soon, and there is no refresh token"),
    }
}

fn again(login: &Login, why: &str) -> Failure {
    let name = &login.name;
    Kind::LoginRequired
        .because(format_args!("{why} ({name})"))
        .advise(format_args!("sign in again with `{}`", name.command("login")))
}

/// The seconds to wait after a 429 that names none.
const PAUSE: u32 = 10;
/// A longer pause than this is not kept: the server may have meant another clock.
const PAUSE_MAX: u32 = 3600;
const STORE_TRIES: u32 = 3;
