//! [`Outcome`]: what is read of a flow's last response.

use crate::failure::Failure;
use crate::opaque::opaque;
use crate::pass::{GRANTED, KEPT};
use crate::tokens::Tokens;
use proofkey_core::{Endpoint, Feature};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
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
            Outcome::Found(server) => server.into(),
            Outcome::Granted(tokens) => tokens.into(),
            Outcome::Refreshed(kept) => kept.into(),
            Outcome::Revoked => Self::UNDEFINED,
        }
    }
}

/// The result of a refresh: the new refresh token first, then the tokens or why there are none.
#[wasm_bindgen]
pub struct Kept {
    refresh_token: Option<String>,
    tokens: Option<Tokens>,
    failure: Option<Failure>,
}

impl Kept {
    pub(crate) fn new(refresh_token: Option<String>, tokens: Result<Tokens, Failure>) -> Self {
        match tokens {
            Ok(tokens) => Self { refresh_token, tokens: Some(tokens), failure: None },
            Err(failure) => Self { refresh_token, tokens: None, failure: Some(failure) },
        }
    }
}

#[wasm_bindgen]
impl Kept {
    /// The new refresh token of the response, whatever else is wrong with it. Save it before you look at anything else: the
    /// old one may be spent.
    #[wasm_bindgen(getter, js_name = refreshToken)]
    #[must_use]
    pub fn refresh_token(&self) -> Option<String> {
        self.refresh_token.clone()
    }

    /// What this tells a [`Pass`](crate::Pass).
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn event(&self) -> u32 {
        match &self.failure {
            None => GRANTED,
            Some(failure) => match failure.event() {
                _ if self.refresh_token.is_some() => KEPT,
                event => event,
            },
        }
    }

    /// The tokens. A second call returns nothing.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    #[wasm_bindgen(js_name = takeTokens)]
    pub fn take_tokens(&mut self) -> Result<Option<Tokens>, JsValue> {
        self.failure.take().map_or_else(|| Ok(self.tokens.take()), |failure| Err(failure.into()))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.refresh_token.zeroize();
    }
}

opaque!(Kept);

/// The endpoints and features that a server's metadata names.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Server {
    /// The authorization endpoint.
    #[wasm_bindgen(js_name = authorizationEndpoint)]
    pub authorization_endpoint: String,
    /// The token endpoint.
    #[wasm_bindgen(js_name = tokenEndpoint)]
    pub token_endpoint: String,
    /// The revocation endpoint, if there is one.
    #[wasm_bindgen(js_name = revocationEndpoint)]
    pub revocation_endpoint: Option<String>,
    /// Whether every redirect carries `iss`.
    #[wasm_bindgen(js_name = issParameter)]
    pub iss_parameter: bool,
}

impl From<proofkey_core::Server<'_>> for Server {
    fn from(server: proofkey_core::Server<'_>) -> Self {
        Self {
            authorization_endpoint: server.endpoint(Endpoint::Authorization).unwrap_or_default().to_owned(),
            token_endpoint: server.endpoint(Endpoint::Token).unwrap_or_default().to_owned(),
            revocation_endpoint: server.endpoint(Endpoint::Revocation).map(str::to_owned),
            iss_parameter: server.has(Feature::IssParameter),
        }
    }
}
