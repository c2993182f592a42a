//! What `ureq` says of a request that got no response.

use proofkey_http::{TransportError, TransportKind};
use std::io::{self, ErrorKind};
use ureq::{Error, Timeout};

pub(crate) fn transport(error: Error) -> TransportError {
    let (kind, sent) = match &error {
        Error::BodyExceedsLimit(_) => return TransportError::new(TransportKind::BodyTooBig, true),
        Error::Timeout(when) => {
            let sent = !matches!(when, Timeout::Resolve | Timeout::Connect);
            return TransportError::new(TransportKind::Deadline, sent);
        }
        Error::ConnectionFailed | Error::HostNotFound => (TransportKind::Connect, false),
        Error::Io(error) if is_cut(error.kind()) => (TransportKind::Closed, true),
        Error::Io(error) if error.kind() == ErrorKind::NotConnected => {
            (if is_tls(error) { TransportKind::Tls } else { TransportKind::Connect }, false)
        }
        Error::LargeResponseHeader(..) | Error::Protocol(_) => (TransportKind::Closed, true),
        Error::Rustls(_) | Error::Tls(_) | Error::Pem(_) => (TransportKind::Tls, true),
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

/// Whether it was TLS that failed while the connection was made.
fn is_tls(error: &io::Error) -> bool {
    let mut cause = error.get_ref();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        cause = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    }
    false
}
