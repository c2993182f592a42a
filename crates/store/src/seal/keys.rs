//! [`SealingKey`] and [`Keys`]: AES-256-GCM (NIST SP 800-38D) under keys by HKDF-SHA256 (RFC 5869).

use super::SealError;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A key of 32 random bytes. It is wiped from memory on drop, and cannot be printed. (`ring` does not wipe the key that it
/// derives for one value.)
///
/// Make one with `openssl rand -base64 32`, and keep it where the service keeps its other secrets, not beside the store.
pub struct SealingKey(Box<Zeroizing<[u8; 32]>>);

impl SealingKey {
    /// A key of these bytes. Wipe your copy.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        key.copy_from_slice(bytes);
        Self(key)
    }

    /// The key in base64: 44 characters with padding, or 43 of the URL-safe alphabet without.
    ///
    /// # Errors
    /// [`SealError::InvalidKey`].
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        let text = text.trim_ascii();
        let decoded = match text.len() {
            43 => Base64UrlUnpadded::decode(text, &mut **key),
            _ => Base64::decode(text, &mut **key),
        };
        match decoded {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(key)),
            _ => Err(SealError::InvalidKey),
        }
    }

    /// Tells which key sealed a value. Nothing of the key can be learned from it.
    fn id(&self) -> [u8; ID] {
        let mut hash = Sha256::new();
        hash.update(b"proofkey sealing key");
        hash.update(**self.0);
        let mut id = [0; ID];
        id.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        id
    }

    /// The key of one value. It seals nothing else, since no salt comes twice.
    fn of_value(&self, purpose: Purpose, salt: &[u8], context: &[u8]) -> Option<LessSafeKey> {
        let secret = Salt::new(HKDF_SHA256, salt).extract(&**self.0);
        let info = [purpose.label(), context];
        let key = secret.expand(&info, &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// The key that seals, and older ones that still open. Clones share them.
///
/// To change the key: give each replica the new one `with_old`, then make it the current one, and leave the old one out when no row
/// is sealed with it any more. A row is sealed anew whenever its login is refreshed.
///
/// ```
/// use proofkey_store::{Keys, SealingKey};
///
/// # let (now, before) = ([1; 32], [2; 32]);
/// let keys = Keys::new(SealingKey::from_bytes(&now)).with_old(SealingKey::from_bytes(&before));
/// # let _ = keys;
/// ```
#[derive(Clone)]
pub struct Keys {
    current: Arc<SealingKey>,
    old: Vec<Arc<SealingKey>>,
}

impl Keys {
    /// A key that seals and opens.
    #[must_use]
    pub fn new(current: SealingKey) -> Self {
        Self { current: Arc::new(current), old: Vec::new() }
    }

    /// Adds a key that only opens.
    #[must_use]
    pub fn with_old(mut self, old: SealingKey) -> Self {
        self.old.push(Arc::new(old));
        self
    }

    /// Seals a value that is `parts`, bound to its use and context.
    pub(super) fn seal(&self, purpose: Purpose, context: &[u8], parts: &[&[u8]]) -> Result<Vec<u8>, SealError> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|_| SealError::Random)?;
        let length = parts.iter().map(|part| part.len()).fold(OVERHEAD, usize::saturating_add);
        // Wiped if it fails; allocated once, because a buffer that grows leaves copies behind.
        let mut sealed = Zeroizing::new(Vec::with_capacity(length));
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.current.id());
        sealed.extend_from_slice(&salt);
        parts.iter().for_each(|part| sealed.extend_from_slice(part));
        let (head, text) = sealed.split_at_mut(HEAD);
        let key = self.current.of_value(purpose, &salt, context).ok_or(SealError::Invalid)?;
        let tag = key
            .seal_in_place_separate_tag(nonce(), aad(head, purpose, context), text)
            .map_err(|_| SealError::TooLong)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(std::mem::take(&mut sealed))
    }

    /// The value, unless it is not one that was sealed for this use and context with a key that is here.
    pub(super) fn open(&self, purpose: Purpose, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (head, text) = sealed.split_at_checked(HEAD)?;
        let rest = head.strip_prefix(&[FORMAT])?;
        let (id, salt) = rest.split_at_checked(ID)?;
        let key = [&self.current].into_iter().chain(&self.old).find(|key| key.id() == id)?;
        let key = key.of_value(purpose, salt, context)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = key.open_in_place(nonce(), aad(head, purpose, context), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// What a value is sealed for. One that is sealed for one use is never opened for the other.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Cookie,
    Row,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Cookie => b"proofkey sealed cookie\0",
            Self::Row => b"proofkey sealed row\0",
        }
    }
}

fn aad(head: &[u8], purpose: Purpose, context: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([head, purpose.label(), context].concat())
}

/// Each key seals one value, so it needs no other nonce.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

const FORMAT: u8 = 1;
const ID: usize = 8;
const SALT: usize = 32;
/// Format, id of the key, salt.
const HEAD: usize = 1 + ID + SALT;
/// What a sealed value is longer than the value itself: the head, and the tag of 16 bytes.
pub(super) const OVERHEAD: usize = HEAD + 16;
