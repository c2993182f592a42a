//! Only the loopback address that a browser reads in the redirect URI is bound, and plain http goes nowhere else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{Client, Server, loopback::Loopback};
use proofkey_fuzz::login::{browse, client, loopback_ip};

fuzz_target!(|uri: &str| {
    let bound = Loopback::of(uri).map(|loopback| (loopback.ip(), loopback.port()));
    assert!(bound.is_none_or(|(ip, _)| ip.is_loopback()));
    if let Ok(client) = Client::new("client", uri, client().server()) {
        let url = browse(uri);
        assert_eq!(bound.map(|(ip, _)| ip), loopback_ip(&url), "{client:?}");
        assert!(bound.is_none_or(|(_, port)| port.unwrap_or(80) == url.port().unwrap_or(80)));
    }
    if Client::new("client", client().redirect_uri(), Server::new(uri, uri)).is_ok() {
        let url = browse(uri);
        assert!(url.scheme() == "https" || loopback_ip(&url).is_some() || url.host_str() == Some("localhost"));
    }
});
