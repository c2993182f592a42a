//! A sign-in by each kind of redirect URI: `redirects ISSUER CLIENT_ID loopback|localhost|page`.

use getrandom::SysRng;
use proofkey_core::{Redirect, TokensBuf};
use proofkey_ureq::{Http, Login};
use std::io;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SCOPE: &[&str] = &["itwin-platform"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id, kind] = args.as_slice() else {
        return Err("usage: redirects ISSUER CLIENT_ID loopback|localhost|page".into());
    };
    let sign_in = match kind.as_str() {
        "localhost" => at_localhost,
        "page" => by_hand,
        _ => at_loopback,
    };
    let tokens = sign_in(&Http::new(), issuer, client_id)?;
    println!("an access token of {} bytes", tokens.access_token().expose().len());
    Ok(())
}

fn at_loopback(http: &Http, issuer: &str, client_id: &str) -> Result<TokensBuf> {
    // No port: the listener takes a free one.
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let login = Login::new(client.as_client(), SCOPE);
    Ok(http.login(login, open_browser)?.tokens)
}

fn at_localhost(http: &Http, issuer: &str, client_id: &str) -> Result<TokensBuf> {
    let client = http.discover(issuer, client_id, "http://localhost/callback")?;
    let login = Login::new(client.as_client(), SCOPE);
    Ok(http.login(login, open_browser)?.tokens)
}

fn by_hand(http: &Http, issuer: &str, client_id: &str) -> Result<TokensBuf> {
    let client = http.discover(issuer, client_id, "https://app.example/paste")?;
    let (url, pending) = client.as_client().authorize(SCOPE, &mut SysRng)?;
    println!("Open {url}\nthen paste the address that the browser shows:");
    let mut pasted = String::new();
    io::stdin().read_line(&mut pasted)?;
    let request = pending.accept(client.as_client(), Redirect::Url(pasted.trim()))?;
    Ok(http.exchange(request)?)
}

fn open_browser(url: &str) -> io::Result<()> {
    proofkey_native::open(url).map_err(io::Error::other)
}
