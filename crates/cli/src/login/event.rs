//! The events of a login, for people or as JSON.

use super::previous::Previous;
use super::qr;
use crate::failure::Failure;
use crate::logins;
use crate::name::Name;
use crate::output::{self, STRONG};
use crate::settings::Settings;
use crate::time::{Span, now};
use crate::who::Who;
use proofkey_core::{Lifetime, Prompt};
use proofkey_native::Record;
use serde::Serialize;

/// An event.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event<'a> {
    /// The user has to open a URL.
    AuthorizationUrl {
        /// The URL.
        url: &'a str,
        /// Whether a browser was opened.
        opened: bool,
        /// Whether the user has to paste the redirect.
        #[serde(skip)]
        paste: bool,
    },
    /// The user has to enter a code on another device.
    DeviceCode {
        /// The code.
        user_code: &'a str,
        /// Where to enter it.
        verification_uri: &'a str,
        /// The same address with the code in it; null if the server has none.
        verification_uri_complete: Option<&'a str>,
        /// How long the code is valid, in seconds.
        expires_in: u32,
        /// Whether it is automatic, because no browser can be opened here.
        unasked: bool,
    },
    /// The login is done, and the tokens are stored.
    SignedIn {
        /// The profile.
        profile: &'a str,
        /// The account.
        account: &'a str,
        /// The user; null if the server did not say who that is.
        user: Option<Who<'a>>,
        /// The issuer, if it is known.
        issuer: Option<&'a str>,
        /// The issuer, or else the authorization endpoint.
        #[serde(skip)]
        server: &'a str,
        /// The scopes that were granted.
        scope: Vec<&'a str>,
        /// The scopes that were requested and not granted.
        missing_scope: Vec<&'a str>,
        /// Seconds since 1970; null if the server did not say.
        expires_at: Option<u64>,
        /// Whether there is a refresh token.
        refreshable: bool,
        /// The fate of the previous sign-in's refresh token; null if there was none.
        previous_refresh_token: Option<Previous>,
        /// The name of the login.
        #[serde(skip)]
        name: &'a Name,
    },
    /// The pasted text is not the redirect.
    TryAgain {
        /// Why.
        message: &'a str,
        /// How many tries are left.
        tries_left: usize,
    },
    /// The program waits for the redirect.
    Waiting {
        /// The redirect URI.
        redirect_uri: &'a str,
        /// How long.
        seconds: u32,
        /// Advice for an error page in the browser.
        hint: &'a str,
        /// Whether the user has to paste it.
        #[serde(skip)]
        paste: bool,
    },
}

impl<'a> Event<'a> {
    /// The user has to enter a code on another device.
    pub fn device_code(prompt: &Prompt<'a>, unasked: bool) -> Self {
        Self::DeviceCode {
            user_code: prompt.user_code(),
            verification_uri: prompt.verification_uri(),
            verification_uri_complete: prompt.verification_uri_complete(),
            expires_in: prompt.expires_in(),
            unasked,
        }
    }

    /// The login is done.
    pub fn signed_in(name: &'a Name, settings: &'a Settings, record: &'a Record, previous: Option<Previous>) -> Self {
        let scope = logins::scope(record);
        let missing_scope = settings.scope().into_iter().filter(|word| !scope.contains(word)).collect();
        Self::SignedIn {
            profile: &name.profile,
            account: &name.account,
            user: Who::of(record),
            issuer: settings.server.issuer(),
            server: settings.server.name(),
            scope,
            missing_scope,
            expires_at: Lifetime::new(record.requested_at, record.expires_in).expires_at(),
            refreshable: record.refresh_token.is_some(),
            previous_refresh_token: previous,
            name,
        }
    }

    /// Writes it: as JSON to standard output, or in words to standard error.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn show(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            return output::json(self);
        }
        match self {
            Self::AuthorizationUrl { url, opened: true, .. } => {
                output::note(format_args!("Opening your browser. If nothing happens, go to:\n\n{url}\n"));
            }
            Self::AuthorizationUrl { url, paste: false, .. } => output::note(format_args!(
                "To sign in, open this URL in a browser on this machine (for another machine, use --paste):\n\n{url}\n"
            )),
            Self::AuthorizationUrl { url, paste: true, .. } => {
                output::note(format_args!("To sign in, open this URL in any browser:\n\n{url}\n"));
                output::note(
                    "When you are done, copy the whole address of the page where you end up\n\
                     (the browser may say that it cannot be reached), and paste it here:",
                );
            }
            Self::DeviceCode { user_code, verification_uri, verification_uri_complete, unasked, .. } => {
                if *unasked {
                    output::note(
                        "No browser can be opened on this machine, so sign in on another device, such as your phone\n\
                         (otherwise use --no-browser or --paste).\n",
                    );
                }
                output::note(format_args!(
                    "To sign in, open this address on any device:\n\n  {verification_uri}\n\n\
                     and enter this code there:\n\n  {STRONG}{user_code}{STRONG:#}\n"
                ));
                if let Some(code) = qr::for_terminal(verification_uri_complete.unwrap_or(verification_uri)) {
                    output::note(code);
                    output::note("");
                }
                output::note(format_args!(
                    "Go on only if you started this sign-in yourself, and the page shows {user_code} or asks for it.\n\
                     Never enter a code that somebody sent you."
                ));
            }
            Self::SignedIn {
                profile,
                account,
                user,
                server,
                missing_scope,
                expires_at,
                refreshable,
                previous_refresh_token,
                name,
                ..
            } => {
                let who = user.as_ref().map(|who| format!(" as {who}")).unwrap_or_default();
                output::note(format_args!(
                    "{STRONG}Signed in{STRONG:#}{who} at {server} (profile {profile}, account {account})."
                ));
                if !missing_scope.is_empty() {
                    output::warn(format_args!("not granted: {}", missing_scope.join(" ")));
                }
                let valid = expires_at.map(|end| format!("The token is valid for {}", Span(end.saturating_sub(now()))));
                let valid = valid.unwrap_or_else(|| "The server did not say how long the token is valid".to_owned());
                let renewal =
                    if *refreshable { "; it is renewed automatically" } else { "; after that, sign in again" };
                output::note(format_args!("{valid}{renewal}."));
                if let Some(previous) = previous_refresh_token {
                    previous.note(name);
                }
            }
            Self::TryAgain { message, tries_left: 0 } => output::note(message),
            Self::TryAgain { message, tries_left } => {
                let tries = if *tries_left == 1 { "one try" } else { &format!("{tries_left} tries") };
                output::note(format_args!("{message} ({tries} left):"));
            }
            Self::Waiting { seconds, hint, paste: true, .. } => {
                output::note(format_args!("({hint}\nYou have {}. Press Ctrl-C to cancel.)", Span((*seconds).into())));
            }
            // The countdown shows it.
            Self::Waiting { .. } => {}
        }
        Ok(())
    }
}
