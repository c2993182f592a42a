//! What can be wrong with a response.

use super::words::{Decimal, put};
use super::{Advice, ConfigError, Excerpt, ServerError};
use core::fmt;

/// A response that is not what was asked for. Returned by every `read`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The body is in a content coding such as gzip, which was not asked for, and the adapter did not decode it.
    ContentCoding,
    /// The body is of this media type, which is not JSON.
    ContentType(Excerpt),
    /// The member stands in it more than once.
    Duplicate(&'static str),
    /// The metadata names an endpoint that cannot be used.
    Endpoint(ConfigError),
    /// The metadata is another issuer's (RFC 8414 section 3.3).
    Issuer {
        /// The issuer that was asked for.
        expected: Excerpt,
        /// The issuer that the metadata names.
        found: Excerpt,
    },
    /// The body is not a JSON object; the fault is at this byte (from 0).
    Json(usize),
    /// The member has characters that it must not have.
    Malformed(&'static str),
    /// The member is missing, null or empty.
    Missing(&'static str),
    /// The metadata says that the server has PKCE with these methods, and not with `S256` (RFC 7636 section 4.2).
    NoS256(Excerpt),
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
        /// Whether the body is a page for people, as a firewall or a proxy sends it.
        is_page: bool,
    },
    /// The token is of another type than `Bearer` (RFC 6749 section 7.1), or than `DPoP` for a client that is bound to a key: of
    /// this one, if it is a known one. Any other text could be a token in the wrong place, and is not told.
    TokenType(Option<&'static str>),
    /// The member is longer than 256 KiB, or a `request_uri` longer than 2 KiB.
    TooBig(&'static str),
    /// The member is of the wrong JSON type.
    Type(&'static str),
}

impl ResponseError {
    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Server { error, status, retry_after } => Advice::of_code(error.code(), *status, *retry_after),
            Self::Status { status, retry_after, .. } => Advice::of_status(*status, *retry_after),
            _ => Advice::Fix,
        }
    }

    /// Whether this answer to a refresh says that the server no longer takes the refresh token, by whatever name: the user
    /// has to sign in again, and sending it once more does not help.
    ///
    /// Servers differ in what they call it: `invalid_grant` (RFC 6749 section 5.2), `bad_refresh_token` with status 200
    /// (GitHub), `invalid_request`, or a 400 without a word. A 403, a 404, a redirect or a page of HTML is a firewall's or a
    /// deployment's, and ends no login; nor does an error that is about the client, the request or the moment.
    #[must_use]
    pub fn ends_login(&self) -> bool {
        match self {
            Self::Server { error, status: 200 | 201 | 400 | 401, .. } => !OTHER_REASONS.contains(&error.code()),
            Self::Status { status: 400 | 401, is_page: false, .. } => true,
            _ => false,
        }
    }
}

/// Errors of a refresh that say nothing about the refresh token.
const OTHER_REASONS: [&str; 10] = [
    "invalid_client",
    "invalid_dpop_proof",
    "invalid_scope",
    "invalid_target",
    "server_error",
    "slow_down",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "use_dpop_nonce",
];

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentCoding => f.write_str(
                "the response is compressed although `identity` was asked for; turn compression off at the server or proxy",
            ),
            Self::ContentType(found) => {
                put(f, &["the response is not JSON but `", found.as_str(), "`; check the address of the endpoint"])
            }
            Self::Duplicate(name) => put(f, &["the response has `", name, "` more than once"]),
            Self::Endpoint(error) => {
                f.write_str("the server's metadata cannot be used: ")?;
                error.fmt(f)
            }
            Self::Issuer { expected, found } => {
                put(f, &["the metadata belongs to another issuer: expected ", expected.as_str(), ", got ", found.as_str()])
            }
            Self::Json(at) => put(f, &["the response is not a JSON object (at byte ", Decimal::of(*at).as_str(), ")"]),
            Self::Malformed(name) => put(f, &["the response's `", name, "` contains characters that are not allowed"]),
            Self::Missing(name) => put(f, &["the response has no `", name, "`"]),
            Self::NoS256(found) => {
                put(f, &["the server does not offer PKCE with S256, which is required; it offers `", found.as_str(), "`"])
            }
            Self::Redirect(status) => {
                put(f, &["the endpoint answered with a redirect (", Decimal::of(usize::from(*status)).as_str(), "), which is never followed"])
            }
            Self::Server { error, status, .. } => {
                put(f, &["the server refused (", Decimal::of(usize::from(*status)).as_str(), "): "])?;
                error.fmt(f)
            }
            Self::Status { status, .. } => put(f, &["the server answered with status ", Decimal::of(usize::from(*status)).as_str(), " and no OAuth error"]),
            Self::TokenType(Some("Bearer")) => f.write_str(
                "the token is of type Bearer, which anybody can use who has it, and not bound to the key of this client",
            ),
            Self::TokenType(Some(name)) => put(f, &["the token is of type ", name, ", and only Bearer can be used"]),
            Self::TokenType(None) => f.write_str("the token is not of type Bearer and cannot be used"),
            Self::TooBig(name) => put(f, &["the response's `", name, "` is too long"]),
            Self::Type(name) => put(f, &["the response's `", name, "` has the wrong JSON type"]),
        }
    }
}

impl core::error::Error for ResponseError {}
