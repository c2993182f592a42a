//! [`Signer`]: a key that an adapter holds, to which tokens are bound (RFC 9449).

use proofkey_core::PublicKey;
use std::{error, fmt};

/// A key of P-256 that signs proofs of possession. With the feature `dpop` there is `SigningKey`; a secure element or a key of the
/// platform implements this itself.
///
/// ```
/// use proofkey_core::PublicKey;
/// use proofkey_http::{SignError, Signer};
///
/// struct SecureElement {
///     public_key: PublicKey,
/// }
///
/// impl Signer for SecureElement {
///     fn public_key(&self) -> &PublicKey {
///         &self.public_key
///     }
///
///     fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
///         // Have the device sign `message`, or its hash.
///         # let _ = message;
///         Err(SignError::new("the device is locked"))
///     }
/// }
/// # let device = SecureElement { public_key: PublicKey::new([1; 32], [2; 32]) };
/// # assert_eq!(device.sign(b"").unwrap_err().to_string(), "the key cannot sign: the device is locked");
/// ```
pub trait Signer: Send + Sync {
    /// Its public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs with ES256: ECDSA with SHA-256 over `message`, as r and s, each 32 bytes with the highest first (RFC 7518 section
    /// 3.4). It is called on the thread that sends, so it should not wait for a person.
    ///
    /// # Errors
    /// [`SignError`] if the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// A key that cannot be used.
#[derive(Debug)]
pub struct SignError(Box<dyn error::Error + Send + Sync>);

impl SignError {
    /// The key cannot be used, because of this.
    pub fn new(why: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key cannot sign: {}", self.0)
    }
}

impl error::Error for SignError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}
