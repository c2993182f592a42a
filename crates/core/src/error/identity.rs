//! What can be wrong with an ID token.

use super::{Advice, Excerpt};
use core::fmt;

/// An ID token that does not say who signed in here. Returned by [`IdToken::check`](crate::IdToken::check).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdTokenError {
    /// It is for another client (`aud`, OpenID Connect Core 1.0 section 3.1.3.7 point 3).
    Audience {
        /// This client.
        expected: Excerpt,
        /// The audiences of the token.
        found: Excerpt,
    },
    /// It is encrypted (five parts), and a public client has no key to read it with.
    Encrypted,
    /// It has expired, although it has just come: one of the two clocks is wrong.
    Expired {
        /// Its `exp`, in seconds since 1970.
        at: u64,
        /// The time it was checked at.
        now: u64,
    },
    /// It is not a JSON Web Token: three parts, of which the second is a JSON object in base64url.
    Format,
    /// It is another server's (`iss`, point 2).
    Issuer {
        /// The issuer of the server that was asked.
        expected: Excerpt,
        /// The issuer that the token names.
        found: Excerpt,
    },
    /// The claim has the wrong JSON type, stands there twice, or has characters that it must not have.
    Malformed(&'static str),
    /// The claim is missing, null or empty.
    Missing(&'static str),
    /// Its claims do not fit into the buffer.
    NoRoom {
        /// How many bytes they need: [`IdToken::claims_len`](crate::IdToken::claims_len).
        needed: usize,
    },
    /// Its `nonce` is not the one that was sent: it belongs to another login (point 11).
    Nonce,
    /// It was issued to another client, and this one is only among its audiences (`azp`, points 4 and 5).
    Party {
        /// This client.
        expected: Excerpt,
        /// The client that the token names; empty if it names none.
        found: Excerpt,
    },
    /// The user signed in too long ago (`auth_time`, point 13).
    Stale {
        /// The seconds from then to the start of this login.
        age: u64,
        /// How many of them were asked for.
        max_age: u32,
    },
    /// Another user signed in than the one before (sections 5.3.2 and 12.2).
    Subject {
        /// The user that was expected.
        expected: Excerpt,
        /// The user of the token.
        found: Excerpt,
    },
    /// The issuer of the server is not known, so the token cannot be compared with it.
    UnknownIssuer,
}

impl IdTokenError {
    /// What to do now.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Nonce | Self::Stale { .. } | Self::Subject { .. } => Advice::Reauthorize,
            _ => Advice::Fix,
        }
    }
}

impl fmt::Display for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audience { expected, found } => {
                write!(f, "the ID token is for another client: expected `aud` {expected}, got {found}")
            }
            Self::Encrypted => f.write_str(
                "the ID token is encrypted, which a public client cannot read; \
                 register the client without `id_token_encrypted_response_alg`",
            ),
            Self::Expired { at, now } => {
                write!(f, "the ID token has expired (at {at}, and it is {now} here); check the clock of this machine")
            }
            Self::Format => f.write_str("the ID token is not a JSON Web Token"),
            Self::Issuer { expected, found } => {
                write!(f, "the ID token is from another issuer: expected `iss` {expected}, got {found}")
            }
            Self::Malformed(name) => write!(f, "the ID token's `{name}` is not as it must be"),
            Self::Missing(name) => write!(f, "the ID token has no `{name}`"),
            Self::NoRoom { needed } => write!(f, "the claims of the ID token need a buffer of {needed} bytes"),
            Self::Nonce => f.write_str("the ID token does not belong to this login: its `nonce` is different"),
            Self::Party { expected, found } if found.as_str().is_empty() => {
                write!(
                    f,
                    "the ID token has several audiences and does not say that it was issued to {expected} (`azp`)"
                )
            }
            Self::Party { expected, found } => {
                write!(f, "the ID token was issued to another client: expected `azp` {expected}, got {found}")
            }
            Self::Stale { age, max_age } => {
                write!(f, "the user signed in {age} s before this login, and at most {max_age} s were asked for")
            }
            Self::Subject { expected, found } => {
                write!(f, "another user signed in: expected `sub` {expected}, got {found}")
            }
            Self::UnknownIssuer => {
                f.write_str("the ID token cannot be checked, since the server's issuer is not known; configure it")
            }
        }
    }
}

impl core::error::Error for IdTokenError {}
