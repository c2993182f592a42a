//! The forms of tokens that own their text.

use crate::bearer::AccessToken;
use crate::token::{RefreshToken, Scope, Tokens};
use alloc::{borrow::ToOwned, string::String};
use core::fmt;

/// A [`RefreshToken`] that owns its text. With the feature `zeroize` it is wiped when it is dropped.
#[derive(Clone)]
pub struct RefreshTokenBuf(String);

impl RefreshTokenBuf {
    /// The view of it.
    #[must_use]
    pub fn as_refresh_token(&self) -> RefreshToken<'_> {
        RefreshToken(&self.0)
    }
}

impl From<RefreshToken<'_>> for RefreshTokenBuf {
    fn from(token: RefreshToken<'_>) -> Self {
        Self(token.expose().to_owned())
    }
}

impl fmt::Debug for RefreshTokenBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshTokenBuf(..)")
    }
}

#[cfg(feature = "zeroize")]
impl Drop for RefreshTokenBuf {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// [`Tokens`] that own their parts. With the feature `zeroize` they are wiped when they are dropped.
#[derive(Clone)]
pub struct TokensBuf {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<u32>,
    scope: ScopeBuf,
}

#[derive(Clone)]
enum ScopeBuf {
    Granted(String),
    Requested,
    Unknown,
}

impl TokensBuf {
    /// The view of them.
    #[must_use]
    pub fn as_tokens(&self) -> Tokens<'_> {
        Tokens {
            access_token: AccessToken::checked(&self.access_token),
            refresh_token: self.refresh_token.as_deref().map(RefreshToken),
            expires_in: self.expires_in,
            scope: self.scope(),
        }
    }

    /// The access token, of type Bearer.
    #[must_use]
    pub fn access_token(&self) -> AccessToken<'_> {
        self.as_tokens().access_token
    }

    /// The refresh token to keep, if there is one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<RefreshToken<'_>> {
        self.as_tokens().refresh_token
    }

    /// The lifetime in seconds, counted from the request; none if the server does not say.
    #[must_use]
    pub const fn expires_in(&self) -> Option<u32> {
        self.expires_in
    }

    /// The scope that was granted.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        match &self.scope {
            ScopeBuf::Granted(text) => Scope::Granted(text),
            ScopeBuf::Requested => Scope::Requested,
            ScopeBuf::Unknown => Scope::Unknown,
        }
    }
}

impl From<Tokens<'_>> for TokensBuf {
    fn from(tokens: Tokens<'_>) -> Self {
        Self {
            access_token: tokens.access_token.expose().to_owned(),
            refresh_token: tokens.refresh_token.map(|token| token.expose().to_owned()),
            expires_in: tokens.expires_in,
            scope: match tokens.scope {
                Scope::Granted(text) => ScopeBuf::Granted(text.to_owned()),
                Scope::Requested => ScopeBuf::Requested,
                Scope::Unknown => ScopeBuf::Unknown,
            },
        }
    }
}

impl fmt::Debug for TokensBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_tokens().fmt(f)
    }
}

#[cfg(feature = "zeroize")]
impl Drop for TokensBuf {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.access_token);
        zeroize::Zeroize::zeroize(&mut self.refresh_token);
    }
}
