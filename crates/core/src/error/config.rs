//! What can be wrong with a configuration.

use super::words::{Decimal, put};
use crate::endpoint::Endpoint;
use core::fmt;

/// A [`Client::authorize`](crate::Client::authorize) that could not begin. `E` is the error of the caller's generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorizeError<E> {
    /// A scope or an extra parameter cannot be sent.
    Config(ConfigError),
    /// The random generator failed. Nothing was made.
    Random(E),
    /// The random generator gave the same 32 bytes twice: it is broken, and a login made from it could be guessed.
    RandomRepeats,
}

impl<E> AuthorizeError<E> {
    /// Maps the generator's error.
    ///
    /// ```
    /// use proofkey_core::AuthorizeError;
    ///
    /// let error = AuthorizeError::Random("no entropy").map_random(std::io::Error::other);
    /// assert_eq!(error.to_string(), "the random generator failed: no entropy");
    /// ```
    pub fn map_random<F>(self, map: impl FnOnce(E) -> F) -> AuthorizeError<F> {
        match self {
            Self::Config(error) => AuthorizeError::Config(error),
            Self::Random(error) => AuthorizeError::Random(map(error)),
            Self::RandomRepeats => AuthorizeError::RandomRepeats,
        }
    }
}

/// What is wrong with a configuration, found before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The access token cannot be a header: it must be printable ASCII without a space, and not empty.
    AccessToken,
    /// The URL of the API cannot be used.
    Api(UriFault),
    /// The client id is empty or not printable ASCII (RFC 6749 appendix A.1).
    ClientId,
    /// The code verifier is not 43 to 128 unreserved characters (RFC 7636 section 4.1).
    CodeVerifier,
    /// The embedded secret is empty or not printable ASCII (RFC 6749 appendix A.2).
    EmbeddedSecret,
    /// The endpoint cannot be used, or is not known.
    Endpoint(Endpoint, UriFault),
    /// An extra parameter cannot be sent.
    ExtraParameter {
        /// Its place in the list, from 0.
        index: usize,
        /// What is wrong with it.
        fault: ParameterFault,
    },
    /// Extra parameters were given already: give all of them in one call.
    ExtraParametersTwice,
    /// The issuer cannot be one (RFC 8414 section 2).
    Issuer(UriFault),
    /// The method of the API call is not one.
    Method,
    /// The server takes proofs of possession, but says that it does not take those that are signed with ES256 (RFC 9449 section
    /// 5.1).
    NoEs256Proofs,
    /// The nonce cannot stand in a proof: it must be printable ASCII without space, quote or backslash (RFC 9449 section 8.1).
    Nonce,
    /// The server only takes logins that are pushed (RFC 9126 section 5): use [`Client::push`](crate::Client::push).
    PushRequired,
    /// The redirect URI cannot be used.
    RedirectUri(UriFault),
    /// The refresh token is empty or not printable ASCII (RFC 6749 appendix A.17).
    RefreshToken,
    /// The scope at this place (from 0) is empty, or has a space, `"`, `\` or a character that is not ASCII (RFC 6749
    /// section 3.3).
    Scope(usize),
}

/// What is wrong with an extra parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterFault {
    /// Its name or its value is empty.
    Empty,
    /// The endpoint's own query has it already.
    InEndpoint,
    /// The protocol sets this one itself.
    Protocol(&'static str),
    /// It stands in the list twice. Only `resource` may (RFC 8707 section 2).
    Repeated,
}

/// What is wrong with a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriFault {
    /// It is missing.
    Absent,
    /// It has a character that a URI cannot have or that browsers encode, or a `%` without two hexadecimal digits.
    Character,
    /// Its path has a `.` or `..` segment, which browsers resolve.
    DotSegment,
    /// It has a fragment (`#`).
    Fragment,
    /// It has no host, or one that is neither a name, a dotted IPv4 address nor an IPv6 literal; the port is not a number up
    /// to 65535; or it names a user.
    Host,
    /// Browsers write its scheme or host in another way: in lower case, an IPv6 address in its short form.
    HostSpelling,
    /// It is not an absolute URI.
    NotAbsolute,
    /// Its query has a parameter that the protocol sets.
    Parameter,
    /// Its port is 0 or begins with a zero.
    Port,
    /// It has a query.
    Query,
    /// Its query has a parameter twice.
    RepeatedParameter,
    /// The scheme is neither https, nor http with a loopback address or `localhost`, nor (for a redirect URI) a private
    /// one in reverse domain notation with a single slash (RFC 8252 section 7.1).
    Scheme,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessToken => f.write_str("the access token is empty or has characters that a header cannot carry"),
            Self::Api(fault) => put(f, &["the URL of the API: ", fault.text()]),
            Self::ClientId => f.write_str("client id: it must be printable ASCII and not empty"),
            Self::CodeVerifier => {
                f.write_str("code verifier: it must be 43 to 128 characters out of A-Z a-z 0-9 - . _ ~")
            }
            Self::EmbeddedSecret => f.write_str("the embedded secret is empty or not printable ASCII"),
            Self::Endpoint(endpoint, fault) => {
                endpoint.fmt(f)?;
                put(f, &[": ", fault.text()])
            }
            Self::ExtraParameter { index, fault } => match fault {
                ParameterFault::Protocol(name) => {
                    put(f, &["extra parameter `", name, "`: the protocol sets it itself"])
                }
                fault => put(f, &["extra parameter ", Decimal::of(*index).as_str(), " (from 0): ", fault.text()]),
            },
            Self::ExtraParametersTwice => {
                f.write_str("extra parameters were given already; give all of them in one call")
            }
            Self::Issuer(fault) => put(f, &["issuer: ", fault.text()]),
            Self::Method => f.write_str("the method of the API call is not one"),
            Self::NoEs256Proofs => {
                f.write_str("the server does not take keys of P-256 (ES256) for tokens that are bound to a key")
            }
            Self::Nonce => f.write_str("the nonce is empty, too long or has characters that a proof cannot carry"),
            Self::PushRequired => f.write_str("the server only takes logins whose parameters are pushed to it first"),
            Self::RedirectUri(fault @ UriFault::Scheme) => put(
                f,
                &[
                    "redirect URI: ",
                    fault.text(),
                    "; a private scheme must be a reverse domain name with one slash (com.example.app:/path)",
                ],
            ),
            Self::RedirectUri(fault) => put(f, &["redirect URI: ", fault.text()]),
            Self::RefreshToken => f.write_str("the refresh token is empty or not printable ASCII"),
            Self::Scope(index) => put(
                f,
                &[
                    "scope ",
                    Decimal::of(*index).as_str(),
                    " (from 0): it must be printable ASCII without space, quote or backslash",
                ],
            ),
        }
    }
}

impl fmt::Display for ParameterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl ParameterFault {
    const fn text(&self) -> &'static str {
        match self {
            Self::Empty => "its name or value is empty",
            Self::InEndpoint => "the authorization server's endpoint has it in its own query",
            Self::Protocol(_) => "the protocol sets it itself",
            Self::Repeated => "it is given twice",
        }
    }
}

impl fmt::Display for UriFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl UriFault {
    const fn text(self) -> &'static str {
        match self {
            Self::Absent => "it is missing",
            Self::Character => {
                "it has a character that must be percent-encoded, or a `%` without two hexadecimal digits"
            }
            Self::DotSegment => "its path must not have a `.` or `..` segment, since browsers resolve it",
            Self::Fragment => "it must not have a fragment (`#`)",
            Self::Host => {
                "it needs a host (a name, an IPv4 address or an [IPv6] address), no user name, and a port up to 65535"
            }
            Self::HostSpelling => "write scheme and host as browsers show them: in lower case, IPv6 in its short form",
            Self::NotAbsolute => "it is not a full URI with a scheme, such as https://host/path",
            Self::Parameter => "its query has a parameter that the protocol sets itself",
            Self::Port => "the port must be 1 to 65535 without leading zeros",
            Self::Query => "it must not have a query (`?`)",
            Self::RepeatedParameter => "its query has a parameter twice",
            Self::Scheme => "it must start with https://, or with http:// and 127.0.0.1, [::1] or localhost",
        }
    }
}

impl<E: fmt::Display> fmt::Display for AuthorizeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Random(error) => {
                f.write_str("the random generator failed: ")?;
                error.fmt(f)
            }
            Self::RandomRepeats => f.write_str("the random generator repeats itself and must not be used"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for AuthorizeError<E> {}
impl core::error::Error for ConfigError {}

impl<E> From<ConfigError> for AuthorizeError<E> {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}
