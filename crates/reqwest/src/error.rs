//! What `reqwest` says of a request that got no response.

use proofkey_http::{TransportError, TransportKind};
use std::error::Error;

pub(crate) fn transport(error: reqwest::Error) -> TransportError {
    let (kind, sent) = if error.is_builder() {
        (TransportKind::Http, false)
    } else if error.is_connect() {
        (if is_tls(&error) { TransportKind::Tls } else { TransportKind::Connect }, false)
    } else if error.is_timeout() {
        (TransportKind::Deadline, true)
    } else {
        (TransportKind::Closed, true)
    };
    TransportError::new(kind, sent).because(error.without_url())
}

/// A TLS that cannot be set up.
pub(crate) fn tls(error: rustls::Error) -> TransportError {
    TransportError::new(TransportKind::Tls, false).because(error)
}

fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        cause = error.source();
    }
    false
}
