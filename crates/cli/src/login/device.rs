//! The login on another device (RFC 8628): the user types a code there, or reads a QR code with it.

use super::event::Event;
use super::waiting::Countdown;
use crate::args;
use crate::errors;
use crate::failure::{Failure, Kind};
use crate::interrupt::INTERRUPTED;
use crate::settings::Settings;
use proofkey_core::{Client, Endpoint, ResponseError};
use proofkey_ureq::{DeviceLogin, ExchangeError, Http, LoginError, SignedIn};
use std::env;
use std::io;
use std::time::Duration;

/// Whether to sign in on another device although nobody asked for it: no browser can be opened here, and the server can do it.
pub fn is_only_way(args: &args::Login, client: Client<'_>) -> bool {
    let has_other = args.paste || args.no_browser || args.redirect_uri.is_some() || has_browser();
    !has_other && client.server().endpoint(Endpoint::DeviceAuthorization).is_some()
}

/// Signs in, and says first why it is on another device if nobody asked for that.
///
/// # Errors
/// If the user refuses, the code expires, or the server does not do it.
pub fn sign_in(
    args: &args::Login,
    settings: &Settings,
    client: Client<'_>,
    http: &Http,
    unasked: bool,
) -> Result<SignedIn, Failure> {
    let (scope, extra) = (settings.scope(), settings.extra());
    let limit = args.timeout.map(|seconds| Duration::from_secs(seconds.into()));
    let login = DeviceLogin::new(client, &scope).with_extra(&extra).with_cancel(&INTERRUPTED);
    let login = limit.map_or(login, |limit| login.with_timeout(limit));
    let mut countdown = None;
    let mut shown = Ok(());
    let signed_in = http.login_device(login, |prompt| {
        shown = Event::device_code(prompt, unasked).show(args.json);
        if !args.json {
            let lifetime = Duration::from_secs(prompt.expires_in().into());
            let length = limit.map_or(lifetime, |limit| limit.min(lifetime));
            countdown = Some(Countdown::start(length, "you to confirm on the other device", None));
        }
        // Its own failure is told.
        if shown.is_ok() { Ok(()) } else { Err(io::Error::other("standard output")) }
    });
    drop(countdown);
    shown?;
    signed_in.map_err(|error| failed(error, client, settings))
}

/// On macOS and Windows the desktop of an SSH session is another screen than the user's.
fn has_browser() -> bool {
    let is_remote = cfg!(any(windows, target_os = "macos")) && env::var_os("SSH_CONNECTION").is_some();
    !is_remote && proofkey_native::is_available()
}

fn failed(error: LoginError, client: Client<'_>, settings: &Settings) -> Failure {
    let url = |endpoint| client.server().endpoint(endpoint).unwrap_or_default();
    match error {
        LoginError::Config(error) => errors::not_sendable(error, settings),
        LoginError::Device(error) => {
            let failure = explain(error).at(url(Endpoint::DeviceAuthorization));
            Failure { message: format!("the server gave no code: {}", failure.message), ..failure }
        }
        LoginError::Exchange(error) => explain(error).at(url(Endpoint::Token)),
        LoginError::Expired { .. } => expired(error),
        error => error.into(),
    }
}

/// What the server says, with advice for this flow.
fn explain(error: ExchangeError) -> Failure {
    let code = match &error {
        ExchangeError::Response(ResponseError::Server { error, .. }) => error.code().to_owned(),
        _ => String::new(),
    };
    let failure = Failure::from(error);
    match code.as_str() {
        "expired_token" => expired(&failure.message),
        "device_flow_disabled" | "invalid_client" | "unauthorized_client" | "unsupported_grant_type" => failure.advise(
            "check the client id; the client must be registered as a public client for sign-in on devices (device_code)",
        ),
        "invalid_grant" => Failure { kind: Kind::Refused, ..failure }.advise_command("start again with", COMMAND),
        _ => failure,
    }
}

fn expired(why: impl std::fmt::Display) -> Failure {
    Kind::TimedOut.because(why).advise_command("start again with", COMMAND)
}

const COMMAND: &str = "login --device";
