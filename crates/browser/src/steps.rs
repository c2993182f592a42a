//! The requests of the flow: each has `request` and `read`.

use crate::client::read_pending;
use crate::failure::Failure;
use crate::wire::{Answer, Request, Tokens, opaque};
use proofkey_core::{
    AccessToken, ClientBuf, MetadataRequest, Redirect, RefreshToken, ResponseError, Revocable, RevocationRequest,
    TokenRequest, WellKnown,
};
use std::fmt;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroize;

/// A request for the tokens of a redirect that was checked.
#[wasm_bindgen]
pub struct Grant {
    client: ClientBuf,
    pending: String,
    redirect: String,
}

impl Grant {
    pub(crate) fn new(client: ClientBuf, pending: String, redirect: String) -> Result<Self, Failure> {
        let grant = Self { client, pending, redirect };
        grant.step()?;
        Ok(grant)
    }

    fn step(&self) -> Result<TokenRequest<'_>, Failure> {
        Ok(read_pending(&self.pending)?.accept(self.client.as_client(), Redirect::Url(&self.redirect))?)
    }
}

#[wasm_bindgen]
impl Grant {
    /// The request to send, once.
    ///
    /// # Errors
    /// None that `accept` did not have.
    pub fn request(&self) -> Result<Request, Failure> {
        Ok(self.step()?.request().into())
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    pub fn read(self, mut answer: Answer) -> Result<Tokens, Failure> {
        Ok(self.step()?.read(answer.as_response())?.into())
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.pending.zeroize();
        self.redirect.zeroize();
    }
}

/// A request for a new access token.
#[wasm_bindgen]
pub struct Refresh {
    client: ClientBuf,
    refresh_token: String,
}

impl Refresh {
    pub(crate) const fn new(client: ClientBuf, refresh_token: String) -> Self {
        Self { client, refresh_token }
    }

    fn step(&self) -> Result<TokenRequest<'_>, Failure> {
        Ok(self.client.as_client().refresh(RefreshToken::new(&self.refresh_token)?))
    }
}

#[wasm_bindgen]
impl Refresh {
    /// The request to send, once.
    ///
    /// # Errors
    /// `config` where the refresh token cannot be one.
    pub fn request(&self) -> Result<Request, Failure> {
        Ok(self.step()?.request().into())
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    pub fn read(self, mut answer: Answer) -> Result<Tokens, Failure> {
        Ok(self.step()?.read(answer.as_response())?.into())
    }
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.refresh_token.zeroize();
    }
}

/// A request to end a token.
#[wasm_bindgen]
pub struct Revocation {
    client: ClientBuf,
    token: String,
    refresh: bool,
}

impl Revocation {
    pub(crate) const fn new(client: ClientBuf, token: String, refresh: bool) -> Self {
        Self { client, token, refresh }
    }

    fn step(&self) -> Result<RevocationRequest<'_>, Failure> {
        let token = match self.refresh {
            true => Revocable::Refresh(RefreshToken::new(&self.token)?),
            false => Revocable::Access(AccessToken::new(&self.token)?),
        };
        Ok(self.client.as_client().revoke(token)?)
    }
}

#[wasm_bindgen]
impl Revocation {
    /// The request to send.
    ///
    /// # Errors
    /// `config` where the server has no revocation endpoint that is known, or the token cannot be one.
    pub fn request(&self) -> Result<Request, Failure> {
        Ok(self.step()?.request().into())
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// `response`, `server`, `status`; the token may still be valid then.
    pub fn read(self, mut answer: Answer) -> Result<(), Failure> {
        Ok(self.step()?.read(answer.as_response())?)
    }
}

impl Drop for Revocation {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

/// A request for an issuer's metadata, at one of its well-known addresses.
#[wasm_bindgen]
pub struct Discovery {
    issuer: String,
    well_known: WellKnown,
}

#[wasm_bindgen]
impl Discovery {
    /// Asks at the address `at` (from 0); none where there are no more of them.
    #[must_use]
    pub fn at(issuer: String, at: usize) -> Option<Self> {
        WellKnown::ALL.get(at).map(|well_known| Self { issuer, well_known: *well_known })
    }

    /// The request to send.
    ///
    /// # Errors
    /// `config` where the issuer cannot be one.
    pub fn request(&self) -> Result<Request, Failure> {
        Ok(self.step()?.request().into())
    }

    /// Reads the answer: none where there is no metadata at this address.
    ///
    /// # Errors
    /// `response` where what is found cannot be used.
    pub fn read(self, mut answer: Answer) -> Result<Option<Server>, Failure> {
        match self.step()?.read(answer.as_response()) {
            Ok(metadata) => Ok(Some(metadata.server().into())),
            Err(ResponseError::ContentType | ResponseError::Server { .. } | ResponseError::Status { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Discovery {
    fn step(&self) -> Result<MetadataRequest<'_>, Failure> {
        Ok(MetadataRequest::new(&self.issuer, self.well_known)?)
    }
}

/// What an issuer says of itself.
#[wasm_bindgen(getter_with_clone)]
pub struct Server {
    /// The authorization endpoint.
    #[wasm_bindgen(js_name = authorizationEndpoint)]
    pub authorization_endpoint: String,
    /// The token endpoint.
    #[wasm_bindgen(js_name = tokenEndpoint)]
    pub token_endpoint: String,
    /// The revocation endpoint, where there is one.
    #[wasm_bindgen(js_name = revocationEndpoint)]
    pub revocation_endpoint: Option<String>,
    /// Whether every redirect carries `iss`.
    #[wasm_bindgen(js_name = issParameter)]
    pub iss_parameter: bool,
}

impl From<proofkey_core::Server<'_>> for Server {
    fn from(server: proofkey_core::Server<'_>) -> Self {
        Self {
            authorization_endpoint: server.authorization_endpoint().to_owned(),
            token_endpoint: server.token_endpoint().to_owned(),
            revocation_endpoint: server.revocation_endpoint().map(str::to_owned),
            iss_parameter: server.iss_parameter(),
        }
    }
}

opaque!(Discovery Grant Refresh Revocation Server);
