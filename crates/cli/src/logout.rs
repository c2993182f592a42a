//! `proofkey logout`: the tokens are revoked, then forgotten.

use crate::args::{self, Select};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::logins::{self, LOCK_WAIT, Login};
use crate::name::Name;
use crate::network::Network;
use crate::{interrupt, output};
use proofkey_core::{Endpoint, ResponseError, Revocable};
use proofkey_ureq::ExchangeError;
use serde::Serialize;

/// Signs out.
///
/// # Errors
/// If the server did not revoke the tokens: they are still valid then, and kept (RFC 7009 section 2.2.1).
pub fn run(args: &args::Logout, select: &Select, config: &Config) -> Result<(), Failure> {
    let network = &Network::of(&args.network, config, &select.profile)?;
    let name = config.name(select);
    let outcome = match Login::load(&name, config) {
        Ok(login) => end(args, login, network)?,
        Err(failure) if args.forget_anyway && logins::discard_unreadable(&name)? => not_revoked(&failure),
        Err(failure) if failure.kind == Kind::LoginRequired && args.forget_settings => {
            return if logins::forget_settings(&name)? { forgotten(args, &name) } else { Err(failure) };
        }
        Err(failure) => return Err(failure),
    };
    if args.forget_settings {
        logins::forget_settings(&name)?;
    }
    if args.json {
        let Name { profile, account } = &name;
        return output::json(&Outcome { profile, account, forgotten: true, revocation: Some(outcome) });
    }
    output::note(match outcome {
        Revocation::Done => format!("Signed out ({name}): the tokens are revoked and forgotten."),
        Revocation::Failed => format!("The tokens are forgotten ({name})."),
        Revocation::NotAllowed => format!(
            "The tokens are forgotten ({name}). The server does not let this client revoke tokens: they stay valid until \
             they expire."
        ),
        Revocation::Unsupported => format!(
            "The tokens are forgotten ({name}). No revocation endpoint is known for this server: they stay valid until they \
             expire."
        ),
    });
    Ok(())
}

/// Revokes the tokens, and forgets them.
fn end(args: &args::Logout, mut login: Login, network: &Network) -> Result<Revocation, Failure> {
    interrupt::deferred_exchange(|| {
        let store = login.store();
        let lock = store.lock(&login.record.key, LOCK_WAIT)?;
        if let Some(record) = lock.load()? {
            login.record = record;
        }
        let revocation = match revoke(&login, network) {
            Err(failure) if args.forget_anyway => not_revoked(&failure),
            Err(failure) => {
                return Err(failure.advise(format_args!(
                    "the tokens may still be valid, so they are kept; try again, or forget them anyway with `{}`",
                    login.name.command("logout --forget-anyway")
                )));
            }
            Ok(revocation) => revocation,
        };
        login.remember();
        lock.remove()?;
        Ok(revocation)
    })
}

fn not_revoked(why: &Failure) -> Revocation {
    output::warn(format_args!("the tokens were not revoked and may still be valid: {}", why.message));
    Revocation::Failed
}

/// There were no tokens, only settings.
fn forgotten(args: &args::Logout, name: &Name) -> Result<(), Failure> {
    if args.json {
        let Name { profile, account } = name;
        return output::json(&Outcome { profile, account, forgotten: true, revocation: None });
    }
    output::note(format_args!("The settings of the last sign-in are forgotten ({name})."));
    Ok(())
}

/// The refresh token first: while it lives, it makes new access tokens.
fn revoke(login: &Login, network: &Network) -> Result<Revocation, Failure> {
    let client = login.client()?;
    let Some(endpoint) = client.server().endpoint(Endpoint::Revocation) else { return Ok(Revocation::Unsupported) };
    let http = network.http();
    let revoke = |token| match http.revoke(client, token) {
        Ok(()) => Ok(Revocation::Done),
        Err(error) if wants_secret(&error) => Ok(Revocation::NotAllowed),
        Err(error) => Err(Failure::from(error).at(endpoint)),
    };
    if let Some(token) = login.refresh_token()?
        && let Revocation::NotAllowed = revoke(Revocable::Refresh(token))?
    {
        return Ok(Revocation::NotAllowed);
    }
    match revoke(Revocable::Access(login.access_token()?)) {
        // Some servers revoke refresh tokens only (RFC 7009 section 2.2.1), and ours is revoked.
        Ok(Revocation::NotAllowed) | Err(Failure { kind: Kind::Refused, .. })
            if login.record.refresh_token.is_some() =>
        {
            Ok(Revocation::Done)
        }
        result => result,
    }
}

/// Whether the server revokes tokens only for clients that authenticate themselves, which a public client cannot.
fn wants_secret(error: &ExchangeError) -> bool {
    match error {
        ExchangeError::Response(ResponseError::Server { error: words, status, .. }) => {
            *status == 401 || ["invalid_client", "unauthorized_client"].contains(&words.code())
        }
        ExchangeError::Response(ResponseError::Status { status, .. }) => *status == 401,
        _ => false,
    }
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Revocation {
    Done,
    Failed,
    NotAllowed,
    Unsupported,
}

#[derive(Serialize)]
struct Outcome<'a> {
    profile: &'a str,
    account: &'a str,
    forgotten: bool,
    /// None if there were no tokens.
    revocation: Option<Revocation>,
}
