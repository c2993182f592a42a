//! A client of your own, blocking and async, below proofkey: `own_client ISSUER CLIENT_ID`. This one has no TLS.

use getrandom::SysRng;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use proofkey_core::{Client, ClientBuf, Redirect, TokenRequest, TokensBuf};
use proofkey_http::{
    Answer, ClientDiscovery, Received, TransportError, TransportKind, drive, drive_async, is_secure, read_tokens,
};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn discover(issuer: &str, client_id: &str, redirect_uri: &str) -> Result<ClientBuf> {
    let mut discovery = ClientDiscovery::new(issuer, client_id, redirect_uri)?;
    let driven = drive(discovery.flow(), send, thread::sleep);
    Ok(discovery.read(driven)?)
}

fn exchange(mut request: TokenRequest<'_>) -> Result<TokensBuf> {
    let driven = drive(&mut request, send, thread::sleep);
    // Keep a new refresh token before anything else is looked at.
    let (_new, tokens) = read_tokens(request, driven);
    Ok(tokens?)
}

async fn refresh(client: Client<'_>, old: &TokensBuf) -> Result<TokensBuf> {
    let mut request = client.refresh(old.refresh_token().ok_or("no refresh token")?);
    let driven = drive_async(&mut request, send_async, tokio::time::sleep).await;
    let (_new, tokens) = read_tokens(request, driven);
    Ok(tokens?)
}

/// Sends a request once, and receives its answer.
fn send(request: Request<Zeroizing<Vec<u8>>>) -> std::result::Result<Received, TransportError> {
    let address = address(&request)?;
    let end = Instant::now() + DEADLINE;
    let mut socket = TcpStream::connect_timeout(&address, DEADLINE).map_err(|error| failed(error, false))?;
    let written = socket.set_write_timeout(Some(DEADLINE)).and_then(|()| socket.write_all(&bytes(&request)));
    written.map_err(|error| failed(error, true))?;
    let mut received = Zeroizing::new(Vec::with_capacity(MOST));
    let mut chunk = Zeroizing::new([0; 4096]);
    while received.len() < MOST {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return answer(&received, Err(TransportError::new(TransportKind::Deadline, true)));
        }
        let read = socket.set_read_timeout(Some(left)).and_then(|()| socket.read(&mut *chunk));
        match read.map_err(|error| failed(error, true)) {
            Ok(0) => break,
            Ok(length) => received.extend_from_slice(&chunk[..length]),
            Err(error) => return answer(&received, Err(error)),
        }
    }
    answer(&received, Ok(()))
}

/// The same without blocking.
async fn send_async(request: Request<Zeroizing<Vec<u8>>>) -> std::result::Result<Received, TransportError> {
    let address = address(&request)?;
    let exchange = async {
        let socket = tokio::net::TcpStream::connect(address).await;
        let mut socket = socket.map_err(|error| failed(error, false))?;
        socket.write_all(&bytes(&request)).await.map_err(|error| failed(error, true))?;
        let mut received = Zeroizing::new(Vec::with_capacity(MOST));
        let read = socket.take(MOST as u64).read_to_end(&mut received).await;
        answer(&received, read.map(drop).map_err(|error| failed(error, true)))
    };
    let late = || Err(TransportError::new(TransportKind::Deadline, true));
    tokio::time::timeout(DEADLINE, exchange).await.unwrap_or_else(|_| late())
}

/// Where the request may go to.
fn address(request: &Request<Zeroizing<Vec<u8>>>) -> std::result::Result<SocketAddr, TransportError> {
    let uri = request.uri();
    if !is_secure(uri.scheme_str(), uri.host()) {
        return Err(TransportError::new(TransportKind::Insecure, false));
    }
    if uri.scheme_str() == Some("https") {
        return Err(TransportError::new(TransportKind::Tls, false));
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let mut found = (host, uri.port_u16().unwrap_or(80)).to_socket_addrs().map_err(|error| failed(error, false))?;
    found.next().ok_or_else(|| TransportError::new(TransportKind::Connect, false))
}

/// HTTP/1.0, so that the server closes the connection after its answer.
fn bytes(request: &Request<Zeroizing<Vec<u8>>>) -> Zeroizing<Vec<u8>> {
    let (uri, body) = (request.uri(), request.body());
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let (method, length) = (request.method(), body.len());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let head = format!("{method} {target} HTTP/1.0\r\nhost: {host}\r\ncontent-length: {length}\r\n");
    let mut bytes = Zeroizing::new(Vec::with_capacity(8192 + length));
    bytes.extend_from_slice(head.as_bytes());
    for (name, value) in
        request.headers().iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()))
    {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Every status is an answer. `whole` is whether all of it came.
fn answer(
    received: &[u8],
    whole: std::result::Result<(), TransportError>,
) -> std::result::Result<Received, TransportError> {
    let closed = || TransportError::new(TransportKind::Closed, true);
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Err(whole.err().unwrap_or_else(closed));
    };
    let (head, body) = received.split_at(end + 4);
    let head = str::from_utf8(head).map_err(|_| closed())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(closed)?;
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name: HeaderName = name.parse().map_err(|_| closed())?;
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(|_| closed())?);
    }
    let promised = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let mut answer = Answer::new(status, headers);
    let fits = answer.push(body, MOST) && received.len() < MOST;
    let whole = match whole {
        Ok(()) if !fits => Err(TransportError::new(TransportKind::BodyTooBig, true)),
        Ok(()) if promised.is_some_and(|promised| promised > body.len()) => Err(closed()),
        whole => whole,
    };
    Ok((answer, whole))
}

fn failed(error: io::Error, sent: bool) -> TransportError {
    let kind = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => TransportKind::Deadline,
        _ if sent => TransportKind::Closed,
        _ => TransportKind::Connect,
    };
    TransportError::new(kind, sent).because(error)
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id] = args.as_slice() else {
        return Err("usage: own_client ISSUER CLIENT_ID".into());
    };
    let client = discover(issuer, client_id, "https://app.example/paste")?;
    let client = client.as_client();
    let (url, pending) = client.authorize(&["offline_access"], &mut SysRng)?;
    println!("{url}");
    let mut callback = String::new();
    io::stdin().read_line(&mut callback)?;
    let tokens = exchange(pending.accept(client, Redirect::Url(callback.trim()))?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tokens = runtime.block_on(refresh(client, &tokens))?;
    println!("an access token of {} bytes", tokens.access_token().expose().len());
    Ok(())
}

const DEADLINE: Duration = Duration::from_secs(30);
const MOST: usize = 1024 * 1024;
