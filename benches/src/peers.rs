//! What the ways of the others have in common.

use crate::fixtures::{AUTHORIZATION_ENDPOINT, CLIENT_ID, ISSUER, REDIRECT_URI, TOKEN_ENDPOINT};
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, RedirectUrl, TokenUrl};
use openidconnect::core::CoreClient;
use openidconnect::{IssuerUrl, JsonWebKeySet};

/// A client of `oauth2` that is ready for a login.
pub(crate) type Oauth2Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

pub(crate) fn oauth2_client() -> Oauth2Client {
    BasicClient::new(ClientId::new(CLIENT_ID.to_owned()))
        .set_auth_uri(AuthUrl::new(AUTHORIZATION_ENDPOINT.to_owned()).expect("a URL"))
        .set_token_uri(TokenUrl::new(TOKEN_ENDPOINT.to_owned()).expect("a URL"))
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).expect("a URL"))
}

/// The same of `openidconnect`.
pub(crate) fn openidconnect_client() -> OpenidconnectClient {
    let issuer = IssuerUrl::new(ISSUER.to_owned()).expect("a URL");
    CoreClient::new(ClientId::new(CLIENT_ID.to_owned()), issuer, JsonWebKeySet::default())
        .set_auth_uri(AuthUrl::new(AUTHORIZATION_ENDPOINT.to_owned()).expect("a URL"))
        .set_token_uri(TokenUrl::new(TOKEN_ENDPOINT.to_owned()).expect("a URL"))
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).expect("a URL"))
}

/// A client of `openidconnect` that is ready for a login.
pub(crate) type OpenidconnectClient =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// A transport that fails at once, so that only the request is measured.
pub(crate) fn refuse(request: HttpRequest) -> Result<HttpResponse, Refused> {
    std::hint::black_box(&request);
    Err(Refused)
}

/// What [`refuse`] answers.
#[derive(Debug)]
pub(crate) struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nothing is sent")
    }
}

impl std::error::Error for Refused {}

/// `application/x-www-form-urlencoded`.
pub(crate) fn encode(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !LITERAL[usize::from(byte)]) {
        out.push_str(&rest[..at]);
        let byte = rest.as_bytes()[at];
        if byte == b' ' {
            out.push('+');
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)].into());
            out.push(HEX[usize::from(byte & 15)].into());
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";
const LITERAL: [bool; 256] = {
    let mut literal = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        literal[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_');
        byte += 1;
    }
    literal
};

/// The fields of the body that `oauth2` would send.
#[cfg(test)]
pub(crate) fn sent(
    exchange: impl FnOnce(&dyn Fn(HttpRequest) -> Result<HttpResponse, Refused>) -> bool,
) -> Vec<(String, String)> {
    let body = std::cell::RefCell::default();
    assert!(!exchange(&|request| {
        *body.borrow_mut() = request.into_body();
        Err(Refused)
    }));
    sorted(&body.into_inner())
}

/// The fields of a form, in the order of their names.
#[cfg(test)]
pub(crate) fn sorted(form: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<_> = form_urlencoded::parse(form).into_owned().collect();
    fields.sort();
    fields
}
