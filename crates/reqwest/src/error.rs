//! What `reqwest` says of a request that got no response.

use crate::body::Sent;
use proofkey_http::{TransportError, TransportKind};
use std::error::Error;
use std::io;

/// A request that failed.
pub(crate) fn transport(error: reqwest::Error, sent: &Sent) -> TransportError {
    let (kind, sent) = if error.is_builder() {
        (TransportKind::Http, false)
    } else if error.is_timeout() {
        (TransportKind::Deadline, !error.is_connect() && sent.is_possible())
    } else if error.is_connect() {
        (why_no_connection(&error), false)
    } else {
        (TransportKind::Closed, sent.is_possible())
    };
    TransportError::new(kind, sent).because(error.without_url())
}

/// A client that was not built.
pub(crate) fn built(error: reqwest::Error) -> TransportError {
    TransportError::new(TransportKind::Http, false).because(error)
}

/// A request that took too long.
pub(crate) fn late(sent: &Sent) -> TransportError {
    TransportError::new(TransportKind::Deadline, sent.is_possible())
}

fn why_no_connection(error: &reqwest::Error) -> TransportKind {
    let mut cause = error.source();
    while let Some(error) = cause {
        if is_tls(error) {
            return TransportKind::Tls;
        }
        // The type is not exported.
        if error.to_string().ends_with("proxy authorization required") {
            return TransportKind::Proxy;
        }
        cause = error.source();
    }
    TransportKind::Connect
}

/// An [`io::Error`] may hold another one, and none of them is the source of the other.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner))
}
