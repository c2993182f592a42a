//! [`Client`]: where every flow starts.

use crate::failure::{Failure, OutOfBytes};
use crate::steps::{Grant, Refresh, Revocation};
use crate::wire::opaque;
use proofkey_core::{ClientBuf, Endpoint, Feature, Pending, Redirect, Server};
use rand_core::{TryCryptoRng, TryRng};
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};
use std::fmt;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroize;

/// A public client at one server.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client(ClientBuf);

#[wasm_bindgen]
impl Client {
    /// A client as it is registered, at a server whose endpoints are known.
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

    /// Begins a login. `scope` is words with a space between them; `extra` is names and values in turn; `random` is 64
    /// fresh bytes from the browser's generator.
    ///
    /// # Errors
    /// `config` or `random`.
    pub fn authorize(&self, scope: &str, extra: Vec<String>, random: &[u8]) -> Result<Login, Failure> {
        let scope: Vec<&str> = scope.split(' ').filter(|word| !word.is_empty()).collect();
        let (extra, _) = extra.as_chunks();
        let extra: Vec<(&str, &str)> = extra.iter().map(|[name, value]| (name.as_str(), value.as_str())).collect();
        let (url, pending) = self.0.as_client().authorize(&scope, &mut Bytes(random))?;
        let url = url.with(&extra)?.to_string();
        Ok(Login { url, pending: Written(&pending).to_string() })
    }

    /// Whether a redirect carries the state of this login.
    #[must_use]
    pub fn matches(&self, pending: &str, redirect: &str) -> bool {
        read_pending(pending).is_ok_and(|pending| pending.matches(self.0.as_client(), Redirect::Url(redirect)))
    }

    /// Checks the redirect, a whole URL, and makes the request for the tokens of it.
    ///
    /// # Errors
    /// `callback`, `server`, `state`: the login is over. `storage`: `pending` is none.
    pub fn accept(&self, pending: String, redirect: String) -> Result<Grant, Failure> {
        Grant::new(self.0.clone(), pending, redirect)
    }

    /// Asks for a new access token.
    #[must_use]
    pub fn refresh(&self, refresh_token: String) -> Refresh {
        Refresh::new(self.0.clone(), refresh_token)
    }

    /// Ends the access token, or the refresh token if `refresh` is set.
    #[must_use]
    pub fn revoke(&self, token: String, refresh: bool) -> Revocation {
        Revocation::new(self.0.clone(), token, refresh)
    }
}

/// A login that has begun.
#[wasm_bindgen]
pub struct Login {
    url: String,
    pending: String,
}

#[wasm_bindgen]
impl Login {
    /// Where to send the browser.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// What the redirect is checked against: a secret, to keep for this login alone.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn pending(&self) -> String {
        self.pending.clone()
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        self.pending.zeroize();
    }
}

opaque!(Login);

pub(crate) fn read_pending(text: &str) -> Result<Pending, Failure> {
    let text: StrDeserializer<'_, Error> = text.into_deserializer();
    Pending::deserialize(text).map_err(|_| Failure::Stored)
}

/// A formatter is serde's smallest serializer: it writes the one string that a pending login is.
struct Written<'a>(&'a Pending);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

/// Randomness that the caller has drawn. Each byte is used once.
struct Bytes<'a>(&'a [u8]);

impl TryRng for Bytes<'_> {
    type Error = OutOfBytes;

    fn try_next_u32(&mut self) -> Result<u32, OutOfBytes> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, OutOfBytes> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), OutOfBytes> {
        let (drawn, rest) = self.0.split_at_checked(out.len()).ok_or(OutOfBytes)?;
        out.copy_from_slice(drawn);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Bytes<'_> {}
