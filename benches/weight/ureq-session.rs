//! proofkey-ureq with a session.
//: getrandom = { version = "0.4.3", features = ["sys_rng"], default-features = false }
//: proofkey-ureq = { path = "ROOT/crates/ureq", features = ["session"] }

use proofkey_ureq::proofkey_core::{Client, Redirect, Server};
use proofkey_ureq::{Http, Key, Memory, Session};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, authorize, token, client_id, redirect_uri] = args.as_slice() else { return Err("four arguments".into()) };
    let client = Client::new(client_id, redirect_uri, Server::new(authorize, token))?;
    let (url, pending) = client.authorize(&["openid"], &mut getrandom::SysRng)?;
    println!("{url}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let http = Http::new();
    let session = Session::new(&http, client, Memory::new(), Key::of(client, "default"));
    session.begin(&http.exchange(pending.accept(client, Redirect::Url(line.trim()))?)?.into())?;
    println!("{}", session.access_token()?.expose());
    Ok(())
}
