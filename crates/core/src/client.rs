//! [`Client`]: who asks, and where it is registered.

use crate::check::check_redirect_uri;
use crate::endpoint::{Endpoint, Feature};
use crate::error::ConfigError;
use crate::message::{Identity, Place, Thumbprint};
use crate::proof::PublicKey;
use crate::server::Server;
use crate::wire::bytes::is_printable;
use core::fmt;
use sha2::{Digest, Sha256};

/// A public client at one server: a checked view that is cheap to copy. It starts every flow.
///
/// ```
/// use proofkey_core::{Client, Server};
///
/// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
/// assert_eq!(client.id(), "my-app");
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Client<'a> {
    pub(crate) id: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) server: Server<'a>,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) secret: Option<(&'a str, Place)>,
    pub(crate) key: Option<&'a Thumbprint>,
}

impl<'a> Client<'a> {
    /// A client as it is registered: its id (RFC 6749 section 2.2) and the redirect URI to come back to. That is
    /// `https://…`, `http://` with a loopback address (without a port if a listener picks one, RFC 8252 section
    /// 7.3), or a private scheme such as `com.example.app:/callback` (section 7.1).
    ///
    /// # Errors
    /// [`ConfigError`] says which part cannot be used and why.
    pub fn new(id: &'a str, redirect_uri: &'a str, server: Server<'a>) -> Result<Self, ConfigError> {
        check_redirect_uri(redirect_uri).map_err(ConfigError::RedirectUri)?;
        Self::checked(id, redirect_uri, server)
    }

    /// A client that never uses a browser on its own machine, such as a device (RFC 8628). The server needs no authorization
    /// endpoint then, and [`authorize`](Self::authorize) is refused.
    ///
    /// # Errors
    /// [`ConfigError`] says which part cannot be used and why.
    ///
    /// ```
    /// use proofkey_core::{Client, Server};
    ///
    /// let server = Server::device("https://as.example/device", "https://as.example/token");
    /// let client = Client::without_redirect("my-device", server)?;
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    pub fn without_redirect(id: &'a str, server: Server<'a>) -> Result<Self, ConfigError> {
        Self::checked(id, "", server)
    }

    fn checked(id: &'a str, redirect_uri: &'a str, server: Server<'a>) -> Result<Self, ConfigError> {
        if id.is_empty() || !is_printable(id) {
            return Err(ConfigError::ClientId);
        }
        server.check(!redirect_uri.is_empty())?;
        let fingerprint = fingerprint(id, redirect_uri, &server);
        Ok(Self { id, redirect_uri, server, fingerprint, secret: None, key: None })
    }

    /// The same client with the redirect URI that this login uses: the one with the listener's port.
    ///
    /// ```
    /// use proofkey_core::{Client, Server};
    ///
    /// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
    /// let client = client.with_redirect_uri("http://127.0.0.1:49152/callback")?;
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::RedirectUri`].
    pub fn with_redirect_uri<'s>(self, redirect_uri: &'s str) -> Result<Client<'s>, ConfigError>
    where
        'a: 's,
    {
        check_redirect_uri(redirect_uri).map_err(ConfigError::RedirectUri)?;
        let client = Client { secret: self.secret, ..Client::checked(self.id, redirect_uri, self.server)? };
        Ok(self.key.map_or(client, |key| client.with_key(key)))
    }

    /// The same client with the "secret" that came with its id, for servers that want one although every copy of the app
    /// carries it: Google's for desktop apps, and Mastodon. It is sent as `client_secret` in the body, or in a header if the server
    /// wants that ([`Feature::SecretInHeader`]). It proves nothing (RFC 8252 section 8.5): the login is protected by PKCE, as without
    /// it.
    ///
    /// # Errors
    /// [`ConfigError::EmbeddedSecret`] if it is empty or not printable ASCII (RFC 6749 appendix A.2).
    ///
    /// ```
    /// use proofkey_core::{Client, RefreshToken, Server};
    ///
    /// let server = Server::new("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token");
    /// let client = Client::new("my-app", "http://127.0.0.1", server)?.with_embedded_secret("GOCSPX-x")?;
    /// let refresh = client.refresh(RefreshToken::new("RT1")?);
    /// let mut body = String::new();
    /// refresh.request().write_body(&mut body).expect("a String takes all");
    /// assert!(body.ends_with("&client_secret=GOCSPX-x"));
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    pub fn with_embedded_secret(self, secret: &'a str) -> Result<Self, ConfigError> {
        if secret.is_empty() || !is_printable(secret) {
            return Err(ConfigError::EmbeddedSecret);
        }
        let place = if self.server.has(Feature::SecretInHeader) { Place::HEADER } else { Place::BODY };
        Ok(Self { secret: Some((secret, place)), ..self })
    }

    /// [`with_embedded_secret`](Self::with_embedded_secret) in the header `Authorization: Basic` (RFC 6749 section 2.3.1), whatever the
    /// server's metadata says: for a client that is registered as `client_secret_basic` at a server that knows both ways.
    ///
    /// # Errors
    /// As [`with_embedded_secret`](Self::with_embedded_secret).
    ///
    /// ```
    /// use proofkey_core::{Client, RefreshToken, Server};
    ///
    /// let server = Server::new("https://as.example/authorize", "https://as.example/token");
    /// let client = Client::new("my-app", "http://127.0.0.1", server)?.with_embedded_secret_in_header("x")?;
    /// let refresh = client.refresh(RefreshToken::new("RT1")?);
    /// let mut sent = String::new();
    /// refresh.request().write_head(&mut sent).and_then(|()| refresh.request().write_body(&mut sent)).expect("a String takes all");
    /// assert!(sent.contains("\r\nauthorization: Basic bXktYXBwOng=\r\n"));
    /// assert!(sent.ends_with("\r\n\r\ngrant_type=refresh_token&refresh_token=RT1"));
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    pub fn with_embedded_secret_in_header(self, secret: &'a str) -> Result<Self, ConfigError> {
        let server = self.server.with_feature(Feature::SecretInHeader);
        Self { server, ..self }.with_embedded_secret(secret)
    }

    /// The same client with a key to which its tokens are bound (RFC 9449): whoever steals one cannot use it without the key.
    ///
    /// It takes no others: a server that grants a plain Bearer token is refused. Each token request and each call of an API then
    /// needs a [`Proof`](crate::Proof), which the adapters make. The fingerprint covers the key: a login is finished with the key
    /// with which it began.
    ///
    /// # Errors
    /// [`ConfigError::NoEs256Proofs`] if the server says that it does not take proofs that are signed with ES256.
    ///
    /// ```
    /// use proofkey_core::{Client, PublicKey, Server};
    ///
    /// let key = PublicKey::new([1; 32], [2; 32]);
    /// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?.bound_to(&key)?;
    /// assert_eq!(client.key(), Some(key.thumbprint()));
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    pub fn bound_to(self, key: &'a PublicKey) -> Result<Self, ConfigError> {
        self.bound_to_thumbprint(key.thumbprint())
    }

    /// [`bound_to`](Self::bound_to) with the thumbprint alone, which is all that a request needs but its proof.
    ///
    /// # Errors
    /// As [`bound_to`](Self::bound_to).
    pub fn bound_to_thumbprint(self, key: &'a Thumbprint) -> Result<Self, ConfigError> {
        if self.server.lacks(Feature::Es256Proofs) { Err(ConfigError::NoEs256Proofs) } else { Ok(self.with_key(key)) }
    }

    fn with_key(self, key: &'a Thumbprint) -> Self {
        let mut hash = Sha256::new();
        hash.update(fingerprint(self.id, self.redirect_uri, &self.server));
        hash.update(key.as_str());
        Self { key: Some(key), fingerprint: hash.finalize().into(), ..self }
    }

    /// The client id.
    #[must_use]
    pub const fn id(&self) -> &'a str {
        self.id
    }

    /// The embedded secret, if there is one.
    #[must_use]
    pub const fn embedded_secret(&self) -> Option<&'a str> {
        match self.secret {
            Some((secret, _)) => Some(secret),
            None => None,
        }
    }

    /// The redirect URI; empty for a client without one.
    #[must_use]
    pub const fn redirect_uri(&self) -> &'a str {
        self.redirect_uri
    }

    /// The server.
    #[must_use]
    pub const fn server(&self) -> Server<'a> {
        self.server
    }

    /// The thumbprint of the key to which its tokens are bound, if there is one.
    #[must_use]
    pub const fn key(&self) -> Option<&'a Thumbprint> {
        self.key
    }

    pub(crate) const fn identity(&self) -> Identity<'a> {
        Identity { id: self.id, secret: self.secret }
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
