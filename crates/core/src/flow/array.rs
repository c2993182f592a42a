//! Tokens that own their parts without an allocator: [`TokensArray`].

use crate::flow::{RefreshToken, Scope, Tokens};
use crate::message::AccessToken;
use crate::oidc::IdToken;
use core::fmt;

/// [`Tokens`] that own their parts, in an array of `N` bytes: for a device that keeps them longer than the buffer of a response.
/// With the feature `zeroize` they are wiped when they are dropped.
///
/// ```
/// use proofkey_core::{AccessToken, RefreshToken, Tokens, TokensArray};
///
/// let mut buffer = *b"AT1 RT1";
/// let (access_token, refresh_token) = (str::from_utf8(&buffer[..3])?, str::from_utf8(&buffer[4..])?);
/// let tokens = Tokens::new(AccessToken::new(access_token)?).with_refresh_token(RefreshToken::new(refresh_token)?);
/// let kept = TokensArray::<64>::try_from(tokens)?;
/// // The buffer is free for the next response.
/// buffer.fill(0);
/// assert_eq!(kept.as_tokens().access_token().expose(), "AT1");
/// assert_eq!(kept.as_tokens().refresh_token().map(RefreshToken::expose), Some("RT1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TokensArray<const N: usize> {
    /// Access token, refresh token, scope and ID token, one behind the other.
    bytes: [u8; N],
    lengths: [usize; 4],
    is_bound: bool,
    expires_in: Option<u32>,
    refresh_expires_in: Option<u32>,
    /// Without its text.
    scope: Scope<'static>,
}

impl<const N: usize> TokensArray<N> {
    /// The view of them.
    #[must_use]
    pub fn as_tokens(&self) -> Tokens<'_> {
        let mut rest = self.bytes.as_slice();
        let [access_token, refresh_token, scope, id_token] = self.lengths.map(|length| {
            let (text, behind) = rest.split_at_checked(length).unwrap_or_default();
            rest = behind;
            core::str::from_utf8(text).unwrap_or_default()
        });
        Tokens {
            access_token: AccessToken::checked(access_token, self.is_bound),
            refresh_token: Some(refresh_token).filter(|token| !token.is_empty()).map(RefreshToken),
            expires_in: self.expires_in,
            refresh_expires_in: self.refresh_expires_in,
            scope: if self.scope.granted().is_some() { Scope::Granted(scope) } else { self.scope },
            id_token: Some(id_token).filter(|token| !token.is_empty()).map(IdToken::checked),
        }
    }
}

impl<const N: usize> TryFrom<Tokens<'_>> for TokensArray<N> {
    type Error = NoRoom;

    fn try_from(tokens: Tokens<'_>) -> Result<Self, NoRoom> {
        let refresh_token = tokens.refresh_token.map_or("", RefreshToken::expose);
        let id_token = tokens.id_token.map_or("", IdToken::expose);
        let texts = [tokens.access_token.expose(), refresh_token, tokens.scope.granted().unwrap_or_default(), id_token];
        let scope = match tokens.scope {
            Scope::Granted(_) => Scope::Granted(""),
            Scope::Requested => Scope::Requested,
            Scope::Unknown => Scope::Unknown,
        };
        let lengths = texts.map(str::len);
        let mut kept = Self {
            bytes: [0; N],
            lengths,
            is_bound: tokens.access_token.is_bound(),
            expires_in: tokens.expires_in,
            refresh_expires_in: tokens.refresh_expires_in,
            scope,
        };
        let mut rest = kept.bytes.as_mut_slice();
        for text in texts {
            let Some((place, behind)) = rest.split_at_mut_checked(text.len()) else {
                return Err(NoRoom { needed: lengths.iter().sum(), room: N });
            };
            place.copy_from_slice(text.as_bytes());
            rest = behind;
        }
        Ok(kept)
    }
}

impl<const N: usize> fmt::Debug for TokensArray<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_tokens().fmt(f)
    }
}

#[cfg(feature = "zeroize")]
impl<const N: usize> Drop for TokensArray<N> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.bytes);
    }
}

/// A room that is too small for what it is to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom {
    needed: usize,
    room: usize,
}

impl NoRoom {
    pub(crate) const fn new(needed: usize, room: usize) -> Self {
        Self { needed, room }
    }

    /// How many bytes are needed.
    #[must_use]
    pub const fn needed(self) -> usize {
        self.needed
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes are needed, and there is room for {}", self.needed, self.room)
    }
}

impl core::error::Error for NoRoom {}
