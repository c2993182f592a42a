//! What a service does for one user: makes the URL, reads the redirect, exchanges the code.

use crate::http::{reqwest, send, send_blocking, ureq};
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

/// Over reqwest.
pub fn of_tokio(origin: &str) -> Vec<Contender> {
    let (ours, theirs) = (Service::new(origin), Peer::new(origin));
    let http = proofkey_reqwest::Http::new().expect("a client");
    let proofkey = async move || {
        let (pending, query) = ours.begin();
        http.exchange(ours.accept(pending, &query)).await.expect("tokens")
    };
    let peer = |kept| {
        let (peer, http) = (theirs.clone(), reqwest(kept));
        async move || {
            let (code, verifier) = peer.begin_and_accept();
            let send = |request| send(&http, request);
            let request = peer.0.exchange_code(code).set_pkce_verifier(verifier);
            request.request_async(&send).await.expect("tokens")
        }
    };
    let (address, request) = (address(origin), request_by_hand(origin));
    vec![
        Contender::of_tokio("proofkey-reqwest", proofkey),
        Contender::of_tokio("oauth2 + reqwest", peer(false)),
        Contender::of_tokio("oauth2 + reqwest, connections kept", peer(true)),
        Contender::of_tokio("a bare socket, ready bytes", async move || by_hand(&address, &request).await),
    ]
}

/// Over ureq.
pub fn blocking(origin: &str) -> Vec<Contender> {
    let (ours, theirs) = (Service::new(origin), Peer::new(origin));
    let http = proofkey_ureq::Http::new();
    let agent = ureq();
    vec![
        Contender::blocking("proofkey-ureq", move || {
            let (pending, query) = ours.begin();
            http.exchange(ours.accept(pending, &query)).expect("tokens")
        }),
        Contender::blocking("oauth2 + ureq", move || -> BasicTokenResponse {
            let (code, verifier) = theirs.begin_and_accept();
            let request = theirs.0.exchange_code(code).set_pkce_verifier(verifier);
            request.request(&|request| send_blocking(&agent, request)).expect("tokens")
        }),
    ]
}

/// Proofkey's.
pub struct Service(ClientBuf);

impl Service {
    /// A client of the server there.
    ///
    /// # Panics
    /// Where the origin is none.
    pub fn new(origin: &str) -> Self {
        let (authorize, token) = (format!("{origin}/authorize"), format!("{origin}/token"));
        Self(Client::new(CLIENT_ID, REDIRECT_URI, Server::new(&authorize, &token)).expect("a client").into())
    }

    /// Begins a login: what waits for the redirect, and the redirect's query.
    ///
    /// # Panics
    /// Where the system gives no random bytes.
    pub fn begin(&self) -> (Pending, String) {
        let (url, pending) = self.0.as_client().authorize(&SCOPE, &mut SysRng).expect("random bytes");
        black_box(url.to_string());
        let query = query(pending.state().expose());
        (pending, query)
    }

    /// Reads the redirect.
    ///
    /// # Panics
    /// Where it is not that of this login.
    pub fn accept<'s>(&'s self, pending: Pending, query: &'s str) -> TokenRequest<'s> {
        pending.accept(self.0.as_client(), Redirect::Query(query)).expect("a good redirect")
    }

    /// The body of a token request.
    pub fn body(&self) -> String {
        let (pending, query) = self.begin();
        self.accept(pending, &query).request().body()
    }
}

/// That of `oauth2`.
#[derive(Clone)]
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

    /// `oauth2` reads no redirect: this is what its documentation does with `url`.
    fn accept(&self, query: &str, expected: &CsrfToken) -> Option<AuthorizationCode> {
        let url = Url::parse(&format!("http://localhost/?{query}")).ok()?;
        let find = |wanted| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        let code = AuthorizationCode::new(find("code")?);
        let state = CsrfToken::new(find("state")?);
        (state.secret() == expected.secret()).then_some(code)
    }
}

/// What the browser comes back with.
fn query(state: &str) -> String {
    format!("code={CODE}&state={state}")
}

/// The limit: what the sockets and the server take.
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
