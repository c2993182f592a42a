//! Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0): from an issuer to its endpoints.

use crate::client::{Server, check_issuer};
use crate::error::{ConfigError, ResponseError, UriFault};
use crate::http::{Request, Url};
use crate::response::{Response, known, string, success_json};
use crate::wire::json::{self, Object, Value};

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
    pub fn read<'b>(self, response: Response<'b>) -> Result<Metadata<'b>, ResponseError>
    where
        'a: 'b,
    {
        let response = success_json(response)?;
        let (mut issuer, mut authorization, mut token, mut revocation) = (None, None, None, None);
        let (mut iss_parameter, mut pkce_advertised, mut scopes) = (false, false, None);
        let mut seen = [false; MEMBERS.len()];
        let mut object = Object::new(response.body)?;
        while let Some((name, value)) = object.next()? {
            let Some(member) = known(&name, &MEMBERS) else { continue };
            for (_, seen) in MEMBERS.iter().zip(&mut seen).filter(|(name, _)| **name == member) {
                if core::mem::replace(seen, true) {
                    return Err(ResponseError::Duplicate(member));
                }
            }
            match (member, value) {
                (_, Value::Null) => {}
                ("authorization_endpoint", value) => authorization = string(member, value)?,
                ("authorization_response_iss_parameter_supported", Value::Bool(flag)) => iss_parameter = flag,
                ("code_challenge_methods_supported", Value::Array(raw)) => {
                    let methods = json::join(raw).ok_or(ResponseError::Type(member))?;
                    if !methods.split(' ').any(|method| method == "S256") {
                        return Err(ResponseError::NoS256);
                    }
                    pkce_advertised = true;
                }
                ("issuer", value) => issuer = string(member, value)?,
                ("revocation_endpoint", value) => revocation = string(member, value)?,
                ("scopes_supported", Value::Array(raw)) => {
                    scopes = Some(json::join(raw).ok_or(ResponseError::Type(member))?);
                }
                ("token_endpoint", value) => token = string(member, value)?,
                _ => return Err(ResponseError::Type(member)),
            }
        }
        if issuer.ok_or(ResponseError::Missing("issuer"))? != self.issuer {
            return Err(ResponseError::Issuer);
        }
        let server = Server {
            authorization_endpoint: authorization.ok_or(ResponseError::Missing("authorization_endpoint"))?,
            token_endpoint: token.ok_or(ResponseError::Missing("token_endpoint"))?,
            revocation_endpoint: revocation,
            issuer: Some(self.issuer),
            iss_parameter,
        };
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

const MEMBERS: [&str; 7] = [
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "code_challenge_methods_supported",
    "issuer",
    "revocation_endpoint",
    "scopes_supported",
    "token_endpoint",
];
