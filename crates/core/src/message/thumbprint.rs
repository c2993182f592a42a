//! [`Thumbprint`]: which key a request is proved with.

use crate::wire::base64;
use core::fmt;

/// The SHA-256 thumbprint of a [`PublicKey`](crate::PublicKey), as 43 characters of base64url (RFC 7638). It is not a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint(pub(crate) [u8; 43]);

impl Thumbprint {
    /// A thumbprint that was kept; none if it cannot be one.
    ///
    /// ```
    /// use proofkey_core::{PublicKey, Thumbprint};
    ///
    /// let key = PublicKey::new([1; 32], [2; 32]);
    /// assert_eq!(Thumbprint::new(key.thumbprint().as_str()), Some(*key.thumbprint()));
    /// ```
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let characters = text.as_bytes().try_into().ok()?;
        base64::decode(text, &mut [0; 32]).is_some().then_some(Self(characters))
    }

    /// The 43 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}
