//! Tokens that are bound to a key: `dpop ISSUER CLIENT_ID API app|service|element`.

use getrandom::SysRng;
use proofkey_core::{AccessToken, Client, Provable, PublicKey, Response, TokensBuf};
use proofkey_native::Store;
use proofkey_ureq::{Http, Key, Login, Record, Session, SignError, Signer, SigningKey};
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const REDIRECT_URI: &str = "http://127.0.0.1/callback";
const SCOPE: &[&str] = &["itwin-platform", "offline_access"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id, api, kind] = args.as_slice() else {
        return Err("usage: dpop ISSUER CLIENT_ID API app|service|element".into());
    };
    let status = match kind.as_str() {
        "app" => app(issuer, client_id, api)?,
        "service" => service(issuer, client_id, api)?,
        _ => element(issuer, client_id, api)?,
    };
    println!("{status}");
    Ok(())
}

fn app(issuer: &str, client_id: &str, api: &str) -> Result<u16> {
    let client = Http::new().discover(issuer, client_id, REDIRECT_URI)?;
    let login_key = Key::of(client.as_client(), "default");
    let kept = Session::new(&Http::new(), client.as_client(), Store::files("my-app")?, login_key.clone()).peek()?;
    // The key of the last login, or a new one.
    let key = match kept.as_ref().and_then(|token| token.record().signing_key()) {
        Some(pkcs8) => SigningKey::from_pkcs8(&pkcs8)?,
        None => SigningKey::generate()?,
    };

    let http = Http::new().with_signer(key.clone());
    let client = client.as_client().bound_to(key.public_key())?;
    let session = Session::new(&http, client, Store::files("my-app")?, login_key.clone());
    if kept.is_none() {
        let signed_in = http.login(Login::new(client, SCOPE), open_browser)?;
        let since = signed_in.requested_at.duration_since(UNIX_EPOCH)?.as_secs();
        let mut record = Record::of_login(login_key, client, SCOPE, signed_in.tokens.as_tokens(), since);
        record.set_signing_key(key.to_pkcs8());
        session.begin_with(record)?;
    }
    // Each call has a proof, and so has each refresh.
    Ok(session.call(http::Request::get(api).body(Vec::new())?)?.status)
}

fn service(issuer: &str, client_id: &str, api: &str) -> Result<u16> {
    // One key for all users, from the configuration: a stolen table of sessions is worth nothing without it.
    let configured = SigningKey::generate()?.to_pkcs8().to_vec();
    let key = SigningKey::from_pkcs8(&configured)?;
    let http = Http::new().with_signer(key.clone());
    let client = http.discover(issuer, client_id, REDIRECT_URI)?;
    let client = client.as_client().bound_to(key.public_key())?;
    let tokens = sign_in(&http, client)?;
    Ok(http.call(http::Request::get(api).body(Vec::new())?, tokens.access_token())?.status)
}

/// A key that never leaves its chip. Here it is played by one in memory.
struct Element {
    public_key: PublicKey,
    chip: SigningKey,
}

impl Signer for Element {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: &[u8]) -> std::result::Result<[u8; 64], SignError> {
        self.chip.sign(message)
    }
}

fn element(issuer: &str, client_id: &str, api: &str) -> Result<u16> {
    let chip = SigningKey::generate()?;
    let element = Element { public_key: *chip.public_key(), chip: chip.clone() };
    let http = Http::new().with_signer(element);
    let client = http.discover(issuer, client_id, REDIRECT_URI)?;
    let client = client.as_client().bound_to(chip.public_key())?;
    let tokens = sign_in(&http, client)?;
    by_hand(&chip, api, tokens.access_token())
}

/// What the adapters do, with an HTTP client and a signer of your own.
fn by_hand(chip: &SigningKey, api: &str, token: AccessToken<'_>) -> Result<u16> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut nonce: Option<String> = None;
    loop {
        let mut call = Provable::call("GET", api, token)?;
        if let Some(nonce) = &nonce {
            call = call.with_nonce(nonce)?;
        }
        let unsigned = chip.public_key().prove(call, now, &mut SysRng)?;
        // A chip that takes a hash signs `unsigned.digest()`.
        let mut message = String::new();
        unsigned.write(&mut message)?;
        let proof = unsigned.sign(chip.sign(message.as_bytes())?);

        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let request = agent.get(api).header("authorization", token.authorization().value());
        let answer = request.header("dpop", proof.value()).call()?;
        let fields = answer.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let read = fields.fold(Response::new(answer.status().as_u16(), &mut []), |read, (name, value)| {
            read.with_header(name, value)
        });
        match (read.wants_nonce(), &nonce) {
            // Once, and with a new proof.
            (Some(wanted), None) => nonce = Some(wanted.to_owned()),
            _ => return Ok(read.status()),
        }
    }
}

fn sign_in(http: &Http, client: Client<'_>) -> Result<TokensBuf> {
    Ok(http.login(Login::new(client, SCOPE), open_browser)?.tokens)
}

fn open_browser(url: &str) -> io::Result<()> {
    proofkey_native::open(url).map_err(io::Error::other)
}
