//! [`SigningKey`]: a key in the memory of this process.

use crate::signer::{SignError, Signer};
use proofkey_core::PublicKey;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A key of P-256 in the memory of this process, for tokens that are bound to it. It is cheap to clone.
///
/// Keep it with the login, or with the configuration of the service: without it, nobody can use the tokens.
///
/// ```
/// use proofkey_http::{Signer, SigningKey};
///
/// let key = SigningKey::generate()?;
/// let kept = key.to_pkcs8();
/// assert_eq!(SigningKey::from_pkcs8(kept)?.public_key(), key.public_key());
/// # Ok::<(), proofkey_http::SignError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    pair: EcdsaKeyPair,
    public_key: PublicKey,
    random: SystemRandom,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SignError`] if the system has no randomness.
    pub fn generate() -> Result<Self, SignError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self::from_pkcs8(made.map_err(|_| SignError::new("the system has no randomness"))?.as_ref())
    }

    /// A key that was kept.
    ///
    /// # Errors
    /// [`SignError`] if it is not a key of P-256 as [`to_pkcs8`](Self::to_pkcs8) writes it.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SignError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random);
        let pair = pair.map_err(|why| SignError::new(why.to_string()))?;
        let public_key = PublicKey::from_point(pair.public_key().as_ref());
        let public_key = public_key.ok_or_else(|| SignError::new("its public half is of another form"))?;
        Ok(Self(Arc::new(Inner { pair, public_key, random, pkcs8: Zeroizing::new(pkcs8.to_vec()) })))
    }

    /// The key, to keep it: PKCS#8 with both halves (RFC 5958). It is a secret, and wiped when the last clone of the key is dropped.
    #[must_use]
    pub fn to_pkcs8(&self) -> &[u8] {
        &self.0.pkcs8
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let signature = self.0.pair.sign(&self.0.random, message).map_err(|_| SignError::new("no randomness"))?;
        signature.as_ref().try_into().map_err(|_| SignError::new("a signature of another length"))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(self.public_key()).finish()
    }
}
