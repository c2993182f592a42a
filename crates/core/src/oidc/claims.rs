//! [`Claims`]: who signed in, as a server says it.

use crate::error::IdTokenError;
use crate::message::string;
use crate::wire::bytes::is_printable;
use crate::wire::json::{self, Kind, Value};
use core::fmt;

/// Who signed in: the claims of an ID token that was checked, or of the userinfo endpoint (OpenID Connect Core 1.0 section 5.1).
///
/// Only [`sub`](Self::sub) names the user: it is the server's own, and never given to somebody else. Names and addresses
/// change, and another user can have them later. A claim that cannot be used counts as absent.
#[derive(Clone, Copy)]
pub struct Claims<'c> {
    pub(crate) sub: &'c str,
    pub(crate) acr: Option<&'c str>,
    pub(crate) auth_time: Option<u64>,
    pub(crate) email: Option<&'c str>,
    pub(crate) email_verified: Option<bool>,
    pub(crate) name: Option<&'c str>,
    pub(crate) preferred_username: Option<&'c str>,
}

impl<'c> Claims<'c> {
    /// The user, as this server names them: at most 255 characters of printable ASCII. Two servers may use the same name for two
    /// users, so keep the issuer beside it.
    #[must_use]
    pub const fn sub(&self) -> &'c str {
        self.sub
    }

    /// How the user signed in, in the words of the server (`acr`); one of the `acr_values` that were asked for, if it could.
    #[must_use]
    pub const fn acr(&self) -> Option<&'c str> {
        self.acr
    }

    /// When the user signed in, in seconds since 1970.
    #[must_use]
    pub const fn auth_time(&self) -> Option<u64> {
        self.auth_time
    }

    /// The user's email address. Anybody can have it if it is not [verified](Self::email_verified).
    #[must_use]
    pub const fn email(&self) -> Option<&'c str> {
        self.email
    }

    /// Whether the server has made sure that the address is the user's. Apple and Amazon write it as a text.
    #[must_use]
    pub const fn email_verified(&self) -> Option<bool> {
        self.email_verified
    }

    /// The user's full name, to show it.
    #[must_use]
    pub const fn name(&self) -> Option<&'c str> {
        self.name
    }

    /// The short name that the user likes to be called by, to show it.
    #[must_use]
    pub const fn preferred_username(&self) -> Option<&'c str> {
        self.preferred_username
    }

    pub(crate) fn of(values: &[Value<'c>; NAMES_MAX]) -> Result<Self, IdTokenError> {
        let [sub, _, _, _, _, _, auth_time, acr, email, email_verified, name, preferred_username, ..] = *values;
        let sub = required("sub", sub)?;
        if sub.len() > SUB_MAX || !is_printable(sub) {
            return Err(IdTokenError::Malformed("sub"));
        }
        let text = |value| string("", value).ok().flatten();
        Ok(Self {
            sub,
            acr: text(acr),
            auth_time: seconds("auth_time", auth_time).ok().map(u64::from),
            email: text(email),
            email_verified: match (email_verified.kind, email_verified.text) {
                (Kind::True, _) | (Kind::String, "true") => Some(true),
                (Kind::False, _) | (Kind::String, "false") => Some(false),
                _ => None,
            },
            name: text(name),
            preferred_username: text(preferred_username),
        })
    }
}

/// Without names and addresses, which do not belong in logs.
impl fmt::Debug for Claims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").field("sub", &self.sub).finish_non_exhaustive()
    }
}

/// The names of the claims that are read, those of the caller behind them.
pub(crate) fn all_names<'n>(names: &[&'n str]) -> [&'n str; NAMES_MAX] {
    let mut all = [""; NAMES_MAX];
    all.iter_mut().zip(NAMES.iter().chain(names)).for_each(|(place, name)| *place = name);
    all
}

/// The claims of the caller.
pub(crate) fn further<'c, const N: usize>(values: &[Value<'c>; NAMES_MAX], names: &[&str; N]) -> [Option<&'c str>; N] {
    let all = all_names(names);
    names.map(|wanted| {
        let (_, value) = all.iter().zip(values).find(|(name, _)| **name == wanted)?;
        value.readable()
    })
}

pub(super) fn required<'c>(name: &'static str, value: Value<'c>) -> Result<&'c str, IdTokenError> {
    string(name, value).map_err(|_| IdTokenError::Malformed(name))?.ok_or(IdTokenError::Missing(name))
}

pub(super) fn seconds(name: &'static str, value: Value<'_>) -> Result<u32, IdTokenError> {
    match value.kind {
        Kind::Absent | Kind::Null => Err(IdTokenError::Missing(name)),
        Kind::Number => json::integer(value.text).ok_or(IdTokenError::Malformed(name)),
        _ => Err(IdTokenError::Malformed(name)),
    }
}

const NAMES: [&str; 12] = [
    "sub",
    "iss",
    "aud",
    "azp",
    "exp",
    "nonce",
    "auth_time",
    "acr",
    "email",
    "email_verified",
    "name",
    "preferred_username",
];

/// How many claims a caller may name.
pub(crate) const FURTHER: usize = 16;
pub(crate) const NAMES_MAX: usize = NAMES.len() + FURTHER;

/// The longest name of a user (OpenID Connect Core 1.0 section 2).
const SUB_MAX: usize = 255;
