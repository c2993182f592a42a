//! What comes of driven flows, read alike by every adapter.

use crate::drive::DriveError;
use crate::error::{DiscoverError, ExchangeError};
use crate::identity::{SignedIn, signed_in};
use crate::send::Received;
use proofkey_core::{
    Client, ClientBuf, Discovery, Flow, PushRequest, PushedUrlBuf, RefreshTokenBuf, RevocationRequest, Server,
    TokenRequest, TokensBuf,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// Reads what came of a token request: first of all the new refresh token, if one can be read
/// ([`TokenRequest::read_keeping`]), whatever else is wrong, and also if the connection broke behind it. An ID token that the login asked for is checked.
///
/// # Errors
/// In the second part.
pub fn read_tokens(
    request: TokenRequest<'_>,
    driven: Result<Received, DriveError>,
) -> (Option<RefreshTokenBuf>, Result<TokensBuf, ExchangeError>) {
    let (new, signed_in) = read_signed_in(request, driven, UNIX_EPOCH);
    (new, signed_in.map(|signed_in| signed_in.tokens))
}

/// [`read_tokens`], and who signed in. `requested_at` is when the request was sent.
///
/// # Errors
/// As [`read_tokens`].
pub fn read_signed_in(
    request: TokenRequest<'_>,
    driven: Result<Received, DriveError>,
    requested_at: SystemTime,
) -> (Option<RefreshTokenBuf>, Result<SignedIn, ExchangeError>) {
    let (mut answer, whole) = match driven {
        Ok(received) => received,
        Err(error) => return (None, Err(error.into())),
    };
    let rules = request.id_token_rules();
    let (new, tokens) = request.read_keeping(answer.as_response());
    let new = new.map(RefreshTokenBuf::from);
    let tokens = tokens.map(TokensBuf::from).map_err(ExchangeError::Response);
    let tokens = whole.map_err(ExchangeError::Transport).and(tokens);
    (new, tokens.and_then(|tokens| signed_in(tokens, &rules, rules.is_asked(), requested_at)))
}

/// Reads what came of a revocation, as [`read_tokens`] does for a token request.
///
/// # Errors
/// [`ExchangeError`]; the token may still be valid then.
pub fn read_revocation(
    request: RevocationRequest<'_>,
    driven: Result<Received, DriveError>,
) -> Result<(), ExchangeError> {
    let (mut answer, whole) = driven?;
    whole.map_err(ExchangeError::Transport)?;
    request.read(answer.as_response()).map_err(ExchangeError::Response)
}

/// Reads what came of a push, as [`read_tokens`] does for a token request.
///
/// # Errors
/// [`ExchangeError`]; begin again with a fresh push then.
pub fn read_push(
    request: PushRequest<'_>,
    driven: Result<Received, DriveError>,
) -> Result<PushedUrlBuf, ExchangeError> {
    let (mut answer, whole) = driven?;
    let url = request.read(answer.as_response()).map(PushedUrlBuf::from);
    whole.map_err(ExchangeError::Transport)?;
    url.map_err(ExchangeError::Response)
}

/// A discovery, and what else makes a client of what it finds.
///
/// ```
/// use proofkey_http::{Answer, ClientDiscovery, drive};
/// use std::thread;
///
/// let mut discovery = ClientDiscovery::new("https://as.example", "my-client-id", "http://127.0.0.1/callback")?;
/// let driven = drive(
///     discovery.flow(),
///     |request| {
///         // Your client sends `request` here.
///         assert_eq!(request.uri(), "https://as.example/.well-known/oauth-authorization-server");
///         let mut answer = Answer::new(200, http::HeaderMap::new());
///         let metadata = br#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize",
///             "token_endpoint":"https://as.example/token"}"#;
///         assert!(answer.push(metadata, 1024 * 1024));
///         Ok((answer, Ok(())))
///     },
///     thread::sleep,
/// );
/// let client = discovery.read(driven)?;
/// assert_eq!(client.as_client().server().issuer(), Some("https://as.example"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientDiscovery<'a> {
    discovery: Discovery<'a>,
    issuer: &'a str,
    client_id: &'a str,
    redirect_uri: Option<&'a str>,
}

impl<'a> ClientDiscovery<'a> {
    /// Checks everything before anything is sent.
    ///
    /// # Errors
    /// [`DiscoverError::Config`] if the issuer, the client id or the redirect URI cannot be used.
    pub fn new(issuer: &'a str, client_id: &'a str, redirect_uri: &'a str) -> Result<Self, DiscoverError> {
        Self::of(issuer, client_id, Some(redirect_uri))
    }

    /// The same for a client without a redirect URI: one that signs in as a device (RFC 8628).
    ///
    /// # Errors
    /// [`DiscoverError::Config`] if the issuer or the client id cannot be used.
    pub fn without_redirect(issuer: &'a str, client_id: &'a str) -> Result<Self, DiscoverError> {
        Self::of(issuer, client_id, None)
    }

    fn of(issuer: &'a str, client_id: &'a str, redirect_uri: Option<&'a str>) -> Result<Self, DiscoverError> {
        let discovery = Discovery::new(issuer).map_err(DiscoverError::Config)?;
        let found = Self { discovery, issuer, client_id, redirect_uri };
        // With the issuer in place of the endpoints that are not known yet.
        found.client(Server::new(issuer, issuer)).map(drop)?;
        Ok(found)
    }

    /// What is to be driven.
    pub fn flow(&mut self) -> &mut (dyn Flow + Send) {
        &mut self.discovery
    }

    /// Makes a client of what was found.
    ///
    /// # Errors
    /// [`DiscoverError`] if no well-known address has metadata, or what is found there cannot be used.
    pub fn read(self, driven: Result<Received, DriveError>) -> Result<ClientBuf, DiscoverError> {
        let (mut answer, whole) = match driven {
            Ok(received) => received,
            Err(DriveError::Over(_)) => {
                return Err(DiscoverError::NoMetadata {
                    issuer: self.issuer.to_owned(),
                    tried: self.discovery.tried(),
                });
            }
            Err(DriveError::Transport(error)) => return Err(DiscoverError::Transport(error)),
        };
        let metadata = self.discovery.read(answer.as_response()).map_err(DiscoverError::Response)?;
        whole.map_err(DiscoverError::Transport)?;
        self.client(metadata.server()).map(ClientBuf::from)
    }

    fn client<'s>(&self, server: Server<'s>) -> Result<Client<'s>, DiscoverError>
    where
        'a: 's,
    {
        let client = match self.redirect_uri {
            Some(redirect_uri) => Client::new(self.client_id, redirect_uri, server),
            None => Client::without_redirect(self.client_id, server),
        };
        client.map_err(DiscoverError::Config)
    }
}
