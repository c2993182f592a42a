//! The settings of a server: its clients, lifetimes and faults.

/// The settings of a [`DevServer`](crate::DevServer).
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for any free port.
    pub port: u16,
    /// The lifetime of access tokens in seconds.
    pub access_token_ttl: u32,
    /// The lifetime of authorization codes in seconds.
    pub code_ttl: u32,
    /// The lifetime of device codes in seconds (RFC 8628).
    pub device_code_ttl: u32,
    /// How many seconds a device has to wait between two polls.
    pub device_interval: u32,
    /// Whether a device that polls too early is only told to slow down from then on, as at some real servers.
    pub unforgiving_polls: bool,
    /// The lifetime of pushed authorization requests in seconds (RFC 9126).
    pub push_ttl: u32,
    /// Whether every authorization request has to be pushed (RFC 9126 section 5).
    pub require_push: bool,
    /// How long a spent refresh token is still accepted, in seconds from its first use; 0 for not at all. This holds for
    /// the predecessor of the current token only. Any other spent token is reuse, which revokes the whole family.
    pub refresh_grace: u32,
    /// The answer to a spent refresh token in its grace.
    pub successor: Successor,
    /// What it wants of proofs of possession (RFC 9449). A client that sends them gets bound tokens in any case.
    pub dpop: ProofRules,
    /// The registered clients.
    pub clients: Vec<ClientRegistration>,
    /// The faults from the start.
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            access_token_ttl: 3600,
            code_ttl: 60,
            device_code_ttl: 600,
            device_interval: 5,
            unforgiving_polls: false,
            push_ttl: 60,
            require_push: false,
            refresh_grace: 0,
            successor: Successor::default(),
            dpop: ProofRules::default(),
            clients: vec![ClientRegistration::default()],
            faults: Faults::default(),
        }
    }
}

/// What a server wants of proofs of possession (RFC 9449): a part of its [`Options`]. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProofRules {
    /// Every token request needs a proof.
    pub required: bool,
    /// A proof at the token endpoint, or for a pushed request, needs a nonce of the authorization server (section 8).
    pub token_nonce: bool,
    /// A proof at the API needs a nonce of the API, which is another one (section 9).
    pub api_nonce: bool,
}

/// The answer to a spent refresh token in its grace ([`Options::refresh_grace`]).
///
/// The default is the newest pair: most servers issue a fresh pair (such as Auth0), and the strictest of them accept only
/// the newest (such as Airlock). A client that works with those works with one that accepts more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Successor {
    /// A fresh access token, and no refresh token.
    AccessTokenOnly,
    /// A fresh pair. The pair of the answer before is revoked, and its refresh token counts as spent.
    #[default]
    Newest,
    /// The pair of the first answer. `expires_in` is what is left of the access token's lifetime.
    Same,
}

/// A public client, as it is registered.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// The client id.
    pub client_id: String,
    /// The name that the consent page shows.
    pub name: String,
    /// The redirect URIs. A loopback address or `localhost` without a port stands for every port (RFC 8252 section 7.3).
    pub redirect_uris: Vec<String>,
    /// The scopes that it can ask for.
    pub scopes: Vec<String>,
    /// The "secret" that every copy of the app has, if the server wants one (RFC 8252 section 8.5).
    pub embedded_secret: Option<String>,
    /// Whether the secret is taken in the header `Authorization: Basic`, and not in the body (RFC 6749 section 2.3.1).
    pub secret_in_header: bool,
}

impl ClientRegistration {
    /// How it authenticates, by its name in metadata.
    pub(crate) const fn method(&self) -> &'static str {
        match (&self.embedded_secret, self.secret_in_header) {
            (None, _) => "none",
            (Some(_), false) => "client_secret_post",
            (Some(_), true) => "client_secret_basic",
        }
    }
}

impl Default for ClientRegistration {
    /// `demo-native`: 127.0.0.1, `[::1]` or `localhost` at any port, or a page to paste from.
    fn default() -> Self {
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            client_id: "demo-native".to_owned(),
            name: "Demo app".to_owned(),
            redirect_uris: strings(&[
                "http://127.0.0.1/callback",
                "http://[::1]/callback",
                "http://localhost/callback",
                "https://app.example/paste",
            ]),
            scopes: strings(&["itwin-platform", "offline_access", "admin", "openid", "profile", "email"]),
            embedded_secret: None,
            secret_in_header: false,
        }
    }
}

/// Faults to switch on. By default there are none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// In the redirect to the client.
    pub callback: Option<CallbackFault>,
    /// In the metadata.
    pub metadata: Option<MetadataFault>,
    /// At the token endpoint.
    pub token: Option<EndpointFault>,
    /// At the device authorization endpoint.
    pub device: Option<EndpointFault>,
    /// On some polls of a device, in place of the fault of the token endpoint.
    pub polls: Vec<RefreshFault>,
    /// At the endpoint for pushed authorization requests.
    pub push: Option<EndpointFault>,
    /// At the revocation endpoint.
    pub revocation: Option<EndpointFault>,
    /// At the API.
    pub api: Option<EndpointFault>,
    /// With proofs of possession, at the token endpoint and at the API.
    pub proof: Option<ProofFault>,
    /// In ID tokens.
    pub id_token: Option<IdTokenFault>,
    /// At the userinfo endpoint.
    pub userinfo: Option<EndpointFault>,
    /// The lifetime in seconds that the token response claims. It does not change the access token's own.
    pub expires_in: Option<u32>,
    /// Refresh tokens are not rotated: the answer to a refresh has no new one.
    pub keep_refresh_token: bool,
    /// On some refreshes, in place of the fault of the token endpoint. If several are due, the first in the list applies.
    pub refresh: Vec<RefreshFault>,
}

/// A fault with proofs of possession (RFC 9449).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofFault {
    /// Every proof is refused: it needs another nonce.
    AlwaysNonce,
    /// The proof is ignored, and the token is a plain Bearer token.
    BearerAnswer,
    /// Pages cannot read the nonce, because CORS does not expose its header field.
    HiddenNonce,
    /// A nonce is asked for, and none is given.
    NoNonce,
    /// Each success gives a new nonce, and only that one is good from then on (section 8.2).
    NonceInSuccess,
    /// Two header fields have a nonce each.
    TwoNonces,
}

/// A fault of some refreshes, or of some polls of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshFault {
    /// Those that have it.
    pub when: When,
    /// What goes wrong.
    pub fault: EndpointFault,
}

/// Which refreshes or polls have a fault. Each request with `grant_type=refresh_token`, or with that of a device, since the faults
/// were set counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Every nth: 3 means the third, the sixth and so on, 1 means all, and 0 means none.
    Every(u32),
    /// The next n.
    Next(u32),
}

impl When {
    /// Whether the one with this number, from 1, is one of them.
    pub(crate) fn is_due(self, number: u64) -> bool {
        match self {
            Self::Every(count) => number.checked_rem(count.into()) == Some(0),
            Self::Next(count) => number <= count.into(),
        }
    }
}

/// A fault of the redirect to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackFault {
    /// It has a code and an error.
    CodeAndError,
    /// It has the code twice.
    DuplicateCode,
    /// It has `state` twice, the second time with another value.
    DuplicateState,
    /// It has no `iss`.
    MissingIss,
    /// It has no `state`.
    MissingState,
    /// It has the `iss` of another server.
    WrongIss,
    /// It has a `state` that is not the one sent.
    WrongState,
}

/// A fault of ID tokens (OpenID Connect Core 1.0 section 3.1.3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdTokenFault {
    /// It is for another client.
    Audience,
    /// It has five parts, as if it were encrypted.
    Encrypted,
    /// It expired an hour ago.
    Expired,
    /// It is another server's.
    Issuer,
    /// It does not say when the user signed in.
    NoAuthTime,
    /// It has no nonce.
    NoNonce,
    /// It has another nonce.
    Nonce,
    /// It says that the user signed in yesterday.
    OldSignIn,
    /// It is for this client and an API, and was issued to the API.
    Party,
    /// It is about another user.
    Subject,
}

/// A fault of the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataFault {
    /// The issuer has an extra slash.
    IssuerMismatch,
    /// It has no authorization endpoint: users sign in on other devices only.
    NoAuthorization,
    /// It does not promise an `iss` in the redirect, although one is sent (RFC 9207 section 3).
    NoIss,
    /// It has no revocation endpoint.
    NoRevocation,
    /// It offers PKCE without `S256`.
    NoS256,
    /// Its token endpoint is plain http at another host.
    PlainHttpTokenEndpoint,
}

/// An answer that is changed after the work was done, one of the [`Faults`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// Members of the JSON object to replace, each with the JSON text of its new value; without one, it is removed.
    pub members: Vec<(String, Option<String>)>,
    /// Another body altogether.
    pub body: Option<String>,
    /// The body breaks off before this text, and the connection with it.
    pub cut_before: Option<String>,
}

impl Default for Alteration {
    /// The answer as it is.
    fn default() -> Self {
        Self {
            status: 200,
            content_type: "application/json".to_owned(),
            members: Vec::new(),
            body: None,
            cut_before: None,
        }
    }
}

/// A fault of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointFault {
    /// Does what it is asked for, rotation included, and changes the answer. An error of its own is not changed.
    Alter(Alteration),
    /// Does what it is asked for, rotation included, and waits this many milliseconds before it answers.
    Delay {
        /// Milliseconds.
        millis: u64,
    },
    /// Does what it is asked for, rotation included, and closes the connection without an answer.
    Hangup,
    /// Closes the connection without doing its work, as if the request had never arrived.
    HangupBefore,
    /// Answers exactly this, without doing its work.
    Respond {
        /// The HTTP status.
        status: u16,
        /// Header fields.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// Waits this many milliseconds, then does its work. The token endpoint does it even if the client has hung up by
    /// then, so a request can arrive after a later one.
    Stall {
        /// Milliseconds.
        millis: u64,
    },
}

impl EndpointFault {
    /// Refuses with an OAuth error (RFC 6749 section 5.2), without doing its work.
    #[must_use]
    pub fn error(status: u16, code: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Respond { status, headers, body: format!("{{\"error\":\"{code}\"}}") }
    }

    /// Answers with a page for people, as a firewall does, without doing its work.
    #[must_use]
    pub fn page(status: u16) -> Self {
        let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
        Self::Respond { status, headers, body: "<!doctype html><p>This page is for people.".to_owned() }
    }
}
