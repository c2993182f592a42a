//! proofkey-reqwest.
//: getrandom = { version = "0.4.3", features = ["sys_rng"], default-features = false }
//: proofkey-reqwest = { path = "ROOT/crates/reqwest" }
//: tokio = { version = "1.54", features = ["rt"], default-features = false }

use proofkey_reqwest::Http;
use proofkey_reqwest::proofkey_core::{Client, Redirect, Server};
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
    let tokens = Http::new()?.exchange(pending.accept(client, Redirect::Url(line.trim()))?).await?;
    println!("{}", tokens.access_token().expose());
    Ok(())
}
