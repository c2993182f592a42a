//! A login that is kept between runs, and refreshed without a loss: `refresh ISSUER CLIENT_ID FOLDER`.

use proofkey_core::{Client, RefreshToken, TokensBuf};
use proofkey_native::old::{Lock, Store};
use proofkey_native::{Key, Record, Secret};
use proofkey_ureq::{ExchangeError, Http, Login, SignedIn};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id, folder] = args.as_slice() else {
        return Err("usage: refresh ISSUER CLIENT_ID FOLDER".into());
    };
    let http = Http::new();
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let store = Store::files_in(Path::new(folder))?;
    let key = Key { issuer: issuer.clone(), client_id: client_id.clone(), account: "default".into() };
    // Only one process at a time refreshes.
    let lock = store.lock(&key, Duration::from_secs(30))?;
    let mut kept = lock.load()?;
    let is_signed_in = match &mut kept {
        Some(record) => refresh(&http, client.as_client(), &lock, record)?,
        None => false,
    };
    let record = match kept.filter(|_| is_signed_in) {
        Some(record) => record,
        None => sign_in(&http, client.as_client(), &lock, key)?,
    };
    println!("an access token of {} bytes", record.access_token.expose().len());
    Ok(())
}

/// Whether there are new tokens. If not, the user has to sign in again.
fn refresh(http: &Http, client: Client<'_>, lock: &Lock<'_>, record: &mut Record) -> Result<bool> {
    let Some(old) = record.refresh_token.clone() else { return Ok(false) };
    // 1. Make sure that the answer can be stored: a full disk must not cost the login.
    let room = lock.reserve()?;
    let requested_at = SystemTime::now();
    // 2. Send. From here on the old refresh token may be spent.
    let (new, answer) = http.exchange_keeping(client.refresh(RefreshToken::new(old.expose())?));
    // 3. Keep the new refresh token, whatever else the answer is.
    if let Some(new) = &new {
        record.refresh_token = Some(Secret::new(new.as_refresh_token().expose().to_owned()));
    }
    // 4. Judge the rest.
    let outcome = match answer {
        Ok(tokens) => {
            take(record, &tokens, requested_at);
            Ok(true)
        }
        Err(ExchangeError::Response(error)) if error.ends_login() => {
            record.refresh_token = None;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    };
    // 5. Store, before anything else can fail.
    room.save(record)?;
    outcome
}

fn sign_in(http: &Http, client: Client<'_>, lock: &Lock<'_>, key: Key) -> Result<Record> {
    let login = Login::new(client, &["itwin-platform", "offline_access"]);
    let SignedIn { tokens, requested_at, .. } =
        http.login(login, |url| proofkey_native::open(url).map_err(io::Error::other))?;
    let mut record = Record::new(key, Secret::new(String::new()));
    take(&mut record, &tokens, requested_at);
    lock.save(&record)?;
    Ok(record)
}

fn take(record: &mut Record, tokens: &TokensBuf, requested_at: SystemTime) {
    record.access_token = Secret::new(tokens.access_token().expose().to_owned());
    record.refresh_token = tokens.refresh_token().map(|token| Secret::new(token.expose().to_owned()));
    record.requested_at = requested_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    record.expires_in = tokens.expires_in();
}
