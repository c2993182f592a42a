//! A token endpoint on a loopback address, for crates that get their first token over the network.

use crate::GRANTED;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

/// Starts it for as long as the process lives, and returns its URL. It grants the same tokens to everybody.
///
/// # Errors
/// If it cannot listen.
pub fn start() -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let url = format!("http://{}/token", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that goes away is no harm.
            let _ = stream.and_then(|stream| answer(&stream));
        }
    });
    Ok(url)
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            length = value.trim().parse().unwrap_or_default();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    let length = GRANTED.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
    write!(stream, "{head} {length}\r\n\r\n{GRANTED}")
}
