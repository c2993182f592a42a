//! Proof Key for Code Exchange (RFC 7636): the verifier, its challenge, and the `state` beside them.

use crate::error::{AuthorizeError, ConfigError};
use crate::wire::base64;
use core::fmt;
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};

/// The `code_verifier`: 32 random bytes as 43 characters of base64url (RFC 7636 section 4.1).
///
/// It cannot be cloned or printed. With the feature `zeroize` it is wiped when it is dropped.
///
/// ```
/// use getrandom::SysRng;
/// use proofkey_core::{CodeChallenge, CodeVerifier};
///
/// let verifier = CodeVerifier::generate(&mut SysRng)?;
/// assert_eq!(verifier.challenge(), CodeChallenge::s256(verifier.expose())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CodeVerifier(Token);

impl CodeVerifier {
    /// Draws 32 bytes from the caller's generator.
    ///
    /// # Errors
    /// That of the generator, which must be one that is fit for cryptography.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
        Token::draw(rng).map(|[token]| Self(token))
    }

    /// The challenge to send in its place.
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge::digest(&self.0.0)
    }

    /// The `nonce` that ties an ID token to this login (OpenID Connect Core 1.0 section 15.5.2). It says nothing of the verifier.
    pub(crate) fn nonce(&self) -> Nonce {
        hash(b"nonce", &self.0.0)
    }

    /// The 43 characters, for the token endpoint's eyes only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    #[cfg(feature = "serde")]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Token::parse(text).map(Self)
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(..)")
    }
}

/// The `code_challenge` of method `S256`: 43 characters of base64url (RFC 7636 section 4.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeChallenge(Nonce);

/// 43 characters of base64url.
pub(crate) type Nonce = [u8; LENGTH];

impl CodeChallenge {
    /// The challenge of a verifier from elsewhere, whose characters are hashed as they are.
    ///
    /// ```
    /// use proofkey_core::CodeChallenge;
    ///
    /// // RFC 7636 appendix B
    /// let challenge = CodeChallenge::s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")?;
    /// assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::CodeVerifier`] unless it is 43 to 128 unreserved characters.
    pub fn s256(code_verifier: &str) -> Result<Self, ConfigError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&code_verifier.len()) || !code_verifier.bytes().all(unreserved) {
            return Err(ConfigError::CodeVerifier);
        }
        Ok(Self::digest(code_verifier.as_bytes()))
    }

    /// The 43 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    fn digest(verifier: &[u8]) -> Self {
        Self(hash(b"", verifier))
    }
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeChallenge({})", self.as_str())
    }
}

/// The `state`: 256 random bits, independent of the verifier, as 43 characters (RFC 6749 section 10.12).
///
/// It ties the redirect to the browser that was sent away. It cannot be printed.
pub struct State(Token);

impl State {
    /// The 43 characters, to look a parked login up by.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn draw<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
        Token::draw(rng).map(|[token]| Self(token))
    }

    /// Whether the bytes are this state, in a time that does not depend on how many of them match.
    pub(crate) fn is(&self, bytes: &[u8; LENGTH]) -> bool {
        let differs = self.0.0.iter().zip(bytes).fold(0, |differs, (expected, byte)| differs | (expected ^ byte));
        core::hint::black_box(differs) == 0
    }

    /// The same for bytes of any number.
    pub(crate) fn matches(&self, bytes: impl Iterator<Item = u8>) -> bool {
        let mut expected = self.0.0.iter();
        let differs =
            bytes.fold(0, |differs, byte| differs | expected.next().map_or(u8::MAX, |expected| expected ^ byte));
        core::hint::black_box(differs) == 0 && expected.next().is_none()
    }

    pub(crate) const fn characters(&self) -> [u8; LENGTH] {
        self.0.0
    }

    #[cfg(feature = "serde")]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Token::parse(text).map(Self)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State(..)")
    }
}

/// A state and a verifier from one draw of 64 bytes.
pub(crate) fn draw<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<(State, CodeVerifier), AuthorizeError<R::Error>> {
    let [state, verifier] = Token::draw(rng).map_err(AuthorizeError::Random)?;
    if state.0 == verifier.0 {
        return Err(AuthorizeError::RandomRepeats);
    }
    Ok((State(state), CodeVerifier(verifier)))
}

/// 256 random bits that are not a secret, as 43 characters.
pub(crate) fn draw_id<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<[u8; LENGTH], R::Error> {
    Token::draw(rng).map(|[token]| token.0)
}

/// 32 random bytes as 43 characters of unpadded base64url.
struct Token([u8; LENGTH]);

impl Token {
    /// Tokens from one draw, since each one can be a system call.
    fn draw<const N: usize, R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<[Self; N], R::Error> {
        let mut bytes = [[0; 32]; N];
        let drawn = rng.try_fill_bytes(bytes.as_flattened_mut());
        let tokens = bytes.each_ref().map(|bytes| Self(encode(bytes)));
        #[cfg(feature = "zeroize")]
        zeroize::Zeroize::zeroize(&mut bytes);
        drawn.map(|()| tokens)
    }

    #[cfg(feature = "serde")]
    fn parse(text: &str) -> Option<Self> {
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        text.as_bytes().try_into().ok().filter(|_| fits).map(Self)
    }

    fn as_str(&self) -> &str {
        text(&self.0)
    }
}

#[cfg(feature = "zeroize")]
impl Drop for Token {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

fn hash(label: &[u8], verifier: &[u8]) -> [u8; LENGTH] {
    encode(&Sha256::new().chain_update(label).chain_update(verifier).finalize().into())
}

/// base64url (RFC 4648 section 5), in a time that does not depend on the bytes.
pub(crate) fn encode(bytes: &[u8; 32]) -> [u8; LENGTH] {
    let mut characters = [0; LENGTH];
    // It fails only if there is no room for the characters.
    let _ = base64::encode(bytes, &mut characters);
    characters
}

pub(crate) fn text(characters: &[u8; LENGTH]) -> &str {
    core::str::from_utf8(characters).unwrap_or_default()
}

pub(crate) const LENGTH: usize = 43;
