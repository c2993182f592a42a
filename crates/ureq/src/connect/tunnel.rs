//! The tunnel of a proxy (RFC 9110 section 9.3.6). `ureq`'s own says what the proxy answered in words only, and starts the
//! time to connect anew with each read.

use super::{failure, time_left};
use base64ct::{Base64, Encoding};
use proofkey_http::TransportKind;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Transport, TransportAdapter};
use zeroize::Zeroizing;

/// Has the proxy connect to the server. `proxy` is a connection to it.
pub(crate) fn open(
    transport: Box<dyn Transport>,
    proxy: &ureq::Proxy,
    details: &ConnectionDetails<'_>,
) -> Result<Box<dyn Transport>, Error> {
    let host = details.uri.host().unwrap_or_default();
    let port = details.uri.port_u16().unwrap_or(443);
    let mut head = Zeroizing::new(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"));
    if proxy.username().is_some() || proxy.password().is_some() {
        let (user, password) = (proxy.username().unwrap_or_default(), proxy.password().unwrap_or_default());
        let credentials =
            Zeroizing::new(Base64::encode_string(Zeroizing::new(format!("{user}:{password}")).as_bytes()));
        head.reserve(credentials.len() + 64);
        head.push_str("Proxy-Authorization: Basic ");
        head.push_str(&credentials);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    let mut proxy = TransportAdapter::new(transport, Arc::clone(&details.current_time));
    proxy.set_timeout(time_left(details)?);
    proxy.write_all(head.as_bytes())?;
    let mut transport = proxy.into_inner();
    let status = read_head(&mut *transport, details)?;
    match status {
        200..=299 => Ok(transport),
        _ => {
            let kind = if status == 407 { TransportKind::Proxy } else { TransportKind::Connect };
            Err(failure(kind, Error::ConnectProxyFailed(format!("the proxy answered {status}"))))
        }
    }
}

/// Reads the head of the answer, and returns its status. What follows is the server's.
fn read_head(transport: &mut dyn Transport, details: &ConnectionDetails<'_>) -> Result<u16, Error> {
    loop {
        let input = transport.buffers().input();
        if let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            let line = input.strip_prefix(b"HTTP/1.").and_then(|line| line.get(2..5));
            let status = line.and_then(|status| str::from_utf8(status).ok()?.parse().ok());
            transport.buffers().input_consume(end + 4);
            return status.ok_or_else(|| io::Error::from(ErrorKind::InvalidData).into());
        }
        if input.len() > HEAD_MAX {
            return Err(io::Error::from(ErrorKind::InvalidData).into());
        }
        if !transport.await_input(time_left(details)?)? {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
    }
}

const HEAD_MAX: usize = 16 * 1024;
