//! `proofkey login` with a redirect URI at `localhost`.

use crate::desk::{Desk, browse};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{ClientRegistration, Options};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

#[test]
fn a_login_at_localhost_ends_with_a_token() {
    let desk = Desk::new();
    let waiting = desk.begin_login(&["--redirect-uri", "http://localhost/callback"]);
    let port = waiting.redirect_uri.strip_prefix("http://localhost:").unwrap().strip_suffix("/callback").unwrap();
    assert!(port.parse::<u16>().is_ok(), "{port}");
    browse(&waiting.url, Decision::Allow);
    assert_eq!(waiting.end().code, Some(0));
    assert_eq!(desk.run(&["token"]).code, Some(0));
}

#[test]
fn a_registered_port_that_is_taken_at_either_address_is_2_and_told() {
    let port = free_at_both();
    let redirect_uri = format!("http://localhost:{port}/signin-callback");
    let desk = registered(&redirect_uri);
    for ip in ADDRESSES {
        let address = SocketAddr::new(ip, port);
        let taken = TcpListener::bind(address).unwrap();
        let login = desk.run(&["login", "--no-browser", "--redirect-uri", &redirect_uri]);
        login.fails(2, &[&format!("cannot listen at {address}: "), "another login"]);
        drop(taken);
    }
    let waiting = desk.begin_login(&["--redirect-uri", &redirect_uri]);
    assert_eq!(waiting.redirect_uri, redirect_uri);
    browse(&waiting.url, Decision::Allow);
    assert_eq!(waiting.end().code, Some(0));
}

#[test]
fn a_redirect_to_localhost_can_be_pasted() {
    // Nothing listens there, as on a machine without a browser.
    let redirect_uri = format!("http://localhost:{}/signin-callback", free_at_both());
    let desk = registered(&redirect_uri);
    let mut waiting = desk.begin(&["login", "--paste", "--json", "--redirect-uri", &redirect_uri]);
    assert_eq!(waiting.redirect_uri, redirect_uri);
    let state = waiting.url.split('&').find(|field| field.starts_with("state=")).unwrap().to_owned();
    waiting.type_line(&format!("{}?code=C&{state}", redirect_uri.replace("localhost", "127.0.0.1")));
    assert_eq!(waiting.event()["event"], "try_again");
    waiting.type_line(&format!("{redirect_uri}?error=access_denied&{state}&iss={}", desk.server.issuer()));
    waiting.end().fails(4, &["access_denied"]);
}

#[test]
fn names_that_only_look_like_localhost_are_refused() {
    let desk = Desk::new();
    for host in ["app.localhost", "localhost.", "LOCALHOST", "localhost.localdomain"] {
        let login = desk.run(&["login", "--no-browser", "--redirect-uri", &format!("http://{host}:3000/cb")]);
        login.fails(2, &["redirect URI"]);
    }
}

/// A desk with a server at which the client has this redirect URI alone.
fn registered(redirect_uri: &str) -> Desk {
    let redirect_uris = vec![redirect_uri.to_owned()];
    Desk::with(Options {
        clients: vec![ClientRegistration { redirect_uris, ..ClientRegistration::default() }],
        ..Options::default()
    })
}

/// A port that is free at both addresses.
fn free_at_both() -> u16 {
    loop {
        let [first, second] = ADDRESSES;
        let socket = TcpListener::bind((first, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        if TcpListener::bind((second, port)).is_ok() {
            return port;
        }
    }
}

const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
