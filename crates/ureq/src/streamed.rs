//! [`Streamed`]: the body of a streaming call.

use crate::error::transport;
use std::fmt;
use std::io::{self, Read};
use ureq::{Body, BodyReader};

/// The body of a response, read piece by piece. A failure is an [`io::Error`] with a
/// [`TransportError`](crate::TransportError) inside. To stop, drop it: the connection is closed.
pub struct Streamed(BodyReader<'static>);

impl Streamed {
    pub(crate) fn new(body: Body) -> Self {
        Self(body.into_reader())
    }
}

impl Read for Streamed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| io::Error::new(error.kind(), transport(error.into())))
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").finish_non_exhaustive()
    }
}
