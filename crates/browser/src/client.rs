//! [`Client`]: the start of every flow of a user.

use crate::failure::Failure;
use crate::flow::{Flow, Grant, Refresh, Revocation};
use crate::login::{Login, read_pending};
use crate::parts::Parts;
use crate::random::Drawn;
use proofkey_core::{ClientBuf, Endpoint, Feature, Redirect, Server, Thumbprint};
use std::iter;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A public client at one server.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client(Rc<ClientBuf>);

#[wasm_bindgen]
impl Client {
    /// A registered client at a server. `settings` are names and values, which alternate, each in a line of its own: those of
    /// [`Server`](crate::Server), and `client_id`, `redirect_uri`, `issuer` and `dpop_jkt`. Others are for others.
    ///
    /// # Errors
    /// `config`: says which part cannot be used and why.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str) -> Result<Self, Failure> {
        let mut server = Server::new("", "");
        let (mut client_id, mut redirect_uri, mut key) = ("", "", None);
        let mut lines = Parts::of(settings, b'\n');
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            match name {
                "client_id" => client_id = value,
                "redirect_uri" => redirect_uri = value,
                "dpop_jkt" => key = Thumbprint::new(value),
                "issuer" => server = server.with_issuer(value),
                "iss_parameter" => server = server.with_feature(Feature::IssParameter),
                _ => {
                    if let Some(endpoint) = Endpoint::ALL.iter().find(|endpoint| endpoint.name() == name) {
                        server = server.with(*endpoint, value);
                    }
                }
            }
        }
        let mut client = proofkey_core::Client::new(client_id, redirect_uri, server)?;
        if let Some(key) = &key {
            client = client.bound_to_thumbprint(key)?;
        }
        Ok(Self(Rc::new(client.into())))
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
        Grant::new(Rc::clone(&self.0), pending, redirect).map(Flow::of)
    }

    /// Prepares the request for a new access token.
    #[must_use]
    pub fn refresh(&self, refresh_token: String) -> Flow {
        Flow::of(Refresh::new(Rc::clone(&self.0), refresh_token))
    }

    /// Prepares the request to revoke a token: the refresh token if `is_refresh` is set, else the access token.
    #[must_use]
    pub fn revoke(&self, token: String, is_refresh: bool) -> Flow {
        Flow::of(Revocation::new(Rc::clone(&self.0), token, is_refresh))
    }
}

impl Client {
    /// [`authorize`](Self::authorize) for Rust.
    ///
    /// # Errors
    /// `config` or `random`.
    pub fn begin(&self, scope: &str, extra: &str, random: &[u8]) -> Result<Login, Failure> {
        let scope: Vec<&str> = Parts::of(scope, b' ').filter(|word| !word.is_empty()).collect();
        let mut parts = Parts::of(extra, 0);
        let extra: Vec<(&str, &str)> = iter::from_fn(|| Some((parts.next()?, parts.next()?))).collect();
        let (url, pending) = self.0.as_client().authorize(&scope, &mut Drawn(random))?;
        Ok(Login::new(url.with(&extra)?.to_string(), &pending))
    }
}
