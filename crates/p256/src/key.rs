//! [`Key`]: a private key.

use core::{error, fmt};
use ecdsa::hazmat::sign_prehashed_rfc6979;
use p256::NistP256;
use p256::ecdsa::SigningKey;
use p256::elliptic_curve::Generate;
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// A private key on the curve P-256 (FIPS 186-5) that signs with SHA-256. It is wiped from memory when it is dropped.
///
/// Signatures are deterministic (RFC 6979): signing needs no random numbers, so a bad generator cannot give the key away.
///
/// ```
/// use proofkey_p256::Key;
///
/// let key = Key::from_bytes(&[7; 32])?;
/// let public: [u8; 64] = key.public_key(); // x and y
/// let signature: [u8; 64] = key.sign(b"header.claims"); // r and s
/// # assert_ne!(public, signature);
/// # Ok::<(), proofkey_p256::InvalidKey>(())
/// ```
pub struct Key(SigningKey);

impl Key {
    /// Makes a key.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn generate<R: TryCryptoRng>(rng: &mut R) -> Result<Self, R::Error> {
        SigningKey::try_generate_from_rng(rng).map(Self)
    }

    /// Loads a key from its [bytes](Self::to_bytes).
    ///
    /// # Errors
    /// If they are not a key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidKey> {
        SigningKey::from_slice(bytes).map(Self).map_err(|_| InvalidKey)
    }

    /// The key as bytes to keep: a number in big-endian order (SEC 1 section 2.3.7). Whoever has them can sign in its place.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut number = self.0.to_bytes();
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.copy_from_slice(&number);
        number.as_mut_slice().zeroize();
        bytes
    }

    /// The public key: the coordinates x and y, 32 bytes each in big-endian order.
    #[must_use]
    pub fn public_key(&self) -> [u8; 64] {
        let point = self.0.verifying_key().to_sec1_point(false);
        let mut out = [0; 64];
        for (out, byte) in out.iter_mut().zip(point.as_bytes().iter().skip(FORM)) {
            *out = *byte;
        }
        out
    }

    /// Signs a message: r and s, 32 bytes each in big-endian order (ES256, RFC 7518 section 3.4).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.sign_digest(&Sha256::digest(message).into())
    }

    /// Signs a message whose SHA-256 this is, as [`sign`](Self::sign) does.
    #[must_use]
    pub fn sign_digest(&self, digest: &[u8; 32]) -> [u8; 64] {
        let (signature, _) = sign_prehashed_rfc6979::<NistP256, Sha256>(self.0.as_nonzero_scalar(), digest, &[]);
        signature.to_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The bytes are not a private key: as a number they are zero, or not less than the order of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not a P-256 private key")
    }
}

impl error::Error for InvalidKey {}

/// SEC 1 begins a point with a byte that says in which form it is.
const FORM: usize = 1;
