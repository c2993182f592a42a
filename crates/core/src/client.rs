//! [`Client`]: who asks, and where it is registered.

use crate::check::check_redirect_uri;
use crate::endpoint::{Endpoint, Feature};
use crate::error::ConfigError;
use crate::server::Server;
use core::fmt;
use sha2::{Digest, Sha256};

/// A public client at one server: a checked view that is cheap to copy. It starts every flow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Client<'a> {
    pub(crate) id: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) server: Server<'a>,
    pub(crate) fingerprint: [u8; 32],
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

/// SHA-256 over all that a login uses, each part with its length before it. What is not here can change while a login is in
/// flight: an endpoint that is newly published must not end it.
fn fingerprint(id: &str, redirect_uri: &str, server: &Server<'_>) -> [u8; 32] {
    let parts = [
        id,
        redirect_uri,
        server.required(Endpoint::Authorization),
        server.required(Endpoint::Token),
        server.issuer.unwrap_or_default(),
        if server.has(Feature::IssParameter) { "iss" } else { "" },
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
