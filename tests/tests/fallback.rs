//! Where the system gives the listener no IPv4.
//!
//! Needs `strace`, which takes it away.

use proofkey_core::{Client, Server};
use proofkey_tests::values;
use std::io;
use std::process::Command;
use std::time::Duration;

#[test]
fn c053_where_ipv4_is_taken_from_it_the_listener_is_at_ipv6() {
    for adapter in ["child_blocking", "child_asynchronous"] {
        for (fault, expected) in
            [("none", "http%3A%2F%2F127.0.0.1"), ("bind:error=EADDRNOTAVAIL:when=1", "http%3A%2F%2F%5B%3A%3A1%5D")]
        {
            let mut command = Command::new("strace");
            command.args(["--follow-forks", "--output=/dev/null", "--trace=bind"]);
            command.args((fault != "none").then(|| format!("--inject={fault}")));
            let own = std::env::current_exe().expect("this program");
            let output =
                command.arg(own).args([adapter, "--exact", "--ignored", "--nocapture"]).output().expect("strace");
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && shown.contains("1 passed"),
                "{shown}{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let redirect_uri =
                shown.lines().find_map(|line| line.split_once("redirect URI: ")).expect("a redirect URI").1;
            assert!(redirect_uri.starts_with(expected), "{adapter}, {fault}: {redirect_uri}");
        }
    }
}

#[test]
#[ignore = "a child of the test above, without IPv4"]
fn child_blocking() {
    let login = proofkey_ureq::Login::new(client(), &[]).with_timeout(Duration::ZERO);
    let ended = proofkey_ureq::Http::new().login(login, show);
    assert!(matches!(ended, Err(proofkey_ureq::LoginError::TimedOut)), "{ended:?}");
}

#[tokio::test]
#[ignore = "a child of the test above, without IPv4"]
async fn child_asynchronous() {
    let login = proofkey_reqwest::Login::new(client(), &[]).with_timeout(Duration::ZERO);
    let http = proofkey_reqwest::Http::new().expect("the system has certificate authorities");
    let ended = http.login(login, show).await;
    assert!(matches!(ended, Err(proofkey_reqwest::LoginError::TimedOut)), "{ended:?}");
}

fn show(url: &str) -> io::Result<()> {
    println!("redirect URI: {}", values(url, "redirect_uri")[0]);
    Ok(())
}

fn client() -> Client<'static> {
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    Client::new("client", "http://127.0.0.1/cb", server).expect("a client")
}
