//! [`Client`] and [`Server`]: what is known before a login starts.

use crate::error::{ConfigError, ParameterFault, UriFault};
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

/// Checks extra parameters for an endpoint. They are given once: a second list would replace the first.
pub(crate) fn check_extra(given: &[(&str, &str)], extra: &[(&str, &str)], endpoint: &str) -> Result<(), ConfigError> {
    if !given.is_empty() {
        return Err(ConfigError::ExtraParametersTwice);
    }
    let (_, query) = endpoint.split_once('?').unwrap_or_default();
    for (index, (name, value)) in extra.iter().enumerate() {
        let mut earlier = extra.iter().take(index).map(|(earlier, _)| earlier);
        let fault = if name.is_empty() || value.is_empty() {
            ParameterFault::Empty
        } else if let Some(own) = PROTOCOL_PARAMETERS.iter().find(|own| *own == name) {
            ParameterFault::Protocol(own)
        } else if *name != "resource" && earlier.any(|earlier| earlier == name) {
            ParameterFault::Repeated
        } else if form::pairs(query).any(|(taken, _)| form::is(taken, name)) {
            ParameterFault::InEndpoint
        } else {
            continue;
        };
        return Err(ConfigError::ExtraParameter { index, fault });
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

/// A redirect is compared octet for octet with what the browser shows, so a URI that browsers write otherwise could never
/// match.
fn check_redirect_uri(redirect_uri: &str) -> Result<(), UriFault> {
    let uri = check_absolute(redirect_uri)?;
    let query = uri.query.unwrap_or_default();
    if is_web(uri.scheme) {
        let (host, port) = uri.host_and_port().ok_or(UriFault::Host)?;
        if !uri::is_as_shown(host) {
            return Err(UriFault::HostSpelling);
        }
        let digits = uri.authority.and_then(|authority| authority.strip_prefix(host)).unwrap_or_default();
        if port.is_some() && digits.starts_with(":0") {
            return Err(UriFault::Port);
        }
        if query.contains('\'') {
            return Err(UriFault::Character);
        }
        match uri.scheme {
            "https" => {}
            _ if host == "localhost" || is_loopback(host) => {}
            _ => return Err(UriFault::Scheme),
        }
    } else if !uri.scheme.contains('.') || uri.authority.is_some() || !uri.path.starts_with('/') {
        return Err(UriFault::Scheme);
    } else if uri.scheme.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(UriFault::HostSpelling);
    }
    if uri::has_dot_segment(uri.path) {
        return Err(UriFault::DotSegment);
    }
    let names = || form::pairs(query).map(|(name, _)| name);
    if names().any(|name| names().filter(|other| form::decode(name).eq(form::decode(other))).nth(1).is_some()) {
        return Err(UriFault::RepeatedParameter);
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

/// Whether a URL names this machine.
pub(crate) fn is_loopback_url(url: &str) -> bool {
    let host = uri::split(url).and_then(|uri| uri.host_and_port()).map(|(host, _)| host);
    host.is_some_and(|host| host.eq_ignore_ascii_case("localhost") || is_loopback(host))
}

fn is_https(url: &str) -> bool {
    url.starts_with("https://")
}

fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

fn is_loopback(host: &str) -> bool {
    uri::ip_literal(host).is_some_and(|ip| ip.is_loopback())
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
