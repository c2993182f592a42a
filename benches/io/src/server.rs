//! The server of everybody: it checks that a request is whole, and always answers the same bytes.

use proofkey_benches::fixtures::{CLIENT_ID, CODE};
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The server in a process of its own, so that its memory does not count. It ends with the value.
pub struct Server {
    process: Child,
    /// `http://` and its address.
    pub origin: String,
}

impl Server {
    /// Starts it: `program` is `io`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(program: &Path) -> io::Result<Self> {
        let mut process = Command::new(program).arg(SERVE).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut address)?;
        }
        Ok(Self { process, origin: format!("http://{}", address.trim_end()) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The argument by which the program `io` is the server.
pub const SERVE: &str = "--serve";

/// Prints its address, and serves until the process ends.
///
/// # Errors
/// If it cannot listen.
pub async fn serve() -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    // A connection that does not fit in the queue is tried again a second later, and that would be what is measured.
    let socket = socket.listen(4096)?;
    println!("{}", socket.local_addr()?);
    loop {
        let (stream, _) = socket.accept().await?;
        // The side that closes first keeps the port for a minute, and after some thousand none are left; a reset frees it.
        stream.set_zero_linger()?;
        tokio::spawn(talk(stream));
    }
}

/// One connection, as long as its client keeps it.
async fn talk(mut stream: TcpStream) -> io::Result<()> {
    let mut received = Vec::with_capacity(4096);
    loop {
        let whole = loop {
            if let Some(whole) = Whole::of(&received) {
                break whole;
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        let answer =
            answer(&whole).unwrap_or_else(|| "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_owned());
        let length = whole.length;
        stream.write_all(answer.as_bytes()).await?;
        received.drain(..length);
    }
}

/// A request that has come to its end.
struct Whole<'r> {
    line: &'r str,
    fields: Vec<(&'r str, &'r str)>,
    body: &'r [u8],
    length: usize,
}

impl<'r> Whole<'r> {
    fn of(received: &'r [u8]) -> Option<Self> {
        let end = received.windows(4).position(|four| four == b"\r\n\r\n")?;
        let mut lines = std::str::from_utf8(&received[..end]).ok()?.split("\r\n");
        let line = lines.next()?;
        let fields: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
        let body = end + 4;
        let length = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = body + length.map_or(Some(0), |(_, length)| length.parse().ok())?;
        Some(Self { line, fields, body: received.get(body..length)?, length })
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.fields.iter().any(|(field, is)| field.eq_ignore_ascii_case(name) && *is == value)
    }
}

fn answer(request: &Whole<'_>) -> Option<String> {
    match request.line.strip_suffix(" HTTP/1.1")?.split_once(' ')? {
        ("GET", "/.well-known/openid-configuration") => metadata(request),
        ("GET", target) => authorize(target.strip_prefix("/authorize?")?),
        ("POST", "/token") => token(request),
        _ => None,
    }
}

/// For programs that do not ask the way to the endpoints but the issuer.
fn metadata(request: &Whole<'_>) -> Option<String> {
    let (_, host) = request.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"))?;
    let body = format!(
        r#"{{"issuer":"http://{host}","authorization_endpoint":"http://{host}/authorize","token_endpoint":"http://{host}/token",
        "response_types_supported":["code"],"scopes_supported":["openid","offline_access"],"code_challenge_methods_supported":["S256"]}}"#
    );
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    Some(head + &body)
}

/// Sends the browser back.
fn authorize(query: &str) -> Option<String> {
    let given: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    let asks = given.get("client_id")? == CLIENT_ID
        && given.get("response_type")? == "code"
        && given.get("code_challenge_method")? == "S256"
        && given.get("code_challenge")?.len() == 43;
    let location = format!("{}?code={CODE}&state={}", given.get("redirect_uri")?, given.get("state")?);
    asks.then(|| format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
}

/// Gives tokens for a code if the request has all that RFC 6749 section 4.1.3 and RFC 7636 section 4.5 ask for.
fn token(request: &Whole<'_>) -> Option<String> {
    let given: HashMap<_, _> = form_urlencoded::parse(request.body).collect();
    if given.get("grant_type")? == "refresh_token" {
        return given.contains_key("refresh_token").then(|| TOKENS.to_owned());
    }
    let whole = request.has("content-type", "application/x-www-form-urlencoded")
        && request.has("accept", "application/json")
        && given.get("grant_type")? == "authorization_code"
        && given.get("code")? == CODE
        && given.get("client_id")? == CLIENT_ID
        && given.get("redirect_uri")?.ends_with("/callback")
        && given.get("code_verifier")?.len() >= 43;
    whole.then(|| TOKENS.to_owned())
}

/// With the header fields of a server that takes care.
static TOKENS: LazyLock<String> = LazyLock::new(|| {
    let body = include_str!("../../data/medium.json");
    format!(
        "HTTP/1.1 200 OK\r\n\
         content-type: application/json; charset=utf-8\r\n\
         cache-control: no-store\r\n\
         pragma: no-cache\r\n\
         date: Thu, 26 Nov 2026 00:00:00 GMT\r\n\
         strict-transport-security: max-age=31536000; includeSubDomains\r\n\
         x-content-type-options: nosniff\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
});
