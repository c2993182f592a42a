//! `proofkey login`: from the options to stored tokens.

mod event;
mod paste;
mod waiting;

use crate::args::{self, Select};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::logins::{self, Login, Name};
use crate::parameter::parameter;
use crate::settings::Settings;
use crate::{interrupt, output, session, time};
use event::Event;
use getrandom::SysRng;
use proofkey_core::{Client, ClientBuf, Redirect, Revocable, Scope, TokensBuf};
use proofkey_ureq::{ExchangeError, Http, LoginError, SignedIn};
use std::time::Duration;
use waiting::Countdown;

/// Signs in and keeps the tokens.
///
/// # Errors
/// Whatever stands between the options and the stored tokens.
pub fn run(args: &args::Login, select: &Select, config: &Config) -> Result<(), Failure> {
    interrupt::watch();
    let name = Name::of(select, config);
    let before = Login::load(&name, config);
    let known = match &before {
        Ok(login) => Some(login.settings.clone()),
        Err(_) => logins::remembered(&name)?,
    };
    let settings = Settings::of_login(args, config, &name.profile, known.as_ref())?;
    before.as_ref().map_or(Ok(()), |before| same(before, &settings))?;
    logins::check_store(&name, &settings)?;
    // One that cannot be read is as good as none: it will be written anew.
    if let Err(failure) = before
        && failure.kind != Kind::LoginRequired
    {
        output::warn(failure.message);
    }
    let http = session::http();
    let client = client(&settings, &http)?;
    let client = client.as_client();
    let (login, missing) = interrupt::deferred_exchange(|| {
        let (tokens, requested_at) = if args.paste {
            by_hand(args, &settings, client, &http)?
        } else {
            by_browser(args, &settings, client, &http)?
        };
        keep(&name, &settings, client, &tokens, requested_at).inspect_err(|_| give_back(&http, client, &tokens))
    })?;
    Event::signed_in(&login, &missing).show(args.json)
}

/// A name stands for one client at one server: else tokens would be left behind that nobody revokes.
fn same(before: &Login, settings: &Settings) -> Result<(), Failure> {
    let (name, old) = (&before.name, &before.settings);
    if before.record.key == logins::key(name, settings) && old.store == settings.store {
        return Ok(());
    }
    let (issuer, client_id) = (old.server.name(), &old.client_id);
    Err(Kind::Configuration
        .because(format_args!(
            "{name} is signed in with client `{client_id}` at {issuer}, which is not what you ask for"
        ))
        .advise(format_args!("choose another --profile, or first sign out with `{}`", name.command("logout"))))
}

fn client(settings: &Settings, http: &Http) -> Result<ClientBuf, Failure> {
    let Settings { client_id, redirect_uri, .. } = settings;
    match (settings.server.server(), &settings.server) {
        (Some(server), _) => Ok(Client::new(client_id, redirect_uri, server)?.into()),
        (None, choice) => {
            let issuer = choice.name();
            http.discover(issuer, client_id, redirect_uri).map_err(|error| Failure::from(error).at(issuer))
        }
    }
}

/// The tokens, and when they were asked for.
fn by_browser(
    args: &args::Login,
    settings: &Settings,
    client: Client<'_>,
    http: &Http,
) -> Result<(TokensBuf, u64), Failure> {
    let (scope, extra) = (settings.scope(), settings.extra());
    let timeout = timeout(args);
    let login = proofkey_ureq::Login::new(client, &scope)
        .with_extra(&extra)
        .with_timeout(timeout)
        .with_cancel(&interrupt::INTERRUPTED);
    let mut countdown = None;
    let mut shown = Ok(());
    let signed_in = http.login(login, |url| {
        let opened = !args.no_browser && proofkey_native::is_available() && proofkey_native::open(url).is_ok();
        shown = Event::AuthorizationUrl { url, opened, paste: false }.show(args.json).and_then(|()| {
            let redirect_uri = &parameter(url, "redirect_uri");
            Event::Waiting { redirect_uri, seconds: args.timeout, paste: false }.show(args.json)
        });
        if !args.json {
            countdown = Some(Countdown::start(timeout));
        }
        Ok(())
    });
    drop(countdown);
    shown?;
    match signed_in {
        Ok(SignedIn { tokens, requested_at }) => Ok((tokens, time::since_1970(requested_at))),
        Err(LoginError::Exchange(error)) => Err(unanswered(error, client)),
        Err(error) => Err(error.into()),
    }
}

fn unanswered(error: ExchangeError, client: Client<'_>) -> Failure {
    Failure::from(error).at(client.server().token_endpoint())
}

/// The same, where the user brings the redirect.
fn by_hand(
    args: &args::Login,
    settings: &Settings,
    client: Client<'_>,
    http: &Http,
) -> Result<(TokensBuf, u64), Failure> {
    let (scope, extra) = (settings.scope(), settings.extra());
    let (url, pending) = client.authorize(&scope, &mut SysRng)?;
    let url = url.with(&extra)?.to_string();
    Event::AuthorizationUrl { url: &url, opened: false, paste: true }.show(args.json)?;
    Event::Waiting { redirect_uri: client.redirect_uri(), seconds: args.timeout, paste: true }.show(args.json)?;
    let redirect = paste::redirect(&pending, client, timeout(args), |message, tries_left| {
        Event::TryAgain { message, tries_left }.show(args.json)
    })?;
    let request = pending.accept(client, Redirect::Url(&redirect))?;
    let requested_at = time::now();
    let tokens = http.exchange(request).map_err(|error| unanswered(error, client))?;
    Ok((tokens, requested_at))
}

/// Writes the login down. With it, what was asked for and not granted.
fn keep(
    name: &Name,
    settings: &Settings,
    client: Client<'_>,
    tokens: &TokensBuf,
    requested_at: u64,
) -> Result<(Login, Vec<String>), Failure> {
    let requested = settings.scope();
    let granted: Option<Vec<&str>> = match tokens.scope() {
        Scope::Unknown => None,
        scope => Some(scope.words(&requested).collect()),
    };
    let is_missing = |word: &&String| granted.as_ref().is_some_and(|granted| !granted.contains(&word.as_str()));
    let missing = settings.scope.iter().filter(is_missing).cloned().collect();
    Ok((Login::save(name, settings, client, tokens, requested_at)?, missing))
}

/// Tokens that cannot be kept are revoked, where the server does that.
fn give_back(http: &Http, client: Client<'_>, tokens: &TokensBuf) {
    let refresh = tokens.refresh_token().map(Revocable::Refresh);
    for token in refresh.into_iter().chain([Revocable::Access(tokens.access_token())]) {
        let _ = http.revoke(client, token);
    }
}

fn timeout(args: &args::Login) -> Duration {
    Duration::from_secs(args.timeout.into())
}
