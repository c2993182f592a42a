//! A request as the `http` crate has it, and what came of it.

use crate::answer::Answer;
use crate::error::TransportError;
use http::header::HeaderValue;
use proofkey_core::Request;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// An answer, and whether its whole body came.
pub type Received = (Answer, Result<(), TransportError>);

/// The request as the `http` crate has it. Its body is wiped when it is dropped.
///
/// ```
/// use proofkey_core::{Client, RefreshToken, Server};
/// use proofkey_http::to_http;
///
/// let client = Client::new("my-client-id", "http://127.0.0.1/callback", Server::ITWIN)?;
/// let request = to_http(&client.refresh(RefreshToken::new("RT1")?).request())?;
/// assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/connect/token"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the `http` crate does not take the URL.
pub fn to_http(request: &Request<'_>) -> Result<http::Request<Zeroizing<Vec<u8>>>, http::Error> {
    let mut builder = http::Request::builder().method(request.method().as_str()).uri(request.url().to_string());
    for header in request.headers() {
        let value = match header.fixed() {
            Some(value) => HeaderValue::from_static(value),
            None => secret(&Zeroizing::new(header.value()))?,
        };
        builder = builder.header(header.name(), value);
    }
    builder.body(Zeroizing::new(request.body().into_bytes()))
}

/// The value of a header field that is a secret.
pub(crate) fn secret(value: &str) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The present time in [`seconds`].
pub(crate) fn now() -> u64 {
    seconds(SystemTime::now())
}

/// Seconds since 1970. A clock that stands before is at its beginning.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
