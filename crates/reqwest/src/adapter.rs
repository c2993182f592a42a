//! [`Http`]: sends requests and reads responses.

use crate::error::{tls as tls_failed, transport};
use http::{HeaderValue, Version, header};
use proofkey_core::{
    AccessToken, Client, ClientBuf, Discovery, Flow, RefreshTokenBuf, Request, ResponseBuf, Revocable, Server,
    TokenRequest, TokensBuf,
};
use proofkey_http::{
    Answer, DiscoverError, DriveError, ExchangeError, Received, TransportError, TransportKind, drive_async, is_secure,
    to_http,
};
use reqwest::{RequestBuilder, redirect, retry};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls_platform_verifier::Verifier;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use zeroize::{Zeroize, Zeroizing};

/// An HTTP client that is fit for OAuth. It is cheap to clone.
///
/// Every request has a connection of its own, and no proxy is used, so that no secret is sent twice or elsewhere.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    deadline: Duration,
}

impl Http {
    /// A client that trusts the certificate authorities that the operating system trusts, and waits 30 seconds for an
    /// answer.
    ///
    /// # Errors
    /// [`TransportKind::Tls`] if the system has no certificate authorities.
    pub fn new() -> Result<Self, TransportError> {
        Self::build(Vec::new())
    }

    /// Also trusts the certificate authorities in `pem`: a company's own, or one for tests.
    ///
    /// # Errors
    /// [`TransportKind::Tls`] if `pem` has no certificate, or one that is broken.
    pub fn with_root_certificates(pem: &[u8]) -> Result<Self, TransportError> {
        let broken = |_| tls_failed(rustls::CertificateError::BadEncoding.into());
        let roots: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(broken)?;
        if roots.is_empty() {
            return Err(tls_failed(rustls::Error::NoCertificatesPresented));
        }
        Self::build(roots)
    }

    /// Sets how long to wait for an answer: from the first look-up of a name to the last byte of the body.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Sends one request to the authorization server. Every status is a response. The body is capped at 1 MiB.
    ///
    /// # Errors
    /// [`TransportError`] if there is none.
    pub async fn send(&self, request: &Request<'_>) -> Result<ResponseBuf, TransportError> {
        let (answer, whole) = self.receive(to_http(request)?).await?;
        whole.map(|()| answer.into())
    }

    /// Gets the tokens of a request: for a code, or for a refresh token.
    ///
    /// If the future is dropped, a code or a rotated refresh token may be spent and its answer lost: let it run to its end.
    ///
    /// # Errors
    /// [`ExchangeError`]; its [`advice`](ExchangeError::advice) says what to do.
    pub async fn exchange(&self, request: TokenRequest<'_>) -> Result<TokensBuf, ExchangeError> {
        self.exchange_keeping(request).await.1
    }

    /// [`exchange`](Self::exchange), and first of all the new refresh token that the answer carries, if one can be read:
    /// whatever else is wrong with the answer, and also if the connection broke behind it. Save it before you look at the rest:
    /// the old one may be spent ([`TokenRequest::read_keeping`]).
    ///
    /// # Errors
    /// The second part is as [`exchange`](Self::exchange) has it.
    pub async fn exchange_keeping(
        &self,
        mut request: TokenRequest<'_>,
    ) -> (Option<RefreshTokenBuf>, Result<TokensBuf, ExchangeError>) {
        let (mut answer, whole) = match self.drive(&mut request).await {
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
    pub async fn discover(
        &self,
        issuer: &str,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<ClientBuf, DiscoverError> {
        let mut discovery = Discovery::new(issuer).map_err(DiscoverError::Config)?;
        // Before anything is sent, with the issuer in place of the endpoints that are not known yet.
        Client::new(client_id, redirect_uri, Server::new(issuer, issuer)).map_err(DiscoverError::Config)?;
        let (mut answer, whole) = match self.drive(&mut discovery).await {
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
    pub async fn revoke(&self, client: Client<'_>, token: Revocable<'_>) -> Result<(), ExchangeError> {
        let mut request = client.revoke(token).map_err(ExchangeError::Config)?;
        let (mut answer, whole) = self.drive(&mut request).await?;
        whole.map_err(ExchangeError::Transport)?;
        request.read(answer.as_response()).map_err(ExchangeError::Response)
    }

    /// Calls an API with the token in the `Authorization` header, in place of any that `request` has. Every status is a
    /// response; [`Refusal::of`](proofkey_core::Refusal::of) reads a 401 and a 403. The body is capped at 64 MiB.
    ///
    /// # Errors
    /// [`TransportError`] if there is no response.
    pub async fn call(
        &self,
        mut request: http::Request<Vec<u8>>,
        token: AccessToken<'_>,
    ) -> Result<ResponseBuf, TransportError> {
        request.headers_mut().remove(header::AUTHORIZATION);
        *request.version_mut() = Version::HTTP_11;
        // hyper leaves it out, and some servers then answer 411.
        if request.body().is_empty() && !request.method().is_safe() {
            request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let builder =
            RequestBuilder::from_parts(self.client.clone(), reqwest::Request::try_from(request).map_err(transport)?);
        let (answer, whole) =
            self.run(builder.bearer_auth(token.expose()).build().map_err(transport)?, API_BODY_MAX).await?;
        whole.map(|()| answer.into())
    }

    async fn drive(&self, flow: &mut (dyn Flow + Send)) -> Result<Received, DriveError> {
        drive_async(flow, |request| self.receive(request), tokio::time::sleep).await
    }

    async fn receive(&self, request: http::Request<Zeroizing<Vec<u8>>>) -> Result<Received, TransportError> {
        let request = request.map(|mut body| mem::take(&mut *body));
        self.run(reqwest::Request::try_from(request).map_err(transport)?, OAUTH_BODY_MAX).await
    }

    async fn run(&self, request: reqwest::Request, body_max: usize) -> Result<Received, TransportError> {
        if !is_secure(Some(request.url().scheme()), request.url().host_str()) {
            return Err(TransportError::new(TransportKind::Insecure, false));
        }
        let mut answer = None;
        let exchange = async {
            let mut response = self.client.execute(request).await.map_err(transport)?;
            let (status, headers) = (response.status().as_u16(), mem::take(response.headers_mut()));
            let answer = answer.insert(Answer { status, headers, body: Vec::new() });
            while let Some(chunk) = response.chunk().await.map_err(transport)? {
                if !answer.push(&chunk, body_max) {
                    return Err(TransportError::new(TransportKind::BodyTooBig, true));
                }
            }
            Ok(())
        };
        let whole = tokio::time::timeout(self.deadline, exchange).await.unwrap_or(Err(late()));
        match (answer, whole) {
            (Some(answer), whole) => Ok((answer, whole)),
            (None, whole) => Err(whole.err().unwrap_or_else(late)),
        }
    }

    fn build(roots: Vec<CertificateDer<'static>>) -> Result<Self, TransportError> {
        let client = reqwest::Client::builder()
            // Another crate in the program may turn reqwest's other features on: what follows holds all the same.
            .http1_only()
            .no_brotli()
            .no_deflate()
            .no_gzip()
            .no_zstd()
            .no_proxy()
            // A request on a connection that the server closes meanwhile would be sent once more on the next one.
            .pool_max_idle_per_host(0)
            .redirect(redirect::Policy::none())
            // The name is this machine's, whatever a name server says (RFC 6761 section 6.3).
            .resolve_to_addrs("localhost", &LOCALHOST)
            .retry(retry::never())
            .tls_backend_preconfigured(tls(roots).map_err(tls_failed)?)
            .user_agent(concat!("proofkey/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(transport)?;
        Ok(Self { client, deadline: Duration::from_secs(30) })
    }
}

fn tls(roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn late() -> TransportError {
    TransportError::new(TransportKind::Deadline, true)
}

const API_BODY_MAX: usize = 64 * 1024 * 1024;
const LOCALHOST: [SocketAddr; 2] =
    [SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0)];
const OAUTH_BODY_MAX: usize = 1024 * 1024;
