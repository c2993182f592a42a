//! A token endpoint on a loopback address. It grants the same tokens to everybody, but for the refresh token.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// The tokens that it grants, valid for an hour.
pub const GRANTED: &str = include_str!("../../data/medium.json");

/// The access token that it grants.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn access_token() -> String {
    let granted: serde_json::Value = serde_json::from_str(GRANTED).expect("JSON");
    granted["access_token"].as_str().expect("a token").to_owned()
}

/// Starts it in this process, for as long as that lives, and returns its origin.
///
/// # Errors
/// If it cannot listen.
pub fn start() -> io::Result<String> {
    let (listener, origin) = listen()?;
    thread::spawn(move || serve(&listener));
    Ok(origin)
}

/// The argument by which a program is the endpoint.
pub const SERVE: &str = "--serve";

/// Prints the origin, and serves until the process ends.
///
/// # Errors
/// If it cannot listen.
pub fn run() -> io::Result<()> {
    let (listener, origin) = listen()?;
    println!("{origin}");
    serve(&listener);
    Ok(())
}

/// The endpoint in a process of its own. It ends with the value.
pub struct Endpoint {
    process: Child,
    /// `http://` and its address.
    pub origin: String,
}

impl Endpoint {
    /// Starts it: `program` calls [`run`].
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(program: &Path) -> io::Result<Self> {
        let mut process = Command::new(program).arg(SERVE).stdout(Stdio::piped()).spawn()?;
        let mut origin = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut origin)?;
        }
        Ok(Self { process, origin: origin.trim_end().to_owned() })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn listen() -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let origin = format!("http://{}", listener.local_addr()?);
    Ok((listener, origin))
}

fn serve(listener: &TcpListener) {
    for stream in listener.incoming().flatten() {
        // A client that goes away does no harm.
        thread::spawn(move || talk(&stream));
    }
}

fn talk(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let field = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            length = field.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(length);
            if line.trim().is_empty() {
                break;
            }
        }
        reader.by_ref().take(length).read_to_end(&mut Vec::new())?;
        let body = granted();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: ";
        stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes())?;
    }
}

/// With another refresh token each time, which is as long.
fn granted() -> String {
    static GRANTS: AtomicU32 = AtomicU32::new(0);
    const FIELD: &str = "\"refresh_token\":\"";
    let mut granted = GRANTED.to_owned();
    if let Some(at) = granted.find(FIELD).map(|at| at + FIELD.len()) {
        granted.replace_range(at..at + 8, &format!("{:08x}", GRANTS.fetch_add(1, Ordering::Relaxed)));
    }
    granted
}
