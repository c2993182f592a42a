//! What `ureq` says of a request that got no response.

use proofkey_http::{TransportError, TransportKind};
use std::io::ErrorKind;
use ureq::{Error, Timeout};

pub(crate) fn transport(error: Error) -> TransportError {
    if let Error::Other(other) = &error
        && let Some(error) = other.downcast_ref::<TransportError>()
    {
        return error.clone();
    }
    let (kind, sent) = match &error {
        Error::BodyExceedsLimit(_) => return TransportError::new(TransportKind::BodyTooBig, true),
        Error::Timeout(when) => {
            let sent = !matches!(when, Timeout::Resolve | Timeout::Connect);
            return TransportError::new(TransportKind::Deadline, sent);
        }
        Error::ConnectionFailed | Error::HostNotFound => (TransportKind::Connect, false),
        Error::Io(error) if is_cut(error.kind()) => (TransportKind::Closed, true),
        // An agent of the caller's does TLS and proxies by itself.
        Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            (TransportKind::Tls, true)
        }
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => (TransportKind::Proxy, false),
        Error::LargeResponseHeader(..) | Error::Protocol(_) => (TransportKind::Closed, true),
        Error::Tls(_) => (TransportKind::Tls, true),
        Error::BadUri(_) | Error::Http(_) => (TransportKind::Http, false),
        _ => (TransportKind::Http, true),
    };
    TransportError::new(kind, sent).because(error)
}

/// Whether the other side ended the connection.
const fn is_cut(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
    )
}
