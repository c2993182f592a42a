//! The settings that a login sends, and advice if the server does not accept them.

use crate::errors;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use proofkey_core::{AuthorizeError, CallbackError, Client, Endpoint, ResponseError, ServerError};
use proofkey_ureq::{ExchangeError, LoginError};

/// The registered values that a login sends. If the server does not know one of them it must not redirect, and only the
/// browser shows that.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The client id.
    pub client_id: &'a str,
    /// The redirect URI as it is sent, with its port.
    pub redirect_uri: &'a str,
    /// The redirect URI as it was given, perhaps without a port.
    pub given: &'a str,
}

impl Sent<'_> {
    /// Advice for an error page in the browser.
    pub fn error_page(&self) -> String {
        let Self { client_id, redirect_uri, .. } = self;
        format!(
            "If the browser shows an error page, check the client id (`{client_id}`) and the redirect URI (`{redirect_uri}`)."
        )
    }

    /// The failure if the user did not come back in time.
    pub fn timed_out(&self, message: impl std::fmt::Display) -> Failure {
        let Self { client_id, redirect_uri, .. } = self;
        Kind::TimedOut.because(message).advise(format_args!(
            "if the browser shows an error page, check the client id (`{client_id}`) and the redirect URI \
             (`{redirect_uri}`){}\n  to wait longer, use --timeout SECONDS",
            self.port()
        ))
    }

    /// The failure if the redirect was not accepted, or is the server's refusal.
    pub fn not_accepted(&self, error: CallbackError) -> Failure {
        let is_registration = matches!(&error, CallbackError::Server(words) if is_registration(words));
        let failure = Failure::from(error);
        if is_registration { self.check_registration(failure) } else { failure }
    }

    /// The failure if the code could not be exchanged.
    pub fn not_exchanged(&self, error: ExchangeError, client: Client<'_>) -> Failure {
        let is_registration = matches!(&error, ExchangeError::Response(ResponseError::Server { error: words, .. }) if is_registration(words));
        let failure = Failure::from(error).at(client.server().endpoint(Endpoint::Token).unwrap_or_default());
        match failure.kind {
            // The grant is a code here.
            Kind::LoginRequired => Failure { kind: Kind::Refused, ..failure }.advise_command(
                &format!(
                    "the code had expired or was used before, or the code verifier or the redirect URI did not match: check that \
                     `{}` is registered exactly so{}\n  then sign in again with",
                    self.redirect_uri,
                    self.port()
                ),
                "login",
            ),
            _ if is_registration => self.check_registration(failure),
            _ => failure,
        }
    }

    /// The failure of a login.
    pub fn failed(&self, error: LoginError, client: Client<'_>, settings: &Settings) -> Failure {
        match error {
            LoginError::Callback(error) => self.not_accepted(error),
            LoginError::Exchange(error) => self.not_exchanged(error, client),
            LoginError::Push(error) => not_pushed(error, client),
            LoginError::TimedOut => self.timed_out(LoginError::TimedOut),
            LoginError::Authorize(AuthorizeError::Config(error)) | LoginError::Config(error) => {
                errors::not_sendable(error, settings)
            }
            error => error.into(),
        }
    }

    fn check_registration(&self, failure: Failure) -> Failure {
        let Self { client_id, redirect_uri, .. } = self;
        failure.advise(format_args!(
            "check that the client id `{client_id}` and the redirect URI `{redirect_uri}` are registered exactly so{}",
            self.port()
        ))
    }

    /// Advice for a server that compares the port too, which RFC 8252 section 7.3 forbids.
    fn port(&self) -> String {
        if self.given == self.redirect_uri {
            return String::new();
        }
        let (scheme, rest) = self.given.split_once("://").unwrap_or(("http", self.given));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        format!(
            "\n  if the server demands the port that is registered, use --redirect-uri {scheme}://{host}:PORT{path}"
        )
    }
}

/// The failure if the parameters of the login could not be pushed.
pub fn not_pushed(error: ExchangeError, client: Client<'_>) -> Failure {
    let endpoint = client.server().endpoint(Endpoint::PushedAuthorization).unwrap_or_default();
    let failure = Failure::from(error).at(endpoint);
    Failure { message: format!("the login could not be sent to the server: {}", failure.message), ..failure }
}

/// Whether the server's words may be about the client id or the redirect URI.
fn is_registration(words: &ServerError) -> bool {
    let codes = ["invalid_redirect_uri", "invalid_request", "redirect_uri_mismatch"];
    !errors::is_explained(words)
        && (codes.contains(&words.code())
            || words.description().is_some_and(|text| text.to_lowercase().contains("redirect")))
}
