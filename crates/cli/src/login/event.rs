//! What happens during a login, told to people or to programs.

use crate::failure::Failure;
use crate::logins::Login;
use crate::output::{self, STRONG};
use crate::time::{Span, now};
use serde::Serialize;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event<'a> {
    /// The user is sent to the server.
    AuthorizationUrl {
        /// Where to.
        url: &'a str,
        /// Whether a browser was opened there.
        opened: bool,
        /// Whether the user is to bring the redirect back by hand.
        #[serde(skip)]
        paste: bool,
    },
    /// The login is done, and the tokens are stored.
    SignedIn {
        /// The profile.
        profile: &'a str,
        /// The account.
        account: &'a str,
        /// The issuer, or the authorization endpoint where none is known.
        issuer: &'a str,
        /// What was granted.
        scope: Vec<&'a str>,
        /// What was asked for and not granted.
        missing_scope: &'a [String],
        /// Seconds since 1970; none where the server did not tell.
        expires_at: Option<u64>,
        /// Whether there is a refresh token.
        refreshable: bool,
    },
    /// What was pasted is not the redirect.
    TryAgain {
        /// Why.
        message: &'a str,
        /// How many tries are left.
        tries_left: usize,
    },
    /// The redirect is awaited.
    Waiting {
        /// Where.
        redirect_uri: &'a str,
        /// How long.
        seconds: u32,
        /// Whether the user is to bring it.
        #[serde(skip)]
        paste: bool,
    },
}

impl<'a> Event<'a> {
    /// That the login is done.
    pub fn signed_in(login: &'a Login, missing_scope: &'a [String]) -> Self {
        Self::SignedIn {
            profile: &login.name.profile,
            account: &login.name.account,
            issuer: login.settings.server.name(),
            scope: login.scope(),
            missing_scope,
            expires_at: login.lifetime().expires_at(),
            refreshable: login.record.refresh_token.is_some(),
        }
    }

    /// Tells it: as JSON on the standard output, or in words on the standard error.
    ///
    /// # Errors
    /// Where the standard output cannot be written.
    pub fn show(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            return output::json(self);
        }
        match self {
            Self::AuthorizationUrl { url, opened: true, .. } => {
                output::note(format_args!("Your browser opens to sign you in. If it does not, go to:\n\n{url}\n"));
            }
            Self::AuthorizationUrl { url, paste: false, .. } => output::note(format_args!(
                "To sign in, open this address in a browser on this machine (on another one: `--paste`):\n\n{url}\n"
            )),
            Self::AuthorizationUrl { url, paste: true, .. } => {
                output::note(format_args!("To sign in, open this address in any browser:\n\n{url}\n"));
                output::note(
                    "When you are done, copy the whole address of the page that you end up at\n\
                     (it may be an error page), and paste it here:",
                );
            }
            Self::SignedIn { profile, account, issuer, missing_scope, expires_at, refreshable, .. } => {
                output::note(format_args!(
                    "{STRONG}Signed in{STRONG:#} at {issuer} (profile {profile}, account {account})."
                ));
                if !missing_scope.is_empty() {
                    output::warn(format_args!("not granted: {}", missing_scope.join(" ")));
                }
                let valid = expires_at.map(|end| format!("The token is valid for {}", Span(end.saturating_sub(now()))));
                let valid = valid.unwrap_or_else(|| "The server does not tell how long the token is valid".to_owned());
                let renewal = if *refreshable { "; it is renewed by itself" } else { "; then you sign in again" };
                output::note(format_args!("{valid}{renewal}."));
            }
            Self::TryAgain { message, tries_left: 0 } => output::note(message),
            Self::TryAgain { message, tries_left } => {
                let tries = if *tries_left == 1 { "one try" } else { &format!("{tries_left} tries") };
                output::note(format_args!("{message} ({tries} left):"));
            }
            Self::Waiting { seconds, paste: true, .. } => {
                output::note(format_args!("(You have {}. Ctrl-C ends it.)", Span((*seconds).into())));
            }
            // The countdown shows it.
            Self::Waiting { .. } => {}
        }
        Ok(())
    }
}
