//! Which web pages can call the server: those on loopback, and those at a registered redirect URI.

use crate::options::Options;
use axum::http::{HeaderName, HeaderValue, Method, header};
use std::io;
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::{Host, Url};

pub(crate) fn layer(options: &Options) -> io::Result<CorsLayer> {
    let mut origins = Vec::new();
    for uri in options.clients.iter().flat_map(|client| &client.redirect_uris) {
        let url =
            Url::parse(uri).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("{uri}: {error}")))?;
        // An app's private scheme has the opaque origin `null`, which many pages share.
        if url.origin().is_tuple() {
            origins.push(url.origin().ascii_serialization());
        }
    }
    let allowed = move |origin: &HeaderValue| {
        origin.to_str().is_ok_and(|origin| origins.iter().any(|known| known == origin) || is_loopback(origin))
    };
    Ok(CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| allowed(origin)))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("dpop")])
        .expose_headers([header::WWW_AUTHENTICATE, HeaderName::from_static("dpop-nonce")]))
}

fn is_loopback(origin: &str) -> bool {
    match Url::parse(origin)
        .ok()
        .filter(|url| url.origin().ascii_serialization() == origin)
        .as_ref()
        .and_then(Url::host)
    {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
