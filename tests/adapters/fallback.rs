//! Listeners on machines that have one family of addresses only, or on which a port is taken.
//!
//! Needs `strace`, which makes system calls fail, and `unshare` and `ip`, which make a network without an address.

use proofkey_core::{CallbackError, Client, Server};
use proofkey_tests::network::network;
use proofkey_tests::recording::browse;
use proofkey_tests::values;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;
use std::{env, io, thread};

const LITERAL: &str = "http://127.0.0.1/cb";
const IPV6: &str = "http://[::1]/cb";
const LOCALHOST: &str = "http://localhost/cb";
const REGISTERED: &str = "http://localhost:49321/cb";

#[test]
fn an_address_family_that_the_system_refuses_is_skipped() {
    for (redirect_uri, fault, visit, at) in [
        (LITERAL, None, "127.0.0.1", "http://127.0.0.1:"),
        (LITERAL, Some("bind:error=EADDRNOTAVAIL:when=1"), "::1", "http://[::1]:"),
        (LITERAL, Some("socket:error=EAFNOSUPPORT:when=1"), "::1", "http://[::1]:"),
        (LOCALHOST, None, "::1", "http://localhost:"),
        (LOCALHOST, Some("bind:error=EADDRNOTAVAIL:when=1"), "::1", "http://localhost:"),
        (LOCALHOST, Some("bind:error=EADDRNOTAVAIL:when=2"), "127.0.0.1", "http://localhost:"),
        (LOCALHOST, Some("socket:error=EAFNOSUPPORT:when=1"), "::1", "http://localhost:"),
        (LOCALHOST, Some("socket:error=EAFNOSUPPORT:when=2"), "127.0.0.1", "http://localhost:"),
        (LOCALHOST, Some("bind:error=EADDRINUSE:when=2"), "::1", "http://localhost:"),
        (REGISTERED, Some("bind:error=EADDRNOTAVAIL:when=2"), "127.0.0.1", "http://localhost:49321/cb"),
    ] {
        arrives(redirect_uri, visit, at, || strace(fault));
    }
}

#[test]
fn a_taken_or_forbidden_address_ends_the_login() {
    for (redirect_uri, fault, told) in [
        (LITERAL, "bind:error=EACCES:when=1", "cannot listen at 127.0.0.1: Permission denied"),
        (LITERAL, "bind:error=EADDRNOTAVAIL", "cannot listen at 127.0.0.1: Cannot assign requested address"),
        (IPV6, "bind:error=EADDRNOTAVAIL:when=1", "cannot listen at ::1: Cannot assign requested address"),
        (LOCALHOST, "bind:error=EADDRNOTAVAIL", "cannot listen at 127.0.0.1: Cannot assign requested address"),
        (LOCALHOST, "bind:error=EADDRINUSE:when=2+2", "cannot listen at [::1]:"),
        (REGISTERED, "bind:error=EADDRINUSE:when=1", "cannot listen at 127.0.0.1:49321: Address already in use"),
        (REGISTERED, "bind:error=EADDRINUSE:when=2", "cannot listen at [::1]:49321: Address already in use"),
        (REGISTERED, "bind:error=EACCES:when=2", "cannot listen at [::1]:49321: Permission denied"),
    ] {
        for adapter in ADAPTERS {
            let (opened, ended) = run(strace(Some(fault)), adapter, redirect_uri, "127.0.0.1");
            assert_eq!(opened, None, "{adapter}, {redirect_uri}, {fault}");
            assert!(ended.starts_with(told), "{adapter}, {redirect_uri}, {fault}: {ended}");
        }
    }
}

#[test]
fn in_a_network_without_one_address_family_the_other_is_enough() {
    for (redirect_uri, missing, visit, at) in [
        (LOCALHOST, "::1/128", "127.0.0.1", "http://localhost:"),
        (REGISTERED, "::1/128", "127.0.0.1", "http://localhost:49321/cb"),
        (LOCALHOST, "127.0.0.1/8", "::1", "http://localhost:"),
        (REGISTERED, "127.0.0.1/8", "::1", "http://localhost:49321/cb"),
        (LITERAL, "127.0.0.1/8", "::1", "http://[::1]:"),
        (LITERAL, "::1/128", "127.0.0.1", "http://127.0.0.1:"),
    ] {
        arrives(redirect_uri, visit, at, || network_without(missing));
    }
}

/// The login goes on at `at`, and hears what a browser brings to the address `visit`.
#[track_caller]
fn arrives(redirect_uri: &str, visit: &str, at: &str, machine: impl Fn() -> Command) {
    for adapter in ADAPTERS {
        let (opened, ended) = run(machine(), adapter, redirect_uri, visit);
        assert!(
            opened.as_ref().is_some_and(|uri| uri.starts_with(at)),
            "{adapter}, {redirect_uri}: {opened:?}, {ended}"
        );
        assert_eq!(ended, ARRIVED, "{adapter}, {redirect_uri}");
    }
}

/// Runs a child on a machine. Returns the redirect URI, if the browser was opened, and how the login ended.
#[track_caller]
fn run(mut machine: Command, adapter: &str, redirect_uri: &str, visit: &str) -> (Option<String>, String) {
    machine.arg(env::current_exe().expect("this program")).args([adapter, "--exact", "--ignored", "--nocapture"]);
    let output = machine.env("REDIRECT_URI", redirect_uri).env("VISIT", visit).output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let find = |name| said.lines().find_map(|line| Some(line.split_once(name)?.1.to_owned()));
    (find("redirect URI: "), find("ended: ").unwrap_or_else(|| panic!("no end: {said}")))
}

/// A machine whose system calls fail as they are told.
fn strace(fault: Option<&str>) -> Command {
    let mut command = network("true");
    command.args(["strace", "--follow-forks", "--output=/dev/null", "--trace=bind,socket"]);
    command.args(fault.map(|fault| format!("--inject={fault}")));
    command
}

fn network_without(address: &str) -> Command {
    network(&format!("ip address delete {address} dev lo"))
}

#[test]
#[ignore = "a child of the tests above"]
fn child_blocking() {
    let redirect_uri = redirect_uri();
    let login = proofkey_ureq::Login::new(client(&redirect_uri), &[]).with_timeout(PATIENCE);
    let ended = proofkey_ureq::Http::new().login(login, open);
    tell(ended.map(drop), |error| matches!(error, proofkey_ureq::LoginError::Callback(CallbackError::Server(_))));
}

#[tokio::test]
#[ignore = "a child of the tests above"]
async fn child_asynchronous() {
    let http = proofkey_reqwest::Http::new().expect("the system has certificate authorities");
    let redirect_uri = redirect_uri();
    let login = proofkey_reqwest::Login::new(client(&redirect_uri), &[]).with_timeout(PATIENCE);
    let ended = http.login(login, open).await;
    tell(ended.map(drop), |error| matches!(error, proofkey_reqwest::LoginError::Callback(CallbackError::Server(_))));
}

/// A browser that brings a refusal of the server's, which needs no token endpoint.
fn open(url: &str) -> io::Result<()> {
    let redirect_uri = values(url, "redirect_uri")[0].replace("%3A", ":").replace("%2F", "/");
    let redirect_uri = redirect_uri.replace("%5B", "[").replace("%5D", "]");
    println!("\nredirect URI: {redirect_uri}");
    let (_, port) = redirect_uri.strip_suffix("/cb").and_then(|uri| uri.rsplit_once(':')).expect("a port");
    let ip: IpAddr = env::var("VISIT").expect("set by the test").parse().expect("an address");
    let address = SocketAddr::new(ip, port.parse().expect("a port"));
    let target = format!("/cb?error=access_denied&state={}", values(url, "state")[0]);
    thread::spawn(move || {
        // strace counts the calls of each thread: these are the first two of this one.
        for _ in 0..2 {
            drop(TcpStream::connect(address));
        }
        assert!(browse(address, &target).contains("Not signed in"));
    });
    Ok(())
}

fn tell<E: std::fmt::Display>(ended: Result<(), E>, is_refusal: impl Fn(&E) -> bool) {
    match ended {
        Ok(()) => panic!("a refusal was brought"),
        Err(error) if is_refusal(&error) => println!("\nended: {ARRIVED}"),
        Err(error) => println!("\nended: {error}"),
    }
}

fn redirect_uri() -> String {
    env::var("REDIRECT_URI").expect("set by the test")
}

fn client(redirect_uri: &str) -> Client<'_> {
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    Client::new("client", redirect_uri, server).expect("a client")
}

const ADAPTERS: [&str; 2] = ["child_blocking", "child_asynchronous"];
const ARRIVED: &str = "the redirect arrived";
/// For a redirect that wrongly does not arrive.
const PATIENCE: Duration = Duration::from_secs(20);
