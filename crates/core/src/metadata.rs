//! Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0): from an issuer to its endpoints.

use crate::client::{Server, check_issuer};
use crate::error::{ConfigError, ResponseError, UriFault};
use crate::http::{Request, Url};
use crate::response::{Response, refusal, string, unfit};
use crate::wire::json::{self, Kind, Value};

/// Where a server keeps its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WellKnown {
    /// `/.well-known/oauth-authorization-server` before the issuer's path (RFC 8414 section 3.1).
    OAuth,
    /// `/.well-known/openid-configuration` behind the issuer's path (OpenID Connect Discovery 1.0 section 4).
    OpenIdAppended,
    /// `/.well-known/openid-configuration` before the issuer's path (RFC 8414 section 5).
    OpenIdInserted,
}

impl WellKnown {
    /// All of them, in the order in which to ask.
    pub const ALL: [Self; 3] = [Self::OAuth, Self::OpenIdInserted, Self::OpenIdAppended];
}

/// A request for an issuer's metadata (RFC 8414 section 3).
#[derive(Clone, Copy, Debug)]
pub struct MetadataRequest<'a> {
    issuer: &'a str,
    url: Url<'a>,
}

impl<'a> MetadataRequest<'a> {
    /// Asks `issuer`, given exactly as the server writes it, at one of its well-known addresses.
    ///
    /// # Errors
    /// [`ConfigError::Issuer`] where it is no https URL without query and fragment (http: loopback only).
    pub fn new(issuer: &'a str, well_known: WellKnown) -> Result<Self, ConfigError> {
        check_issuer(issuer).map_err(ConfigError::Issuer)?;
        let authority = issuer.find("://").map_or(0, |at| at.saturating_add(3));
        let path = issuer.get(authority..).and_then(|rest| rest.find('/')).map(|at| authority.saturating_add(at));
        let (origin, path) =
            issuer.split_at_checked(path.unwrap_or(issuer.len())).ok_or(ConfigError::Issuer(UriFault::NotAbsolute))?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let url = match well_known {
            WellKnown::OAuth => Url([origin, "/.well-known/oauth-authorization-server", path]),
            WellKnown::OpenIdAppended => Url([origin, path, "/.well-known/openid-configuration"]),
            WellKnown::OpenIdInserted => Url([origin, "/.well-known/openid-configuration", path]),
        };
        Ok(Self { issuer, url })
    }

    /// The request to send.
    #[must_use]
    pub const fn request(&self) -> Request<'a> {
        Request::get(self.url)
    }

    /// Reads the answer. The issuer must be identical octet for octet (RFC 8414 section 3.3), and PKCE with `S256` must
    /// not be ruled out.
    ///
    /// # Errors
    /// Where there is no metadata at this address, [`ResponseError::is_absence`] says so: ask the next one. Anything else is
    /// final.
    pub fn read<'b>(self, mut response: Response<'b>) -> Result<Metadata<'b>, ResponseError>
    where
        'a: 'b,
    {
        if response.status != 200 {
            return Err(refusal(&mut response));
        }
        if !response.may_be_json() {
            return Err(ResponseError::ContentType);
        }
        let body = response.body;
        let [authorization, iss_parameter, methods, issuer, revocation, scopes, token] = json::members(body, &MEMBERS)?;
        let text = |name, value| string(name, value)?.ok_or(ResponseError::Missing(name));
        if text("issuer", issuer)? != self.issuer {
            return Err(ResponseError::Issuer);
        }
        let methods = words("code_challenge_methods_supported", methods)?;
        if methods.is_some_and(|methods| !methods.split(' ').any(|method| method == "S256")) {
            return Err(ResponseError::NoS256);
        }
        let server = Server {
            authorization_endpoint: text("authorization_endpoint", authorization)?,
            token_endpoint: text("token_endpoint", token)?,
            revocation_endpoint: string("revocation_endpoint", revocation)?,
            issuer: Some(self.issuer),
            iss_parameter: flag("authorization_response_iss_parameter_supported", iss_parameter)?,
        };
        let scopes = words("scopes_supported", scopes)?;
        let pkce_advertised = methods.is_some();
        server.check().map_err(ResponseError::Endpoint)?;
        Ok(Metadata { server, scopes, pkce_advertised })
    }
}

/// What an issuer says of itself.
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

    /// Whether `S256` is advertised. Where nothing is said it is sent all the same.
    #[must_use]
    pub const fn pkce_advertised(&self) -> bool {
        self.pkce_advertised
    }

    /// The scopes that the server advertises, separated by a space.
    #[must_use]
    pub const fn scopes(&self) -> Option<&'b str> {
        self.scopes
    }
}

/// The words of an array, separated by a space.
fn words<'b>(member: &'static str, value: Value<'b>) -> Result<Option<&'b str>, ResponseError> {
    match value.kind {
        Kind::Absent | Kind::Null => Ok(None),
        Kind::Words => Ok(Some(value.text)),
        kind => Err(unfit(member, kind)),
    }
}

const fn flag(member: &'static str, value: Value<'_>) -> Result<bool, ResponseError> {
    match value.kind {
        Kind::Absent | Kind::False | Kind::Null => Ok(false),
        Kind::True => Ok(true),
        kind => Err(unfit(member, kind)),
    }
}

const MEMBERS: [&str; 7] = [
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "code_challenge_methods_supported",
    "issuer",
    "revocation_endpoint",
    "scopes_supported",
    "token_endpoint",
];
