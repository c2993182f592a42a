//! How requests are sent: as they are, or each with a proof that the tokens are this device's (RFC 9449).

use chacha20::ChaCha20Rng;
use heapless::String;
use proofkey_core::{Provable, PublicKey, Received, Request};
use proofkey_firmware::host::now;
use proofkey_firmware::http::{HttpError, Line};

/// The line to the server, and what a proof needs.
pub(crate) struct Link<'l> {
    pub(crate) line: Line<'l>,
    pub(crate) rng: &'l mut ChaCha20Rng,
    pub(crate) signer: Option<&'l Signer>,
}

impl Link<'_> {
    /// Sends a request of the core and receives its answer.
    pub(crate) fn send(&mut self, request: Request<'_>, buffer: &mut [u8]) -> Result<Received, HttpError> {
        match self.signer.filter(|_| cfg!(feature = "dpop")) {
            Some(signer) => self.prove(signer, request, buffer),
            None => self.line.send(request, buffer),
        }
    }

    /// Once more if the server wants its nonce in the proof (section 8).
    #[inline(never)]
    fn prove(&mut self, signer: &Signer, request: Request<'_>, buffer: &mut [u8]) -> Result<Received, HttpError> {
        let mut nonce = None::<String<NONCE_MAX>>;
        loop {
            let mut provable = Provable::of(&request);
            if let Some(nonce) = &nonce {
                provable = provable.with_nonce(nonce).map_err(|_| HttpError::Garbled)?;
            }
            let Ok(proof) = signer.public.prove(provable, now(), self.rng);
            let signature = signer.sign(&proof.digest());
            let proof = proof.sign(signature);
            let answer = self.line.send(request.with_proof(&proof), buffer)?;
            let wanted = answer.response(buffer).wants_nonce().and_then(|nonce| String::try_from(nonce).ok());
            if nonce.is_some() || wanted.is_none() {
                return Ok(answer);
            }
            nonce = wanted;
        }
    }
}

/// The key of this device, for as long as it has power.
pub(crate) struct Signer {
    public: PublicKey,
    #[cfg(feature = "p256")]
    key: proofkey_p256::Key,
}

#[cfg(feature = "p256")]
impl Signer {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        let Ok(key) = proofkey_p256::Key::generate(rng);
        let point = key.public_key();
        let (halves, _) = point.as_chunks::<32>();
        let public = PublicKey::new(halves[0], halves[1]);
        Self { public, key }
    }

    fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        self.key.sign_digest(digest)
    }
}

/// The board has no secure element: what one would say is made up, for `size` to measure the rest.
#[cfg(not(feature = "p256"))]
impl Signer {
    pub(crate) fn new(_: &mut ChaCha20Rng) -> Self {
        Self { public: PublicKey::new(core::hint::black_box([1; 32]), core::hint::black_box([2; 32])) }
    }

    fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        core::hint::black_box([digest[0]; 64])
    }
}

impl Signer {
    /// The key that tokens are bound to.
    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }
}

const NONCE_MAX: usize = 128;
