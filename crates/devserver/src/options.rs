//! What the server is told: its clients, its times, and what it shall do wrong.

/// How to start a [`DevServer`](crate::DevServer).
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// The lifetime of access tokens in seconds.
    pub access_token_ttl: u32,
    /// The lifetime of authorization codes in seconds.
    pub code_ttl: u32,
    /// The clients that may ask.
    pub clients: Vec<ClientRegistration>,
    /// What to do wrong from the start.
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            access_token_ttl: 3600,
            code_ttl: 60,
            clients: vec![ClientRegistration::default()],
            faults: Faults::default(),
        }
    }
}

/// A public client, as it is registered.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// The client id.
    pub client_id: String,
    /// The name that the consent page shows.
    pub name: String,
    /// The redirect URIs. A loopback address without a port stands for every port (RFC 8252 section 7.3).
    pub redirect_uris: Vec<String>,
    /// The scopes that it may ask for.
    pub scopes: Vec<String>,
}

impl Default for ClientRegistration {
    /// `demo-native`: loopback on any port, or a page to paste from.
    fn default() -> Self {
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            client_id: "demo-native".to_owned(),
            name: "Demo app".to_owned(),
            redirect_uris: strings(&[
                "http://127.0.0.1/callback",
                "http://[::1]/callback",
                "https://app.example/paste",
            ]),
            scopes: strings(&["itwin-platform", "offline_access", "admin"]),
        }
    }
}

/// What to do wrong. By default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// In the redirect to the client.
    pub callback: Option<CallbackFault>,
    /// In the metadata.
    pub metadata: Option<MetadataFault>,
    /// At the token endpoint.
    pub token: Option<EndpointFault>,
    /// At the revocation endpoint.
    pub revocation: Option<EndpointFault>,
    /// At the API.
    pub api: Option<EndpointFault>,
    /// The lifetime in seconds that the token response claims, whatever the access token's own is.
    pub expires_in: Option<u32>,
    /// Refresh tokens are not rotated: a refresh answers without a new one.
    pub keep_refresh_token: bool,
}

/// What to do wrong in the redirect to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackFault {
    /// A code and an error.
    CodeAndError,
    /// The code twice.
    DuplicateCode,
    /// The state twice, the second time another.
    DuplicateState,
    /// No `iss`.
    MissingIss,
    /// No `state`.
    MissingState,
    /// The `iss` of another server.
    WrongIss,
    /// A `state` that is not the one sent.
    WrongState,
}

/// What to do wrong in the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataFault {
    /// The issuer has a slash too many.
    IssuerMismatch,
    /// No promise of `iss` in the redirect, although it is sent (RFC 9207 section 3).
    NoIss,
    /// No revocation endpoint.
    NoRevocation,
    /// PKCE without `S256`.
    NoS256,
    /// A token endpoint at plain http of another host.
    PlainHttpTokenEndpoint,
}

/// What to do wrong at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointFault {
    /// Does what it is asked for, rotation included, and closes the connection without an answer.
    Hangup,
    /// Answers with exactly this, and does nothing.
    Respond {
        /// The HTTP status.
        status: u16,
        /// Header fields.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// Waits so many milliseconds, then does what it is asked for.
    Stall {
        /// Milliseconds.
        millis: u64,
    },
}
