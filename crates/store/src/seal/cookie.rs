//! [`Seal`].

use super::SealError;
use super::keys::{Keys, OVERHEAD, Purpose};
use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

/// Makes cookie values that only the replicas of a service can read, for a service that keeps no sessions: what waits for the user
/// to come back from the server (`Pending`, by serde) is then in the user's browser.
///
/// A value is encrypted, bound to the cookie's name and has an age; any replica with the same [`Keys`] opens it. Set the cookie
/// with `Path=/; Secure; HttpOnly; SameSite=Lax` and a name that begins with `__Host-`: Lax, because the browser comes back
/// from another site. Clear it when the user has come back. Until it has expired, whoever has the value can use it again; the
/// server takes the authorization code only once.
///
/// ```
/// use proofkey_store::{Keys, Seal, SealError, SealingKey};
///
/// let keys = Keys::new(SealingKey::from_base64("y3hPOVbtWr3N4yzn8sXqFLv1tBc9Y4TjZyK2pJmQ0aE=")?);
/// let seal = Seal::new(keys, "__Host-login");
/// let now = 1_700_000_000; // seconds since 1970
///
/// let value = seal.close(b"what waits", now)?;
/// assert_eq!(*seal.open(&value, now + 60)?, b"what waits");
/// assert_eq!(seal.open(&value, now + 601), Err(SealError::Expired));
/// assert_eq!(seal.open("AAAA", now), Err(SealError::Invalid));
/// # Ok::<(), SealError>(())
/// ```
#[derive(Clone)]
pub struct Seal {
    keys: Keys,
    name: String,
    max_age: u32,
}

impl Seal {
    /// Makes values for the cookie of this name, with an age of at most 10 minutes.
    #[must_use]
    pub fn new(keys: Keys, name: impl Into<String>) -> Self {
        Self { keys, name: name.into(), max_age: MAX_AGE }
    }

    /// Sets the age in seconds after which a value is no longer opened.
    #[must_use]
    pub fn with_max_age(self, seconds: u32) -> Self {
        Self { max_age: seconds, ..self }
    }

    /// The name of the cookie.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The age in seconds after which a value is no longer opened.
    #[must_use]
    pub const fn max_age(&self) -> u32 {
        self.max_age
    }

    /// The bytes as a cookie value of letters, digits, `-` and `_`, about 4 for each 3 bytes. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`SealError::TooLong`] if the cookie would be longer than the 4,096 bytes that browsers keep: with a short name, more than
    /// about 2,900 bytes are too many. [`SealError::Random`].
    pub fn close(&self, bytes: &[u8], now: u64) -> Result<String, SealError> {
        let sealed = bytes.len().saturating_add(TIME + OVERHEAD);
        // Checked before: what is far too long is not sealed first.
        if sealed.saturating_mul(4).div_ceil(3) > self.room() {
            return Err(SealError::TooLong);
        }
        let sealed = self.keys.seal(Purpose::Cookie, self.name.as_bytes(), &[&now.to_be_bytes(), bytes])?;
        Ok(Base64UrlUnpadded::encode_string(&sealed))
    }

    /// The bytes in a value. Clocks of replicas may differ, as long as it is by less than the age.
    ///
    /// # Errors
    /// [`SealError::Expired`], [`SealError::Invalid`].
    pub fn open(&self, value: &str, now: u64) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if value.len() > self.room() {
            return Err(SealError::Invalid);
        }
        let sealed = Base64UrlUnpadded::decode_vec(value).map_err(|_| SealError::Invalid)?;
        let opened = self.keys.open(Purpose::Cookie, self.name.as_bytes(), &sealed).ok_or(SealError::Invalid)?;
        let (time, bytes) = opened.split_first_chunk().ok_or(SealError::Invalid)?;
        if now.abs_diff(u64::from_be_bytes(*time)) > self.max_age.into() {
            return Err(SealError::Expired);
        }
        Ok(Zeroizing::new(bytes.to_vec()))
    }

    /// How long a value may be.
    const fn room(&self) -> usize {
        COOKIE.saturating_sub(self.name.len()).saturating_sub(ATTRIBUTES)
    }
}

const MAX_AGE: u32 = 600;
/// RFC 6265, section 6.1: name, value and attributes together.
const COOKIE: usize = 4096;
/// Room for `=` and the attributes.
const ATTRIBUTES: usize = 128;
const TIME: usize = 8;
