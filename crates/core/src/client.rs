//! What is known before a login starts: the [`Client`] and its [`Server`].

use crate::error::{ConfigError, UriFault};
use crate::wire::{form, uri};
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
    /// A server of which no more is known. Endpoints are https; plain http is for a loopback address.
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

    /// Where tokens are revoked (RFC 7009).
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

    /// The revocation endpoint, where it is known.
    #[must_use]
    pub const fn revocation_endpoint(&self) -> Option<&'a str> {
        self.revocation_endpoint
    }

    /// The issuer, where it is known.
    #[must_use]
    pub const fn issuer(&self) -> Option<&'a str> {
        self.issuer
    }

    /// Whether the server promises an `iss` in every redirect.
    #[must_use]
    pub const fn iss_parameter(&self) -> bool {
        self.iss_parameter
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
    /// `https://…`, `http://` with a loopback address (without a port where a listener picks one, RFC 8252 section
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

/// No parameter without a value, twice, of the protocol's own, or one that the endpoint's query holds already.
pub(crate) fn check_extra(extra: &[(&str, &str)], endpoint: &str) -> Result<(), ConfigError> {
    let (_, query) = endpoint.split_once('?').unwrap_or_default();
    for (index, (name, value)) in extra.iter().enumerate() {
        let mut earlier = extra.iter().take(index).map(|(earlier, _)| earlier);
        let repeated = (*name != "resource" && earlier.any(|earlier| earlier == name))
            || form::pairs(query).any(|(taken, _)| form::is(taken, name));
        if name.is_empty() || value.is_empty() || repeated || PROTOCOL_PARAMETERS.contains(name) {
            return Err(ConfigError::ExtraParameter(index));
        }
    }
    Ok(())
}

pub(crate) fn check_issuer(issuer: &str) -> Result<(), UriFault> {
    check_endpoint(issuer)?;
    if issuer.contains('?') { Err(UriFault::Query) } else { Ok(()) }
}

fn check_endpoint(endpoint: &str) -> Result<(), UriFault> {
    let uri = check_absolute(endpoint)?;
    if !is_web(uri.scheme) {
        return Err(UriFault::Scheme);
    }
    let (host, _) = uri.host_and_port().ok_or(UriFault::Host)?;
    match uri.scheme {
        "https" => {}
        "http" if host == "localhost" || is_loopback(host) => {}
        _ => return Err(UriFault::Scheme),
    }
    check_query(&uri, &PROTOCOL_PARAMETERS)
}

fn check_redirect_uri(redirect_uri: &str) -> Result<(), UriFault> {
    let uri = check_absolute(redirect_uri)?;
    if is_web(uri.scheme) {
        let (host, _) = uri.host_and_port().ok_or(UriFault::Host)?;
        match uri.scheme {
            "https" => {}
            _ if host == "localhost" => return Err(UriFault::Localhost),
            _ if is_loopback(host) => {}
            _ => return Err(UriFault::Scheme),
        }
    } else if !uri.scheme.contains('.') || uri.authority.is_some() || !uri.path.starts_with('/') {
        return Err(UriFault::Scheme);
    }
    check_query(&uri, &RESPONSE_PARAMETERS)
}

fn check_absolute(text: &str) -> Result<uri::Uri<'_>, UriFault> {
    if text.is_empty() {
        return Err(UriFault::Absent);
    }
    if !uri::is_clean(text) {
        return Err(UriFault::Character);
    }
    let uri = uri::split(text).ok_or(UriFault::NotAbsolute)?;
    if uri.fragment.is_some() { Err(UriFault::Fragment) } else { Ok(uri) }
}

fn check_query(uri: &uri::Uri<'_>, taken: &[&str]) -> Result<(), UriFault> {
    let mut pairs = form::pairs(uri.query.unwrap_or_default());
    if pairs.any(|(name, _)| taken.iter().any(|taken| form::is(name, taken))) {
        return Err(UriFault::Parameter);
    }
    Ok(())
}

fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

fn is_loopback(host: &str) -> bool {
    uri::ip_literal(host).is_some_and(|ip| ip.is_loopback())
}

/// SHA-256 over all that a login is pinned to, each part with its length before it.
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

const PROTOCOL_PARAMETERS: [&str; 25] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "id_token",
    "password",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "token_type",
    "token_type_hint",
    "username",
];

/// What a server may add to the redirect URI (RFC 6749 section 4.1.2, RFC 9207) or only adds in other flows. In the order in
/// which they are picked apart, and the most frequent first.
pub(crate) const RESPONSE_PARAMETERS: [&str; 10] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "access_token",
    "id_token",
    "response",
    "token_type",
];

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
