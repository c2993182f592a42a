//! [`Streamed`]: the body of a streaming call.

use crate::body::Sent;
use crate::error::{late, transport};
use bytes::Bytes;
use proofkey_http::TransportError;
use std::time::Duration;
use tokio::time::timeout;

/// The body of a response, read piece by piece. To stop, drop it: the connection is closed.
#[derive(Debug)]
pub struct Streamed {
    response: reqwest::Response,
    silence: Option<Duration>,
}

impl Streamed {
    pub(crate) const fn new(response: reqwest::Response, silence: Option<Duration>) -> Self {
        Self { response, silence }
    }

    /// The next piece of the body. None at its end.
    ///
    /// # Errors
    /// [`TransportError`] if the connection broke, or the server was silent for longer than
    /// [`Settings::with_read_timeout`](crate::Settings::with_read_timeout) allows.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        let chunk = self.response.chunk();
        let chunk = match self.silence {
            Some(silence) => timeout(silence, chunk).await.map_err(|_| late(&Sent::YES))?,
            None => chunk.await,
        };
        chunk.map_err(|error| transport(error, &Sent::YES))
    }
}
