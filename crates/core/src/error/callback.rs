//! What can be wrong with a redirect.

use super::words::put;
use super::{Advice, Excerpt, ServerError};
use core::fmt;

/// A redirect that does not end the login well. Returned by [`Pending::accept`](crate::Pending::accept).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallbackError {
    /// It carries both a `code` and an `error`.
    Ambiguous,
    /// The login was begun with another client, redirect URI or server (mix-up, RFC 9700 section 4.4).
    Client,
    /// A parameter stands in it more than once (RFC 6749 section 3.1).
    Duplicate(&'static str),
    /// It comes from another authorization server, or does not say from which one although this server always does
    /// (RFC 9207 section 2.4).
    Issuer {
        /// The issuer of the server that the login was begun with.
        expected: Excerpt,
        /// The redirect's `iss`; empty if it has none.
        found: Excerpt,
    },
    /// The parameter holds characters that it must not hold.
    Malformed(&'static str),
    /// It carries neither a `code` nor an `error`.
    MissingCode,
    /// It carries what only other response types or modes deliver, such as an access token.
    Mode,
    /// The server refused, in its own words (RFC 6749 section 4.1.2.1).
    Server(ServerError),
    /// `state` is missing or is not the one that was sent: a stranger's redirect (RFC 6749 section 10.12).
    State,
    /// It did not arrive at the redirect URI.
    Target {
        /// Where the client is registered: scheme, host, port and path as far as they were compared.
        expected: Excerpt,
        /// Where it arrived; empty if that is not a URL.
        found: Excerpt,
    },
}

impl CallbackError {
    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Client | Self::Mode | Self::Target { .. } => Advice::Fix,
            Self::Server(error) => Advice::of_code(error.code(), 0, None),
            Self::Ambiguous
            | Self::Duplicate(_)
            | Self::Issuer { .. }
            | Self::Malformed(_)
            | Self::MissingCode
            | Self::State => Advice::Reauthorize,
        }
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous => f.write_str("the redirect has both a code and an error"),
            Self::Client => f.write_str("this login was started with another client or server configuration"),
            Self::Duplicate(name) => put(f, &["the redirect has `", name, "` more than once"]),
            Self::Issuer { expected, found } if found.as_str().is_empty() => put(
                f,
                &[
                    "the redirect does not say which authorization server it comes from (`iss`), and ",
                    expected.as_str(),
                    " always does",
                ],
            ),
            Self::Issuer { expected, found } => put(
                f,
                &[
                    "the redirect comes from another authorization server: expected `iss` ",
                    expected.as_str(),
                    ", got ",
                    found.as_str(),
                ],
            ),
            Self::Malformed(name) => put(f, &["the redirect's `", name, "` contains characters that are not allowed"]),
            Self::MissingCode => f.write_str("the redirect has neither a code nor an error"),
            Self::Mode => f.write_str(
                "the redirect has a token, a signed response or a fragment, which was not asked for; \
                 register the client for response type `code` and response mode `query`",
            ),
            Self::Server(error) => {
                f.write_str("the authorization server refused: ")?;
                error.fmt(f)
            }
            Self::State => {
                f.write_str("the redirect does not belong to this login: its `state` is missing or different")
            }
            Self::Target { expected, found } => match found.as_str() {
                "" => put(
                    f,
                    &["this is not a redirect: expected ", expected.as_str(), ", got something that is not a URL"],
                ),
                same if same == expected.as_str() => put(
                    f,
                    &["the redirect to ", expected.as_str(), " lacks the parameters of the registered redirect URI"],
                ),
                _ => put(
                    f,
                    &[
                        "the redirect arrived at another address: expected ",
                        expected.as_str(),
                        ", got ",
                        found.as_str(),
                    ],
                ),
            },
        }
    }
}

impl core::error::Error for CallbackError {}
