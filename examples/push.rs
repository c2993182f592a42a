//! Logins whose parameters are pushed: `push ISSUER CLIENT_ID app|service`.

use getrandom::SysRng;
use proofkey_core::{Client, Pending, Redirect, TokensBuf};
use proofkey_ureq::{Http, Login};
use std::io;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SCOPE: &[&str] = &["itwin-platform"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id, kind] = args.as_slice() else {
        return Err("usage: push ISSUER CLIENT_ID app|service".into());
    };
    let http = Http::new();
    let tokens = match kind.as_str() {
        "service" => service(&http, issuer, client_id)?,
        _ => app(&http, issuer, client_id)?,
    };
    println!("an access token of {} bytes", tokens.access_token().expose().len());
    Ok(())
}

fn app(http: &Http, issuer: &str, client_id: &str) -> Result<TokensBuf> {
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    // If the server requires it, the login is pushed without `with_push` too.
    let login = Login::new(client.as_client(), SCOPE).with_push();
    Ok(http.login(login, open_browser)?.tokens)
}

fn service(http: &Http, issuer: &str, client_id: &str) -> Result<TokensBuf> {
    let client = http.discover(issuer, client_id, "https://app.example/paste")?;
    let (url, pending) = begin(http, client.as_client())?;
    println!("{url}");
    let mut callback = String::new();
    io::stdin().read_line(&mut callback)?;
    let request = pending.accept(client.as_client(), Redirect::Url(callback.trim()))?;
    Ok(http.exchange(request)?)
}

/// `GET /login`: redirect to the URL at once, and park the `Pending` in the user's session.
fn begin(http: &Http, client: Client<'_>) -> Result<(String, Pending)> {
    let (push, pending) = client.push(SCOPE, &mut SysRng)?;
    let url = http.push(push)?;
    Ok((url.to_string(), pending))
}

fn open_browser(url: &str) -> io::Result<()> {
    proofkey_native::open(url).map_err(io::Error::other)
}
