//! A stored login in use: its access token is renewed when it is due, by one process at a time.

use crate::failure::{Failure, Kind};
use crate::logins::{LOCK_WAIT, Login};
use crate::{interrupt, time};
use proofkey_core::ResponseError;
use proofkey_native::Lock;
use proofkey_ureq::{ExchangeError, Http};

/// An HTTP client that trusts whom the operating system trusts, a company's own authority included.
pub fn http() -> Http {
    Http::new().with_platform_roots()
}

/// Sees to it that the access token is valid for `min_valid` seconds more, as far as anyone can know.
///
/// # Errors
/// [`Kind::LoginRequired`] where only the user can help; else why there is no new token.
pub fn ensure_valid(login: &mut Login, min_valid: u32) -> Result<(), Failure> {
    let stale = |login: &Login| {
        let (lifetime, now) = (login.lifetime(), time::now());
        // Without a refresh token there is nothing to be early for.
        let due = if login.record.refresh_token.is_some() { lifetime.is_due(now) } else { lifetime.is_expired(now) };
        due || lifetime.remaining(now).is_some_and(|left| left < min_valid)
    };
    if !stale(login) {
        return Ok(());
    }
    if let Some(given) = login.record.expires_in.filter(|given| (1..min_valid).contains(given)) {
        return Err(Kind::Configuration
            .because(format_args!("this server's tokens are valid for {given} seconds at most"))
            .advise(format_args!("ask for --min-valid {given} or less")));
    }
    match renew_where(login, stale) {
        // Due is a little early: a token that still works bridges a server that does not answer.
        Err(Failure { kind: Kind::Network | Kind::TimedOut, .. })
            if min_valid == 0 && !login.lifetime().is_expired(time::now()) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Gets another access token for one that an API has refused.
///
/// # Errors
/// As [`ensure_valid`].
pub fn renew_refused(login: &mut Login) -> Result<(), Failure> {
    let refused = login.record.access_token.clone();
    renew_where(login, |login| login.record.access_token == refused)
}

/// Takes the lock, reads again, and refreshes where the record is still `stale`.
fn renew_where(login: &mut Login, stale: impl Fn(&Login) -> bool) -> Result<(), Failure> {
    interrupt::deferred_exchange(|| {
        let store = login.store();
        let lock = store.lock(&login.record.key, LOCK_WAIT)?;
        read_again(login, &lock)?;
        if stale(login) { refresh(login, &lock) } else { Ok(()) }
    })
}

fn refresh(login: &mut Login, lock: &Lock<'_>) -> Result<(), Failure> {
    let Some(refresh_token) = login.refresh_token()? else {
        return Err(again(login, "the access token has ended or ends too soon, and there is no refresh token"));
    };
    let requested_at = time::now();
    match http().exchange(login.client()?.refresh(refresh_token)) {
        Ok(tokens) => {
            login.take(&tokens, requested_at);
            Ok(lock.save(&login.record)?)
        }
        Err(ExchangeError::Response(ResponseError::Server { error, .. })) if error.code() == "invalid_grant" => {
            // The grant is gone. Sending the token once more could only alarm the server.
            login.record.refresh_token = None;
            login.record.expires_in = Some(0);
            lock.save(&login.record)?;
            Err(again(login, &format!("the server no longer takes the refresh token ({error})")))
        }
        Err(error) => Err(Failure::from(error).at(&login.record.token_endpoint)),
    }
}

fn read_again(login: &mut Login, lock: &Lock<'_>) -> Result<(), Failure> {
    match lock.load()? {
        Some(record) => {
            login.record = record;
            Ok(())
        }
        None => Err(again(login, "signed out in the meantime")),
    }
}

fn again(login: &Login, why: &str) -> Failure {
    let name = &login.name;
    Kind::LoginRequired
        .because(format_args!("{why} ({name})"))
        .advise(format_args!("sign in again with `{}`", name.command("login")))
}
