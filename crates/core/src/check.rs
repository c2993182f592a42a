//! What a client is made of, checked: endpoints, issuer, redirect URI, extra parameters.

use crate::error::{ConfigError, ParameterFault, UriFault};
use crate::wire::{form, uri};

/// Checks extra parameters for an endpoint. They are given once: a second list would replace the first.
pub(crate) fn check_extra(given: &[(&str, &str)], extra: &[(&str, &str)], endpoint: &str) -> Result<(), ConfigError> {
    if !given.is_empty() {
        return Err(ConfigError::ExtraParametersTwice);
    }
    let (_, query) = form::split_once(endpoint, b'?');
    for (index, (name, value)) in extra.iter().enumerate() {
        let mut earlier = extra.iter().take(index).map(|(earlier, _)| earlier);
        let fault = if name.is_empty() || value.is_empty() {
            ParameterFault::Empty
        } else if let Some(own) = PROTOCOL_PARAMETERS.iter().find(|own| *own == name) {
            ParameterFault::Protocol(own)
        } else if *name != "resource" && earlier.any(|earlier| earlier == name) {
            ParameterFault::Repeated
        } else if form::pairs(query).any(|(taken, _)| form::is(taken, name)) {
            ParameterFault::InEndpoint
        } else {
            continue;
        };
        return Err(ConfigError::ExtraParameter { index, fault });
    }
    Ok(())
}

pub(crate) fn check_issuer(issuer: &str) -> Result<(), UriFault> {
    check_endpoint(issuer)?;
    if form::cut_at(issuer, b'?').is_some() { Err(UriFault::Query) } else { Ok(()) }
}

/// The tenant that an issuer names in place of `common` or `organizations`, if it is the same otherwise (Entra).
pub(crate) fn tenant<'f>(issuer: &str, found: &'f str) -> Option<&'f str> {
    let (start, end) = around(issuer, "/common/").or_else(|| around(issuer, "/organizations/"))?;
    found.strip_prefix(start)?.strip_prefix('/')?.strip_suffix(end)?.strip_suffix('/')
}

fn around<'t>(text: &'t str, part: &str) -> Option<(&'t str, &'t str)> {
    let at = text.as_bytes().windows(part.len()).position(|window| window == part.as_bytes())?;
    Some((text.get(..at)?, text.get(at.checked_add(part.len())?..)?))
}

/// Whether a tenant is written as its id.
pub(crate) fn is_tenant_id(tenant: &str) -> bool {
    tenant.len() == 36 && tenant.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

pub(crate) fn check_endpoint(endpoint: &str) -> Result<(), UriFault> {
    check_query(&check_secure(endpoint)?, &PROTOCOL_PARAMETERS)
}

/// Checks that a URL can be sent to: https, or plain http to this machine.
pub(crate) fn check_secure(url: &str) -> Result<uri::Uri<'_>, UriFault> {
    let uri = check_absolute(url)?;
    if !is_web(uri.scheme) {
        return Err(UriFault::Scheme);
    }
    let (host, _) = uri.host_and_port().ok_or(UriFault::Host)?;
    match uri.scheme {
        "https" => Ok(uri),
        "http" if host == "localhost" || is_loopback(host) => Ok(uri),
        _ => Err(UriFault::Scheme),
    }
}

/// Whether a URL may be shown to a person or opened in a browser: http or https, with a host and no user name.
pub(crate) fn is_shown(url: &str) -> bool {
    let is_page = |uri: &uri::Uri<'_>| {
        let is_web = ["http", "https"].iter().any(|scheme| uri.scheme.eq_ignore_ascii_case(scheme));
        is_web && uri.host_and_port().is_some()
    };
    uri::is_clean(url) && uri::split(url).is_some_and(|uri| is_page(&uri))
}

/// A redirect is compared byte for byte with what the browser shows, so a URI that browsers write otherwise could never
/// match.
pub(crate) fn check_redirect_uri(redirect_uri: &str) -> Result<(), UriFault> {
    let uri = check_absolute(redirect_uri)?;
    let query = uri.query.unwrap_or_default();
    if is_web(uri.scheme) {
        let (host, port) = uri.host_and_port().ok_or(UriFault::Host)?;
        if !uri::is_as_shown(host) {
            return Err(UriFault::HostSpelling);
        }
        let digits = uri.authority.and_then(|authority| authority.strip_prefix(host)).unwrap_or_default();
        if port.is_some() && digits.starts_with(":0") {
            return Err(UriFault::Port);
        }
        if form::cut_at(query, b'\'').is_some() {
            return Err(UriFault::Character);
        }
        match uri.scheme {
            "https" => {}
            _ if host == "localhost" || is_loopback(host) => {}
            _ => return Err(UriFault::Scheme),
        }
    } else if form::cut_at(uri.scheme, b'.').is_none() || uri.authority.is_some() || !uri.path.starts_with('/') {
        return Err(UriFault::Scheme);
    } else if uri.scheme.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(UriFault::HostSpelling);
    }
    if uri::has_dot_segment(uri.path) {
        return Err(UriFault::DotSegment);
    }
    let names = || form::pairs(query).map(|(name, _)| name);
    if names().any(|name| names().filter(|other| form::decode(name).eq(form::decode(other))).nth(1).is_some()) {
        return Err(UriFault::RepeatedParameter);
    }
    check_query(&uri, &RESPONSE_PARAMETERS)
}

fn check_absolute(text: &str) -> Result<uri::Uri<'_>, UriFault> {
    if text.is_empty() {
        return Err(UriFault::Absent);
    }
    if !uri::is_clean(text) {
        return Err(UriFault::Character);
    }
    let uri = uri::split(text).ok_or(UriFault::NotAbsolute)?;
    if uri.fragment.is_some() { Err(UriFault::Fragment) } else { Ok(uri) }
}

fn check_query(uri: &uri::Uri<'_>, taken: &[&str]) -> Result<(), UriFault> {
    let mut pairs = form::pairs(uri.query.unwrap_or_default());
    if pairs.any(|(name, _)| taken.iter().any(|taken| form::is(name, taken))) {
        return Err(UriFault::Parameter);
    }
    Ok(())
}

/// Whether a URL names this machine.
pub(crate) fn is_loopback_url(url: &str) -> bool {
    let host = uri::split(url).and_then(|uri| uri.host_and_port()).map(|(host, _)| host);
    host.is_some_and(|host| host.eq_ignore_ascii_case("localhost") || is_loopback(host))
}

pub(crate) fn is_https(url: &str) -> bool {
    url.starts_with("https://")
}

fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

fn is_loopback(host: &str) -> bool {
    uri::ip_literal(host).is_some_and(|ip| ip.is_loopback())
}

const PROTOCOL_PARAMETERS: [&str; 28] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "device_code",
    "dpop_jkt",
    "grant_type",
    "id_token",
    "nonce",
    "password",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "token_type",
    "token_type_hint",
    "username",
];

/// What a server may add to the redirect URI (RFC 6749 section 4.1.2, RFC 9207) or only adds in other flows. In the order in
/// which they are picked apart, and the most frequent first.
pub(crate) const RESPONSE_PARAMETERS: [&str; 10] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "access_token",
    "id_token",
    "response",
    "token_type",
];
