//! proofkey-reqwest with sessions.
//: getrandom = { version = "0.4.3", features = ["sys_rng"], default-features = false }
//: proofkey-reqwest = { path = "ROOT/crates/reqwest", features = ["session"] }
//: tokio = { version = "1.54", features = ["rt"], default-features = false }

use proofkey_reqwest::proofkey_core::{Client, Redirect, Server};
use proofkey_reqwest::{Http, Memory, Sessions};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, authorize, token, client_id, redirect_uri] = args.as_slice() else { return Err("four arguments".into()) };
    let client = Client::new(client_id, redirect_uri, Server::new(authorize, token))?;
    let (url, pending) = client.authorize(&["openid"], &mut getrandom::SysRng)?;
    println!("{url}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let http = Http::new()?;
    let sessions = Sessions::new(&http, client, Memory::new());
    let tokens = http.exchange(pending.accept(client, Redirect::Url(line.trim()))?).await?;
    sessions.of("default").begin(&tokens.into()).await?;
    println!("{}", sessions.of("default").access_token().await?.expose());
    Ok(())
}
