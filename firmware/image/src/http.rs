//! HTTP/1.0 over a serial line (RFC 9112): one request at a time, responses that tell their length. A modem at its other end
//! connects to the server for each request.

use crate::host;
use crate::uart::Uart;
use core::fmt::{self, Write};
use proofkey_core::{Request, Response};

/// A line to one server.
pub struct Line<'a> {
    uart: &'a mut Uart,
    authority: &'a str,
}

/// Where in its buffer an answer is.
#[derive(Clone, Copy)]
pub struct Answer {
    /// The status.
    pub status: u16,
    head: usize,
    length: usize,
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
    pub fn send(&mut self, request: Request<'_>, buffer: &mut [u8]) -> Result<Answer, HttpError> {
        let url = request.url();
        let port = self.authority.strip_prefix(url.host()).and_then(|rest| rest.strip_prefix(':')?.parse().ok());
        if url.is_https() || port != Some(url.port()) {
            return Err(HttpError::Elsewhere);
        }
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
    pub fn receive(&mut self, buffer: &mut [u8]) -> Result<Answer, HttpError> {
        let deadline = host::now() + SECONDS;
        let mut head = 0;
        while !buffer.get(..head).is_some_and(|head| head.ends_with(b"\r\n\r\n")) {
            *buffer.get_mut(head).ok_or(HttpError::Garbled)? = self.byte(deadline)?;
            head += 1;
        }
        let (fields, body) = buffer.split_at_mut_checked(head).ok_or(HttpError::Garbled)?;
        let (status, fields) = read_head(fields).ok_or(HttpError::Garbled)?;
        let length = length(fields).ok_or(HttpError::Garbled)?;
        for at in 0..length {
            let byte = self.byte(deadline)?;
            // An answer that does not fit is still read to its end: the next one begins behind it.
            if let Some(place) = body.get_mut(at) {
                *place = byte;
            }
        }
        if length <= body.len() { Ok(Answer { status, head, length }) } else { Err(HttpError::TooLong) }
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

impl Answer {
    /// The response for a step of the core, in the buffer that it was received in.
    #[must_use]
    pub fn response(self, buffer: &mut [u8]) -> Response<'_> {
        let (head, body) = buffer.split_at_mut_checked(self.head).unwrap_or_default();
        let (_, fields) = read_head(head).unwrap_or_default();
        let response = Response::new(self.status, body.get_mut(..self.length).unwrap_or_default());
        let fields = fields.lines().filter_map(|field| field.split_once(':'));
        fields.fold(response, |response, (name, value)| response.with_header(name, value.trim_ascii()))
    }

    /// The length of the whole answer.
    #[must_use]
    pub const fn length(self) -> usize {
        self.head + self.length
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

/// The status and the fields of an answer that is not an interim one.
fn read_head(head: &[u8]) -> Option<(u16, &str)> {
    let (line, fields) = str::from_utf8(head).ok()?.split_once('\n')?;
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1))?;
    let status = number(status)?.try_into().ok()?;
    (200..600).contains(&status).then_some((status, fields))
}

/// The length of the body (section 6.3), which must be told once.
fn length(fields: &str) -> Option<usize> {
    let mut lengths = values(fields, "content-length");
    match (lengths.next(), lengths.next(), values(fields, "transfer-encoding").next()) {
        (Some(length), None, None) => number(length),
        _ => None,
    }
}

fn values<'b>(fields: &'b str, name: &'static str) -> impl Iterator<Item = &'b str> {
    let fields = fields.lines().filter_map(|field| field.split_once(':'));
    fields.filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_ascii())
}

fn number(digits: &str) -> Option<usize> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

const SCHEME: &str = "http://";
const SECONDS: u64 = 10;
