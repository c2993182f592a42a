//! HTTP/1.0 over a serial line (RFC 9112): one request at a time, responses that tell their length. A modem at its other end
//! connects to the server for each request.

use crate::host;
use crate::uart::Uart;
use core::fmt::{self, Write};
use proofkey_core::{Received, Request};

/// A line to one server.
pub struct Line<'a> {
    uart: &'a mut Uart,
    authority: &'a str,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// The request is for another server than the one at the end of the line.
    Elsewhere,
    /// What came is not an answer of HTTP/1, or does not tell its length. The line is lost.
    Garbled,
    /// The request cannot be sent, or its answer did not come in time. The line is lost.
    Silent,
    /// The URL or the answer is longer than its buffer.
    TooLong,
}

impl<'a> Line<'a> {
    /// A line whose other end is the server of `url`.
    ///
    /// # Errors
    /// [`HttpError::Elsewhere`] if that is not plain http, which is all that the line can carry.
    pub fn new(uart: &'a mut Uart, url: &'a str) -> Result<Self, HttpError> {
        let authority = url.strip_prefix(SCHEME).and_then(|rest| rest.split('/').next());
        Ok(Self { uart, authority: authority.ok_or(HttpError::Elsewhere)? })
    }

    /// Sends a request of the core and receives its answer.
    ///
    /// # Errors
    /// [`HttpError`].
    pub fn send(&mut self, request: Request<'_>, buffer: &mut [u8]) -> Result<Received, HttpError> {
        let url = request.url();
        let port = self.authority.strip_prefix(url.host()).and_then(|rest| rest.strip_prefix(':')?.parse().ok());
        if url.is_https() || port != Some(url.port()) {
            return Err(HttpError::Elsewhere);
        }
        // What is left of an answer that was given up.
        while self.uart.read().is_some() {}
        request.write_head(self.uart)?;
        request.write_body(self.uart)?;
        self.receive(buffer)
    }

    /// Sends the request line and `Host`; the other fields, the empty line and the body are the caller's to write.
    ///
    /// # Errors
    /// [`HttpError::Elsewhere`].
    pub fn request(&mut self, method: &str, url: &str) -> Result<&mut Uart, HttpError> {
        let target = url.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(self.authority));
        let target = target.filter(|target| target.starts_with('/')).ok_or(HttpError::Elsewhere)?;
        write!(self.uart, "{method} {target} HTTP/1.0\r\nhost: {}\r\n", self.authority)?;
        Ok(self.uart)
    }

    /// Receives the answer to the request that was sent.
    ///
    /// # Errors
    /// All but [`HttpError::Elsewhere`].
    pub fn receive(&mut self, buffer: &mut [u8]) -> Result<Received, HttpError> {
        let deadline = host::now() + SECONDS;
        let mut head = 0;
        while !buffer.get(..head).is_some_and(|head| head.ends_with(b"\r\n\r\n")) {
            *buffer.get_mut(head).ok_or(HttpError::Garbled)? = self.byte(deadline)?;
            head += 1;
        }
        let length =
            buffer.get(..head).and_then(Received::of).and_then(|head| head.total()).ok_or(HttpError::Garbled)?;
        for at in head..length {
            let byte = self.byte(deadline)?;
            // An answer that does not fit is still read to its end: the next one begins behind it.
            if let Some(place) = buffer.get_mut(at) {
                *place = byte;
            }
        }
        buffer.get(..length).and_then(Received::of).ok_or(HttpError::TooLong)
    }

    fn byte(&mut self, deadline: u64) -> Result<u8, HttpError> {
        loop {
            match self.uart.read() {
                Some(byte) => return Ok(byte),
                None if host::now() >= deadline => return Err(HttpError::Silent),
                None => {}
            }
        }
    }
}

impl HttpError {
    /// What is wrong, for a small screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Garbled => "garbled",
            Self::Silent => "silent",
            Self::TooLong => "too long",
        }
    }
}

impl From<fmt::Error> for HttpError {
    fn from(_: fmt::Error) -> Self {
        Self::Silent
    }
}

const SCHEME: &str = "http://";
const SECONDS: u64 = 10;
