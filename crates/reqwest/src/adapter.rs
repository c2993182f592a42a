//! [`Http`]: sends requests and reads responses.

use crate::body::{Sent, one_shot};
use crate::client::Clients;
use crate::error::{built, late, transport};
use crate::streamed::Streamed;
use http::{HeaderValue, Version, header};
use proofkey_core::{
    AccessToken, Client, ClientBuf, Flow, PushRequest, PushedUrlBuf, RefreshToken, RefreshTokenBuf, Request,
    ResponseBuf, Revocable, TokenRequest, TokensBuf,
};
use proofkey_http::{
    API_BODY_MAX, Answer, Calling, ClientDiscovery, DiscoverError, DriveError, ExchangeError, OAUTH_BODY_MAX, Prover,
    Received, Settings, Signer, TransportError, TransportKind, drive_async_with, head, read_push, read_revocation,
    read_tokens, to_http,
};
use reqwest::{ClientBuilder, RequestBuilder, Url};
use std::future::{Future, ready};
use std::mem;
use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "session")]
use tokio::time::Instant;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// An HTTP client that is fit for OAuth. It is cheap to clone, and its clones share their connections.
///
/// It follows no redirect and sends nothing twice. How it sends is up to its [`Settings`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let http = proofkey_reqwest::Http::new()?;
/// let client = http.discover("https://as.example", "my-client-id", "https://app.example/callback").await?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Http {
    clients: Arc<Clients>,
    prover: Option<Prover>,
}

impl Http {
    /// A client with the settings of [`Settings::new`].
    ///
    /// # Errors
    /// [`TransportKind::Tls`] if the system has no certificate authorities.
    pub fn new() -> Result<Self, TransportError> {
        Self::with_settings(Settings::new())
    }

    /// A client with settings of your own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_settings(settings: Settings) -> Result<Self, TransportError> {
        Clients::new(settings).map(Self::of)
    }

    /// A client that sends with yours: with its TLS, proxies, identity, resolver, cookies and default headers, which all stay as
    /// they are. Only what protects is set last: no redirect is followed, nothing is sent twice or decoded, and connections are
    /// kept as `settings` say. Its certificates and proxies replace yours if they are set.
    ///
    /// `builder` is called once, and again if connections are kept: for fresh ones and for kept ones. Plain http, which goes to this
    /// machine only, is not sent with your client.
    ///
    /// # Errors
    /// [`TransportKind::Http`] if `reqwest` does not build it.
    ///
    /// # Panics
    /// `reqwest` panics if your builder leaves TLS to it and it has no cryptography provider: turn on its feature `rustls`, or
    /// install one for the process (`rustls::crypto::CryptoProvider::install_default`).
    ///
    /// # Example
    /// ```no_run
    /// use proofkey_reqwest::{Http, Settings};
    ///
    /// # fn example(identity: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    /// let proxy = reqwest::Proxy::https("http://proxy.example:3128")?;
    /// let http = Http::from_builder(move || reqwest::Client::builder().proxy(proxy.clone()), Settings::new())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_builder(builder: impl Fn() -> ClientBuilder, settings: Settings) -> Result<Self, TransportError> {
        Clients::with(builder, settings).map(Self::of)
    }

    fn of(clients: Clients) -> Self {
        Self { clients: Arc::new(clients), prover: None }
    }

    /// The same with a key, for clients that are bound to it ([`Client::bound_to`], RFC 9449): each request that needs one gets a
    /// proof of possession. If a server asks for a nonce, the request is sent once more with it; nonces are shared with the clones.
    ///
    /// # Example
    /// ```no_run
    /// use proofkey_reqwest::proofkey_core::{Client, Server};
    /// use proofkey_reqwest::{Http, Login, Signer};
    ///
    /// # async fn example(key: impl Signer + Clone + 'static) -> Result<(), Box<dyn std::error::Error>> {
    /// // `SigningKey::generate` (feature `dpop`), or a key of your own.
    /// let http = Http::new()?.with_signer(key.clone());
    /// let client = Client::new("my-client-id", "http://127.0.0.1/callback", Server::ITWIN)?.bound_to(key.public_key())?;
    /// let login = Login::new(client, &["itwin-platform"]);
    /// let tokens = http.login(login, |url| Ok(println!("Open {url}"))).await?.tokens;
    /// assert!(tokens.access_token().is_bound());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_signer(self, signer: impl Signer + 'static) -> Self {
        Self { prover: Some(Prover::new(signer)), ..self }
    }

    /// Sends one request to the authorization server. Every status is a response. The body is capped at 1 MiB.
    ///
    /// If the future is dropped, the request may have arrived all the same.
    ///
    /// # Errors
    /// [`TransportError`] if there is no response.
    pub async fn send(&self, request: &Request<'_>) -> Result<ResponseBuf, TransportError> {
        let (answer, whole) = self.receive(to_http(request)?).await?;
        whole.map(|()| answer.into())
    }

    /// Gets the tokens of a request: for a code, or for a refresh token.
    ///
    /// If the future is dropped, the code or the refresh token may be spent and its answer lost. Spawn it if the caller can be
    /// cancelled: a spawned future runs to its end.
    ///
    /// # Errors
    /// [`ExchangeError`]; its [`advice`](ExchangeError::advice) says what to do.
    pub async fn exchange(&self, request: TokenRequest<'_>) -> Result<TokensBuf, ExchangeError> {
        self.exchange_keeping(request).await.1
    }

    /// Gets new tokens for a refresh token. It is spent then, unless the answer brings no new one: use
    /// [`exchange_keeping`](Self::exchange_keeping) to save the new one first of all.
    ///
    /// If the future is dropped, it is as with [`exchange`](Self::exchange).
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    pub async fn refresh(&self, client: Client<'_>, token: RefreshToken<'_>) -> Result<TokensBuf, ExchangeError> {
        self.exchange(client.refresh(token)).await
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
        let driven = self.drive(&mut request).await;
        read_tokens(request, driven)
    }

    /// Finds a server's endpoints from its issuer (RFC 8414, OpenID Connect Discovery), and makes a client of it.
    ///
    /// The future can be dropped at any time: nothing is spent.
    ///
    /// # Errors
    /// [`DiscoverError`] if no well-known address has metadata, or what is found there cannot be used.
    pub async fn discover(
        &self,
        issuer: &str,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<ClientBuf, DiscoverError> {
        let mut discovery = ClientDiscovery::new(issuer, client_id, redirect_uri)?;
        let driven = self.drive(discovery.flow()).await;
        discovery.read(driven)
    }

    /// Pushes the parameters of a login (RFC 9126), and returns the URL to send the browser to. [`login`](Self::login) does it
    /// by itself; this is for a service, which takes the two halves of a login.
    ///
    /// The future can be dropped at any time: the server forgets what was pushed.
    ///
    /// # Errors
    /// [`ExchangeError`]; begin again with a fresh [`Client::push`] then.
    ///
    /// # Example
    /// ```no_run
    /// # async fn example(http: proofkey_reqwest::Http, client: proofkey_core::Client<'_>) -> Result<(), Box<dyn std::error::Error>> {
    /// let (push, pending) = client.push(&["profile"], &mut proofkey_reqwest::SysRng)?;
    /// let url = http.push(push).await?;
    /// println!("Location: {url}");
    /// // Park `pending` until the browser comes back.
    /// # drop(pending);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn push(&self, mut request: PushRequest<'_>) -> Result<PushedUrlBuf, ExchangeError> {
        let driven = self.drive(&mut request).await;
        read_push(request, driven)
    }

    /// Revokes a token (RFC 7009).
    ///
    /// If the future is dropped, the token may be revoked or not: revoke it again.
    ///
    /// # Errors
    /// [`ExchangeError`]; the token may still be valid then.
    pub async fn revoke(&self, client: Client<'_>, token: Revocable<'_>) -> Result<(), ExchangeError> {
        let mut request = client.revoke(token).map_err(ExchangeError::Config)?;
        let driven = self.drive(&mut request).await;
        read_revocation(request, driven)
    }

    /// Calls an API with the token in the `Authorization` header, in place of any that `request` has. Every status is a
    /// response; [`Refusal::of`](proofkey_core::Refusal::of) reads a 401 and a 403. The body is capped at 64 MiB. A bound token is
    /// sent with a proof, and once more if the API asks for a nonce.
    ///
    /// If the future is dropped, the request may have arrived all the same.
    ///
    /// # Errors
    /// [`TransportError`] if there is no response.
    pub async fn call(
        &self,
        request: http::Request<Vec<u8>>,
        token: AccessToken<'_>,
    ) -> Result<ResponseBuf, TransportError> {
        let mut calling = self.calling(request, token)?;
        loop {
            let (request, sent) = self.prepare(calling.request()?)?;
            let (mut answer, whole) = self.collect(request, &sent, API_BODY_MAX, self.settings().deadline()).await?;
            if !calling.is_again(&answer.as_response()) {
                return whole.map(|()| answer.into());
            }
        }
    }

    /// [`call`](Self::call) for a body of any length, which is read piece by piece. The deadline covers the head alone;
    /// [`Settings::with_read_timeout`] limits the silence between two pieces.
    ///
    /// If the future is dropped, the request may have arrived all the same.
    ///
    /// # Errors
    /// [`TransportError`] if there is no response.
    ///
    /// # Example
    /// ```no_run
    /// # async fn example(http: proofkey_reqwest::Http, token: proofkey_core::AccessToken<'_>) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = http::Request::get("https://api.bentley.com/export").body(Vec::new())?;
    /// let mut response = http.call_streaming(request, token).await?;
    /// while let Some(chunk) = response.body_mut().chunk().await? {
    ///     println!("{} bytes", chunk.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call_streaming(
        &self,
        request: http::Request<Vec<u8>>,
        token: AccessToken<'_>,
    ) -> Result<http::Response<Streamed>, TransportError> {
        let mut calling = self.calling(request, token)?;
        let mut response = loop {
            let (request, sent) = self.prepare(calling.request()?)?;
            let answered = timeout(self.settings().deadline(), self.head(request, &sent));
            let answered = answered.await.unwrap_or_else(|_| Err(late(&sent)));
            self.clients.reuse().ended(&answered);
            let response = answered?;
            if !calling.is_again(&head(response.status().as_u16(), response.headers())) {
                break response;
            }
        };
        let mut head = http::Response::new(());
        *head.status_mut() = response.status();
        *head.headers_mut() = mem::take(response.headers_mut());
        Ok(head.map(|()| Streamed::new(response, self.settings().read_timeout())))
    }

    /// [`exchange_keeping`](Self::exchange_keeping) in at most this time.
    #[cfg(feature = "session")]
    pub(crate) async fn exchange_within(
        &self,
        mut request: TokenRequest<'_>,
        within: Duration,
    ) -> (Option<RefreshTokenBuf>, Result<TokensBuf, ExchangeError>) {
        let (begun, within) = (Instant::now(), within.min(self.settings().deadline()));
        // Also if a server asks for a nonce, and the request is sent once more.
        let send = |request| self.receive_within(request, within.saturating_sub(begun.elapsed()));
        let driven = drive_async_with(self.prover.as_ref(), &mut request, send, |_| ready(true)).await;
        read_tokens(request, driven)
    }

    pub(crate) async fn drive(&self, flow: &mut (dyn Flow + Send)) -> Result<Received, DriveError> {
        self.drive_pausing(flow, || {}, |_| ready(true)).await
    }

    /// Drives a flow, with a look at each request before it is sent, and a pause that says whether to go on.
    pub(crate) async fn drive_pausing<P: Future<Output = bool>>(
        &self,
        flow: &mut (dyn Flow + Send),
        mut sending: impl FnMut(),
        pause: impl FnMut(Duration) -> P,
    ) -> Result<Received, DriveError> {
        let send = |request| {
            sending();
            self.receive(request)
        };
        drive_async_with(self.prover.as_ref(), flow, send, pause).await
    }

    async fn receive(&self, request: http::Request<Zeroizing<Vec<u8>>>) -> Result<Received, TransportError> {
        self.receive_within(request, self.settings().deadline()).await
    }

    async fn receive_within(
        &self,
        request: http::Request<Zeroizing<Vec<u8>>>,
        deadline: Duration,
    ) -> Result<Received, TransportError> {
        let (request, sent) = self.prepare(request)?;
        self.collect(request, &sent, OAUTH_BODY_MAX, deadline).await
    }

    fn calling(&self, request: http::Request<Vec<u8>>, token: AccessToken<'_>) -> Result<Calling<'_>, TransportError> {
        let (mut parts, body) = request.into_parts();
        parts.version = Version::HTTP_11;
        if token.is_bound() {
            // A proof names the URL as `reqwest` sends it.
            let url = Url::parse(&parts.uri.to_string()).ok().and_then(|url| url.as_str().parse().ok());
            parts.uri = url.unwrap_or(parts.uri);
        }
        // hyper leaves it out, and some servers then answer 411.
        if body.is_empty() && !parts.method.is_safe() {
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Calling::new(http::Request::from_parts(parts, body), token, self.prover.as_ref())
    }

    fn prepare(&self, request: http::Request<Zeroizing<Vec<u8>>>) -> Result<(RequestBuilder, Sent), TransportError> {
        let (parts, body) = request.into_parts();
        let (body, sent) = one_shot(body);
        let request = reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(built)?;
        let client = self.clients.choose(request.url())?;
        Ok((RequestBuilder::from_parts(client, request), sent))
    }

    /// The head of the answer.
    async fn head(&self, request: RequestBuilder, sent: &Sent) -> Result<reqwest::Response, TransportError> {
        let settings = self.settings();
        let silence = settings.first_byte_timeout().into_iter().chain(settings.read_timeout()).min();
        let answered = request.send();
        let answered = match silence {
            Some(silence) => {
                let limit = settings.connect_timeout().unwrap_or_default().saturating_add(silence);
                timeout(limit, answered).await.map_err(|_| late(sent))?
            }
            None => answered.await,
        };
        answered.map_err(|error| transport(error, sent))
    }

    async fn collect(
        &self,
        request: RequestBuilder,
        sent: &Sent,
        most: usize,
        deadline: Duration,
    ) -> Result<Received, TransportError> {
        let mut answer = None;
        let exchange = async {
            let mut response = self.head(request, sent).await?;
            let (status, headers) = (response.status().as_u16(), mem::take(response.headers_mut()));
            let answer = answer.insert(Answer::new(status, headers));
            let mut streamed = Streamed::new(response, self.settings().read_timeout());
            while let Some(chunk) = streamed.chunk().await? {
                if !answer.push(&chunk, most) {
                    return Err(TransportError::new(TransportKind::BodyTooBig, true));
                }
            }
            Ok(())
        };
        let whole = timeout(deadline, exchange).await.unwrap_or_else(|_| Err(late(sent)));
        let received = match (answer, whole) {
            (Some(answer), whole) => Ok((answer, whole)),
            (None, whole) => Err(whole.err().unwrap_or_else(|| late(sent))),
        };
        self.clients.reuse().ended(&received);
        received
    }

    fn settings(&self) -> &Settings {
        self.clients.settings()
    }
}
