//! [`Prover`]: adds proofs of possession to requests, and keeps the servers' nonces (RFC 9449).

use crate::error::{TransportError, TransportKind};
use crate::nonces::{Kind, Nonces, Server};
use crate::send::{Received, now, secret, to_http};
use crate::signer::Signer;
use getrandom::SysRng;
use http::HeaderName;
use http::header::{self, HeaderValue};
use proofkey_core::{AccessToken, Provable, Request, Response};
use std::sync::Arc;
use std::{error, fmt};
use zeroize::Zeroizing;

/// A key ([`Signer`]) with the nonces that servers gave to it. It is cheap to clone, and its clones share the nonces.
#[derive(Clone)]
pub struct Prover {
    signer: Arc<dyn Signer>,
    nonces: Arc<Nonces>,
}

impl Prover {
    /// Proofs of this key.
    #[must_use]
    pub fn new(signer: impl Signer + 'static) -> Self {
        Self { signer: Arc::new(signer), nonces: Arc::default() }
    }

    fn prove(&self, provable: Provable<'_>, server: &Server) -> Result<HeaderValue, TransportError> {
        let nonce = self.nonces.newest(server);
        let provable = match &nonce {
            Some(nonce) => provable.with_nonce(nonce).map_err(|error| failed(error, TransportKind::Proof))?,
            None => provable,
        };
        let unsigned = self.signer.public_key().prove(provable, now(), &mut SysRng);
        let unsigned = unsigned.map_err(|error| failed(error, TransportKind::Proof))?;
        let mut message = String::with_capacity(ROOM);
        unsigned.write(&mut message).map_err(|error| failed(error, TransportKind::Proof))?;
        let signature = self.signer.sign(message.as_bytes()).map_err(|error| failed(error, TransportKind::Proof))?;
        Ok(secret(&unsigned.sign(signature).value())?)
    }

    /// Takes the nonce of an answer of this server. Whether to send the request, after so many tries, once more because of it.
    fn is_again(&self, server: &Server, answer: &Response<'_>, tries: &mut u8) -> bool {
        if let Some(nonce) = answer.nonce() {
            self.nonces.take(server, nonce);
        }
        *tries = tries.saturating_add(1);
        *tries == 1 && answer.wants_nonce().is_some()
    }
}

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prover").field("key", self.signer.public_key()).finish_non_exhaustive()
    }
}

/// One request of a flow on its way: sent once, or once more if the server wants another nonce.
pub(crate) struct Sending<'r, 'p> {
    request: Request<'r>,
    prover: Option<&'p Prover>,
    server: Option<Server>,
    tries: u8,
}

impl<'r, 'p> Sending<'r, 'p> {
    pub(crate) const fn new(request: Request<'r>, prover: Option<&'p Prover>) -> Self {
        Self { request, prover, server: None, tries: 0 }
    }

    /// The request with a new proof, if it needs one.
    pub(crate) fn request(&mut self) -> Result<http::Request<Zeroizing<Vec<u8>>>, TransportError> {
        let mut made = to_http(&self.request)?;
        if self.request.needs_proof() {
            let prover = prover(self.prover)?;
            if self.request.key().is_some_and(|key| key != prover.signer.public_key().thumbprint()) {
                return Err(failed(NoKey::Other, TransportKind::Proof));
            }
            let kind = if self.request.key().is_some() { Kind::Authorization } else { Kind::Api };
            let server = Server::of(kind, made.uri());
            let proof = prover.prove(Provable::of(&self.request), &server)?;
            made.headers_mut().insert(PROOF, proof);
            self.server = Some(server);
        }
        Ok(made)
    }

    /// Takes the nonce of an answer. Whether to send the same once more because of it.
    pub(crate) fn is_again(&mut self, sent: &mut Result<Received, TransportError>) -> bool {
        let (Some(prover), Some(server), Ok((answer, _))) = (self.prover, &self.server, sent) else { return false };
        prover.is_again(server, &answer.as_response(), &mut self.tries)
    }
}

/// The call of an API on its way, with the token: sent once, or once more if the API wants another nonce.
///
/// ```
/// use proofkey_core::AccessToken;
/// use proofkey_http::{Answer, Calling};
///
/// let request = http::Request::get("https://api.example/me").body(Vec::new())?;
/// let mut calling = Calling::new(request, AccessToken::new("AT1")?, None)?;
/// let answer = loop {
///     let request = calling.request()?;
///     assert_eq!(request.headers()["authorization"], "Bearer AT1");
///     // Your client sends `request` here.
///     let mut answer = Answer::new(200, http::HeaderMap::new());
///     if !calling.is_again(&answer.as_response()) {
///         break answer;
///     }
/// };
/// assert_eq!(answer.status(), 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Calling<'p> {
    request: http::Request<Zeroizing<Vec<u8>>>,
    bound: Option<Bound<'p>>,
}

struct Bound<'p> {
    token: Zeroizing<String>,
    prover: &'p Prover,
    server: Server,
    url: String,
    tries: u8,
}

impl<'p> Calling<'p> {
    /// A call with this token in the `Authorization` header, in place of any that it has.
    ///
    /// # Errors
    /// [`TransportKind::Proof`] if the token is bound to a key, and there is none.
    pub fn new(
        mut request: http::Request<Vec<u8>>,
        token: AccessToken<'_>,
        prover_of_adapter: Option<&'p Prover>,
    ) -> Result<Self, TransportError> {
        let value = Zeroizing::new(token.authorization().value());
        request.headers_mut().insert(header::AUTHORIZATION, secret(&value)?);
        let bound = match token.is_bound() {
            true => Some(Bound {
                token: Zeroizing::new(token.expose().to_owned()),
                prover: prover(prover_of_adapter)?,
                server: Server::of(Kind::Api, request.uri()),
                url: request.uri().to_string(),
                tries: 0,
            }),
            false => None,
        };
        Ok(Self { request: request.map(Zeroizing::new), bound })
    }

    /// The request to send now, with a new proof if the token is bound.
    ///
    /// # Errors
    /// [`TransportKind::Proof`] if there can be no proof of it.
    pub fn request(&mut self) -> Result<http::Request<Zeroizing<Vec<u8>>>, TransportError> {
        let Some(Bound { token, prover, server, url, tries }) = &self.bound else {
            return Ok(std::mem::take(&mut self.request));
        };
        let token = AccessToken::new(token).map_err(|error| failed(error, TransportKind::Http))?.bound();
        let call = Provable::call(self.request.method().as_str(), url, token);
        let proof = prover.prove(call.map_err(|error| failed(error, TransportKind::Proof))?, server)?;
        self.request.headers_mut().insert(PROOF, proof);
        // The second one is the last.
        Ok(if *tries == 0 { self.request.clone() } else { std::mem::take(&mut self.request) })
    }

    /// Takes the nonce of an answer. Whether to send the call once more because of it.
    pub fn is_again(&mut self, answer: &Response<'_>) -> bool {
        let Some(Bound { prover, server, tries, .. }) = &mut self.bound else { return false };
        prover.is_again(server, answer, tries)
    }
}

impl fmt::Debug for Calling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").field("url", self.request.uri()).finish_non_exhaustive()
    }
}

/// Why there is no proof.
#[derive(Clone, Copy, Debug)]
enum NoKey {
    None,
    Other,
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "the adapter has no key to sign with (`with_signer`)",
            Self::Other => "the client is bound to another key than the adapter signs with",
        })
    }
}

impl error::Error for NoKey {}

fn prover(prover: Option<&Prover>) -> Result<&Prover, TransportError> {
    prover.ok_or_else(|| failed(NoKey::None, TransportKind::Proof))
}

fn failed(why: impl error::Error + Send + Sync + 'static, kind: TransportKind) -> TransportError {
    TransportError::new(kind, false).because(why)
}

const PROOF: HeaderName = HeaderName::from_static("dpop");
/// For what is signed, with a short URL and a nonce.
const ROOM: usize = 768;
