//! A stored login in use: its access token is refreshed when it is due, by one process at a time.
//!
//! A rotated refresh token is issued only once. Hence the order: make sure that it can be stored, send, keep any refresh
//! token in the answer, check the rest of the answer, store.

use crate::failure::{Failure, Kind};
use crate::logins::{LOCK_WAIT, Login};
use crate::network::Network;
use crate::time::Span;
use crate::{interrupt, output, time};
use proofkey_core::{Advice, ResponseError};
use proofkey_native::Secret;
use proofkey_native::old::{Lock, Reservation, StoreError};
use proofkey_ureq::ExchangeError;
use std::thread;
use std::time::Duration;

/// Makes sure that the access token is valid for at least `min_valid` seconds, as far as its lifetime is known.
///
/// # Errors
/// [`Kind::LoginRequired`] if the user must sign in again, or the reason why there is no new token.
pub fn ensure_valid(login: &mut Login, network: &Network, min_valid: u32) -> Result<(), Failure> {
    if is_good(login, min_valid) {
        if let Some(why) = login.ended() {
            output::warn(format_args!(
                "this is the last token of this sign-in: {why}; when it has ended, sign in again with `{}`",
                login.name.command("login")
            ));
        }
        return long_enough(login, min_valid);
    }
    // Tokens from a refresh may have another lifetime than the first one.
    if login.is_refreshed() || login.record.refresh_token.is_none() {
        long_enough(login, min_valid)?;
    }
    match renew(login, network) {
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

/// Gets a new access token even if this one is still valid.
///
/// # Errors
/// As [`ensure_valid`].
pub fn refresh_now(login: &mut Login, network: &Network, min_valid: u32) -> Result<(), Failure> {
    renew(login, network)?;
    long_enough(login, min_valid)
}

/// Gets a new access token after an API refused this one.
///
/// # Errors
/// As [`ensure_valid`].
pub fn renew_refused(login: &mut Login, network: &Network) -> Result<(), Failure> {
    renew(login, network)
}

/// Whether the token can be used without a refresh.
fn is_good(login: &Login, min_valid: u32) -> bool {
    let (lifetime, now) = (login.lifetime(), time::now());
    // Without a refresh token there is no point in being early.
    let due = if login.record.refresh_token.is_some() { lifetime.is_due(now) } else { lifetime.is_expired(now) };
    !due && lifetime.remaining(now).is_none_or(|left| left >= min_valid)
}

/// Compares the lifetime of the server's tokens with the requested one.
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

/// Takes the lock, reads the record again, and refreshes, unless another process got a new token in the meantime.
fn renew(login: &mut Login, network: &Network) -> Result<(), Failure> {
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
        let is_new = login.record.access_token.expose() != before.expose();
        if is_new && !login.is_expired() { Ok(()) } else { refresh(login, network, &lock) }
    })
}

fn refresh(login: &mut Login, network: &Network, lock: &Lock<'_>) -> Result<(), Failure> {
    let Some(refresh_token) = login.refresh_token()? else { return Err(not_refreshable(login)) };
    if let Some(left) = pause_left(login) {
        return Err(paused(left).at(login.token_endpoint()));
    }
    let request = login.client()?.refresh(refresh_token);
    let reservation = lock.reserve()?;
    let requested_at = time::now();
    let (new, answer) = network.http().exchange_keeping(request);
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

/// Stores the record, with several tries, since the server will not issue these tokens again.
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

/// The pause that the server asks for, in seconds.
fn wanted_pause(error: &ExchangeError) -> Option<u32> {
    let ExchangeError::Response(error) = error else { return None };
    match (error.advice(), error) {
        (Advice::Retry { after: Some(seconds) }, _) => Some(seconds),
        (_, ResponseError::Server { status: 429, .. } | ResponseError::Status { status: 429, .. }) => Some(PAUSE),
        _ => None,
    }
}

/// The rest of a pause in seconds. If it is too long, the clock was set back.
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

/// The pause after a 429 without `Retry-After`, in seconds.
const PAUSE: u32 = 10;
/// The longest pause that is kept: a longer one may come from a wrong clock.
const PAUSE_MAX: u32 = 3600;
const STORE_TRIES: u32 = 3;
