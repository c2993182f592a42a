//! `proofkey status`: profile, server and expiry of the sign-ins.

use crate::args::{self, Select, StoreKind};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::logins::Login;
use crate::output::{self, STRONG};
use crate::time::{Span, Utc, now};
use crate::who::Who;
use serde::Serialize;
use std::fmt;

/// Shows one login, or all.
///
/// # Errors
/// [`Kind::LoginRequired`] if nobody is signed in.
pub fn run(args: &args::Status, select: &Select, config: &Config) -> Result<(), Failure> {
    if !args.all {
        let login = Login::load(&config.name(select), config)?;
        let status = Status::of(&login);
        status.warn(&login);
        if args.json {
            output::json(&status)?
        } else {
            output::styled(&status)?
        }
        return if status.signed_in { Ok(()) } else { Err(ended(&login)) };
    }
    let mut logins = Vec::new();
    for login in Login::load_all()? {
        match login {
            Ok(login) => logins.push(login),
            Err(failure) => output::warn(&failure.message),
        }
    }
    logins.sort_by(|a, b| a.name.cmp(&b.name));
    let all: Vec<Status<'_>> = logins.iter().map(Status::of).collect();
    all.iter().zip(&logins).for_each(|(status, login)| status.warn(login));
    if args.json {
        output::json(&all)?;
    } else {
        for status in &all {
            output::styled(status)?;
        }
    }
    match all.iter().any(|status| status.signed_in) {
        true => Ok(()),
        false => {
            Err(Kind::LoginRequired.because("not signed in to any profile").advise("sign in with `proofkey login`"))
        }
    }
}

fn ended(login: &Login) -> Failure {
    let name = &login.name;
    let why = login.ended().map(|why| format!(": {why}")).unwrap_or_default();
    Kind::LoginRequired
        .because(format_args!("sign-in expired{why} ({name})"))
        .advise(format_args!("sign in again with `{}`", name.command("login")))
}

#[derive(Serialize)]
struct Status<'a> {
    profile: &'a str,
    account: &'a str,
    /// None if the server was given by its endpoints.
    issuer: Option<&'a str>,
    client_id: &'a str,
    /// None if the server did not say.
    user: Option<Who<'a>>,
    /// Whether the tokens are bound to a key.
    bound: bool,
    scope: Vec<&'a str>,
    /// Whether `proofkey token` can give a token without the user.
    signed_in: bool,
    /// Seconds since 1970, if the server gave the lifetime.
    expires_at: Option<u64>,
    refreshable: bool,
    /// Why the server no longer accepts the refresh token, if that is so.
    ended: Option<&'a str>,
    /// The seconds that are left of a pause that the server asked for; 0 if there is none.
    pause: u32,
    store: StoreKind,
    #[serde(skip)]
    server: &'a str,
}

impl<'a> Status<'a> {
    fn of(login: &'a Login) -> Self {
        let refreshable = login.record.refresh_token.is_some();
        Self {
            profile: &login.name.profile,
            account: &login.name.account,
            issuer: login.settings.server.issuer(),
            client_id: &login.settings.client_id,
            user: Who::of(&login.record),
            bound: login.record.bound_to.is_some(),
            scope: login.scope(),
            signed_in: refreshable || !login.is_expired(),
            expires_at: login.lifetime().expires_at(),
            refreshable,
            ended: login.ended(),
            pause: login.row.pause,
            store: login.settings.store,
            server: login.settings.server.name(),
        }
    }

    fn warn(&self, login: &Login) {
        if let Some(who) = &self.user {
            who.warn_if_not(&login.name, login.settings.is_named_after_user);
        }
    }

    fn validity(&self) -> String {
        let now = now();
        match self.expires_at {
            None => "the server does not say how long it is valid".to_owned(),
            Some(end) if end <= now => format!("expired {}", Utc(end)),
            Some(end) => format!("valid for {} more, until {}", Span(end - now), Utc(end)),
        }
    }
}

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.signed_in { "signed in" } else { "sign-in expired" };
        writeln!(f, "{STRONG}{}{STRONG:#}, account {}: {word}", self.profile, self.account)?;
        writeln!(f, "  server   {}", self.server)?;
        writeln!(f, "  client   {}", self.client_id)?;
        if let Some(who) = &self.user {
            writeln!(f, "  user     {who}")?;
        }
        let scope = if self.scope.is_empty() { "the server's default".to_owned() } else { self.scope.join(" ") };
        writeln!(f, "  scope    {scope}")?;
        let bound = if self.bound { ", bound to a key" } else { "" };
        writeln!(f, "  token    {}{bound}", self.validity())?;
        match self.ended {
            None if self.refreshable && self.pause > 0 => {
                writeln!(f, "  renewed  after a pause of {} that the server asked for", Span(self.pause.into()))?
            }
            None if self.refreshable => writeln!(f, "  renewed  automatically")?,
            None => writeln!(f, "  renewed  by signing in again")?,
            Some(why) => writeln!(f, "  renewed  no longer: {why}")?,
        }
        let store = match self.store {
            StoreKind::File => "a file that only you can read",
            StoreKind::Keyring => "the system's keyring",
        };
        write!(f, "  kept in  {store}")
    }
}
