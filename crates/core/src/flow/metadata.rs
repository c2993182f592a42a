//! Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0): from an issuer to its endpoints.

use crate::check::{check_issuer, is_loopback_url, tenant};
use crate::endpoint::{ENDPOINTS, Endpoint, FEATURES, Feature, Quirk, Quirks};
use crate::error::{ConfigError, Excerpt, ResponseError};
use crate::message::{Request, Response, Url, refusal, string, unfit};
use crate::server::Server;
use crate::wire::json::{Kind, Value};
use crate::wire::uri;

/// An address at which a server keeps its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WellKnown {
    /// The address itself, which somebody gave instead of the issuer. It tells the right issuer in its error.
    Given,
    /// `/.well-known/oauth-authorization-server` before the issuer's path (RFC 8414 section 3.1).
    OAuth,
    /// `/.well-known/openid-configuration` behind the issuer's path (OpenID Connect Discovery 1.0 section 4).
    OpenIdAppended,
    /// `/.well-known/openid-configuration` before the issuer's path (RFC 8414 section 5).
    OpenIdInserted,
}

impl WellKnown {
    /// Those that a specification names, in the order in which [`Discovery`](crate::Discovery) asks.
    pub const ALL: [Self; 3] = [Self::OAuth, Self::OpenIdInserted, Self::OpenIdAppended];
}

/// A request for an issuer's metadata (RFC 8414 section 3). [`Discovery`](crate::Discovery) makes them in order.
///
/// ```
/// use proofkey_core::{Endpoint, MetadataRequest, Response, WellKnown};
///
/// let request = MetadataRequest::new("https://as.example", WellKnown::OAuth)?;
/// assert_eq!(request.request().url().to_string(), "https://as.example/.well-known/oauth-authorization-server");
/// let mut body = *br#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize",
///     "token_endpoint":"https://as.example/token"}"#;
/// let metadata = request.read(Response::new(200, &mut body))?;
/// assert_eq!(metadata.server().endpoint(Endpoint::Token), Some("https://as.example/token"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MetadataRequest<'a> {
    issuer: &'a str,
    url: Url<'a>,
    quirks: Quirks,
}

impl<'a> MetadataRequest<'a> {
    /// Asks `issuer`, given exactly as the server writes it, at one of its well-known addresses.
    ///
    /// # Errors
    /// [`ConfigError::Issuer`] if it is not an https URL without query and fragment (http: loopback only).
    pub fn new(issuer: &'a str, well_known: WellKnown) -> Result<Self, ConfigError> {
        check_issuer(issuer).map_err(ConfigError::Issuer)?;
        let (origin, path) = split(issuer);
        let url = match well_known {
            WellKnown::Given => Url([issuer, "", ""]),
            WellKnown::OAuth => Url([origin, "/.well-known/oauth-authorization-server", path]),
            WellKnown::OpenIdAppended => Url([origin, path, "/.well-known/openid-configuration"]),
            WellKnown::OpenIdInserted => Url([origin, "/.well-known/openid-configuration", path]),
        };
        Ok(Self { issuer, url, quirks: Quirks::NONE })
    }

    /// Expects something that this server does otherwise than the specifications say. What is read has it as well.
    #[must_use]
    pub const fn with_quirk(self, quirk: Quirk) -> Self {
        Self { quirks: self.quirks.with(quirk), ..self }
    }

    pub(crate) const fn with_quirks(self, quirks: Quirks) -> Self {
        Self { quirks, ..self }
    }

    /// The request to send.
    #[must_use]
    pub const fn request(&self) -> Request<'a> {
        Request::get(self.url)
    }

    /// Reads the answer. The issuer must be identical byte for byte (RFC 8414 section 3.3), PKCE with `S256` must not be
    /// ruled out, and only the metadata of a loopback issuer may name plain http. What a login does not need, and cannot be
    /// used, counts as absent. The authorization endpoint may be absent (section 2): [`Client::new`](crate::Client::new) refuses
    /// such a server, and [`Client::without_redirect`](crate::Client::without_redirect) does not.
    ///
    /// # Errors
    /// [`ResponseError`]. Whether another address may have metadata is for [`Discovery`](crate::Discovery) to say.
    pub fn read<'b>(self, response: Response<'b>) -> Result<Metadata<'b>, ResponseError>
    where
        'a: 'b,
    {
        if response.status != 200 {
            return Err(refusal(response));
        }
        let (members, whole) = response.members(&MEMBERS);
        whole?;
        let [issuer, methods, scopes, table @ ..] = members;
        let (endpoints, features) = table.split_at(ENDPOINTS);
        let found = string("issuer", issuer)?.ok_or(ResponseError::Missing("issuer"))?;
        let is_template = || self.quirks.has(Quirk::TenantIssuer) && tenant(self.issuer, found) == Some("{tenantid}");
        if found != self.issuer && !is_template() {
            let (expected, found) = (Excerpt::from(self.issuer), Excerpt::from(found));
            return Err(ResponseError::Issuer { expected, found });
        }
        let methods = words(methods);
        if let Some(methods) = methods
            && !lists(methods, "S256")
        {
            return Err(ResponseError::NoS256(Excerpt::from(methods)));
        }
        let mut server = Server { quirks: self.quirks, ..Server::unknown() }.with_issuer(self.issuer);
        for (endpoint, value) in Endpoint::ALL.iter().zip(endpoints) {
            match string(endpoint.name(), *value) {
                Ok(Some(url)) => server = server.with(*endpoint, url),
                Ok(None) if *endpoint == Endpoint::Token => return Err(ResponseError::Missing(endpoint.name())),
                Err(error) if endpoint.is_of_login() => return Err(error),
                _ => {}
            }
        }
        for (feature, value) in Feature::ALL.iter().zip(features) {
            let said = match feature {
                Feature::Es256Proofs => words(*value).map(|algorithms| lists(algorithms, "ES256")),
                Feature::SecretInHeader => words(*value)
                    .map(|methods| lists(methods, "client_secret_basic") && !lists(methods, "client_secret_post")),
                _ => flag(feature.name(), *value)?,
            };
            server = said.map_or(server, |said| server.saying(*feature, said));
        }
        let server = server.checked_at(is_loopback_url(self.issuer)).map_err(ResponseError::Endpoint)?;
        Ok(Metadata { server, scopes: words(scopes), pkce_advertised: methods.is_some() })
    }
}

/// Scheme, host and port of an issuer that was checked, and its path without a final slash.
pub(crate) fn split(issuer: &str) -> (&str, &str) {
    let path = uri::split(issuer).map_or("", |uri| uri.path);
    let origin = issuer.strip_suffix(path).unwrap_or(issuer);
    (origin, path.strip_suffix('/').unwrap_or(path))
}

/// An issuer's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata<'b> {
    server: Server<'b>,
    scopes: Option<&'b str>,
    pkce_advertised: bool,
}

impl<'b> Metadata<'b> {
    /// The endpoints, checked.
    #[must_use]
    pub const fn server(&self) -> Server<'b> {
        self.server
    }

    /// Whether `S256` is advertised. If the metadata says nothing about PKCE, it is sent all the same.
    #[must_use]
    pub const fn pkce_advertised(&self) -> bool {
        self.pkce_advertised
    }

    /// The scopes that the server advertises, separated by a space; none if it advertises none that can be read.
    #[must_use]
    pub const fn scopes(&self) -> Option<&'b str> {
        self.scopes
    }
}

/// The words of an array, separated by a space; none of anything else.
fn words(value: Value<'_>) -> Option<&str> {
    (value.kind == Kind::Words).then_some(value.text)
}

fn lists(words: &str, wanted: &str) -> bool {
    words.as_bytes().split(|byte| *byte == b' ').any(|word| word == wanted.as_bytes())
}

const fn flag(member: &'static str, value: Value<'_>) -> Result<Option<bool>, ResponseError> {
    match value.kind {
        Kind::Absent | Kind::Null => Ok(None),
        Kind::False => Ok(Some(false)),
        Kind::True => Ok(Some(true)),
        kind => Err(unfit(member, kind)),
    }
}

/// Those that are read by themselves, then endpoints and features.
#[expect(clippy::indexing_slicing, reason = "the compiler would say so")]
const MEMBERS: [&str; 3 + ENDPOINTS + FEATURES] = {
    let mut members = [""; 3 + ENDPOINTS + FEATURES];
    members[0] = "issuer";
    members[1] = "code_challenge_methods_supported";
    members[2] = "scopes_supported";
    let mut index = 0;
    while index < ENDPOINTS {
        members[3 + index] = Endpoint::ALL[index].name();
        index += 1;
    }
    index = 0;
    while index < FEATURES {
        members[3 + ENDPOINTS + index] = Feature::ALL[index].name();
        index += 1;
    }
    members
};
