//! [`Client`]: the start of every flow of a user.

use crate::failure::Failure;
use crate::flow::{Flow, Grant, Refresh, Revocation};
use crate::login::{Login, read_pending};
use crate::random::Drawn;
use proofkey_core::{ClientBuf, Endpoint, Feature, Redirect, Server};
use std::iter;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A public client at one server.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client(ClientBuf);

#[wasm_bindgen]
impl Client {
    /// A registered client, at a server whose endpoints are known.
    ///
    /// # Errors
    /// `config`: says which part cannot be used and why.
    #[wasm_bindgen(constructor)]
    pub fn new(
        client_id: &str,
        redirect_uri: &str,
        authorization_endpoint: &str,
        token_endpoint: &str,
        revocation_endpoint: Option<String>,
        issuer: Option<String>,
        iss_parameter: bool,
    ) -> Result<Self, Failure> {
        let mut server = Server::new(authorization_endpoint, token_endpoint);
        if let Some(endpoint) = &revocation_endpoint {
            server = server.with(Endpoint::Revocation, endpoint);
        }
        if let Some(issuer) = &issuer {
            server = server.with_issuer(issuer);
        }
        if iss_parameter {
            server = server.with_feature(Feature::IssParameter);
        }
        Ok(Self(proofkey_core::Client::new(client_id, redirect_uri, server)?.into()))
    }

    /// Begins a login. `scope` is a list of words separated by spaces, `extra` alternates names and values, with a NUL between
    /// them, and `random` is
    /// 64 new random bytes.
    ///
    /// # Errors
    /// `config` or `random`.
    pub fn authorize(&self, scope: &str, extra: &str, random: &[u8]) -> Result<JsValue, Failure> {
        self.begin(scope, extra, random).map(JsValue::from)
    }

    /// Whether a redirect carries the state of this login.
    #[must_use]
    pub fn matches(&self, pending: &str, redirect: &str) -> bool {
        read_pending(pending).is_ok_and(|pending| pending.matches(self.0.as_client(), Redirect::Url(redirect)))
    }

    /// Checks a redirect, given as a full URL, and prepares the request for its tokens.
    ///
    /// # Errors
    /// `callback`, `server` or `state`: the login is over. `storage`: `pending` cannot be read.
    pub fn accept(&self, pending: String, redirect: String) -> Result<Flow, Failure> {
        Grant::new(self.0.clone(), pending, redirect).map(Flow::of)
    }

    /// Prepares the request for a new access token.
    #[must_use]
    pub fn refresh(&self, refresh_token: String) -> Flow {
        Flow::of(Refresh::new(self.0.clone(), refresh_token))
    }

    /// Prepares the request to revoke a token: the refresh token if `is_refresh` is set, else the access token.
    #[must_use]
    pub fn revoke(&self, token: String, is_refresh: bool) -> Flow {
        Flow::of(Revocation::new(self.0.clone(), token, is_refresh))
    }
}

impl Client {
    /// [`authorize`](Self::authorize) for Rust.
    ///
    /// # Errors
    /// `config` or `random`.
    pub fn begin(&self, scope: &str, extra: &str, random: &[u8]) -> Result<Login, Failure> {
        let scope: Vec<&str> = scope.split(' ').filter(|word| !word.is_empty()).collect();
        let mut parts = extra.split('\0');
        let extra: Vec<(&str, &str)> = iter::from_fn(|| Some((parts.next()?, parts.next()?))).collect();
        let (url, pending) = self.0.as_client().authorize(&scope, &mut Drawn(random))?;
        Ok(Login::new(url.with(&extra)?.to_string(), &pending))
    }
}
