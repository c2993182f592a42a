//! One small enum per place that can fail, the server's own words, and what to do now.

use crate::wire::json::JsonError;
use crate::wire::octets::all;
use core::fmt;

/// What to do now about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Something is configured or programmed wrongly, here or at the server: trying again changes nothing.
    Fix,
    /// The user has to sign in again, with a fresh [`Client::authorize`](crate::Client::authorize).
    Reauthorize,
    /// The server is busy or down. Try again after so many seconds, or after a pause of your own where it names none.
    Retry {
        /// Seconds, from the `Retry-After` header; at most a day.
        after: Option<u32>,
    },
}

/// A [`Client::authorize`](crate::Client::authorize) that could not begin. `E` is the error of the caller's generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizeError<E> {
    /// A scope or an extra parameter cannot be sent.
    Config(ConfigError),
    /// The random generator failed. Nothing was made.
    Random(E),
    /// The random generator gave the same 32 octets twice: it is broken, and a login made from it could be guessed.
    RandomRepeats,
}

/// A redirect that does not end the login well. Returned by [`Pending::accept`](crate::Pending::accept).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackError {
    /// It carries both a `code` and an `error`.
    Ambiguous,
    /// The login was begun with another client, redirect URI or server (mix-up, RFC 9700 section 4.4).
    Client,
    /// A parameter stands in it more than once (RFC 6749 section 3.1).
    Duplicate(&'static str),
    /// `iss` is missing where the server promises it, or names another server (RFC 9207 section 2.4).
    Issuer,
    /// A parameter holds what it must not hold (RFC 6749 appendix A).
    Malformed(&'static str),
    /// It carries neither a `code` nor an `error`.
    MissingCode,
    /// It carries what only another response type or mode delivers: a token, a signed response, a fragment.
    Mode,
    /// The server refused, in its own words (RFC 6749 section 4.1.2.1).
    Server(ServerError),
    /// `state` is missing or is not the one that was sent: a stranger's redirect (RFC 6749 section 10.12).
    State,
    /// It did not arrive at the redirect URI.
    Target,
}

/// What is wrong with a configuration, found before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The access token cannot be a header: it must be printable ASCII without a space, and not empty.
    AccessToken,
    /// The authorization endpoint cannot be used.
    AuthorizationEndpoint(UriFault),
    /// The client id is empty or not printable ASCII (RFC 6749 appendix A.1).
    ClientId,
    /// The code verifier is not 43 to 128 unreserved characters (RFC 7636 section 4.1).
    CodeVerifier,
    /// The extra parameter at this place (from 0) is empty, repeats another one, or is the protocol's own.
    ExtraParameter(usize),
    /// The issuer cannot be one (RFC 8414 section 2).
    Issuer(UriFault),
    /// The redirect URI cannot be used.
    RedirectUri(UriFault),
    /// The refresh token is empty or not printable ASCII (RFC 6749 appendix A.17).
    RefreshToken,
    /// The server's revocation endpoint cannot be used, or is not known.
    RevocationEndpoint(UriFault),
    /// The scope at this place (from 0) is empty, or holds a space, `"`, `\` or what is not ASCII (RFC 6749 section 3.3).
    Scope(usize),
    /// The token endpoint cannot be used.
    TokenEndpoint(UriFault),
}

/// What is wrong with a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriFault {
    /// It is not given.
    Absent,
    /// It holds a character that a URI cannot hold, or a `%` without two hexadecimal digits.
    Character,
    /// It has a fragment (`#`).
    Fragment,
    /// It has no host, a bad port, or names a user.
    Host,
    /// The host is `localhost`: write `127.0.0.1` or `[::1]` (RFC 8252 section 8.3).
    Localhost,
    /// It is not an absolute URI.
    NotAbsolute,
    /// Its query holds a parameter that the protocol sets.
    Parameter,
    /// It has a query.
    Query,
    /// The scheme is neither https, nor http with a loopback address, nor (for a redirect URI) a private one in reverse
    /// domain notation with a single slash (RFC 8252 section 7.1).
    Scheme,
}

/// A response that is not what was asked for. Returned by every `read`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// The body is not declared as JSON.
    ContentType,
    /// The member stands in it more than once.
    Duplicate(&'static str),
    /// The metadata names an endpoint that cannot be used.
    Endpoint(ConfigError),
    /// The metadata is another issuer's (RFC 8414 section 3.3).
    Issuer,
    /// The body is not a JSON object; the fault is at this octet (from 0).
    Json(usize),
    /// The member holds characters that it must not hold.
    Malformed(&'static str),
    /// The member is missing, null or empty.
    Missing(&'static str),
    /// The metadata says that the server has PKCE without `S256` (RFC 7636 section 4.2).
    NoS256,
    /// The endpoint answered with a redirect, which is never followed.
    Redirect(u16),
    /// The server refused, in its own words (RFC 6749 section 5.2).
    Server {
        /// Its words.
        error: ServerError,
        /// The HTTP status.
        status: u16,
        /// Seconds to wait, from `Retry-After`.
        retry_after: Option<u32>,
    },
    /// Neither success nor an OAuth error.
    Status {
        /// The HTTP status.
        status: u16,
        /// Seconds to wait, from `Retry-After`.
        retry_after: Option<u32>,
    },
    /// The token is of a type that is not `Bearer` (RFC 6749 section 7.1).
    TokenType,
    /// The member is longer than 256 KiB.
    TooBig(&'static str),
    /// The member is of the wrong JSON type or out of range.
    Type(&'static str),
}

/// The server's own words: an error code and perhaps a description, cut and cleaned to printable ASCII, so that
/// they are safe to log and to print on a terminal.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerError {
    code: heapless::Vec<u8, CODE_MAX>,
    description: heapless::Vec<u8, DESCRIPTION_MAX>,
}

impl ServerError {
    /// The error code, such as `access_denied` (RFC 6749 sections 4.1.2.1 and 5.2). At most 64 characters.
    #[must_use]
    pub fn code(&self) -> &str {
        text(&self.code)
    }

    /// The server's explanation for a developer. At most 200 characters.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        Some(text(&self.description)).filter(|description| !description.is_empty())
    }

    /// Of octets from anywhere.
    pub(crate) fn new(code: impl Iterator<Item = u8>, description: impl Iterator<Item = u8>) -> Self {
        let mut error = Self { code: heapless::Vec::new(), description: heapless::Vec::new() };
        clean(code, &mut error.code);
        clean(description, &mut error.description);
        error
    }

    pub(crate) fn of_text(code: &str, description: &str) -> Self {
        let mut error = Self { code: heapless::Vec::new(), description: heapless::Vec::new() };
        clean_text(code, &mut error.code);
        clean_text(description, &mut error.description);
        error
    }

    fn advice(&self, status: u16, retry_after: Option<u32>) -> Advice {
        match self.code() {
            "access_denied" | "consent_required" | "interaction_required" | "invalid_grant" | "login_required" => {
                Advice::Reauthorize
            }
            "server_error" | "temporarily_unavailable" => Advice::Retry { after: retry_after },
            _ => status_advice(status, retry_after),
        }
    }
}

impl CallbackError {
    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Client | Self::Mode | Self::Target => Advice::Fix,
            Self::Server(error) => error.advice(0, None),
            Self::Ambiguous
            | Self::Duplicate(_)
            | Self::Issuer
            | Self::Malformed(_)
            | Self::MissingCode
            | Self::State => Advice::Reauthorize,
        }
    }
}

impl ResponseError {
    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Server { error, status, retry_after } => error.advice(*status, *retry_after),
            Self::Status { status, retry_after } => status_advice(*status, *retry_after),
            _ => Advice::Fix,
        }
    }

    /// Whether it says that there is no metadata at the address that was asked: there may be at the next (RFC 8414 section
    /// 3.2).
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::ContentType | Self::Redirect(_) | Self::Server { .. } | Self::Status { .. })
    }
}

fn status_advice(status: u16, retry_after: Option<u32>) -> Advice {
    match status {
        429 | 500..=599 => Advice::Retry { after: retry_after },
        _ => Advice::Fix,
    }
}

/// Cuts to what there is room for and makes everything but printable ASCII a `?`, one for each run.
fn clean(octets: impl Iterator<Item = u8>, text: &mut heapless::VecView<u8>) {
    let mut in_run = false;
    for octet in octets {
        let printable = matches!(octet, b' '..=b'~');
        if (printable || !in_run) && text.push(if printable { octet } else { b'?' }).is_err() {
            break;
        }
        in_run = !printable;
    }
}

/// The same of text, which mostly has nothing to clean.
fn clean_text(from: &str, text: &mut heapless::VecView<u8>) {
    let printable = all(from.as_bytes(), |octet| matches!(octet, b' '..=b'~'));
    if !printable || text.extend_from_slice(from.as_bytes()).is_err() {
        clean(from.bytes(), text);
    }
}

fn text(cleaned: &[u8]) -> &str {
    core::str::from_utf8(cleaned).unwrap_or_default()
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerError").field("code", &self.code()).field("description", &self.description()).finish()
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        self.description().map_or(Ok(()), |description| write!(f, ": {description}"))
    }
}

impl<E: fmt::Display> fmt::Display for AuthorizeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Random(error) => write!(f, "the random generator failed: {error}"),
            Self::RandomRepeats => f.write_str("the random generator repeats itself and must not be used"),
        }
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous => f.write_str("the redirect carries both a code and an error; start the login again"),
            Self::Client => f.write_str("this login was begun with another client or server configuration"),
            Self::Duplicate(name) => write!(f, "the redirect carries `{name}` more than once; start the login again"),
            Self::Issuer => {
                f.write_str("the redirect comes from another authorization server than the login was begun with")
            }
            Self::Malformed(name) => write!(f, "the redirect's `{name}` holds characters that it must not hold"),
            Self::MissingCode => f.write_str("the redirect carries neither a code nor an error"),
            Self::Mode => f.write_str(
                "the redirect carries what was never asked for (a token, a signed response, a fragment); \
                 register the client for response type `code` and response mode `query`",
            ),
            Self::Server(error) => write!(f, "the authorization server refused: {error}"),
            Self::State => {
                f.write_str("the redirect does not belong to this login (its `state` is missing or different)")
            }
            Self::Target => f.write_str("this is not the redirect URI that the client is registered with"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessToken => f.write_str("the access token is empty or holds what cannot stand in a header"),
            Self::AuthorizationEndpoint(fault) => write!(f, "authorization endpoint: {fault}"),
            Self::ClientId => f.write_str("client id: must be printable ASCII and not empty"),
            Self::CodeVerifier => f.write_str("code verifier: must be 43 to 128 characters out of A-Z a-z 0-9 - . _ ~"),
            Self::ExtraParameter(index) => write!(
                f,
                "extra parameter {index} (from 0): it is empty, repeats another one, or belongs to the protocol"
            ),
            Self::Issuer(fault) => write!(f, "issuer: {fault}"),
            Self::RedirectUri(fault @ UriFault::Scheme) => write!(
                f,
                "redirect URI: {fault}; a private scheme must be a reverse domain name with one slash (com.example.app:/path)"
            ),
            Self::RedirectUri(fault) => write!(f, "redirect URI: {fault}"),
            Self::RefreshToken => f.write_str("the refresh token is empty or not printable ASCII"),
            Self::RevocationEndpoint(fault) => write!(f, "revocation endpoint: {fault}"),
            Self::Scope(index) => write!(
                f,
                "scope {index} (from 0): must be one word of printable ASCII without space, quote or backslash"
            ),
            Self::TokenEndpoint(fault) => write!(f, "token endpoint: {fault}"),
        }
    }
}

impl fmt::Display for UriFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "it is not given",
            Self::Character => "it holds a character that a URI cannot hold, or a `%` without two hexadecimal digits",
            Self::Fragment => "it must not have a fragment (`#`)",
            Self::Host => "it needs a host, without user name, and a valid port if any",
            Self::Localhost => "write 127.0.0.1 or [::1] instead of localhost",
            Self::NotAbsolute => "it is not an absolute URI (scheme, colon, and so on)",
            Self::Parameter => "its query holds a parameter that the protocol sets itself",
            Self::Query => "it must not have a query (`?`)",
            Self::Scheme => "it must start with https://, or with http:// and a loopback address",
        })
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType => f.write_str("the response is not JSON; is the endpoint's address right?"),
            Self::Duplicate(name) => write!(f, "the response holds `{name}` more than once"),
            Self::Endpoint(error) => write!(f, "the server's metadata cannot be used: {error}"),
            Self::Issuer => {
                f.write_str("the metadata belongs to another issuer; give the issuer exactly as the server writes it")
            }
            Self::Json(at) => write!(f, "the response is not a JSON object (at octet {at})"),
            Self::Malformed(name) => write!(f, "the response's `{name}` holds characters that it must not hold"),
            Self::Missing(name) => write!(f, "the response has no `{name}`"),
            Self::NoS256 => f.write_str("the server does not offer PKCE with S256, which is required"),
            Self::Redirect(status) => {
                write!(f, "the endpoint answered with a redirect ({status}), which is never followed")
            }
            Self::Server { error, status, .. } => write!(f, "the server refused ({status}): {error}"),
            Self::Status { status, .. } => write!(f, "the server answered with status {status} and no OAuth error"),
            Self::TokenType => f.write_str("the token is not of type Bearer and cannot be used"),
            Self::TooBig(name) => write!(f, "the response's `{name}` is longer than 256 KiB"),
            Self::Type(name) => write!(f, "the response's `{name}` is of the wrong type or out of range"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for AuthorizeError<E> {}
impl core::error::Error for CallbackError {}
impl core::error::Error for ConfigError {}
impl core::error::Error for ResponseError {}
impl core::error::Error for ServerError {}

impl<E> From<ConfigError> for AuthorizeError<E> {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<JsonError> for ResponseError {
    fn from(error: JsonError) -> Self {
        Self::Json(error.at)
    }
}

const CODE_MAX: usize = 64;
const DESCRIPTION_MAX: usize = 200;
