//! Logins to send redirects to.

use crate::{Counter, values};
use proofkey_core::{CallbackError, Client, Endpoint, Feature, Pending, Redirect, Server};
use std::net::IpAddr;
use url::{Host, Url};

/// The redirect URI of every client here.
pub const REDIRECT_URI: &str = "http://127.0.0.1:49152/cb";

/// What of [`REDIRECT_URI`] a request target leaves out.
pub const ORIGIN: &str = "http://127.0.0.1:49152";

/// The issuer of [`client`], which promises an `iss`.
pub const ISSUER: &str = "https://as.example";

/// The state of [`login`]. Seeds and dictionaries hold it.
pub const STATE: &str = "AAAAAQAAAAIAAAADAAAABAAAAAUAAAAGAAAABwAAAAg";

/// The challenge of [`login`].
pub const CHALLENGE: &str = "YC0epW3EXlAPhLGs0S45QfjGd6tCsfp3gdYrTPeyF78";

/// The nonce of [`login`], if it asks who signs in.
pub const NONCE: &str = "Tbi3arnZHjrctM6e5nICRRbQXCES7Ww2h_uSGLh5Gq8";

/// The client of [`login`].
#[must_use]
pub fn client() -> Client<'static> {
    let server = Server::new("https://as.example/authorize", "https://as.example/token")
        .with(Endpoint::PushedAuthorization, "https://as.example/par")
        .with(Endpoint::Revocation, "https://as.example/revoke")
        .with_issuer(ISSUER)
        .with_feature(Feature::IssParameter);
    Client::new("client", REDIRECT_URI, server).expect("a valid client")
}

/// A client of another server, with the same redirect URI.
#[must_use]
pub fn other_client() -> Client<'static> {
    let server = Server::new("https://other.example/authorize", "https://other.example/token");
    Client::new("client", REDIRECT_URI, server).expect("a valid client")
}

/// A login that waits for the redirect with [`STATE`].
#[must_use]
pub fn login() -> Pending {
    let (_, pending) = client().authorize(&[], &mut Counter::default()).expect("a login begins");
    assert_eq!(pending.state().expose(), STATE);
    pending
}

/// Whether a redirect is the [`login`]'s, and what accepting it gives: the body of the token request.
pub fn accept(redirect: Redirect<'_>) -> (bool, Result<String, CallbackError>) {
    let (client, pending) = (client(), login());
    let ours = pending.matches(client, redirect);
    (ours, pending.accept(client, redirect).map(|request| request.request().body()))
}

/// What a browser reads in a URI that was accepted. It knows more of hosts than the core, which takes any name over https:
/// such a host, and nothing else of the URI, is replaced.
#[must_use]
pub fn browse(uri: &str) -> Url {
    Url::parse(uri).unwrap_or_else(|_| {
        let rest = uri.strip_prefix("https://").expect("a browser can read the URI");
        let literal = if rest.starts_with('[') { rest.find(']').unwrap_or_default() } else { 0 };
        let end = rest[literal..].find([':', '/', '?']).map_or(rest.len(), |at| literal + at);
        Url::parse(&format!("https://host.example{}", &rest[end..])).expect("a browser can read all but the host")
    })
}

/// The loopback address of a URL with plain http, as a browser reads it.
#[must_use]
pub fn loopback_ip(url: &Url) -> Option<IpAddr> {
    let ip = match url.host()? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain(_) => return None,
    };
    (url.scheme() == "http" && ip.is_loopback()).then_some(ip)
}

/// Many logins of two clients, and what is done with them.
#[derive(Default)]
pub struct Session {
    rng: Counter,
    states: Vec<String>,
    waiting: Vec<Begun>,
}

struct Begun {
    client: Client<'static>,
    challenge: String,
    pending: Pending,
}

/// A redirect that was accepted.
pub struct Accepted {
    /// The client that began the login, and the one that finished it.
    pub clients: [Client<'static>; 2],
    /// The state in the login's authorization URL.
    pub state: String,
    /// The challenge in the login's authorization URL.
    pub challenge: String,
    /// The redirect's query.
    pub query: String,
    /// The body of the token request.
    pub body: String,
}

impl Session {
    /// Does what a line says: `begin CLIENT`, `turn` to the next login, `park` it, or `accept CLIENT QUERY`, in which `$N`
    /// is the state of login `N`.
    pub fn step(&mut self, line: &str) -> Option<Accepted> {
        let (operation, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (which, query) = rest.split_once(' ').unwrap_or((rest, ""));
        let by = if which == "0" { client() } else { other_client() };
        match operation {
            "begin" => self.begin(by),
            "park" => self.waiting.last_mut()?.park(),
            "turn" if !self.waiting.is_empty() => self.waiting.rotate_left(1),
            "accept" => return self.accept(by, query),
            _ => {}
        }
        None
    }

    fn begin(&mut self, client: Client<'static>) {
        let (url, pending) = client.authorize(&[], &mut self.rng).expect("a login begins");
        self.states.push(pending.state().expose().to_owned());
        self.waiting.push(Begun { client, challenge: values(&url.to_string(), "code_challenge").concat(), pending });
    }

    fn accept(&mut self, by: Client<'static>, query: &str) -> Option<Accepted> {
        let Begun { client, challenge, pending } = self.waiting.pop()?;
        let numbered = self.states.iter().take(10).enumerate();
        let query = numbered.fold(query.to_owned(), |query, (n, state)| query.replace(&format!("${n}"), state));
        let state = pending.state().expose().to_owned();
        let body = pending.accept(by, Redirect::Query(&query)).ok()?.request().body();
        Some(Accepted { clients: [client, by], state, challenge, query, body })
    }
}

impl Begun {
    fn park(&mut self) {
        let parked = serde_json::to_string(&self.pending).expect("a login is written down");
        self.pending = serde_json::from_str(&parked).expect("a login is read back");
    }
}

/// What a login is begun with: client id, redirect URI, endpoint and scope, a line each; then parameters of the server's own.
pub struct Ask<'a> {
    /// The client id.
    pub id: &'a str,
    /// The redirect URI.
    pub redirect_uri: &'a str,
    /// The authorization endpoint.
    pub endpoint: &'a str,
    /// The scope.
    pub scope: Vec<&'a str>,
    /// The parameters of the server's own.
    pub extra: Vec<(&'a str, &'a str)>,
}

impl<'a> Ask<'a> {
    /// Reads the lines.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let mut lines = text.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        let [id, redirect_uri, endpoint, scope] = [next(), next(), next(), next()];
        let scope = if scope.is_empty() { Vec::new() } else { scope.split(' ').collect() };
        // Other libraries read the replacement character for what is not UTF-8.
        let lines = lines.filter(|line| !line.contains(char::REPLACEMENT_CHARACTER));
        Self { id, redirect_uri, endpoint, scope, extra: lines.filter_map(|line| line.split_once('=')).collect() }
    }

    /// The authorization URL and its parameters: what it has to add to the endpoint.
    #[must_use]
    pub fn url(&self) -> Option<(String, Vec<(String, String)>)> {
        let server = Server::new(self.endpoint, "https://as.example/token");
        let client = Client::new(self.id, self.redirect_uri, server).ok()?;
        let (url, pending) = client.authorize(&self.scope, &mut Counter::default()).ok()?;
        let url = url.with(&self.extra).ok()?;
        let mut added = vec![("response_type", "code"), ("client_id", self.id), ("redirect_uri", self.redirect_uri)];
        let scope = self.scope.join(" ");
        added.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
        added.extend([
            ("state", pending.state().expose()),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        added.extend(self.scope.contains(&"openid").then_some(("nonce", NONCE)));
        added.extend(&self.extra);
        assert_eq!(url.len(), url.to_string().len());
        Some((url.to_string(), added.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}
