//! Proofs of possession (RFC 9449): how they are checked, and the nonces for them.

use crate::app::App;
use crate::options::ProofFault;
use crate::state::random;
use crate::token::Refused;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use base64ct::{Base64UrlUnpadded, Encoding};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What was seen of proofs, and the nonces that were given out.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    /// The identifiers that were used, and when.
    used: HashMap<String, Instant>,
    /// By endpoint.
    nonces: [HashSet<String>; 2],
}

/// Where a proof is presented. Each has nonces of its own (section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Api,
    Token,
}

/// What came of a proof.
#[derive(Debug)]
pub(crate) struct Checked {
    at: At,
    pub(crate) key: Result<Option<String>, Refused>,
}

impl Checked {
    fn wants_nonce(&self) -> bool {
        matches!(self.key, Err((WANTED, _)))
    }

    /// Adds the nonces to the answer: if one is wanted, or in every answer.
    pub(crate) fn answer(&self, app: &App, mut response: Response) -> Response {
        let fault = app.faults().proof;
        let is_fresh = fault == Some(ProofFault::NonceInSuccess) && matches!(self.key, Ok(Some(_)));
        if !(self.wants_nonce() || is_fresh) || fault == Some(ProofFault::NoNonce) {
            return response;
        }
        let count = if fault == Some(ProofFault::TwoNonces) { 2 } else { 1 };
        let mut proofs = app.proofs();
        let nonces = &mut proofs.nonces[self.at as usize];
        if is_fresh {
            // Only the newest is good.
            nonces.clear();
        }
        for _ in 0..count {
            let nonce = random();
            if let Ok(value) = HeaderValue::from_str(&nonce) {
                response.headers_mut().append(NONCE, value);
            }
            nonces.insert(nonce);
        }
        response
    }
}

/// Checks the proof of a request, if it has one (section 4.3). The key is its thumbprint.
pub(crate) fn check(app: &App, at: At, method: &str, path: &str, headers: &HeaderMap, token: Option<&str>) -> Checked {
    let mut values = headers.get_all(PROOF).iter();
    let key = match (values.next(), values.next()) {
        (None, _) if at == At::Token && app.options.dpop.required => Err((INVALID, "this server wants a proof")),
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err((INVALID, "there are two proofs")),
        (Some(value), None) => read(app, at, method, path, value, token).map(Some),
    };
    Checked { at, key }
}

/// With its fault, pages cannot read the nonce: it is not among the header fields that CORS exposes.
pub(crate) async fn hide(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if app.faults().proof == Some(ProofFault::HiddenNonce)
        && let Some(exposed) = response.headers_mut().get_mut(header::ACCESS_CONTROL_EXPOSE_HEADERS)
    {
        *exposed = HeaderValue::from_static("www-authenticate");
    }
    response
}

fn read(
    app: &App,
    at: At,
    method: &str,
    path: &str,
    value: &HeaderValue,
    token: Option<&str>,
) -> Result<String, Refused> {
    let invalid = |why| (INVALID, why);
    let text = value.to_str().map_err(|_| invalid("the proof is not text"))?;
    let (message, signature) = text.rsplit_once('.').ok_or((INVALID, "the proof has no signature"))?;
    let (head, claims) = message.split_once('.').ok_or((INVALID, "the proof has no claims"))?;
    let head = json(head).ok_or((INVALID, "the head of the proof is not JSON"))?;
    let claims = json(claims).ok_or((INVALID, "the claims of the proof are not JSON"))?;
    let jwk = &head["jwk"];
    if head["typ"] != "dpop+jwt" {
        return Err(invalid("typ is not dpop+jwt"));
    }
    if head["alg"] != "ES256" || jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
        return Err(invalid("alg is not ES256, or jwk is not a key for it"));
    }
    if ["d", "p", "q", "k"].iter().any(|name| jwk.get(name).is_some()) {
        return Err(invalid("jwk has a private key"));
    }
    let (x, y) = (jwk["x"].as_str().unwrap_or_default(), jwk["y"].as_str().unwrap_or_default());
    let point: Vec<u8> = [x, y].iter().flat_map(|part| decode(part)).collect();
    let point = [&[4], point.as_slice()].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(message.as_bytes(), &decode(signature))
        .map_err(|_| invalid("the signature does not match"))?;
    if claims["htm"] != method {
        return Err(invalid("htm is another method"));
    }
    if claims["htu"] != app.at(path) {
        return Err(invalid("htu is another URL"));
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if claims["iat"].as_u64().is_none_or(|at| at.abs_diff(now) > WINDOW.as_secs()) {
        return Err(invalid("iat is not now"));
    }
    if claims["ath"].as_str() != token.map(|token| encode(&Sha256::digest(token))).as_deref() {
        return Err(invalid("ath is not the hash of the access token"));
    }
    let id = claims["jti"].as_str().filter(|id| id.len() >= 16).ok_or((INVALID, "jti is missing or short"))?;
    let mut proofs = app.proofs();
    proofs.used.retain(|_, used| used.elapsed() < 2 * WINDOW);
    if proofs.used.insert(id.to_owned(), Instant::now()).is_some() {
        return Err(invalid("jti was used before"));
    }
    let rules = &app.options.dpop;
    let wants_nonce = if at == At::Api { rules.api_nonce } else { rules.token_nonce };
    let nonces = &proofs.nonces[at as usize];
    let is_known = claims["nonce"].as_str().is_some_and(|nonce| nonces.contains(nonce));
    // One that was never given out here, or that is no longer good, is wrong also where none is wanted.
    let is_wrong = claims.get("nonce").is_some() && !is_known;
    if app.faults().proof == Some(ProofFault::AlwaysNonce) || is_wrong || wants_nonce && !is_known {
        return Err((WANTED, "the proof needs the nonce of this server"));
    }
    Ok(encode(&Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#))))
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&decode(part)).ok().filter(Value::is_object)
}

fn decode(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap_or_default()
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

const INVALID: &str = "invalid_dpop_proof";
const WANTED: &str = "use_dpop_nonce";
const PROOF: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// How far `iat` may be from now.
const WINDOW: Duration = Duration::from_secs(60);
