//! From an issuer to its metadata, whichever well-known address has it: [`Discovery`].

use crate::error::{ConfigError, ResponseError};
use crate::flow::metadata::{Metadata, MetadataRequest, WellKnown, split};
use crate::message::{Request, Response};
use core::fmt;

/// The search for an issuer's metadata (RFC 8414 section 3, OpenID Connect Discovery 1.0 section 4): which address to ask
/// next, and what each answer means.
///
/// Send each [`request`](Self::request); hand the answer to [`read`](Self::read), or say that the connection was closed
/// without one with [`unanswered`](Self::unanswered). When there is no further request, [`NoMetadata`] says what was tried.
///
/// ```
/// use proofkey_core::{Discovery, Response};
///
/// let mut discovery = Discovery::new("https://as.example")?;
/// let request = discovery.request().expect("the first address");
/// assert_eq!(request.url().to_string(), "https://as.example/.well-known/oauth-authorization-server");
/// assert!(discovery.read(Response::new(404, &mut [])).expect("no metadata at this address").is_none());
/// let request = discovery.request().expect("the next address");
/// assert_eq!(request.url().to_string(), "https://as.example/.well-known/openid-configuration");
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Discovery<'a> {
    issuer: &'a str,
    order: &'static [WellKnown],
    tried: NoMetadata,
}

impl<'a> Discovery<'a> {
    /// Begins with the first address.
    ///
    /// # Errors
    /// [`ConfigError::Issuer`] if it is not an https URL without query and fragment (http: loopback only).
    pub fn new(issuer: &'a str) -> Result<Self, ConfigError> {
        Self::after(issuer, NoMetadata { misses: heapless::Vec::new() })
    }

    /// Goes on from what was [`tried`](Self::tried), for a caller that cannot keep a borrowing value between two answers.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn after(issuer: &'a str, tried: NoMetadata) -> Result<Self, ConfigError> {
        MetadataRequest::new(issuer, WellKnown::OAuth)?;
        let (_, path) = split(issuer);
        let order: &[WellKnown] = if path.contains("/.well-known/") {
            &[WellKnown::Given]
        } else if path.is_empty() {
            // Both OpenID addresses are the same then.
            &[WellKnown::OAuth, WellKnown::OpenIdAppended]
        } else {
            &WellKnown::ALL
        };
        Ok(Self { issuer, order, tried })
    }

    /// The next request; none if all addresses were asked.
    #[must_use]
    pub fn request(&self) -> Option<Request<'a>> {
        self.step().map(|(_, request)| request.request())
    }

    /// Reads the answer: the metadata, or nothing if there is none at this address and the next one may have it.
    ///
    /// # Errors
    /// What ends the search: metadata that cannot be used, or a server that is busy or down.
    pub fn read<'b>(&mut self, response: Response<'b>) -> Result<Option<Metadata<'b>>, ResponseError>
    where
        'a: 'b,
    {
        let Some((address, request)) = self.step() else { return Ok(None) };
        match request.read(response) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.is_absence() => {
                self.miss(address, Miss::of(&error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The server closed the connection without an answer, as some do for an address that they do not know. No name, no
    /// connection, no TLS and no time left are another matter: they end the search.
    pub fn unanswered(&mut self) {
        if let Some((address, _)) = self.step() {
            self.miss(address, Miss::Closed);
        }
    }

    /// What was tried so far.
    #[must_use]
    pub fn tried(&self) -> NoMetadata {
        self.tried.clone()
    }

    fn step(&self) -> Option<(WellKnown, MetadataRequest<'a>)> {
        let address = *self.order.get(self.tried.misses.len())?;
        Some((address, MetadataRequest::new(self.issuer, address).ok()?))
    }

    fn miss(&mut self, address: WellKnown, miss: Miss) {
        // There is room for every address of any order.
        let _ = self.tried.misses.push((address, miss));
    }
}

/// The addresses at which an issuer has no metadata, and what each of them answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoMetadata {
    misses: heapless::Vec<(WellKnown, Miss), 3>,
}

/// What an address answered that has no metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Miss {
    Closed,
    Other,
    Status(u16),
}

impl Miss {
    const fn of(error: &ResponseError) -> Self {
        match error {
            ResponseError::Redirect(status)
            | ResponseError::Server { status, .. }
            | ResponseError::Status { status, .. } => Self::Status(*status),
            _ => Self::Other,
        }
    }
}

impl NoMetadata {
    /// Says it with the whole addresses of that issuer.
    pub fn at<'t>(&'t self, issuer: &'t str) -> impl fmt::Display + 't {
        At { tried: self, issuer }
    }
}

struct At<'t> {
    tried: &'t NoMetadata,
    issuer: &'t str,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no metadata of this issuer was found: ")?;
        for (index, (address, miss)) in self.tried.misses.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            if let Ok(request) = MetadataRequest::new(self.issuer, *address) {
                write!(f, "{} ", request.request().url())?;
            }
            match miss {
                Miss::Closed => f.write_str("gave no answer")?,
                Miss::Other => f.write_str("answered with something else")?,
                Miss::Status(status) => write!(f, "answered {status}")?,
            }
        }
        Ok(())
    }
}
