//! `proofkey login`: from the options to stored tokens.

mod event;
mod paste;
mod previous;
mod qr;
mod sent;
mod waiting;

use crate::args::{self, Select};
use crate::config::{Config, Save};
use crate::failure::{Failure, Kind};
use crate::logins::{self, Login};
use crate::network::Network;
use crate::parameter::parameter;
use crate::settings::Settings;
use crate::{errors, interrupt, output, secret};
use event::Event;
use getrandom::SysRng;
use proofkey_core::{AuthorizeError, Client, ClientBuf, Redirect, Revocable, TokensBuf};
use proofkey_native::Secret;
use proofkey_ureq::{Http, SignedIn};
use sent::Sent;
use std::time::{Duration, SystemTime};
use waiting::Countdown;

/// Signs in and keeps the tokens.
///
/// # Errors
/// If the settings are wrong, the sign-in fails, or the tokens cannot be stored.
pub fn run(args: &args::Login, select: &Select, config: &Config) -> Result<(), Failure> {
    interrupt::watch();
    let network = &Network::of(&args.network, config, &select.profile)?;
    let name = config.name(select);
    let before = match Login::load(&name, config) {
        Err(failure) if failure.kind == Kind::Outdated => return Err(failure),
        before => before,
    };
    let known = match &before {
        Ok(login) => Some(login.settings.clone()),
        Err(_) => logins::remembered(&name)?,
    };
    let mut settings = Settings::of_login(args, config, &name.profile, known.as_ref())?;
    let save = args.save.then(|| Save::plan(config, &name.profile, &settings, &args.network)).transpose()?;
    logins::check_store(&name, &mut settings)?;
    before.as_ref().map_or(Ok(()), |before| same(before, &settings))?;
    // A damaged one is replaced.
    if let Err(failure) = before
        && failure.kind != Kind::LoginRequired
    {
        output::warn(failure.message);
    }
    warn_of_commas(&settings);
    let http = network.http();
    let secret = secret::of(&settings, config, &name.profile)?;
    let client = client(&settings, secret.as_ref(), &http)?;
    let client = client.as_client();
    let (record, previous) = interrupt::deferred(|| {
        let signed_in = if args.paste {
            by_hand(args, &settings, client, &http)?
        } else {
            by_browser(args, &settings, client, &http)?
        };
        let begun = logins::begin(&name, &settings, client, &signed_in, &http);
        let (record, before) = begun.inspect_err(|_| give_back(&http, client, &signed_in.tokens))?;
        let previous = before.and_then(|before| previous::end(args, &http, client, &before, &record));
        Ok((record, previous))
    })?;
    let saved = save.as_ref().map(Save::write).transpose();
    Event::signed_in(&name, &settings, &record, previous).show(args.json)?;
    if let Some((path, changed)) = saved?
        && !args.json
    {
        let done = if changed { "The settings are now in" } else { "The settings were already in" };
        output::note(format_args!("{done} {}.", path.display()));
    }
    Ok(())
}

/// Checks that a name stands for one client at one server. Otherwise the replaced tokens could not be revoked.
fn same(before: &Login, settings: &Settings) -> Result<(), Failure> {
    let (name, old) = (&before.name, &before.settings);
    if before.record.key == logins::key(name, settings) && old.store == settings.store {
        return Ok(());
    }
    let describe = |settings: &Settings| {
        let Settings { server, client_id, store, .. } = settings;
        format!("client `{client_id}` at {} (kept in the {} store)", server.name(), store.name())
    };
    let (old, new) = (describe(old), describe(settings));
    Err(Kind::Configuration
        .because(format_args!("{name} is signed in as {old}, which differs from {new}"))
        .advise(format_args!("choose another --profile, or first sign out with `{}`", name.command("logout"))))
}

/// A comma may be part of a scope (RFC 6749 section 3.3), so it is sent as it is.
fn warn_of_commas(settings: &Settings) {
    for scope in settings.scope.iter().filter(|scope| scope.contains(',')) {
        output::warn(format_args!(
            "`{scope}` is sent as one scope; scopes are separated by spaces: --scope '{}'",
            scope.split(',').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
        ));
    }
}

fn client(settings: &Settings, secret: Option<&Secret>, http: &Http) -> Result<ClientBuf, Failure> {
    let Settings { client_id, redirect_uri, .. } = settings;
    let client: ClientBuf = match (settings.server.server(), &settings.server) {
        (Some(server), _) => Client::new(client_id, redirect_uri, server)?.into(),
        (None, choice) => {
            let issuer = choice.name();
            http.discover(issuer, client_id, redirect_uri).map_err(|error| errors::not_discovered(error, issuer))?
        }
    };
    Ok(match secret {
        Some(secret) => client.as_client().with_embedded_secret(secret.expose())?.into(),
        None => client,
    })
}

fn by_browser(args: &args::Login, settings: &Settings, client: Client<'_>, http: &Http) -> Result<SignedIn, Failure> {
    let (scope, extra) = (settings.scope(), settings.extra());
    let timeout = timeout(args);
    let login = proofkey_ureq::Login::new(client, &scope)
        .with_extra(&extra)
        .with_timeout(timeout)
        .with_cancel(&interrupt::INTERRUPTED);
    let mut countdown = None;
    let mut shown = Ok(());
    let mut redirect_uri = client.redirect_uri().to_owned();
    let signed_in = http.login(login, |url| {
        let opened = !args.no_browser && proofkey_native::is_available() && proofkey_native::open(url).is_ok();
        redirect_uri = parameter(url, "redirect_uri");
        let hint = Sent { client_id: &settings.client_id, redirect_uri: &redirect_uri, given: client.redirect_uri() }
            .error_page();
        shown = Event::AuthorizationUrl { url, opened, paste: false }.show(args.json).and_then(|()| {
            Event::Waiting { redirect_uri: &redirect_uri, seconds: args.timeout, hint: &hint, paste: false }
                .show(args.json)
        });
        if !args.json {
            countdown = Some(Countdown::start(timeout, hint));
        }
        Ok(())
    });
    drop(countdown);
    shown?;
    signed_in.map_err(|error| {
        let sent = Sent { client_id: &settings.client_id, redirect_uri: &redirect_uri, given: client.redirect_uri() };
        sent.failed(error, client, settings)
    })
}

/// The same with a pasted redirect.
fn by_hand(args: &args::Login, settings: &Settings, client: Client<'_>, http: &Http) -> Result<SignedIn, Failure> {
    let (scope, extra) = (settings.scope(), settings.extra());
    let (url, pending) = client.authorize(&scope, &mut SysRng).map_err(|error| match error {
        AuthorizeError::Config(error) => errors::not_sendable(error, settings),
        error => error.into(),
    })?;
    let url = url.with(&extra).map_err(|error| errors::not_sendable(error, settings))?.to_string();
    let redirect_uri = client.redirect_uri();
    let sent = Sent { client_id: &settings.client_id, redirect_uri, given: redirect_uri };
    Event::AuthorizationUrl { url: &url, opened: false, paste: true }.show(args.json)?;
    let hint = &sent.error_page();
    Event::Waiting { redirect_uri, seconds: args.timeout, hint, paste: true }.show(args.json)?;
    let redirect = paste::redirect(&pending, client, sent, timeout(args), |message, tries_left| {
        Event::TryAgain { message, tries_left }.show(args.json)
    })?;
    let request = pending.accept(client, Redirect::Url(&redirect)).map_err(|error| sent.not_accepted(error))?;
    let requested_at = SystemTime::now();
    let tokens = http.exchange(request).map_err(|error| sent.not_exchanged(error, client))?;
    Ok(SignedIn::new(tokens, requested_at))
}

/// Revokes tokens that cannot be stored, if the server does that.
fn give_back(http: &Http, client: Client<'_>, tokens: &TokensBuf) {
    let refresh = tokens.refresh_token().map(Revocable::Refresh);
    for token in refresh.into_iter().chain([Revocable::Access(tokens.access_token())]) {
        let _ = http.revoke(client, token);
    }
}

fn timeout(args: &args::Login) -> Duration {
    Duration::from_secs(args.timeout.into())
}
