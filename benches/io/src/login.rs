//! Whole logins: the listener, the URL, a browser that is sent there and comes back, the exchange.

use crate::measure::{Contender, runtime};
use proofkey_benches::fixtures::{CLIENT_ID, SCOPE};
use proofkey_core::{Client, ClientBuf, Server};
use std::{future, io, thread};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// With `proofkey-reqwest`.
pub fn of_tokio(origin: &str) -> Contender {
    let client = client(origin);
    let http = proofkey_reqwest::Http::new().expect("a client");
    Contender::of_tokio("proofkey-reqwest", async move || {
        let login = proofkey_reqwest::Login::new(client.as_client(), &SCOPE);
        let browser = |url: &str| {
            let url = url.to_owned();
            tokio::spawn(async move { browse(&url).await.expect("the browser finds its way") });
            Ok(())
        };
        http.login(login, browser).await.expect("a login").tokens
    })
}

/// With `proofkey-ureq`.
pub fn blocking(origin: &str) -> Contender {
    let client = client(origin);
    let http = proofkey_ureq::Http::new();
    // The browser has a thread of its own.
    let runtime = runtime();
    let browsers = runtime.handle().clone();
    thread::spawn(move || runtime.block_on(future::pending::<()>()));
    Contender::blocking("proofkey-ureq", move || {
        let login = proofkey_ureq::Login::new(client.as_client(), &SCOPE);
        let browser = |url: &str| {
            let url = url.to_owned();
            browsers.spawn(async move { browse(&url).await.expect("the browser finds its way") });
            Ok(())
        };
        http.login(login, browser).expect("a login").tokens
    })
}

fn client(origin: &str) -> ClientBuf {
    let (authorize, token) = (format!("{origin}/authorize"), format!("{origin}/token"));
    let server = Server::new(&authorize, &token);
    Client::new(CLIENT_ID, "http://127.0.0.1/callback", server).expect("a client").into()
}

/// Asks for the page, follows the redirect, and reads the page that it finds there.
async fn browse(url: &str) -> io::Result<()> {
    let sent_back = ask(url).await?;
    ask(location(&sent_back)?).await?;
    Ok(())
}

async fn ask(url: &str) -> io::Result<String> {
    let (address, request) = request(url)?;
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(2048);
    while !is_over(&answer) && stream.read_buf(&mut answer).await? > 0 {}
    // As the server has it: else each login would keep the port of its listener for a minute.
    stream.set_zero_linger()?;
    String::from_utf8(answer).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// The address to connect to, and the request to send.
fn request(url: &str) -> io::Result<(&str, String)> {
    let place = url.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
    let (address, target) = place.ok_or(io::ErrorKind::InvalidInput)?;
    Ok((
        address,
        format!("GET /{target} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: benches\r\nAccept: text/html\r\n\r\n"),
    ))
}

/// A redirect has no body; of a page all is read that comes.
fn is_over(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 302 ") && answer.ends_with(b"\r\n\r\n")
}

fn location(answer: &str) -> io::Result<&str> {
    answer.lines().find_map(|line| line.strip_prefix("location: ")).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
