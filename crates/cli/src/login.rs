//! `proofkey login`: from the options to stored tokens.

mod device;
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
use crate::who::Who;
use crate::{errors, interrupt, output, secret};
use event::Event;
use getrandom::SysRng;
use proofkey_core::{
    AuthorizeError, Client, ClientBuf, ConfigError, Endpoint, Pending, Redirect, Revocable, Server, TokensBuf, UriFault,
};
use proofkey_ureq::{DiscoverError, Http, SignedIn, Signer, SigningKey};
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
    let secret = secret::of(&settings, config, &name.profile)?;
    let key = settings.dpop.then(SigningKey::generate).transpose().map_err(|error| Kind::Unexpected.because(error))?;
    let http = match &key {
        Some(key) => network.http().with_signer(key.clone()),
        None => network.http(),
    };
    let way = Way::of(args, &settings);
    let client = client(&settings, way, &http)?;
    let client = client.as_client();
    let unasked = way == Way::Browser && device::is_only_way(args, client);
    let has_page = client.server().endpoint(Endpoint::Authorization).is_some();
    let way = if unasked || !has_page { Way::Device } else { way };
    let client = if way == Way::Device { without_redirect(client)? } else { client };
    let client = match &secret {
        Some(secret) if settings.embedded_secret_in_header => client.with_embedded_secret_in_header(secret.expose()),
        Some(secret) => client.with_embedded_secret(secret.expose()),
        None => Ok(client),
    }?;
    let client = key.as_ref().map_or(Ok(client), |key| client.bound_to(key.public_key()))?;
    let (record, previous) = interrupt::deferred(|| {
        let signed_in = match way {
            Way::Browser => by_browser(args, &settings, client, &http)?,
            Way::Device => device::sign_in(args, &settings, client, &http, unasked)?,
            Way::Paste => by_hand(args, &settings, client, &http)?,
        };
        let begun = logins::begin(&name, &settings, client, &signed_in, key.as_ref(), &http);
        let (record, before) = begun.inspect_err(|_| give_back(&http, client, &signed_in.tokens))?;
        let previous = before.and_then(|before| previous::end(args, &http, client, &before, &record));
        Ok((record, previous))
    })?;
    if let Some(who) = Who::of(&record) {
        who.warn_if_not(&name, settings.is_named_after_user);
    }
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

/// How the user signs in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In a browser on this machine, which comes back here.
    Browser,
    /// On another device.
    Device,
    /// In any browser: the user pastes where it ended up.
    Paste,
}

impl Way {
    /// What is asked for, or all that the server's endpoints are good for.
    fn of(args: &args::Login, settings: &Settings) -> Self {
        let has_no_page = |server: Server<'_>| server.endpoint(Endpoint::Authorization).is_none();
        match settings.server.server() {
            _ if args.paste => Self::Paste,
            Some(server) if args.device || has_no_page(server) => Self::Device,
            None if args.device => Self::Device,
            _ => Self::Browser,
        }
    }
}

fn client(settings: &Settings, way: Way, http: &Http) -> Result<ClientBuf, Failure> {
    let Settings { client_id, redirect_uri, .. } = settings;
    let is_device = way == Way::Device;
    match (settings.server.server(), &settings.server) {
        (Some(server), _) if is_device => Ok(Client::without_redirect(client_id, server)?.into()),
        (Some(server), _) => Ok(Client::new(client_id, redirect_uri, server)?.into()),
        (None, choice) => {
            let issuer = choice.name();
            let of_device = || http.discover_device(issuer, client_id);
            let discovered = if is_device { of_device() } else { http.discover(issuer, client_id, redirect_uri) };
            discovered.or_else(|error| match error {
                // All that this server is good for.
                DiscoverError::Config(NO_PAGE) if way == Way::Browser => of_device()
                    .ok()
                    .filter(|client| client.as_client().server().endpoint(Endpoint::DeviceAuthorization).is_some())
                    .ok_or_else(|| errors::no_endpoint(Endpoint::Authorization)),
                error => Err(errors::not_discovered(error, issuer)),
            })
        }
    }
}

fn without_redirect(client: Client<'_>) -> Result<Client<'_>, Failure> {
    if client.server().endpoint(Endpoint::DeviceAuthorization).is_none() {
        return Err(errors::no_endpoint(Endpoint::DeviceAuthorization));
    }
    Ok(Client::without_redirect(client.id(), client.server())?)
}

fn by_browser(args: &args::Login, settings: &Settings, client: Client<'_>, http: &Http) -> Result<SignedIn, Failure> {
    let (scope, extra) = (settings.scope(), settings.extra());
    let timeout = timeout(args);
    let login = plan(settings, client, &scope, &extra).with_timeout(timeout).with_cancel(&interrupt::INTERRUPTED);
    let mut countdown = None;
    let mut shown = Ok(());
    let mut redirect_uri = client.redirect_uri().to_owned();
    let signed_in = http.login(login, |url| {
        let opened = !args.no_browser && proofkey_native::is_available() && proofkey_native::open(url).is_ok();
        redirect_uri = parameter(url, "redirect_uri");
        let hint = Sent { client_id: &settings.client_id, redirect_uri: &redirect_uri, given: client.redirect_uri() }
            .error_page();
        shown = Event::AuthorizationUrl { url, opened, paste: false }.show(args.json).and_then(|()| {
            Event::Waiting { redirect_uri: &redirect_uri, seconds: seconds(args), hint: &hint, paste: false }
                .show(args.json)
        });
        if !args.json {
            countdown = Some(Countdown::start(timeout, "the browser", Some(hint)));
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
    let (login, began) = (plan(settings, client, &scope, &extra), SystemTime::now());
    let (url, pending) = begin(&login, settings, client, http)?;
    let redirect_uri = client.redirect_uri();
    let sent = Sent { client_id: &settings.client_id, redirect_uri, given: redirect_uri };
    Event::AuthorizationUrl { url: &url, opened: false, paste: true }.show(args.json)?;
    let hint = &sent.error_page();
    Event::Waiting { redirect_uri, seconds: seconds(args), hint, paste: true }.show(args.json)?;
    let redirect = paste::redirect(&pending, client, sent, timeout(args), |message, tries_left| {
        Event::TryAgain { message, tries_left }.show(args.json)
    })?;
    let request = pending.accept(client, Redirect::Url(&redirect)).map_err(|error| sent.not_accepted(error))?;
    http.sign_in(login.expects(request, began)).map_err(|error| sent.not_exchanged(error, client))
}

/// The URL to sign in at, and what to wait for.
fn begin(
    login: &proofkey_ureq::Login<'_>,
    settings: &Settings,
    client: Client<'_>,
    http: &Http,
) -> Result<(String, Pending), Failure> {
    let (scope, extra) = (settings.scope(), settings.extra());
    let not_begun = |error: AuthorizeError<_>| match error {
        AuthorizeError::Config(error) => errors::not_sendable(error, settings),
        error => error.into(),
    };
    let not_sendable = |error| errors::not_sendable(error, settings);
    if login.must_push() {
        let (request, pending) = client.push(&scope, &mut SysRng).map_err(not_begun)?;
        let request = request.with(&extra).map_err(not_sendable)?;
        let url = http.push(request).map_err(|error| sent::not_pushed(error, client))?;
        return Ok((url.to_string(), pending));
    }
    let (url, pending) = client.authorize(&scope, &mut SysRng).map_err(not_begun)?;
    Ok((url.with(&extra).map_err(not_sendable)?.to_string(), pending))
}

fn plan<'a>(
    settings: &Settings,
    client: Client<'a>,
    scope: &'a [&'a str],
    extra: &'a [(&'a str, &'a str)],
) -> proofkey_ureq::Login<'a> {
    let login = proofkey_ureq::Login::new(client, scope).with_extra(extra);
    if settings.push { login.with_push() } else { login }
}

/// Revokes tokens that cannot be stored, if the server does that.
fn give_back(http: &Http, client: Client<'_>, tokens: &TokensBuf) {
    let refresh = tokens.refresh_token().map(Revocable::Refresh);
    for token in refresh.into_iter().chain([Revocable::Access(tokens.access_token())]) {
        let _ = http.revoke(client, token);
    }
}

fn timeout(args: &args::Login) -> Duration {
    Duration::from_secs(seconds(args).into())
}

fn seconds(args: &args::Login) -> u32 {
    args.timeout.unwrap_or(TIMEOUT)
}

/// Of a server without a page to sign in at.
const NO_PAGE: ConfigError = ConfigError::Endpoint(Endpoint::Authorization, UriFault::Absent);

/// Seconds.
const TIMEOUT: u32 = 300;
