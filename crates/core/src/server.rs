//! [`Server`]: what is known of an authorization server.

use crate::check::{check_endpoint, check_issuer, is_https};
use crate::endpoint::{ENDPOINTS, Endpoint, Feature, Features, Quirk, Quirks};
use crate::error::{ConfigError, UriFault};

/// An authorization server: its endpoints, its issuer and its features (RFC 8414 section 2). [`Client::new`] checks them.
///
/// ```
/// use proofkey_core::{Endpoint, Feature, Server};
///
/// const SERVER: Server<'_> = Server::new("https://as.example/authorize", "https://as.example/token")
///     .with(Endpoint::Revocation, "https://as.example/revoke")
///     .with_issuer("https://as.example")
///     .with_feature(Feature::IssParameter);
/// assert_eq!(SERVER.endpoint(Endpoint::Revocation), Some("https://as.example/revoke"));
/// ```
///
/// [`Client::new`]: crate::Client::new
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server<'a> {
    pub(crate) endpoints: [Option<&'a str>; ENDPOINTS],
    pub(crate) issuer: Option<&'a str>,
    pub(crate) features: Features,
    pub(crate) quirks: Quirks,
}

impl<'a> Server<'a> {
    /// A server with the two endpoints of a login. They are https; plain http is only for this machine: a loopback address
    /// or `localhost`.
    #[must_use]
    pub const fn new(authorization_endpoint: &'a str, token_endpoint: &'a str) -> Self {
        Self::unknown().with(Endpoint::Authorization, authorization_endpoint).with(Endpoint::Token, token_endpoint)
    }

    /// A server at which a device signs in (RFC 8628), without an authorization endpoint. It is for
    /// [`Client::without_redirect`](crate::Client::without_redirect).
    #[must_use]
    pub const fn device(device_authorization_endpoint: &'a str, token_endpoint: &'a str) -> Self {
        Self::unknown()
            .with(Endpoint::DeviceAuthorization, device_authorization_endpoint)
            .with(Endpoint::Token, token_endpoint)
    }

    pub(crate) const fn unknown() -> Self {
        Self { endpoints: [None; ENDPOINTS], issuer: None, features: Features::UNKNOWN, quirks: Quirks::NONE }
    }

    /// Adds an endpoint, or replaces it.
    #[must_use]
    pub const fn with(mut self, endpoint: Endpoint, url: &'a str) -> Self {
        if let Some((place, _)) = self.endpoints.split_at_mut(endpoint as usize).1.split_first_mut() {
            *place = Some(url);
        }
        self
    }

    /// Adds a feature.
    #[must_use]
    pub const fn with_feature(self, feature: Feature) -> Self {
        self.saying(feature, true)
    }

    pub(crate) const fn saying(self, feature: Feature, has: bool) -> Self {
        Self { features: self.features.saying(feature, has), ..self }
    }

    /// Switches on something that this server does otherwise than the specifications say.
    #[must_use]
    pub const fn with_quirk(self, quirk: Quirk) -> Self {
        Self { quirks: self.quirks.with(quirk), ..self }
    }

    /// Adds the issuer identifier, exactly as the server writes it. A redirect's `iss` is then compared with it (RFC 9207).
    #[must_use]
    pub const fn with_issuer(self, issuer: &'a str) -> Self {
        Self { issuer: Some(issuer), ..self }
    }

    /// The URL of an endpoint, if it is known.
    #[must_use]
    pub const fn endpoint(&self, endpoint: Endpoint) -> Option<&'a str> {
        match self.endpoints.split_at(endpoint as usize).1 {
            [url, ..] => *url,
            [] => None,
        }
    }

    /// Whether the server has a feature.
    #[must_use]
    pub const fn has(&self, feature: Feature) -> bool {
        self.features.has(feature)
    }

    /// Whether the server says that it does not have a feature.
    #[must_use]
    pub const fn lacks(&self, feature: Feature) -> bool {
        self.features.lacks(feature)
    }

    /// Whether a quirk is switched on.
    #[must_use]
    pub const fn has_quirk(&self, quirk: Quirk) -> bool {
        self.quirks.has(quirk)
    }

    /// The issuer, if it is known.
    #[must_use]
    pub const fn issuer(&self) -> Option<&'a str> {
        self.issuer
    }

    /// An endpoint that [`check`](Self::check) has found.
    pub(crate) fn required(&self, endpoint: Endpoint) -> &'a str {
        self.endpoint(endpoint).unwrap_or_default()
    }

    /// This server as metadata names it, without endpoints that cannot be used and are not needed to sign in. Only an issuer
    /// on loopback can send a client to plain http.
    pub(crate) fn checked_at(mut self, loopback: bool) -> Result<Self, ConfigError> {
        for (endpoint, url) in Endpoint::ALL.iter().zip(&mut self.endpoints) {
            let fault = url.and_then(|url| match check_endpoint(url) {
                Ok(()) if !loopback && !is_https(url) => Some(UriFault::Scheme),
                checked => checked.err(),
            });
            match fault {
                Some(fault) if endpoint.is_of_login() => return Err(ConfigError::Endpoint(*endpoint, fault)),
                Some(_) => *url = None,
                None => {}
            }
        }
        self.check(false).map(|()| self)
    }

    /// Checks what is there, and that nothing is missing: a client without a redirect URI needs no authorization endpoint.
    pub(crate) fn check(&self, has_redirect: bool) -> Result<(), ConfigError> {
        for (endpoint, url) in Endpoint::ALL.iter().zip(self.endpoints) {
            let checked = match url {
                Some(url) => check_endpoint(url),
                None if *endpoint == Endpoint::Token => Err(UriFault::Absent),
                None if *endpoint == Endpoint::Authorization && has_redirect => Err(UriFault::Absent),
                None => Ok(()),
            };
            checked.map_err(|fault| ConfigError::Endpoint(*endpoint, fault))?;
        }
        match self.issuer {
            Some(issuer) => check_issuer(issuer).map_err(ConfigError::Issuer),
            None if self.has(Feature::IssParameter) => Err(ConfigError::Issuer(UriFault::Absent)),
            None => Ok(()),
        }
    }
}
