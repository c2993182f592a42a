//! What a service does for one user: makes the URL, reads the redirect, exchanges the code.

use crate::http::{KEPT, reqwest, send, send_blocking, ureq};
use crate::measure::Contender;
use getrandom::SysRng;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, EndpointNotSet, EndpointSet, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenUrl,
};
use proofkey_benches::fixtures::{CLIENT_ID, CODE, REDIRECT_URI, SCOPE};
use proofkey_core::{Client, ClientBuf, Pending, Redirect, Server, TokenRequest};
use std::hint::black_box;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// Over reqwest, with a connection for each exchange.
pub fn of_tokio(origin: &str) -> Vec<Contender> {
    let (address, request) = (address(origin), request_by_hand(origin));
    vec![
        proofkey_reqwest("proofkey-reqwest", origin, false),
        oauth2_reqwest(origin, false),
        Contender::of_tokio("a bare socket, ready bytes", async move || by_hand(&address, &request).await),
    ]
}

/// Over reqwest, with connections that both keep.
pub fn of_tokio_kept(origin: &str) -> Vec<Contender> {
    vec![
        proofkey_reqwest("proofkey-reqwest", origin, true),
        oauth2_reqwest(origin, true),
        proofkey_reqwest("proofkey-reqwest, a connection for each", origin, false),
    ]
}

/// Over ureq, with a connection for each exchange.
pub fn blocking(origin: &str) -> Vec<Contender> {
    vec![proofkey_ureq("proofkey-ureq", origin, false), oauth2_ureq(origin, false)]
}

/// Over ureq, with connections that both keep.
pub fn blocking_kept(origin: &str) -> Vec<Contender> {
    vec![
        proofkey_ureq("proofkey-ureq", origin, true),
        oauth2_ureq(origin, true),
        proofkey_ureq("proofkey-ureq, a connection for each", origin, false),
    ]
}

fn proofkey_reqwest(name: &'static str, origin: &str, kept: bool) -> Contender {
    let settings = proofkey_reqwest::Settings::new();
    let settings = if kept { settings.with_kept_connections(KEPT) } else { settings };
    let (service, http) = (Service::new(origin), proofkey_reqwest::Http::with_settings(settings).expect("a client"));
    Contender::of_tokio(name, async move || {
        let (pending, query) = service.begin();
        http.exchange(service.accept(pending, &query)).await.expect("tokens")
    })
}

fn oauth2_reqwest(origin: &str, kept: bool) -> Contender {
    let (peer, client) = (Peer::new(origin), reqwest(kept));
    Contender::of_tokio("oauth2 + reqwest", async move || -> BasicTokenResponse {
        let (code, verifier) = peer.begin_and_accept();
        let request = peer.0.exchange_code(code).set_pkce_verifier(verifier);
        request.request_async(&|request| send(&client, request)).await.expect("tokens")
    })
}

fn proofkey_ureq(name: &'static str, origin: &str, kept: bool) -> Contender {
    let settings = proofkey_ureq::Settings::new();
    let settings = if kept { settings.with_kept_connections(KEPT) } else { settings };
    let (service, http) = (Service::new(origin), proofkey_ureq::Http::with_settings(settings));
    Contender::blocking(name, move || {
        let (pending, query) = service.begin();
        http.exchange(service.accept(pending, &query)).expect("tokens")
    })
}

fn oauth2_ureq(origin: &str, kept: bool) -> Contender {
    let (peer, agent) = (Peer::new(origin), ureq(kept));
    Contender::blocking("oauth2 + ureq", move || -> BasicTokenResponse {
        let (code, verifier) = peer.begin_and_accept();
        let request = peer.0.exchange_code(code).set_pkce_verifier(verifier);
        request.request(&|request| send_blocking(&agent, request)).expect("tokens")
    })
}

/// A service that uses proofkey.
pub struct Service(ClientBuf);

impl Service {
    /// A client of the server there.
    ///
    /// # Panics
    /// If `origin` is not one.
    pub fn new(origin: &str) -> Self {
        let (authorize, token) = (format!("{origin}/authorize"), format!("{origin}/token"));
        Self(Client::new(CLIENT_ID, REDIRECT_URI, Server::new(&authorize, &token)).expect("a client").into())
    }

    /// Begins a login: what waits for the redirect, and the redirect's query.
    ///
    /// # Panics
    /// If the system gives no random bytes.
    pub fn begin(&self) -> (Pending, String) {
        let (url, pending) = self.0.as_client().authorize(&SCOPE, &mut SysRng).expect("random bytes");
        black_box(url.to_string());
        let query = query(pending.state().expose());
        (pending, query)
    }

    /// Reads the redirect.
    ///
    /// # Panics
    /// If it belongs to another login.
    pub fn accept<'s>(&'s self, pending: Pending, query: &'s str) -> TokenRequest<'s> {
        pending.accept(self.0.as_client(), Redirect::Query(query)).expect("a good redirect")
    }

    /// The body of a token request.
    pub fn body(&self) -> String {
        let (pending, query) = self.begin();
        self.accept(pending, &query).request().body()
    }
}

/// A service that uses `oauth2`.
struct Peer(BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>);

impl Peer {
    fn new(origin: &str) -> Self {
        let client = BasicClient::new(ClientId::new(CLIENT_ID.to_owned()))
            .set_auth_uri(AuthUrl::new(format!("{origin}/authorize")).expect("a URL"))
            .set_token_uri(TokenUrl::new(format!("{origin}/token")).expect("a URL"))
            .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).expect("a URL"));
        Self(client)
    }

    fn begin_and_accept(&self) -> (AuthorizationCode, PkceCodeVerifier) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = SCOPE.map(|scope| Scope::new(scope.to_owned()));
        let request = self.0.authorize_url(CsrfToken::new_random).add_scopes(scopes).set_pkce_challenge(challenge);
        let (url, state) = request.url();
        black_box(url.to_string());
        let query = query(state.secret());
        (self.accept(&query, &state).expect("a good redirect"), verifier)
    }

    /// `oauth2` does not read redirects: this is what its documentation does with `url`.
    fn accept(&self, query: &str, expected: &CsrfToken) -> Option<AuthorizationCode> {
        let url = Url::parse(&format!("http://localhost/?{query}")).ok()?;
        let find = |wanted| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        let code = AuthorizationCode::new(find("code")?);
        let state = CsrfToken::new(find("state")?);
        (state.secret() == expected.secret()).then_some(code)
    }
}

/// The query that the browser comes back with.
fn query(state: &str) -> String {
    format!("code={CODE}&state={state}")
}

/// The limit: the time of the sockets and of the server alone.
async fn by_hand(address: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request).await.expect("the request leaves");
    let mut received = Vec::with_capacity(1024);
    while !received.ends_with(b"}") {
        assert!(stream.read_buf(&mut received).await.expect("an answer") > 0);
    }
    received
}

fn request_by_hand(origin: &str) -> Vec<u8> {
    let body = Service::new(origin).body();
    let mut head = format!("POST /token HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", address(origin), body.len());
    head += "accept: application/json\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    format!("{head}\r\n{body}").into_bytes()
}

fn address(origin: &str) -> String {
    origin.trim_start_matches("http://").to_owned()
}
