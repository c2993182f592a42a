//! From an issuer to its metadata, whichever well-known address has it: [`Discovery`].

use crate::endpoint::{Quirk, Quirks};
use crate::error::words::{Decimal, put};
use crate::error::{ConfigError, ResponseError};
use crate::flow::metadata::{Metadata, MetadataRequest, WellKnown, split};
use crate::flow::{Flow, Step, Unanswered};
use crate::message::Response;
use crate::provider::quirks_at;
use crate::wire::json::Peek;
use core::fmt;

/// The search for an issuer's metadata (RFC 8414 section 3, OpenID Connect Discovery 1.0 section 4): a [`Flow`] over its
/// well-known addresses, each asked once.
///
/// ```
/// use proofkey_core::{Discovery, Flow, Response, Step};
///
/// let mut discovery = Discovery::new("https://as.example")?;
/// assert!(!discovery.hear(&Response::new(404, &mut []), 0), "the next address may have it");
/// let Step::Send(request) = discovery.step(0) else { panic!("the next address") };
/// assert_eq!(request.url().to_string(), "https://as.example/.well-known/openid-configuration");
/// let mut body = *br#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a",
///     "token_endpoint":"https://as.example/t"}"#;
/// let response = Response::new(200, &mut body);
/// assert!(discovery.hear(&response, 0), "this is metadata");
/// assert!(discovery.read(response).is_ok());
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Discovery<'a> {
    issuer: &'a str,
    order: &'static [WellKnown],
    tried: NoMetadata,
    quirks: Quirks,
}

impl<'a> Discovery<'a> {
    /// Begins with the first address. If the issuer is at Microsoft Entra, [`Quirk::TenantIssuer`] is on.
    ///
    /// # Errors
    /// [`ConfigError::Issuer`] if it is not an https URL without query and fragment (http: loopback only).
    pub fn new(issuer: &'a str) -> Result<Self, ConfigError> {
        Self::after(issuer, NoMetadata { misses: [None; 3] })
    }

    /// Goes on from what was [`tried`](Self::tried), for a caller that cannot keep a borrowing value between two answers.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn after(issuer: &'a str, tried: NoMetadata) -> Result<Self, ConfigError> {
        MetadataRequest::new(issuer, WellKnown::OAuth)?;
        let (_, path) = split(issuer);
        let order: &[WellKnown] = if path.as_bytes().windows(WELL_KNOWN.len()).any(|piece| piece == WELL_KNOWN) {
            &[WellKnown::Given]
        } else if path.is_empty() {
            // Both OpenID addresses are the same then.
            &[WellKnown::OAuth, WellKnown::OpenIdAppended]
        } else {
            &WellKnown::ALL
        };
        Ok(Self { issuer, order, tried, quirks: quirks_at(issuer) })
    }

    /// Expects something that this server does otherwise than the specifications say ([`Quirk::TenantIssuer`]).
    #[must_use]
    pub const fn with_quirk(self, quirk: Quirk) -> Self {
        Self { quirks: self.quirks.with(quirk), ..self }
    }

    /// Begins with the address of OpenID Connect, for servers that sign users in, and callers to whom each miss costs something.
    ///
    /// ```
    /// use proofkey_core::{Discovery, Flow, Step};
    ///
    /// let mut discovery = Discovery::new("https://as.example/tenant")?.openid_first();
    /// let Step::Send(request) = discovery.step(0) else { panic!("the first address") };
    /// assert_eq!(request.url().to_string(), "https://as.example/tenant/.well-known/openid-configuration");
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn openid_first(self) -> Self {
        let order: &[WellKnown] = match self.order.len() {
            1 => self.order,
            2 => &[WellKnown::OpenIdAppended, WellKnown::OAuth],
            _ => &[WellKnown::OpenIdAppended, WellKnown::OAuth, WellKnown::OpenIdInserted],
        };
        Self { order, ..self }
    }

    /// Reads the last answer ([`MetadataRequest::read`]).
    ///
    /// # Errors
    /// Metadata that cannot be used, or a server that is busy or down.
    pub fn read<'b>(self, response: Response<'b>) -> Result<Metadata<'b>, ResponseError>
    where
        'a: 'b,
    {
        let address = self.address().unwrap_or(WellKnown::OAuth);
        let request = MetadataRequest::new(self.issuer, address).map_err(ResponseError::Endpoint)?;
        request.with_quirks(self.quirks).read(response)
    }

    /// What was tried so far. If the flow is over, this says why no metadata was found.
    #[must_use]
    pub const fn tried(&self) -> NoMetadata {
        self.tried
    }

    fn address(&self) -> Option<WellKnown> {
        self.order.get(self.tried.misses.iter().flatten().count()).copied()
    }

    fn miss(&mut self, miss: Miss) {
        if let (Some(address), Some(free)) = (self.address(), self.tried.misses.iter_mut().find(|miss| miss.is_none()))
        {
            *free = Some((address, miss));
        }
    }
}

impl Flow for Discovery<'_> {
    fn step(&mut self, _now: u64) -> Step<'_> {
        let request = self.address().and_then(|address| MetadataRequest::new(self.issuer, address).ok());
        request.map_or(Step::Over, |request| Step::Send(request.request()))
    }

    /// There is no metadata at an address that answers with anything but JSON with an `issuer` (RFC 8414 section 3.2). A server
    /// that is busy or down says nothing of the kind.
    fn hear(&mut self, response: &Response<'_>, _now: u64) -> bool {
        let miss = match response.status() {
            200 if response.is_cut() => Miss::Closed,
            200 => match response.peek("issuer") {
                Ok(Peek::Repeated | Peek::Text(_)) => return true,
                _ => Miss::Other,
            },
            429 | 500..=599 => return true,
            status => match response.peek("error") {
                Ok(error) if BUSY.iter().any(|busy| error.is(busy)) => return true,
                _ => Miss::Status(status),
            },
        };
        self.miss(miss);
        false
    }

    /// Some servers close the connection if they do not know an address. No name, no connection, no TLS and no time left are
    /// another matter: they end the search.
    fn unanswered(&mut self, why: Unanswered, _now: u64) -> bool {
        let goes_on = why == Unanswered::Closed;
        if goes_on {
            self.miss(Miss::Closed);
        }
        goes_on
    }
}

/// The addresses at which an issuer has no metadata, and what each of them answered: from [`Discovery::tried`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMetadata {
    misses: [Option<(WellKnown, Miss)>; 3],
}

/// What an address answered that has no metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Miss {
    Closed,
    Other,
    Status(u16),
}

const WELL_KNOWN: &[u8] = b"/.well-known/";

/// Errors that only say that the moment is bad, whatever the status.
const BUSY: [&str; 2] = ["server_error", "temporarily_unavailable"];

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
        for (index, (address, miss)) in self.tried.misses.iter().flatten().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            if let Ok(request) = MetadataRequest::new(self.issuer, *address) {
                request.request().url().fmt(f)?;
                f.write_str(" ")?;
            }
            match miss {
                Miss::Closed => f.write_str("gave no answer")?,
                Miss::Other => f.write_str("answered with something else")?,
                Miss::Status(status) => put(f, &["answered ", Decimal::of(usize::from(*status)).as_str()])?,
            }
        }
        Ok(())
    }
}
