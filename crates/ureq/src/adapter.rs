//! [`Http`]: sends requests and reads responses.

use crate::agent::Agents;
use crate::error::transport;
use crate::streamed::Streamed;
use proofkey_core::{
    AccessToken, Client, ClientBuf, Flow, PushRequest, PushedUrlBuf, RefreshToken, RefreshTokenBuf, Request,
    ResponseBuf, Revocable, TokenRequest, TokensBuf,
};
use proofkey_http::{
    API_BODY_MAX, Answer, Calling, ClientDiscovery, DiscoverError, DriveError, ExchangeError, OAUTH_BODY_MAX, Prover,
    Received, Settings, Signer, TransportError, TransportKind, drive_with, head, read_push, read_revocation,
    read_tokens, to_http,
};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "session")]
use std::time::Instant;
use ureq::{Agent, Body};
use zeroize::Zeroizing;

/// An HTTP client that is fit for OAuth. It is cheap to clone, and its clones share their connections.
///
/// It follows no redirect and sends nothing twice. How it sends is up to its [`Settings`].
///
/// ```no_run
/// use proofkey_ureq::{Http, Login};
///
/// let http = Http::new();
/// let client = http.discover("https://as.example", "my-client-id", "http://127.0.0.1/callback")?;
/// let login = Login::new(client.as_client(), &["profile", "offline_access"]);
/// let tokens = http.login(login, |url| Ok(println!("Open {url}")))?.tokens;
/// if let Some(refresh_token) = tokens.refresh_token() {
///     let newer = http.refresh(client.as_client(), refresh_token)?;
///     println!("good for {:?} seconds", newer.expires_in());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Http {
    agents: Arc<Agents>,
    prover: Option<Prover>,
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    /// A client with the settings of [`Settings::new`]. The certificate authorities of the system are loaded at the first https
    /// request.
    #[must_use]
    pub fn new() -> Self {
        Self::with_settings(Settings::new())
    }

    /// A client with settings of your own.
    #[must_use]
    pub fn with_settings(settings: Settings) -> Self {
        Self { agents: Arc::new(Agents::new(settings)), prover: None }
    }

    /// A client that sends with your agent: with its TLS, proxy, resolver, connector, cookies and middleware, which all stay as
    /// they are. What protects is set on each request: no redirect is followed, every status is a response, nothing is decoded
    /// that `ureq` was not built to decode, and connections are kept as `settings` say. Its proxies replace yours if they are
    /// set.
    ///
    /// Plain http, which goes to this machine only, is not sent with your agent. A middleware of yours must send a request once.
    ///
    /// # Errors
    /// [`TransportKind::Tls`] if `settings` have certificate authorities: those of your agent are set on the agent.
    ///
    /// # Example
    /// ```no_run
    /// use proofkey_ureq::{Http, Settings};
    ///
    /// let agent: ureq::Agent = ureq::Agent::config_builder().user_agent("my-app/1.0").build().into();
    /// let http = Http::with_agent(agent, Settings::new())?;
    /// # Ok::<(), proofkey_ureq::TransportError>(())
    /// ```
    pub fn with_agent(agent: Agent, settings: Settings) -> Result<Self, TransportError> {
        if settings.has_roots() {
            let reason = ureq::Error::Tls("set the certificate authorities on your agent");
            return Err(TransportError::new(TransportKind::Tls, false).because(reason));
        }
        Ok(Self { agents: Arc::new(Agents::with(agent, settings)), prover: None })
    }

    /// The same with a key, for clients that are bound to it ([`Client::bound_to`], RFC 9449): each request that needs one gets a
    /// proof of possession. If a server asks for a nonce, the request is sent once more with it; nonces are shared with the clones.
    ///
    /// # Example
    /// ```no_run
    /// use proofkey_ureq::proofkey_core::{Client, Server};
    /// use proofkey_ureq::{Http, Login, Signer};
    ///
    /// # fn example(key: impl Signer + Clone + 'static) -> Result<(), Box<dyn std::error::Error>> {
    /// // `SigningKey::generate` (feature `dpop`), or a key of your own.
    /// let http = Http::new().with_signer(key.clone());
    /// let client = Client::new("my-client-id", "http://127.0.0.1/callback", Server::ITWIN)?.bound_to(key.public_key())?;
    /// let login = Login::new(client, &["itwin-platform"]);
    /// let tokens = http.login(login, |url| Ok(println!("Open {url}")))?.tokens;
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
    /// # Errors
    /// [`TransportError`] if there is no response.
    pub fn send(&self, request: &Request<'_>) -> Result<ResponseBuf, TransportError> {
        let (answer, whole) = self.receive(to_http(request)?)?;
        whole.map(|()| answer.into())
    }

    /// Gets the tokens of a request: for a code, or for a refresh token.
    ///
    /// ```no_run
    /// use proofkey_ureq::proofkey_core::{Client, Redirect, Server};
    /// use proofkey_ureq::{Http, SysRng};
    ///
    /// let client = Client::new("my-client-id", "https://app.example/callback", Server::ITWIN)?;
    /// let (url, pending) = client.authorize(&["itwin-platform"], &mut SysRng)?;
    /// println!("Open {url}");
    /// # let target = "/callback?code=C&state=S";
    /// // The browser comes back with `GET /callback?code=…&state=…`:
    /// let tokens = Http::new().exchange(pending.accept(client, Redirect::Target(target))?)?;
    /// # let _ = tokens;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ExchangeError`]; its [`advice`](ExchangeError::advice) says what to do.
    pub fn exchange(&self, request: TokenRequest<'_>) -> Result<TokensBuf, ExchangeError> {
        self.exchange_keeping(request).1
    }

    /// Gets new tokens for a refresh token. It is spent then, unless the answer brings no new one: use
    /// [`exchange_keeping`](Self::exchange_keeping) to save the new one first of all.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    pub fn refresh(&self, client: Client<'_>, token: RefreshToken<'_>) -> Result<TokensBuf, ExchangeError> {
        self.exchange(client.refresh(token))
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
        let driven = self.drive(&mut request);
        read_tokens(request, driven)
    }

    /// Finds a server's endpoints from its issuer (RFC 8414, OpenID Connect Discovery), and makes a client of it.
    ///
    /// # Errors
    /// [`DiscoverError`] if no well-known address has metadata, or what is found there cannot be used.
    pub fn discover(&self, issuer: &str, client_id: &str, redirect_uri: &str) -> Result<ClientBuf, DiscoverError> {
        let mut discovery = ClientDiscovery::new(issuer, client_id, redirect_uri)?;
        let driven = self.drive(discovery.flow());
        discovery.read(driven)
    }

    /// Pushes the parameters of a login (RFC 9126), and returns the URL to send the browser to. [`login`](Self::login) does it
    /// by itself; this is for a service, which takes the two halves of a login.
    ///
    /// # Errors
    /// [`ExchangeError`]; begin again with a fresh [`Client::push`] then.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(http: proofkey_ureq::Http, client: proofkey_core::Client<'_>) -> Result<(), Box<dyn std::error::Error>> {
    /// let (push, pending) = client.push(&["profile"], &mut proofkey_ureq::SysRng)?;
    /// let url = http.push(push)?;
    /// println!("Location: {url}");
    /// // Park `pending` until the browser comes back.
    /// # drop(pending);
    /// # Ok(())
    /// # }
    /// ```
    pub fn push(&self, mut request: PushRequest<'_>) -> Result<PushedUrlBuf, ExchangeError> {
        let driven = self.drive(&mut request);
        read_push(request, driven)
    }

    /// Revokes a token (RFC 7009).
    ///
    /// ```no_run
    /// use proofkey_ureq::Http;
    /// use proofkey_ureq::proofkey_core::{Client, RefreshToken, Revocable, Server};
    ///
    /// let client = Client::new("my-client-id", "http://127.0.0.1/callback", Server::ITWIN)?;
    /// let token = RefreshToken::new("a refresh token that was kept")?;
    /// Http::new().revoke(client, Revocable::Refresh(token))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ExchangeError`]; the token may still be valid then.
    pub fn revoke(&self, client: Client<'_>, token: Revocable<'_>) -> Result<(), ExchangeError> {
        let mut request = client.revoke(token).map_err(ExchangeError::Config)?;
        let driven = self.drive(&mut request);
        read_revocation(request, driven)
    }

    /// Calls an API with the token in the `Authorization` header, in place of any that `request` has. Every status is a
    /// response; [`Refusal::of`](proofkey_core::Refusal::of) reads a 401 and a 403. The body is capped at 64 MiB. A bound token is
    /// sent with a proof, and once more if the API asks for a nonce.
    ///
    /// # Errors
    /// [`TransportError`] if there is no response.
    pub fn call(&self, request: http::Request<Vec<u8>>, token: AccessToken<'_>) -> Result<ResponseBuf, TransportError> {
        let deadline = self.agents.settings().deadline();
        let mut calling = Calling::new(request, token, self.prover.as_ref())?;
        loop {
            let (mut answer, whole) = collect(self.agents.run(calling.request()?, Some(deadline))?, API_BODY_MAX);
            if !calling.is_again(&answer.as_response()) {
                return whole.map(|()| answer.into());
            }
        }
    }

    /// [`call`](Self::call) for a body of any length, which is read piece by piece. The deadline covers the head alone, each
    /// phase of it by itself; [`Settings::with_read_timeout`] limits the silence between two pieces.
    ///
    /// # Errors
    /// [`TransportError`] if there is no response.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(http: proofkey_ureq::Http, token: proofkey_core::AccessToken<'_>) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = http::Request::get("https://api.bentley.com/export").body(Vec::new())?;
    /// let mut response = http.call_streaming(request, token)?;
    /// std::io::copy(response.body_mut(), &mut std::io::stdout())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_streaming(
        &self,
        request: http::Request<Vec<u8>>,
        token: AccessToken<'_>,
    ) -> Result<http::Response<Streamed>, TransportError> {
        let mut calling = Calling::new(request, token, self.prover.as_ref())?;
        loop {
            let response = self.agents.run(calling.request()?, None)?;
            if !calling.is_again(&head(response.status().as_u16(), response.headers())) {
                return Ok(response.map(Streamed::new));
            }
        }
    }

    /// [`exchange_keeping`](Self::exchange_keeping) in at most this time.
    #[cfg(feature = "session")]
    pub(crate) fn exchange_within(
        &self,
        mut request: TokenRequest<'_>,
        within: Duration,
    ) -> (Option<RefreshTokenBuf>, Result<TokensBuf, ExchangeError>) {
        let (begun, within) = (Instant::now(), within.min(self.agents.settings().deadline()));
        // Also if a server asks for a nonce, and the request is sent once more.
        let send = |request| self.receive_within(request, within.saturating_sub(begun.elapsed()));
        let driven = drive_with(self.prover.as_ref(), &mut request, send, |_| true);
        read_tokens(request, driven)
    }

    pub(crate) fn drive(&self, flow: &mut dyn Flow) -> Result<Received, DriveError> {
        self.drive_pausing(flow, || {}, |_| true)
    }

    /// Drives a flow, with a look at each request before it is sent, and a pause that says whether to go on.
    pub(crate) fn drive_pausing(
        &self,
        flow: &mut dyn Flow,
        mut sending: impl FnMut(),
        pause: impl FnMut(Duration) -> bool,
    ) -> Result<Received, DriveError> {
        let send = |request| {
            sending();
            self.receive(request)
        };
        drive_with(self.prover.as_ref(), flow, send, pause)
    }

    fn receive(&self, request: http::Request<Zeroizing<Vec<u8>>>) -> Result<Received, TransportError> {
        self.receive_within(request, self.agents.settings().deadline())
    }

    fn receive_within(
        &self,
        request: http::Request<Zeroizing<Vec<u8>>>,
        deadline: Duration,
    ) -> Result<Received, TransportError> {
        let response = self.agents.run(request, Some(deadline))?;
        Ok(collect(response, OAUTH_BODY_MAX))
    }
}

fn collect(response: http::Response<Body>, most: usize) -> Received {
    let (head, mut body) = response.into_parts();
    let mut reader = body.with_config().limit(u64::try_from(most).unwrap_or(u64::MAX)).reader();
    let mut answer = Answer::new(head.status.as_u16(), head.headers);
    let mut chunk = Zeroizing::new([0; CHUNK]);
    loop {
        match reader.read(&mut *chunk).map_err(ureq::Error::from) {
            Ok(0) => return (answer, Ok(())),
            Ok(length) if answer.push(chunk.get(..length).unwrap_or_default(), most) => {}
            Ok(_) => return (answer, Err(TransportError::new(TransportKind::BodyTooBig, true))),
            Err(error) => return (answer, Err(transport(error))),
        }
    }
}

const CHUNK: usize = 16 * 1024;
