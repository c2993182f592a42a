//! Only the loopback addresses that a browser reads in the redirect URI are bound, and plain http goes nowhere else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{Client, Server, loopback::Loopback};
use proofkey_fuzz::login::{browse, client, loopback_ip};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fuzz_target!(|uri: &str| {
    let bound = Loopback::of(uri);
    assert!(bound.is_none_or(|bound| bound.addresses().all(|ip| ip.is_loopback())));
    if let Ok(client) = Client::new("client", uri, client().server()) {
        let url = browse(uri);
        let addresses: Vec<_> = bound.iter().flat_map(Loopback::addresses).collect();
        let expected = match url.host_str() {
            Some("localhost") if url.scheme() == "http" => LOCALHOST.to_vec(),
            _ => loopback_ip(&url).into_iter().collect(),
        };
        assert_eq!(addresses, expected, "{client:?}");
        assert!(bound.is_none_or(|bound| bound.port().unwrap_or(80) == url.port().unwrap_or(80)));
    }
    if Client::new("client", client().redirect_uri(), Server::new(uri, uri)).is_ok() {
        let url = browse(uri);
        assert!(url.scheme() == "https" || loopback_ip(&url).is_some() || url.host_str() == Some("localhost"));
    }
});

const LOCALHOST: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
