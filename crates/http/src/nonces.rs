//! [`Nonces`]: the newest nonce of each server (RFC 9449 sections 8 and 9).

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The newest nonce of each server, of those that were used last. An authorization server and an API at one origin have a nonce
/// each.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Vec<Nonce>>);

#[derive(Debug)]
struct Nonce {
    server: Server,
    value: String,
}

/// Who gives nonces, and at which origin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Server {
    kind: Kind,
    origin: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Api,
    Authorization,
}

impl Server {
    /// The one at this URL.
    pub(crate) fn of(kind: Kind, url: &http::Uri) -> Self {
        let scheme = url.scheme_str().unwrap_or_default();
        let port = url.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let origin = format!("{scheme}://{}:{port}", url.host().unwrap_or_default()).to_ascii_lowercase();
        Self { kind, origin }
    }
}

impl Nonces {
    pub(crate) fn newest(&self, server: &Server) -> Option<String> {
        let mut nonces = self.lock();
        let at = nonces.iter().position(|nonce| nonce.server == *server)?;
        nonces.get_mut(at..)?.rotate_left(1);
        nonces.last().map(|nonce| nonce.value.clone())
    }

    /// Takes the nonce of an answer.
    pub(crate) fn take(&self, server: &Server, value: &str) {
        let mut nonces = self.lock();
        if let Some(known) = nonces.iter_mut().find(|nonce| nonce.server == *server) {
            value.clone_into(&mut known.value);
            return;
        }
        if nonces.len() >= MOST {
            nonces.remove(0);
        }
        nonces.push(Nonce { server: server.clone(), value: value.to_owned() });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Nonce>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many servers are remembered.
const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_belong_to_an_origin_and_to_a_kind() {
        let nonces = Nonces::default();
        let server = |kind, url: &'static str| Server::of(kind, &http::Uri::from_static(url));
        nonces.take(&server(Kind::Authorization, "https://as.example/token"), "N1");
        for same in ["https://as.example/", "https://as.example:443/par?x", "https://AS.example/token"] {
            assert_eq!(nonces.newest(&server(Kind::Authorization, same)).as_deref(), Some("N1"), "{same}");
        }
        assert_eq!(nonces.newest(&server(Kind::Api, "https://as.example/token")), None);
        for other in ["https://as.example:444/", "http://as.example/", "https://api.as.example/"] {
            assert_eq!(nonces.newest(&server(Kind::Authorization, other)), None, "{other}");
        }
        nonces.take(&server(Kind::Authorization, "https://as.example/token"), "N2");
        assert_eq!(nonces.newest(&server(Kind::Authorization, "https://as.example/")).as_deref(), Some("N2"));
    }

    #[test]
    fn the_server_that_was_used_longest_ago_is_forgotten() {
        let nonces = Nonces::default();
        let server = |at: usize| Server { kind: Kind::Api, origin: at.to_string() };
        for at in 0..MOST {
            nonces.take(&server(at), "N");
        }
        assert!(nonces.newest(&server(0)).is_some());
        nonces.take(&server(MOST), "N");
        assert!(nonces.newest(&server(0)).is_some(), "it was used");
        assert_eq!(nonces.newest(&server(1)), None);
        assert_eq!(nonces.lock().len(), MOST);
    }
}
