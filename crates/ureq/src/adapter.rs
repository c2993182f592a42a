//! [`Http`]: sends requests and reads responses.

use crate::connect::{Connections, LoopbackResolver};
use crate::error::transport;
use http::{HeaderValue, header};
use proofkey_core::{
    AccessToken, Client, ClientBuf, Discovery, Flow, RefreshTokenBuf, Request, ResponseBuf, Revocable, Server,
    TokenRequest, TokensBuf,
};
use proofkey_http::{
    Answer, DiscoverError, DriveError, ExchangeError, Received, TransportError, TransportKind, drive, is_secure,
    to_http,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::io::Read;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use ureq::config::AutoHeaderValue;
use ureq::{Agent, AsSendBody};
use zeroize::{Zeroize, Zeroizing};

/// An HTTP client that is fit for OAuth. It is cheap to clone.
///
/// Every request has a connection of its own, and no proxy is used, so that no secret is sent twice or elsewhere.
#[derive(Clone, Debug)]
pub struct Http {
    agent: Agent,
    deadline: Duration,
    roots: Vec<CertificateDer<'static>>,
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    /// A client that trusts the certificate authorities that the operating system trusts, and waits 30 seconds for an answer.
    #[must_use]
    pub fn new() -> Self {
        Self::build(Duration::from_secs(30), Vec::new())
    }

    /// Trusts the certificate authorities of the operating system instead, which include a company's own.
    #[cfg(feature = "platform-verifier")]
    #[must_use]
    pub fn with_platform_roots(self) -> Self {
        Self::build(self.deadline, Vec::new())
    }

    /// Trusts the certificate authorities in `pem` instead, and no others.
    ///
    /// # Errors
    /// If `pem` has no certificate, or one that is broken.
    pub fn with_only_root_certificates(self, pem: &[u8]) -> Result<Self, TransportError> {
        let broken = |_| unsent("a broken certificate in the PEM text");
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(broken)?;
        if certificates.is_empty() {
            return Err(unsent("no certificate in the PEM text"));
        }
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store
                .add(certificate.clone())
                .map_err(|error| TransportError::new(TransportKind::Tls, false).because(error))?;
        }
        Ok(Self::build(self.deadline, certificates))
    }

    /// Sets how long to wait for an answer: from the first look-up of a name to the last byte of the body.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self::build(deadline, self.roots)
    }

    /// Sends one request to the authorization server. Every status is a response.
    ///
    /// # Errors
    /// [`TransportError`] if there is none.
    pub fn send(&self, request: &Request<'_>) -> Result<ResponseBuf, TransportError> {
        let (answer, whole) = self.receive(to_http(request)?)?;
        whole.map(|()| answer.into())
    }

    /// Gets the tokens of a request: for a code, or for a refresh token.
    ///
    /// # Errors
    /// [`ExchangeError`]; its [`advice`](ExchangeError::advice) says what to do.
    pub fn exchange(&self, request: TokenRequest<'_>) -> Result<TokensBuf, ExchangeError> {
        self.exchange_keeping(request).1
    }

    /// [`exchange`](Self::exchange), and first of all the new refresh token that the answer carries, if one can be read:
    /// whatever else is wrong with the answer, and also if the connection broke behind it. Save it before you look at the rest:
    /// the old one may be spent ([`TokenRequest::read_keeping`]).
    ///
    /// # Errors
    /// The second part is as [`exchange`](Self::exchange) has it.
    pub fn exchange_keeping(
        &self,
        mut request: TokenRequest<'_>,
    ) -> (Option<RefreshTokenBuf>, Result<TokensBuf, ExchangeError>) {
        let (mut answer, whole) = match self.drive(&mut request) {
            Ok(received) => received,
            Err(error) => return (None, Err(error.into())),
        };
        let (new, tokens) = request.read_keeping(answer.as_response());
        let new = new.map(RefreshTokenBuf::from);
        let tokens = tokens.map(TokensBuf::from).map_err(ExchangeError::Response);
        answer.body.zeroize();
        (new, whole.map_err(ExchangeError::Transport).and(tokens))
    }

    /// Finds a server's endpoints from its issuer (RFC 8414, OpenID Connect Discovery), and makes a client of it.
    ///
    /// # Errors
    /// [`DiscoverError`] if no well-known address has metadata, or what is found there cannot be used.
    pub fn discover(&self, issuer: &str, client_id: &str, redirect_uri: &str) -> Result<ClientBuf, DiscoverError> {
        let mut discovery = Discovery::new(issuer).map_err(DiscoverError::Config)?;
        // Before anything is sent, with the issuer in place of the endpoints that are not known yet.
        Client::new(client_id, redirect_uri, Server::new(issuer, issuer)).map_err(DiscoverError::Config)?;
        let (mut answer, whole) = match self.drive(&mut discovery) {
            Ok(received) => received,
            Err(DriveError::Over) => {
                return Err(DiscoverError::NoMetadata { issuer: issuer.to_owned(), tried: discovery.tried() });
            }
            Err(DriveError::Transport(error)) => return Err(DiscoverError::Transport(error)),
        };
        let metadata = discovery.read(answer.as_response()).map_err(DiscoverError::Response)?;
        whole.map_err(DiscoverError::Transport)?;
        Client::new(client_id, redirect_uri, metadata.server()).map(ClientBuf::from).map_err(DiscoverError::Config)
    }

    /// Revokes a token (RFC 7009).
    ///
    /// # Errors
    /// [`ExchangeError`]; the token may still be valid then.
    pub fn revoke(&self, client: Client<'_>, token: Revocable<'_>) -> Result<(), ExchangeError> {
        let mut request = client.revoke(token).map_err(ExchangeError::Config)?;
        let (mut answer, whole) = self.drive(&mut request)?;
        whole.map_err(ExchangeError::Transport)?;
        request.read(answer.as_response()).map_err(ExchangeError::Response)
    }

    /// Calls an API with the token in the `Authorization` header, in place of any that `request` has. Every status is a
    /// response; [`Refusal::of`](proofkey_core::Refusal::of) reads a 401 and a 403. The body is capped at 64 MiB.
    ///
    /// # Errors
    /// [`TransportError`] if there is no response.
    pub fn call(&self, request: http::Request<Vec<u8>>, token: AccessToken<'_>) -> Result<ResponseBuf, TransportError> {
        let (mut parts, body) = request.into_parts();
        let value = Zeroizing::new(token.authorization().value());
        let mut value = HeaderValue::from_str(&value).map_err(http::Error::from)?;
        value.set_sensitive(true);
        parts.headers.insert(header::AUTHORIZATION, value);
        let answer = if body.is_empty() && parts.method.is_safe() {
            self.run(http::Request::from_parts(parts, ()), API_BODY_MAX)
        } else {
            self.run(http::Request::from_parts(parts, body), API_BODY_MAX)
        };
        let (answer, whole) = answer?;
        whole.map(|()| answer.into())
    }

    fn drive(&self, flow: &mut dyn Flow) -> Result<Received, DriveError> {
        drive(flow, |request| self.receive(request), thread::sleep)
    }

    fn receive(&self, request: http::Request<Zeroizing<Vec<u8>>>) -> Result<Received, TransportError> {
        let (parts, body) = request.into_parts();
        if parts.method == http::Method::GET {
            self.run(http::Request::from_parts(parts, ()), OAUTH_BODY_MAX)
        } else {
            self.run(http::Request::from_parts(parts, body.as_slice()), OAUTH_BODY_MAX)
        }
    }

    fn run<B: AsSendBody>(&self, request: http::Request<B>, body_max: u64) -> Result<Received, TransportError> {
        if !is_secure(request.uri().scheme_str(), request.uri().host()) {
            return Err(TransportError::new(TransportKind::Insecure, false));
        }
        let (head, mut body) = self.agent.run(request).map_err(transport)?.into_parts();
        let mut reader = body.with_config().limit(body_max).reader();
        let most = usize::try_from(body_max).unwrap_or(usize::MAX);
        let mut answer = Answer { status: head.status.as_u16(), headers: head.headers, body: Vec::new() };
        let mut chunk = [0; CHUNK];
        loop {
            match reader.read(&mut chunk).map_err(ureq::Error::from) {
                Ok(0) => return Ok((answer, Ok(()))),
                Ok(length) if answer.push(chunk.get(..length).unwrap_or_default(), most) => {}
                Ok(_) => return Ok((answer, Err(TransportError::new(TransportKind::BodyTooBig, true)))),
                Err(error) => return Ok((answer, Err(transport(error)))),
            }
        }
    }

    fn build(deadline: Duration, roots: Vec<CertificateDer<'static>>) -> Self {
        let config = Agent::config_builder()
            // The core asks for none, whatever decoders another crate in the program turns on.
            .accept_encoding(AutoHeaderValue::None)
            .allow_non_standard_methods(true)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(deadline))
            .user_agent(concat!("proofkey/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::with_parts(
            config,
            Connections::new({
                let roots = roots.clone();
                move || tls(&roots)
            }),
            LoopbackResolver::default(),
        );
        Self { agent, deadline, roots }
    }
}

fn tls(roots: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, TransportError> {
    let failed = |error| TransportError::new(TransportKind::Tls, false).because(error);
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    let mut config = if roots.is_empty() {
        let verifier = Verifier::new(provider).map_err(failed)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
    } else {
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root.clone()).map_err(failed)?;
        }
        builder.with_root_certificates(store).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unsent(reason: &'static str) -> TransportError {
    TransportError::new(TransportKind::Tls, false).because(ureq::Error::Tls(reason))
}

const API_BODY_MAX: u64 = 64 * 1024 * 1024;
const CHUNK: usize = 16 * 1024;
const OAUTH_BODY_MAX: u64 = 1024 * 1024;
