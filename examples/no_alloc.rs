//! The core alone, as a device would use it: fixed buffers, no allocator in the login itself.
//!
//! `no_alloc AUTHORIZATION_ENDPOINT TOKEN_ENDPOINT CLIENT_ID` prints the URL to visit, reads the URL that the browser ended
//! at from standard input, and speaks plain HTTP to a token endpoint on this machine.

use getrandom::SysRng;
use proofkey_core::{Client, Redirect, Response, Server};
use std::error::Error;
use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, authorization_endpoint, token_endpoint, client_id] = args.as_slice() else {
        return Err("usage: no_alloc AUTHORIZATION_ENDPOINT TOKEN_ENDPOINT CLIENT_ID".into());
    };
    let server = Server::new(authorization_endpoint, token_endpoint);
    let client = Client::new(client_id, "https://app.example/paste", server)?;

    let (url, pending) = client.authorize(&["itwin-platform"], &mut SysRng)?;
    println!("{url}");
    let mut pasted = String::new();
    std::io::stdin().read_line(&mut pasted)?;
    let token_request = pending.accept(client, Redirect::Url(pasted.trim()))?;

    let mut buffer = [0; 8192];
    let mut head = Text { bytes: [0; 1024], used: 0 };
    let request = token_request.request();
    if request.url().is_https() {
        return Err("this example speaks plain HTTP only".into());
    }
    request.write_head(&mut head)?;
    request.write_body(&mut head)?;

    let mut socket = TcpStream::connect((request.url().host(), request.url().port()))?;
    socket.write_all(&head.bytes[..head.used])?;
    let mut length = 0;
    while let read @ 1.. = socket.read(&mut buffer[length..])? {
        length += read;
    }
    let answer = &mut buffer[..length];
    let status = std::str::from_utf8(answer.get(9..12).ok_or("no HTTP answer")?)?.parse()?;
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no end of the head")? + 4;
    let body = &mut answer[body..];
    let response = Response::new(status, body);
    let tokens = token_request.read(response)?;
    println!(
        "an access token of {} bytes, for {:?} seconds",
        tokens.access_token().expose().len(),
        tokens.expires_in()
    );
    Ok(())
}

/// Text in a buffer of fixed size.
struct Text {
    bytes: [u8; 1024],
    used: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.used + text.len();
        self.bytes.get_mut(self.used..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.used = end;
        Ok(())
    }
}
