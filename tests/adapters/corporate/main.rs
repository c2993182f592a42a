//! A company's network: what is inside reaches the proxy only, the proxy reaches the server, whose certificate is of the
//! company's own authority. Both adapters and the tool, through it and not.
//!
//! Needs `unshare`, `nsenter` and `ip`, which make the two networks, and the tool that `cargo build --package proofkey` makes.

mod inside;
mod outside;

use outside::{Company, Way};
use proofkey_tests::network::network;
use std::env;

#[test]
fn a_company_is_reached_through_its_proxy_only() {
    let mut machine = network("");
    machine.arg(env::current_exe().expect("this program"));
    machine.args(["child_company", "--exact", "--ignored", "--nocapture"]);
    let output = machine.output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    print!("{said}");
}

#[test]
#[ignore = "a child of the test above"]
fn child_company() {
    let company = Company::new();
    for adapter in ["inside::child_blocking", "inside::child_asynchronous"] {
        in_order(&company, adapter);
        refused(&company, adapter);
    }
    with_the_tool(&company);
}

fn in_order(company: &Company, adapter: &str) {
    let at = format!("{adapter}, proxy of the environment, SSL_CERT_FILE");
    let proxy = company.proxy(Way::Open);
    let variables = [("HTTPS_PROXY", proxy.url("")), ("SSL_CERT_FILE", company.authority())];
    assert_eq!(company.run(adapter, &variables), "ok, ok, ok", "{at}");
    assert_eq!(company.server.take_requests(), REQUESTS, "{at}");
    proxy.assert_connects_only(1..=3, "", &at);

    let at = format!("{adapter}, authority of the program, kept connections");
    let proxy = company.proxy(Way::Open);
    let variables = [("ALL_PROXY", proxy.url("")), ("ROOTS", company.authority()), ("KEPT", "10".into())];
    assert_eq!(company.run(adapter, &variables), "ok, ok, ok", "{at}");
    assert_eq!(company.server.take_requests(), REQUESTS, "{at}");
    proxy.assert_connects_only(1..=1, "", &at);

    let at = format!("{adapter}, a proxy that wants a password");
    let proxy = company.proxy(Way::Password);
    let variables = [("https_proxy", proxy.url("me:p%40ss@")), ("SSL_CERT_FILE", company.authority())];
    assert_eq!(company.run(adapter, &variables), "ok, ok, ok", "{at}");
    assert_eq!(company.server.take_requests(), REQUESTS, "{at}");
    proxy.assert_connects_only(1..=3, "Basic bWU6cEBzcw==", &at);

    let at = format!("{adapter}, a proxy behind TLS");
    let proxy = company.proxy(Way::Tls);
    let variables = [("https_proxy", proxy.url("")), ("SSL_CERT_FILE", company.authority())];
    assert_eq!(company.run(adapter, &variables), "ok, ok, ok", "{at}");
    assert_eq!(company.server.take_requests(), REQUESTS, "{at}");
    proxy.assert_connects_only(1..=3, "", &at);
}

fn refused(company: &Company, adapter: &str) {
    let at = format!("{adapter}, no proxy");
    let variables = [("SSL_CERT_FILE", company.authority()), ("SERVER", company.server.address.to_string())];
    assert_eq!(company.run(adapter, &variables), all("Connect, unsent"), "{at}");

    let at = format!("{adapter}, an authority that is not the company's");
    let proxy = company.proxy(Way::Open);
    let variables = [("HTTPS_PROXY", proxy.url("")), ("SSL_CERT_FILE", company.other_authority())];
    assert_eq!(company.run(adapter, &variables), all("Tls, unsent"), "{at}");
    proxy.assert_connects_only(3..=3, "", &at);
    company.server.take_connections();

    let at = format!("{adapter}, a proxy that wants a password, without one");
    let proxy = company.proxy(Way::Password);
    let variables = [("HTTPS_PROXY", proxy.url("")), ("SSL_CERT_FILE", company.authority())];
    assert_eq!(company.run(adapter, &variables), all("Proxy, unsent"), "{at}");
    proxy.assert_connects_only(3..=3, "", &at);
    assert_eq!(proxy.passed(), 0, "{at}");

    let at = format!("{adapter}, SOCKS");
    let proxy = company.proxy(Way::Open);
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        let url = proxy.url("").replace("http:", "socks5:");
        let variables = [(variable, url), ("SSL_CERT_FILE", company.authority())];
        assert_eq!(company.run(adapter, &variables), all("Proxy, unsent"), "{at}");
    }
    assert_eq!(proxy.connections(), 0, "{at}");
    assert_eq!(company.server.take_connections(), 0, "{at}");
    assert_eq!(company.server.take_requests(), [""; 0], "{adapter}: nothing of all that arrived");
}

fn with_the_tool(company: &Company) {
    let tool = "inside::child_tool";
    let at = "the tool, proxy of the environment, SSL_CERT_FILE";
    let proxy = company.proxy(Way::Password);
    let variables = [("HTTPS_PROXY", proxy.url("me:p%40ss@")), ("SSL_CERT_FILE", company.authority())];
    assert_eq!(company.run(tool, &variables), "ok, ok", "{at}");
    assert_eq!(company.server.take_requests(), REQUESTS, "{at}");
    proxy.assert_connects_only(1..=3, "Basic bWU6cEBzcw==", at);

    let at = "the tool, --proxy and --cacert";
    let proxy = company.proxy(Way::Password);
    let flags = format!("--proxy\n{}\n--cacert\n{}", proxy.url("me:p%40ss@"), company.authority());
    let elsewhere = proxy.url("").replace("http:", "socks5:");
    let variables = [("FLAGS", flags), ("HTTPS_PROXY", elsewhere), ("SSL_CERT_FILE", company.other_authority())];
    assert_eq!(company.run(tool, &variables), "ok, ok", "{at}");
    assert_eq!(company.server.take_requests(), REQUESTS, "{at}");
    proxy.assert_connects_only(1..=3, "Basic bWU6cEBzcw==", at);
    company.server.take_connections();

    let proxy = company.proxy(Way::Password);
    let variables = [("HTTPS_PROXY", proxy.url("")), ("SSL_CERT_FILE", company.authority())];
    let said = company.run(tool, &variables);
    assert!(said.contains("407"), "{said}");

    let proxy = company.proxy(Way::Open);
    let socks = proxy.url("").replace("http:", "socks5:");
    let said = company.run(tool, &[("HTTPS_PROXY", socks), ("SSL_CERT_FILE", company.authority())]);
    assert!(said.contains("HTTPS_PROXY") && said.contains("socks5"), "{said}");
    assert_eq!(proxy.connections(), 0);
    assert_eq!(company.server.take_connections(), 0, "nothing of all that arrived");
}

/// What happened to the discovery, to the refresh and to the call.
fn all(ended: &str) -> String {
    [ended; 3].join(", ")
}

/// The lines of those that arrive if all is well.
const REQUESTS: [&str; 3] =
    ["GET /.well-known/oauth-authorization-server HTTP/1.1", "POST /token HTTP/1.1", "GET /api HTTP/1.1"];
