//! What a program does with proofkey that used another crate before: `migrating ISSUER CLIENT_ID`.

use getrandom::SysRng;
use proofkey_core::{Client, Pending, Redirect, TokensBuf};
use proofkey_reqwest::Http;
use std::io;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn begin(client: Client<'_>) -> Result<(String, Pending)> {
    let (url, pending) = client.authorize(&["offline_access"], &mut SysRng)?;
    Ok((url.to_string(), pending))
}

async fn finish(http: &Http, client: Client<'_>, pending: Pending, callback: &str) -> Result<TokensBuf> {
    let request = pending.accept(client, Redirect::Url(callback))?;
    Ok(http.exchange(request).await?)
}

async fn refresh(http: &Http, client: Client<'_>, old: &TokensBuf) -> Result<TokensBuf> {
    let token = old.refresh_token().ok_or("no refresh token")?;
    Ok(http.refresh(client, token).await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id] = args.as_slice() else {
        return Err("usage: migrating ISSUER CLIENT_ID".into());
    };
    let http = Http::new()?;
    let client = http.discover(issuer, client_id, "https://app.example/paste").await?;
    let (url, pending) = begin(client.as_client())?;
    println!("{url}");
    let mut callback = String::new();
    io::stdin().read_line(&mut callback)?;
    let tokens = finish(&http, client.as_client(), pending, callback.trim()).await?;
    let tokens = refresh(&http, client.as_client(), &tokens).await?;
    println!("an access token of {} bytes", tokens.access_token().expose().len());
    Ok(())
}
