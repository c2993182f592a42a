//! [`Outcome`]: what is read of a flow's last response.

use crate::failure::Failure;
use crate::opaque::opaque;
use crate::pass::{GRANTED, KEPT};
use crate::tokens::Tokens;
use crate::values;
use proofkey_core::{Endpoint, Feature};
use std::mem;
use wasm_bindgen::JsValue;
use zeroize::Zeroize;

/// The result of a flow.
#[derive(Debug)]
pub enum Outcome {
    /// Of a search for metadata.
    Found(Server),
    /// Of a code exchange.
    Granted(Tokens),
    /// Of a refresh.
    Refreshed(Kept),
    /// Of a revocation.
    Revoked,
}

impl From<Outcome> for JsValue {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Found(server) => values::server(server.settings()),
            Outcome::Granted(tokens) => tokens.into(),
            Outcome::Refreshed(kept) => kept.into(),
            Outcome::Revoked => Self::UNDEFINED,
        }
    }
}

/// The result of a refresh.
pub struct Kept {
    refresh_token: Option<String>,
    tokens: Result<Tokens, Failure>,
}

impl Kept {
    pub(crate) const fn new(refresh_token: Option<String>, tokens: Result<Tokens, Failure>) -> Self {
        Self { refresh_token, tokens }
    }

    /// The new refresh token of the response, whatever else is wrong with it. Save it before you look at anything else: the
    /// old one may be spent.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref()
    }

    /// What this tells a [`Pass`](crate::Pass).
    #[must_use]
    pub fn event(&self) -> u32 {
        match &self.tokens {
            Ok(_) => GRANTED,
            Err(_) if self.refresh_token.is_some() => KEPT,
            Err(failure) => failure.event(),
        }
    }

    /// The tokens.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    pub const fn tokens(&self) -> Result<&Tokens, &Failure> {
        self.tokens.as_ref()
    }
}

impl From<Kept> for JsValue {
    fn from(mut kept: Kept) -> Self {
        let event = kept.event();
        let (tokens, error) = match mem::replace(&mut kept.tokens, Err(Failure::Stored)) {
            Ok(tokens) => (tokens.into(), Self::UNDEFINED),
            Err(failure) => (Self::UNDEFINED, failure.into()),
        };
        values::kept(kept.refresh_token(), event, tokens, error)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.refresh_token.zeroize();
    }
}

opaque!(Kept);

/// What a server's metadata names, as settings of a [`Client`](crate::Client): endpoints by their names there, `iss_parameter` if
/// every redirect carries `iss`, and `push` if every login has to be pushed.
#[derive(Debug)]
pub struct Server(String);

impl Server {
    /// The settings: names and values, which alternate, each in a line of its own.
    #[must_use]
    pub fn settings(&self) -> &str {
        &self.0
    }
}

impl From<proofkey_core::Server<'_>> for Server {
    fn from(server: proofkey_core::Server<'_>) -> Self {
        let mut settings = String::new();
        let mut add = |name, value| {
            for part in [name, "\n", value, "\n"] {
                settings.push_str(part);
            }
        };
        for endpoint in Endpoint::ALL {
            if let Some(url) = server.endpoint(*endpoint) {
                add(endpoint.name(), url);
            }
        }
        for (feature, name) in [(Feature::IssParameter, "iss_parameter"), (Feature::PushRequired, "push")] {
            if server.has(feature) {
                add(name, "");
            }
        }
        Self(settings)
    }
}
