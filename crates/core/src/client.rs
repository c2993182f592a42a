//! [`Client`] and [`Server`]: what is known before a login starts.

mod check;

pub(crate) use check::{RESPONSE_PARAMETERS, check_extra, check_issuer, is_loopback_url};

use crate::error::{ConfigError, UriFault};
use check::{check_endpoint, check_redirect_uri, is_https};
use core::fmt;
use sha2::{Digest, Sha256};

#[cfg(feature = "alloc")]
pub use owned::ClientBuf;

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

/// A public client at one server: a checked view that is cheap to copy. It starts every flow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Client<'a> {
    id: &'a str,
    redirect_uri: &'a str,
    server: Server<'a>,
    fingerprint: [u8; 32],
}

impl<'a> Client<'a> {
    /// A client as it is registered: its id (RFC 6749 section 2.2) and the redirect URI to come back to. That is
    /// `https://…`, `http://` with a loopback address (without a port if a listener picks one, RFC 8252 section
    /// 7.3), or a private scheme such as `com.example.app:/callback` (section 7.1).
    ///
    /// # Errors
    /// [`ConfigError`] says which part cannot be used and why.
    pub fn new(id: &'a str, redirect_uri: &'a str, server: Server<'a>) -> Result<Self, ConfigError> {
        if id.is_empty() || !id.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(ConfigError::ClientId);
        }
        check_redirect_uri(redirect_uri).map_err(ConfigError::RedirectUri)?;
        server.check()?;
        Ok(Self { id, redirect_uri, server, fingerprint: fingerprint(id, redirect_uri, &server) })
    }

    /// The same client with the redirect URI that this login uses: the one with the listener's port.
    ///
    /// # Errors
    /// [`ConfigError::RedirectUri`].
    pub fn with_redirect_uri<'s>(self, redirect_uri: &'s str) -> Result<Client<'s>, ConfigError>
    where
        'a: 's,
    {
        Client::new(self.id, redirect_uri, self.server)
    }

    /// The client id.
    #[must_use]
    pub const fn id(&self) -> &'a str {
        self.id
    }

    /// The redirect URI.
    #[must_use]
    pub const fn redirect_uri(&self) -> &'a str {
        self.redirect_uri
    }

    /// The server.
    #[must_use]
    pub const fn server(&self) -> Server<'a> {
        self.server
    }

    pub(crate) const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("redirect_uri", &self.redirect_uri)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// SHA-256 over everything that a login is pinned to, each part with its length before it.
fn fingerprint(id: &str, redirect_uri: &str, server: &Server<'_>) -> [u8; 32] {
    let parts = [
        id,
        redirect_uri,
        server.authorization_endpoint,
        server.token_endpoint,
        server.revocation_endpoint.unwrap_or_default(),
        server.issuer.unwrap_or_default(),
        if server.iss_parameter { "iss" } else { "" },
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(feature = "alloc")]
mod owned {
    use super::{Client, Server};
    use alloc::{borrow::ToOwned, string::String};
    use core::fmt;

    /// A [`Client`] that owns its parts, for a service that reads its configuration at run time.
    #[derive(Clone, PartialEq, Eq)]
    pub struct ClientBuf {
        id: String,
        redirect_uri: String,
        authorization_endpoint: String,
        token_endpoint: String,
        revocation_endpoint: Option<String>,
        issuer: Option<String>,
        iss_parameter: bool,
        fingerprint: [u8; 32],
    }

    impl ClientBuf {
        /// The view that starts the flows.
        #[must_use]
        pub fn as_client(&self) -> Client<'_> {
            Client {
                id: &self.id,
                redirect_uri: &self.redirect_uri,
                server: Server {
                    authorization_endpoint: &self.authorization_endpoint,
                    token_endpoint: &self.token_endpoint,
                    revocation_endpoint: self.revocation_endpoint.as_deref(),
                    issuer: self.issuer.as_deref(),
                    iss_parameter: self.iss_parameter,
                },
                fingerprint: self.fingerprint,
            }
        }
    }

    impl From<Client<'_>> for ClientBuf {
        fn from(client: Client<'_>) -> Self {
            let Client { id, redirect_uri, server, fingerprint } = client;
            Self {
                id: id.to_owned(),
                redirect_uri: redirect_uri.to_owned(),
                authorization_endpoint: server.authorization_endpoint.to_owned(),
                token_endpoint: server.token_endpoint.to_owned(),
                revocation_endpoint: server.revocation_endpoint.map(ToOwned::to_owned),
                issuer: server.issuer.map(ToOwned::to_owned),
                iss_parameter: server.iss_parameter,
                fingerprint,
            }
        }
    }

    impl fmt::Debug for ClientBuf {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.as_client().fmt(f)
        }
    }
}
