//! Demonstrating Proof of Possession (RFC 9449): [`PublicKey`], and the [`Proof`] that each request of a bound client carries.

use crate::check::check_secure;
use crate::error::ConfigError;
use crate::message::{AccessToken, Content, Request, Thumbprint, Url, is_nonce};
use crate::proof::pkce;
use crate::wire::base64;
use crate::wire::form::Length;
use core::fmt::{self, Write};
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};

/// The public half of a key of P-256 (ES256), to which tokens are bound. The private half stays where it is: in a secure element,
/// in WebCrypto, in the adapter's `Signer`.
///
/// ```
/// use proofkey_core::{Client, Provable, PublicKey, Response, RefreshToken, Server};
/// # use getrandom::SysRng;
/// # let now = 1_562_262_616;
/// # fn sign(_digest: [u8; 32]) -> [u8; 64] { [7; 64] }
/// let key = PublicKey::new([1; 32], [2; 32]);
/// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?.bound_to(&key)?;
/// let refresh = client.refresh(RefreshToken::new("RT1")?);
///
/// let request = refresh.request();
/// let proof = key.prove(Provable::of(&request), now, &mut SysRng)?;
/// let signature = sign(proof.digest());
/// let proof = proof.sign(signature);
/// let request = request.with_proof(&proof);
/// assert!(request.headers().any(|header| header.name() == "dpop"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    x: [u8; pkce::LENGTH],
    y: [u8; pkce::LENGTH],
    thumbprint: Thumbprint,
}

impl PublicKey {
    /// The key with these coordinates, each with its highest byte first.
    #[must_use]
    pub fn new(x: [u8; 32], y: [u8; 32]) -> Self {
        let (x, y) = (pkce::encode(&x), pkce::encode(&y));
        let mut hash = Hash(Sha256::new());
        // RFC 7638 section 3: the required members in the order of their names. A hash takes all.
        let _ = write!(hash, r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, pkce::text(&x), pkce::text(&y));
        Self { x, y, thumbprint: Thumbprint(pkce::encode(&hash.0.finalize().into())) }
    }

    /// The key in an uncompressed point of SEC 1, as `ring`, WebCrypto (`raw`) and secure elements write it: `4`, x, y. None if it
    /// is of another form.
    #[must_use]
    pub fn from_point(point: &[u8]) -> Option<Self> {
        let (coordinates, []) = point.strip_prefix(&[4])?.as_chunks::<32>() else { return None };
        let [x, y] = coordinates else { return None };
        Some(Self::new(*x, *y))
    }

    /// What tells this key from others.
    #[must_use]
    pub const fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// Begins the proof for one request, with 256 random bits of `rng` that make it unlike every other. `now` is in seconds since
    /// 1970. Make a new one for each request, also if the same is sent once more.
    ///
    /// # Errors
    /// That of the generator, which must be one that is fit for cryptography.
    pub fn prove<'a, R: TryCryptoRng + ?Sized>(
        &'a self,
        request: Provable<'a>,
        now: u64,
        rng: &mut R,
    ) -> Result<Unsigned<'a>, R::Error> {
        let id = pkce::draw_id(rng)?;
        let hash = request.token.map(|token| pkce::encode(&Sha256::digest(token.expose()).into()));
        Ok(Unsigned { key: self, request, now, id, hash })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.thumbprint).finish()
    }
}

/// What a proof is made for: a request's method and URL, its access token, and the server's nonce.
#[derive(Clone, Copy, Debug)]
pub struct Provable<'a> {
    method: &'a str,
    url: Url<'a>,
    token: Option<AccessToken<'a>>,
    nonce: Option<&'a str>,
}

impl<'a> Provable<'a> {
    /// For a request of a flow.
    #[must_use]
    pub fn of(request: &Request<'a>) -> Self {
        Self { method: request.method().as_str(), url: request.url(), token: request.bound_token(), nonce: None }
    }

    /// For the call of an API with an access token.
    ///
    /// ```
    /// use proofkey_core::{AccessToken, Provable};
    ///
    /// let token = AccessToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU")?.bound();
    /// let call = Provable::call("GET", "https://resource.example.org/protectedresource", token)?;
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Api`] if the URL is not an https URL without a fragment (http: loopback only);
    /// [`ConfigError::Method`] if the method is not printable ASCII, or has a quote or a backslash.
    pub fn call(method: &'a str, url: &'a str, token: AccessToken<'a>) -> Result<Self, ConfigError> {
        check_secure(url).map_err(ConfigError::Api)?;
        let method = Some(method).filter(|method| is_nonce(method)).ok_or(ConfigError::Method)?;
        Ok(Self { method, url: Url([url, "", ""]), token: Some(token), nonce: None })
    }

    /// Adds the newest nonce of the server that the request goes to, from [`Response::nonce`](crate::Response::nonce).
    ///
    /// # Errors
    /// [`ConfigError::Nonce`] if it is not one (RFC 9449 section 8.1).
    pub fn with_nonce(self, nonce: &'a str) -> Result<Self, ConfigError> {
        if is_nonce(nonce) { Ok(Self { nonce: Some(nonce), ..self }) } else { Err(ConfigError::Nonce) }
    }
}

/// A proof that is not signed yet (RFC 9449 section 4.2). Sign what [`write`](Self::write) writes with ES256, or its
/// [`digest`](Self::digest) if the signer takes one, and give the signature to [`sign`](Self::sign).
#[derive(Clone, Copy)]
pub struct Unsigned<'a> {
    key: &'a PublicKey,
    request: Provable<'a>,
    now: u64,
    id: [u8; pkce::LENGTH],
    /// That of the access token.
    hash: Option<[u8; pkce::LENGTH]>,
}

impl<'a> Unsigned<'a> {
    /// Writes what is to be signed: printable ASCII.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write<W: Write + ?Sized>(&self, mut out: &mut W) -> fmt::Result {
        self.write_to(&mut out)
    }

    /// The SHA-256 hash of what is to be signed, for secure elements.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Hash(Sha256::new());
        // A hash takes all.
        let _ = self.write_to(&mut hash);
        hash.0.finalize().into()
    }

    /// The proof with its signature: r and s, each with its highest byte first (RFC 7518 section 3.4).
    #[must_use]
    pub const fn sign(self, signature: [u8; 64]) -> Proof<'a> {
        Proof { signed: self, signature }
    }

    fn write_to(&self, out: &mut dyn Write) -> fmt::Result {
        let PublicKey { x, y, .. } = self.key;
        let mut part = Encoder::new(out);
        part.write_str(r#"{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","x":""#)?;
        part.write_str(pkce::text(x))?;
        part.write_str(r#"","y":""#)?;
        part.write_str(pkce::text(y))?;
        part.write_str(r#"","crv":"P-256"}}"#)?;
        part.end()?;
        out.write_str(".")?;
        let mut part = Encoder::new(out);
        part.write_str(r#"{"jti":""#)?;
        part.write_str(pkce::text(&self.id))?;
        part.write_str(r#"","htm":""#)?;
        part.write_str(self.request.method)?;
        part.write_str(r#"","htu":""#)?;
        self.request.url.write_resource(&mut part)?;
        write!(part, r#"","iat":{}"#, self.now)?;
        if let Some(hash) = &self.hash {
            part.write_str(r#","ath":""#)?;
            part.write_str(pkce::text(hash))?;
            part.write_str("\"")?;
        }
        if let Some(nonce) = self.request.nonce {
            part.write_str(r#","nonce":""#)?;
            part.write_str(nonce)?;
            part.write_str("\"")?;
        }
        part.write_str("}")?;
        part.end()
    }
}

impl fmt::Debug for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned").field("request", &self.request).finish_non_exhaustive()
    }
}

/// A signed proof: the value of the header field `DPoP` of one request ([`Request::with_proof`]). It is sent once and never
/// logged: whoever reads it can send that one request for as long as the server takes the proof.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    signed: Unsigned<'a>,
    signature: [u8; 64],
}

impl Proof<'_> {
    /// Writes the value of the header field.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write<W: Write + ?Sized>(&self, mut out: &mut W) -> fmt::Result {
        Content::write(self, &mut out)
    }

    /// The exact length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut length = Length::default();
        self.write(&mut length).map_or(0, |()| length.0)
    }

    /// Never: a proof has a signature at least.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The value, for an HTTP library. Mark it as sensitive there.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn value(&self) -> alloc::string::String {
        let mut value = alloc::string::String::with_capacity(self.len());
        self.write(&mut value).map(|()| value).unwrap_or_default()
    }
}

impl<'a> Request<'a> {
    /// Adds the proof of possession, or replaces it: the header field `dpop`. Take a new proof whenever it is sent.
    #[must_use]
    pub const fn with_proof(self, proof: &'a Proof<'a>) -> Self {
        self.proved(proof)
    }
}

impl Content for Proof<'_> {
    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        self.signed.write_to(out)?;
        out.write_str(".")?;
        let mut characters = [0; 86];
        out.write_str(base64::encode(&self.signature, &mut characters).ok_or(fmt::Error)?)
    }
}

impl fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}

/// Writes base64url of a text that comes in pieces, and needs no room for more than one block of it.
struct Encoder<'w> {
    out: &'w mut dyn Write,
    block: [u8; BLOCK],
    filled: usize,
}

impl<'w> Encoder<'w> {
    fn new(out: &'w mut dyn Write) -> Self {
        Self { out, block: [0; BLOCK], filled: 0 }
    }

    fn end(mut self) -> fmt::Result {
        self.flush()
    }

    fn flush(&mut self) -> fmt::Result {
        let block = self.block.get(..self.filled).unwrap_or_default();
        let mut characters = [0; BLOCK / 3 * 4];
        self.filled = 0;
        self.out.write_str(base64::encode(block, &mut characters).ok_or(fmt::Error)?)
    }
}

impl Write for Encoder<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let free = self.block.get_mut(self.filled..).unwrap_or_default();
            let (piece, behind) = rest.split_at_checked(free.len().min(rest.len())).unwrap_or_default();
            if let Some(place) = free.get_mut(..piece.len()) {
                place.copy_from_slice(piece);
            }
            self.filled = self.filled.saturating_add(piece.len());
            rest = behind;
            if self.filled == BLOCK {
                self.flush()?;
            }
        }
        Ok(())
    }
}

/// A hash that can be written to.
struct Hash(Sha256);

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

/// A multiple of three, so that no block but the last one ends within a character.
const BLOCK: usize = 48;
