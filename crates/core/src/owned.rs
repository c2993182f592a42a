//! The forms that own their parts.

mod claims;

pub use claims::ClaimsBuf;

use crate::client::Client;
use crate::endpoint::{ENDPOINTS, Features, Quirks};
use crate::flow::{PushedUrl, RefreshToken, Scope, Tokens};
use crate::message::{AccessToken, Place, Response, Thumbprint};
use crate::oidc::IdToken;
use crate::server::Server;
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

/// A [`Client`] that owns its parts, for a service that reads its configuration at run time.
///
/// ```
/// use proofkey_core::{Client, ClientBuf, Server};
///
/// fn configure(id: String) -> Result<ClientBuf, proofkey_core::ConfigError> {
///     Client::new(&id, "https://app.example/callback", Server::ITWIN).map(ClientBuf::from)
/// }
/// let client = configure("my-app".to_owned())?;
/// assert_eq!(client.as_client().id(), "my-app");
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ClientBuf {
    id: String,
    redirect_uri: String,
    endpoints: [Option<String>; ENDPOINTS],
    issuer: Option<String>,
    features: Features,
    quirks: Quirks,
    fingerprint: [u8; 32],
    secret: Option<(String, Place)>,
    key: Option<Thumbprint>,
}

impl ClientBuf {
    /// The view that starts the flows.
    #[must_use]
    pub fn as_client(&self) -> Client<'_> {
        let endpoints = self.endpoints.each_ref().map(Option::as_deref);
        let server = Server { endpoints, issuer: self.issuer.as_deref(), features: self.features, quirks: self.quirks };
        let secret = self.secret.as_ref().map(|(secret, place)| (secret.as_str(), *place));
        let (fingerprint, key) = (self.fingerprint, self.key.as_ref());
        Client { id: &self.id, redirect_uri: &self.redirect_uri, server, fingerprint, secret, key }
    }
}

impl From<Client<'_>> for ClientBuf {
    fn from(client: Client<'_>) -> Self {
        let Client {
            id,
            redirect_uri,
            server: Server { endpoints, issuer, features, quirks },
            fingerprint,
            secret,
            key,
        } = client;
        Self {
            id: id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            endpoints: endpoints.map(|url| url.map(ToOwned::to_owned)),
            issuer: issuer.map(ToOwned::to_owned),
            features,
            quirks,
            fingerprint,
            secret: secret.map(|(secret, place)| (secret.to_owned(), place)),
            key: key.copied(),
        }
    }
}

impl fmt::Debug for ClientBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_client().fmt(f)
    }
}

/// An HTTP response as an adapter returns it: the owned form of a [`Response`]. Wipe the body once it is read.
///
/// ```
/// use proofkey_core::{Client, RefreshToken, ResponseBuf, Server};
///
/// let mut response = ResponseBuf {
///     status: 200,
///     headers: vec![("content-type".to_owned(), "application/json".to_owned())],
///     body: br#"{"access_token":"AT1","token_type":"Bearer"}"#.to_vec(),
/// };
/// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
/// let tokens = client.refresh(RefreshToken::new("RT1")?).read(response.as_response())?;
/// assert_eq!(tokens.access_token().expose(), "AT1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ResponseBuf {
    /// The HTTP status, whatever it is.
    pub status: u16,
    /// The header fields in the order of arrival, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body without content coding.
    pub body: Vec<u8>,
}

impl ResponseBuf {
    /// The first header field of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All header fields of that name (lower case), in the order of arrival.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The response for a `read`, which overwrites the body.
    pub fn as_response(&mut self) -> Response<'_> {
        let Self { status, headers, body } = self;
        let headers = headers.iter();
        headers.fold(Response::new(*status, body), |response, (name, value)| response.with_header(name, value))
    }
}

impl fmt::Debug for ResponseBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBuf")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A [`PushedUrl`] that owns its text. It is `Display`, and good for one login.
pub struct PushedUrlBuf {
    url: String,
    expires_in: u32,
}

impl PushedUrlBuf {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// How long the server keeps what was pushed: at least 1 second, counted from the request.
    #[must_use]
    pub const fn expires_in(&self) -> u32 {
        self.expires_in
    }
}

impl From<PushedUrl<'_>> for PushedUrlBuf {
    fn from(url: PushedUrl<'_>) -> Self {
        Self { url: url.to_string(), expires_in: url.expires_in() }
    }
}

impl fmt::Display for PushedUrlBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for PushedUrlBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushedUrlBuf").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// A [`RefreshToken`] that owns its text. With the feature `zeroize` it is wiped when it is dropped.
#[derive(Clone)]
pub struct RefreshTokenBuf(String);

impl RefreshTokenBuf {
    /// The view of it.
    #[must_use]
    pub fn as_refresh_token(&self) -> RefreshToken<'_> {
        RefreshToken(&self.0)
    }
}

impl From<RefreshToken<'_>> for RefreshTokenBuf {
    fn from(token: RefreshToken<'_>) -> Self {
        Self(token.expose().to_owned())
    }
}

impl fmt::Debug for RefreshTokenBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshTokenBuf(..)")
    }
}

#[cfg(feature = "zeroize")]
impl Drop for RefreshTokenBuf {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// [`Tokens`] that own their parts. With the feature `zeroize` they are wiped when they are dropped.
///
/// ```
/// use proofkey_core::{AccessToken, Tokens, TokensBuf};
///
/// let body = String::from("AT1");
/// let tokens = TokensBuf::from(Tokens::new(AccessToken::new(&body)?).with_expires_in(3600));
/// drop(body);
/// assert_eq!((tokens.access_token().expose(), tokens.expires_in()), ("AT1", Some(3600)));
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct TokensBuf {
    access_token: String,
    is_bound: bool,
    refresh_token: Option<String>,
    expires_in: Option<u32>,
    refresh_expires_in: Option<u32>,
    scope: ScopeBuf,
    id_token: Option<String>,
}

#[derive(Clone)]
enum ScopeBuf {
    Granted(String),
    Requested,
    Unknown,
}

impl TokensBuf {
    /// The view of them.
    #[must_use]
    pub fn as_tokens(&self) -> Tokens<'_> {
        Tokens {
            access_token: AccessToken::checked(&self.access_token, self.is_bound),
            refresh_token: self.refresh_token.as_deref().map(RefreshToken),
            expires_in: self.expires_in,
            refresh_expires_in: self.refresh_expires_in,
            scope: self.scope(),
            id_token: self.id_token.as_deref().map(IdToken::checked),
        }
    }

    /// The access token.
    #[must_use]
    pub fn access_token(&self) -> AccessToken<'_> {
        self.as_tokens().access_token
    }

    /// The refresh token to keep, if there is one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<RefreshToken<'_>> {
        self.as_tokens().refresh_token
    }

    /// The lifetime in seconds, counted from the request; none if the server does not say.
    #[must_use]
    pub const fn expires_in(&self) -> Option<u32> {
        self.expires_in
    }

    /// The lifetime of the refresh token in seconds, counted from the request, if the server tells it.
    #[must_use]
    pub const fn refresh_expires_in(&self) -> Option<u32> {
        self.refresh_expires_in
    }

    /// The scope that was granted.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        match &self.scope {
            ScopeBuf::Granted(text) => Scope::Granted(text),
            ScopeBuf::Requested => Scope::Requested,
            ScopeBuf::Unknown => Scope::Unknown,
        }
    }

    /// The ID token, which says who signed in; none if the server sent none.
    #[must_use]
    pub fn id_token(&self) -> Option<IdToken<'_>> {
        self.as_tokens().id_token
    }
}

impl From<Tokens<'_>> for TokensBuf {
    fn from(tokens: Tokens<'_>) -> Self {
        Self {
            access_token: tokens.access_token.expose().to_owned(),
            is_bound: tokens.access_token.is_bound(),
            refresh_token: tokens.refresh_token.map(|token| token.expose().to_owned()),
            expires_in: tokens.expires_in,
            refresh_expires_in: tokens.refresh_expires_in,
            scope: match tokens.scope {
                Scope::Granted(text) => ScopeBuf::Granted(text.to_owned()),
                Scope::Requested => ScopeBuf::Requested,
                Scope::Unknown => ScopeBuf::Unknown,
            },
            id_token: tokens.id_token.map(|token| token.expose().to_owned()),
        }
    }
}

impl fmt::Debug for TokensBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_tokens().fmt(f)
    }
}

#[cfg(feature = "zeroize")]
impl Drop for TokensBuf {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.access_token);
        zeroize::Zeroize::zeroize(&mut self.refresh_token);
        zeroize::Zeroize::zeroize(&mut self.id_token);
    }
}
