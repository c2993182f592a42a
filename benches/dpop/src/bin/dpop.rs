//! How long a proof of possession takes (RFC 9449), from the key and the request to the value of the header field: with `ring`, in
//! software, and with other crates, in one run. Fails if a proof with `ring` takes longer than its ceiling.

use atrium_oauth::DpopClient;
use atrium_xrpc::HttpClient;
use atrium_xrpc::http::{Request, Response};
use jose_jwk::{Key, crypto};
use proofkey_core::{AccessToken, Provable, PublicKey};
use proofkey_http::{Signer, SigningKey};
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// Microseconds that a proof with `ring` may take.
const CEILING: f64 = 20.0;

const URL: &str = "https://pds.example/xrpc/com.atproto.server.getSession";
const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJkaWQ6cGxjOmFsaWNlIn0.c2lnbmF0dXJlLW9mLTY0LWJ5dGVz";
const NONCE: &str = "eyJ7S_zG.eyJH0-Z.HX4w-7v";

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let software = proofkey_p256::Key::generate(&mut getrandom::SysRng)?;
    let [x, y] = *software.public_key().as_chunks::<32>().0 else {
        return Err("a public key has two coordinates".into());
    };
    let public = PublicKey::new(x, y);
    let ring = SigningKey::generate()?;
    let theirs = jwk(&software)?;
    let atrium = DpopClient::new(theirs.clone(), Arc::new(Nowhere), false, &None)?;

    let rows = [
        ("proofkey, ring", measure(|| ours(ring.public_key(), |message| ring.sign(message).map_err(Into::into)))?),
        ("proofkey, proofkey-p256", measure(|| ours(&public, |message| Ok(software.sign(message))))?),
        (
            "jacquard-oauth 0.12",
            measure(|| {
                Ok(jacquard_oauth::dpop::build_dpop_proof(&theirs, "GET", URL, Some(NONCE), Some(&hash()))?.len())
            })?,
        ),
        (
            "atrium-oauth 0.2, with its client",
            measure(|| {
                let request = Request::get(URL).header("Authorization", format!("DPoP {TOKEN}")).body(Vec::new())?;
                Ok(runtime.block_on(atrium.send_http(request)).map_err(|error| error.to_string())?.body().len())
            })?,
        ),
    ];
    let first = rows[0].1;
    for (name, microseconds) in rows {
        println!("{name:<36}{microseconds:>8.1} µs{:>8.1} ×", microseconds / first);
    }
    if first > CEILING { Err(format!("a proof may take {CEILING} µs").into()) } else { Ok(()) }
}

fn ours(
    key: &PublicKey,
    sign: impl FnOnce(&[u8]) -> Result<[u8; 64], Box<dyn Error>>,
) -> Result<usize, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let call = Provable::call("GET", URL, AccessToken::new(TOKEN)?.bound())?.with_nonce(NONCE)?;
    let unsigned = key.prove(call, now, &mut getrandom::SysRng)?;
    let mut message = String::with_capacity(512);
    unsigned.write(&mut message)?;
    let signature = sign(message.as_bytes())?;
    Ok(unsigned.sign(signature).value().len())
}

/// The hash of the token, which jacquard's caller has to make. It is not counted for anybody: it takes less than a microsecond.
fn hash() -> String {
    "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo".to_owned()
}

fn jwk(key: &proofkey_p256::Key) -> Result<Key, Box<dyn Error>> {
    let public = key.public_key();
    let (x, y) = public.split_at(32);
    let text = format!(
        r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}","d":"{}"}}"#,
        base64url(x),
        base64url(y),
        base64url(&*key.to_bytes())
    );
    let key: Key = serde_json::from_str(&text)?;
    crypto::Key::try_from(&key).map_err(|error| format!("{error:?}"))?;
    Ok(key)
}

/// Base64url without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(number >> (18 - 6 * at)) as usize & 63]));
        }
    }
    out
}

/// The shortest of several rounds, for one call, in microseconds.
fn measure(mut work: impl FnMut() -> Result<usize, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            black_box(work()?);
        }
        best = best.min(began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
    }
    Ok(best)
}

const ROUNDS: u32 = 20;
const CALLS: u32 = 200;

/// An HTTP client that sends nothing.
struct Nowhere;

impl HttpClient for Nowhere {
    async fn send_http(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Box<dyn Error + Send + Sync>> {
        black_box(request.headers().len());
        Ok(Response::builder().header("DPoP-Nonce", NONCE).body(vec![0])?)
    }
}
