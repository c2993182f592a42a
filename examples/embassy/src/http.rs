//! One request of HTTP/1.0 on one connection, over TCP or TLS.

use crate::tls::Provider;
use core::fmt;
use embassy_net::{Stack, dns::DnsQueryType, tcp::TcpSocket};
use embassy_time::{Duration, with_timeout};
use embedded_io_async::{Read, Write};
use embedded_tls::{CryptoRngCore, TlsConfig, TlsConnection, TlsContext, TlsError};
use heapless::String;
use proofkey_core::{Received, Request, Unanswered};

/// The network, and what a connection needs.
pub struct Net<'a> {
    stack: Stack<'a>,
    buffers: &'a mut Buffers,
    /// The certificate of the authority that the servers' certificates are from.
    trusted: &'a [u8],
    rng: &'a mut dyn CryptoRngCore,
}

/// Memory for one connection at a time. The records of TLS take the most of it: a server may send 16 KiB in one.
pub struct Buffers {
    received: [u8; 2048],
    to_send: [u8; 2048],
    record_in: [u8; 16_640],
    record_out: [u8; 4096],
}

impl Buffers {
    /// Empty buffers, for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self { received: [0; 2048], to_send: [0; 2048], record_in: [0; 16_640], record_out: [0; 4096] }
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Net<'a> {
    /// The network with its parts: the certificate (DER) of the authority to trust, and a generator for keys.
    pub fn new(stack: Stack<'a>, buffers: &'a mut Buffers, trusted: &'a [u8], rng: &'a mut dyn CryptoRngCore) -> Self {
        Self { stack, buffers, trusted, rng }
    }

    /// Sends a request, and receives its response into the buffer.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn send(&mut self, request: Request<'_>, buffer: &mut [u8]) -> Result<Received, HttpError> {
        with_timeout(PATIENCE, self.exchange(request, buffer)).await.unwrap_or(Err(HttpError::Late))
    }

    async fn exchange(&mut self, request: Request<'_>, buffer: &mut [u8]) -> Result<Received, HttpError> {
        let mut sent = String::<4096>::new();
        request.write_head(&mut sent).and_then(|()| request.write_body(&mut sent)).map_err(|_| HttpError::TooLong)?;
        let url = request.url();
        let addresses = self.stack.dns_query(url.host(), DnsQueryType::A).await.map_err(|_| HttpError::Name)?;
        let address = *addresses.first().ok_or(HttpError::Name)?;
        let Buffers { received, to_send, record_in, record_out } = &mut *self.buffers;
        let mut socket = TcpSocket::new(self.stack, received, to_send);
        socket.connect((address, url.port())).await.map_err(|_| HttpError::Connection)?;
        if !url.is_https() {
            return transfer(&mut socket, sent.as_bytes(), buffer).await;
        }
        let config = TlsConfig::new().with_server_name(url.host());
        let mut tls = TlsConnection::new(socket, record_in, record_out);
        tls.open(TlsContext::new(&config, Provider::new(self.trusted, self.rng))).await.map_err(HttpError::Tls)?;
        transfer(&mut tls, sent.as_bytes(), buffer).await
    }
}

/// Until the whole response is there, or the server closes the connection.
async fn transfer(socket: &mut (impl Read + Write), sent: &[u8], buffer: &mut [u8]) -> Result<Received, HttpError> {
    socket.write_all(sent).await.map_err(|_| HttpError::Cut)?;
    socket.flush().await.map_err(|_| HttpError::Cut)?;
    let mut length = 0;
    while let Some(free @ [_, ..]) = buffer.get_mut(length..) {
        let read = socket.read(free).await.map_err(|_| HttpError::Cut)?;
        length += read;
        match buffer.get(..length).and_then(Received::of) {
            Some(received) if read == 0 || received.total().is_some_and(|total| total <= length) => {
                return Ok(received);
            }
            None if read == 0 => return Err(HttpError::Cut),
            _ => {}
        }
    }
    Err(HttpError::TooLong)
}

/// Why a request was not answered.
#[derive(Clone, Copy, Debug)]
pub enum HttpError {
    /// There was no connection.
    Connection,
    /// The connection ended without an answer of HTTP/1.
    Cut,
    /// There was no answer in time.
    Late,
    /// The name has no address.
    Name,
    /// The connection is not secure.
    Tls(TlsError),
    /// The request or its answer is longer than its buffer.
    TooLong,
}

impl HttpError {
    /// What a flow is told.
    #[must_use]
    pub const fn why(&self) -> Unanswered {
        match self {
            Self::Connection | Self::Name | Self::Tls(_) => Unanswered::Unsent,
            Self::Cut => Unanswered::Closed,
            Self::Late | Self::TooLong => Unanswered::Lost,
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection => f.write_str("no connection"),
            Self::Cut => f.write_str("the connection broke"),
            Self::Late => f.write_str("no answer in time"),
            Self::Name => f.write_str("the server's name has no address"),
            Self::Tls(error) => write!(f, "no secure connection ({error:?})"),
            Self::TooLong => f.write_str("an answer is too long"),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
