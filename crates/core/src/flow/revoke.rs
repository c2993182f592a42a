//! Token revocation (RFC 7009): signing out at the server.

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ConfigError, ResponseError, UriFault};
use crate::flow::{Flow, RefreshToken, Step};
use crate::message::{AccessToken, Form, Identity, Request, Response, refusal};
use crate::wire::form::{FieldWriter, Value};
use core::fmt;

impl<'a> Client<'a> {
    /// Ends a token at the server. Many servers end the whole grant when its refresh token is revoked.
    ///
    /// ```
    /// use proofkey_core::{Client, RefreshToken, Response, Revocable, Server};
    ///
    /// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
    /// let request = client.revoke(Revocable::Refresh(RefreshToken::new("RT1")?))?;
    /// let mut body = String::new();
    /// request.request().write_body(&mut body)?;
    /// assert_eq!(body, "token=RT1&token_type_hint=refresh_token&client_id=my-app");
    /// request.read(Response::new(200, &mut []))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Endpoint`] if the server has no revocation endpoint that is known.
    pub fn revoke(self, token: Revocable<'a>) -> Result<RevocationRequest<'a>, ConfigError> {
        let endpoint = self.server().endpoint(Endpoint::Revocation);
        let endpoint = endpoint.ok_or(ConfigError::Endpoint(Endpoint::Revocation, UriFault::Absent))?;
        Ok(RevocationRequest { identity: self.identity(), endpoint, token })
    }
}

/// A token that can be revoked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Revocable<'a> {
    /// An access token.
    Access(AccessToken<'a>),
    /// A refresh token.
    Refresh(RefreshToken<'a>),
}

/// A request to revoke a token (RFC 7009 section 2.1).
#[derive(Clone, Copy)]
pub struct RevocationRequest<'a> {
    identity: Identity<'a>,
    endpoint: &'a str,
    token: Revocable<'a>,
}

impl RevocationRequest<'_> {
    /// The request to send.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request::post(self.endpoint, self).with_identity(&self.identity)
    }

    /// Reads the answer (section 2.2): any 2xx says that the token is no longer valid, whatever the body; so does
    /// `invalid_token`, which servers that know RFC 6750 better answer for a token that has ended.
    ///
    /// # Errors
    /// [`ResponseError`]; the token may still be valid then (section 2.2.1).
    pub fn read(self, response: Response<'_>) -> Result<(), ResponseError> {
        if let 200..=299 = response.status {
            return Ok(());
        }
        match refusal(response) {
            ResponseError::Server { error, status: 400, .. } if error.code() == "invalid_token" => Ok(()),
            error => Err(error),
        }
    }
}

impl Flow for RevocationRequest<'_> {
    fn step(&mut self, _now: u64) -> Step<'_> {
        Step::Send(self.request())
    }
}

impl Form for RevocationRequest<'_> {
    fn write(&self, fields: &mut FieldWriter<'_>) -> fmt::Result {
        let (token, hint) = match self.token {
            Revocable::Access(token) => (token.expose(), "access_token"),
            Revocable::Refresh(token) => (token.expose(), "refresh_token"),
        };
        fields.field("&token=", Value::Plain(token))?;
        fields.field("&token_type_hint=", Value::Literal(hint))?;
        self.identity.write_id(fields)?;
        self.identity.write_secret(fields)
    }
}

impl fmt::Debug for RevocationRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationRequest")
            .field("client_id", &self.identity.id)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
