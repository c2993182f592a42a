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
/// # Errors
/// If the `http` crate does not take the URL.
pub fn to_http(request: &Request<'_>) -> Result<http::Request<Zeroizing<Vec<u8>>>, http::Error> {
    let mut builder = http::Request::builder().method(request.method().as_str()).uri(request.url().to_string());
    for header in request.headers() {
        let value = match header.fixed() {
            Some(value) => HeaderValue::from_static(value),
            None => {
                let mut value = HeaderValue::from_str(&Zeroizing::new(header.value()))?;
                value.set_sensitive(true);
                value
            }
        };
        builder = builder.header(header.name(), value);
    }
    builder.body(Zeroizing::new(request.body().into_bytes()))
}

/// Seconds since 1970. A clock that stands before is at its beginning.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
