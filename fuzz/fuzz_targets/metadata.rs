//! Metadata is taken only of the very issuer that was asked, and says what `serde_json` reads in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{Endpoint, MetadataRequest, WellKnown};
use proofkey_fuzz::answer::{Members, json};
use proofkey_fuzz::login::browse;
use url::Host;

fuzz_target!(|text: &str| {
    let (issuer, body) = text.split_once('\n').unwrap_or_default();
    let Ok(request) = MetadataRequest::new(issuer, WellKnown::OAuth) else { return };
    let mut answer = json(body.as_bytes());
    let Ok(metadata) = request.read(answer.as_response()) else { return };
    let (members, server) = (Members::read(body.as_bytes()).expect("a JSON object"), metadata.server());
    assert_eq!((server.issuer(), members.text("issuer").as_deref()), (Some(issuer), Some(issuer)));
    for endpoint in Endpoint::ALL {
        let (found, named) = (server.endpoint(*endpoint), members.text(endpoint.name()));
        let is_of_login = matches!(endpoint, Endpoint::Authorization | Endpoint::Token);
        let may_be_absent = !is_of_login || named.as_deref() == Some("");
        assert!(found == named.as_deref() || (found.is_none() && may_be_absent), "{endpoint}");
    }
    assert_eq!(metadata.scopes(), members.words("scopes_supported").as_deref());
    let methods = members.words("code_challenge_methods_supported");
    assert!(methods.as_ref().is_none_or(|methods| methods.split(' ').any(|method| method == "S256")));
    assert_eq!(metadata.pkce_advertised(), methods.is_some());
    let mut endpoints = Endpoint::ALL.iter().filter_map(|endpoint| server.endpoint(*endpoint));
    let is_local = match browse(issuer).host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    assert!(is_local || endpoints.all(|url| url.starts_with("https:")), "{server:?}");
});
