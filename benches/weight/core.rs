//! proofkey-core, and an exchange written into a socket.
//: getrandom = { version = "0.4.3", features = ["sys_rng"], default-features = false }
//: proofkey-core = { path = "ROOT/crates/core", default-features = false }

use proofkey_core::{Client, Redirect, Response, Server};
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, authorize, token, client_id, redirect_uri] = args.as_slice() else { return Err("four arguments".into()) };
    let client = Client::new(client_id, redirect_uri, Server::new(authorize, token))?;
    let (url, pending) = client.authorize(&["openid"], &mut getrandom::SysRng)?;
    println!("{url}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let token_request = pending.accept(client, Redirect::Url(line.trim()))?;
    let request = token_request.request();

    let mut head = String::new();
    request.write_head(&mut head)?;
    request.write_body(&mut head)?;
    let mut stream = TcpStream::connect((request.url().host(), request.url().port()))?;
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;

    let start = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")? + 4;
    let (head, body) = answer.split_at_mut(start);
    let status = std::str::from_utf8(head)?.split(' ').nth(1).ok_or("no status")?.parse()?;
    let response = Response::new(status, body);
    println!("{}", token_request.read(response)?.access_token().expose());
    Ok(())
}
