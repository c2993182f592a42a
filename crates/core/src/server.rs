//! [`Server`]: what is known of an authorization server.

use crate::check::{check_endpoint, check_issuer, is_https};
use crate::error::{ConfigError, UriFault};

/// An authorization server's endpoints (RFC 6749 section 3). [`Client::new`] checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server<'a> {
    pub(crate) authorization_endpoint: &'a str,
    pub(crate) token_endpoint: &'a str,
    pub(crate) revocation_endpoint: Option<&'a str>,
    pub(crate) issuer: Option<&'a str>,
    pub(crate) iss_parameter: bool,
}

impl Server<'static> {
    /// The iTwin platform's (Bentley IMS).
    pub const ITWIN: Self =
        Self::new("https://ims.bentley.com/connect/authorize", "https://ims.bentley.com/connect/token")
            .with_issuer("https://ims.bentley.com")
            .with_revocation_endpoint("https://ims.bentley.com/connect/revocation");
}

impl<'a> Server<'a> {
    /// A server of which no more is known. Endpoints are https; plain http is for a loopback address only.
    #[must_use]
    pub const fn new(authorization_endpoint: &'a str, token_endpoint: &'a str) -> Self {
        Self { authorization_endpoint, token_endpoint, revocation_endpoint: None, issuer: None, iss_parameter: false }
    }

    /// The issuer identifier, exactly as the server writes it. A redirect's `iss` is then compared with it (RFC 9207).
    #[must_use]
    pub const fn with_issuer(self, issuer: &'a str) -> Self {
        Self { issuer: Some(issuer), ..self }
    }

    /// The server promises an `iss` in every redirect (`authorization_response_iss_parameter_supported`, RFC 9207
    /// section 3): one without it is refused.
    #[must_use]
    pub const fn with_iss_parameter(self) -> Self {
        Self { iss_parameter: true, ..self }
    }

    /// Adds the endpoint at which tokens are revoked (RFC 7009).
    #[must_use]
    pub const fn with_revocation_endpoint(self, endpoint: &'a str) -> Self {
        Self { revocation_endpoint: Some(endpoint), ..self }
    }

    /// The authorization endpoint.
    #[must_use]
    pub const fn authorization_endpoint(&self) -> &'a str {
        self.authorization_endpoint
    }

    /// The token endpoint.
    #[must_use]
    pub const fn token_endpoint(&self) -> &'a str {
        self.token_endpoint
    }

    /// The revocation endpoint, if it is known.
    #[must_use]
    pub const fn revocation_endpoint(&self) -> Option<&'a str> {
        self.revocation_endpoint
    }

    /// The issuer, if it is known.
    #[must_use]
    pub const fn issuer(&self) -> Option<&'a str> {
        self.issuer
    }

    /// Whether the server promises an `iss` in every redirect.
    #[must_use]
    pub const fn iss_parameter(&self) -> bool {
        self.iss_parameter
    }

    /// This server as metadata names it, without a revocation endpoint that cannot be used: it is not needed to sign in. Only
    /// an issuer on loopback can send a client to plain http on loopback.
    pub(crate) fn checked_at(self, loopback: bool) -> Result<Self, ConfigError> {
        let is_usable = |endpoint: &&str| check_endpoint(endpoint).is_ok() && (loopback || is_https(endpoint));
        let server = Self { revocation_endpoint: self.revocation_endpoint.filter(is_usable), ..self };
        server.check()?;
        let fault = UriFault::Scheme;
        if !loopback && !is_https(server.authorization_endpoint) {
            return Err(ConfigError::AuthorizationEndpoint(fault));
        }
        if loopback || is_https(server.token_endpoint) { Ok(server) } else { Err(ConfigError::TokenEndpoint(fault)) }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        check_endpoint(self.authorization_endpoint).map_err(ConfigError::AuthorizationEndpoint)?;
        check_endpoint(self.token_endpoint).map_err(ConfigError::TokenEndpoint)?;
        self.revocation_endpoint.map_or(Ok(()), check_endpoint).map_err(ConfigError::RevocationEndpoint)?;
        match self.issuer {
            Some(issuer) => check_issuer(issuer).map_err(ConfigError::Issuer),
            None if self.iss_parameter => Err(ConfigError::Issuer(UriFault::Absent)),
            None => Ok(()),
        }
    }
}
