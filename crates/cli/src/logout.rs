//! `proofkey logout`: the tokens are revoked, then forgotten.

use crate::args::{self, Select};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::logins::{self, Login};
use crate::name::Name;
use crate::network::Network;
use crate::{errors, interrupt, output};
use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use proofkey_core::{Endpoint, IdToken};
use proofkey_native::Secret;
use proofkey_ureq::proofkey_store::{Answer, ClaimId, Op};
use proofkey_ureq::{Revocation, Session};
use serde::Serialize;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Signs out.
///
/// # Errors
/// If the server did not revoke the tokens: they are still valid then, and kept (RFC 7009 section 2.2.1).
pub fn run(args: &args::Logout, select: &Select, config: &Config) -> Result<(), Failure> {
    let network = &Network::of(&args.network, config, &select.profile)?;
    let name = config.name(select);
    let mut page = None;
    let outcome = match Login::load(&name, config) {
        Ok(login) => {
            page = args.browser.then(|| end_session(&login)).transpose()?;
            end(args, login, network)?
        }
        Err(failure) if args.forget_anyway && logins::discard_unreadable(&name)? => not_revoked(&failure),
        Err(failure) if failure.kind == Kind::LoginRequired && args.forget_settings => {
            return if logins::forget_settings(&name)? { forgotten(args, &name) } else { Err(failure) };
        }
        Err(failure) => return Err(failure),
    };
    if args.forget_settings {
        logins::forget_settings(&name)?;
    }
    let opened = page.as_ref().is_some_and(|url| proofkey_native::is_available() && proofkey_native::open(url).is_ok());
    if args.json {
        let Name { profile, account } = &name;
        let report =
            Report { profile, account, forgotten: true, revocation: Some(outcome), end_session_url: page, opened };
        return output::json(&report);
    }
    output::note(match outcome {
        Outcome::Done => format!("Signed out ({name}): the tokens are revoked and forgotten."),
        Outcome::Failed => format!("The tokens are forgotten ({name})."),
        Outcome::NotAllowed => format!(
            "The tokens are forgotten ({name}). The server does not let this client revoke tokens: they stay valid until \
             they expire."
        ),
        Outcome::Unsupported => format!(
            "The tokens are forgotten ({name}). No revocation endpoint is known for this server: they stay valid until they \
             expire."
        ),
    });
    match page {
        Some(_) if opened => output::note("Opening your browser to sign you out of the server too."),
        Some(url) => output::note(format_args!(
            "To sign out of the server too, open this URL in the browser that you signed in with (it says who you are, so keep it \
             to yourself):\n\n{url}"
        )),
        None => {}
    }
    Ok(())
}

/// The page of the server that ends its own session with the user. It is asked for before anything is revoked.
fn end_session(login: &Login) -> Result<String, Failure> {
    let client = login.client()?;
    if client.server().endpoint(Endpoint::EndSession).is_none() {
        return Err(errors::no_endpoint(Endpoint::EndSession));
    }
    let token = login.record.user.as_ref().and_then(|user| user.id_token.as_ref()).map(Secret::expose);
    let token = token.and_then(|token| IdToken::new(token).ok()).ok_or_else(|| {
        Kind::Configuration
            .because("the server did not say who signed in, so that it cannot be told whom to sign out")
            .advise(format_args!(
                "leave out --browser; next time, sign in with `{} --scope openid`",
                login.name.command("login")
            ))
    })?;
    Ok(client.end_session(token)?.to_string())
}

/// Revokes the tokens under a claim, so that nobody refreshes them, and forgets them.
fn end(args: &args::Logout, mut login: Login, network: &Network) -> Result<Outcome, Failure> {
    interrupt::deferred(|| {
        let claim = match claim(&mut login) {
            // A full disk takes no claim.
            Err(failure) if !args.forget_anyway => return Err(failure),
            claim => claim.ok(),
        };
        let outcome = match revoke(&login, network) {
            Err(failure) if args.forget_anyway => not_revoked(&failure),
            Err(failure) => {
                if let Some(id) = claim {
                    let _ = login.run(Op::Release { id, pause: 0 });
                }
                return Err(failure.advise(format_args!(
                    "the tokens may still be valid, so they are kept; try again, or forget them anyway with `{}`",
                    login.name.command("logout --forget-anyway")
                )));
            }
            Ok(outcome) => outcome,
        };
        login.remember();
        forget(&login, claim)?;
        Ok(outcome)
    })
}

/// Claims the login, so that the tokens in it are the last ones.
fn claim(login: &mut Login) -> Result<ClaimId, Failure> {
    let mut id = ClaimId([0; 16]);
    SysRng.try_fill_bytes(&mut id.0).map_err(|error| Kind::Unexpected.because(error))?;
    let (mut over, begun) = (None, Instant::now());
    loop {
        match login.run(Op::Claim { version: login.row.version, id, seconds: CLAIM, over })? {
            Answer::Claimed(row) => return login.read(row).map(|()| id),
            Answer::Changed(row) => login.read(row)?,
            Answer::Lapsed { id, .. } => over = Some(id),
            Answer::Busy { .. } if begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Answer::Busy { .. } => {
                return Err(Kind::TimedOut.because("another process is using the stored sign-in; try again"));
            }
            _ => return Err(Kind::LoginRequired.because(format_args!("not signed in ({})", login.name))),
        }
    }
}

/// Writes that the user has signed out, for a refresh that is still under way.
fn forget(login: &Login, claim: Option<ClaimId>) -> Result<(), Failure> {
    let version = login.row.version;
    let Some(id) = claim else { return Ok(login.store.discard(&login.record.key).map(drop)?) };
    match login.run(Op::Write { expect: Some((version, id)), version: version.next(id), value: None })? {
        Answer::Changed(_) | Answer::Fenced => {
            Err(Kind::Unexpected.because("another process has changed the sign-in; try again"))
        }
        _ => Ok(()),
    }
}

fn not_revoked(why: &Failure) -> Outcome {
    output::warn(format_args!("the tokens were not revoked and may still be valid: {}", why.message));
    Outcome::Failed
}

/// There were no tokens, only settings.
fn forgotten(args: &args::Logout, name: &Name) -> Result<(), Failure> {
    if args.json {
        let Name { profile, account } = name;
        let report =
            Report { profile, account, forgotten: true, revocation: None, end_session_url: None, opened: false };
        return output::json(&report);
    }
    output::note(format_args!("The settings of the last sign-in are forgotten ({name})."));
    Ok(())
}

fn revoke(login: &Login, network: &Network) -> Result<Outcome, Failure> {
    let client = login.client()?;
    let endpoint = client.server().endpoint(Endpoint::Revocation).unwrap_or_default();
    let session =
        Session::new(&login.signing(network.http())?, client, Arc::clone(&login.store), login.record.key.clone());
    match session.revoke(&login.record) {
        Ok(Revocation::Done) => Ok(Outcome::Done),
        Ok(Revocation::NotAllowed) => Ok(Outcome::NotAllowed),
        Ok(_) => Ok(Outcome::Unsupported),
        Err(error) => Err(Failure::from(error).at(endpoint)),
    }
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done,
    Failed,
    NotAllowed,
    Unsupported,
}

#[derive(Serialize)]
struct Report<'a> {
    profile: &'a str,
    account: &'a str,
    forgotten: bool,
    /// None if there were no tokens.
    revocation: Option<Outcome>,
    /// Where the browser signs out of the server; none if that was not asked for.
    end_session_url: Option<String>,
    /// Whether a browser was opened there.
    opened: bool,
}

/// Seconds. Two answers of the server take less.
const CLAIM: u16 = 120;
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
