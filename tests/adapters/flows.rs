//! The whole flow against the development server, through each way in.

use proofkey_devserver::{DevServer, Options, ProofRules};
use proofkey_tests::bound;
use proofkey_tests::flows::{self, Target};

#[test]
fn blocking() {
    with_server(|target| {
        flows::blocking(target);
        flows::blocking_refusals(target);
    });
}

#[tokio::test]
async fn asynchronous() {
    let server = DevServer::start(Options::default()).expect("a server");
    let target = target(&server);
    flows::asynchronous(&target).await;
    flows::asynchronous_refusals(&target).await;
}

#[test]
fn bound_blocking() {
    let server = proving();
    bound::blocking(&target(&server), &bound::key());
}

#[tokio::test]
async fn bound_asynchronous() {
    let server = proving();
    bound::asynchronous(&target(&server), &bound::key()).await;
}

fn proving() -> DevServer {
    let dpop = ProofRules { required: true, token_nonce: true, api_nonce: true };
    DevServer::start(Options { dpop, ..Options::default() }).expect("a server")
}

fn with_server(test: impl FnOnce(&Target)) {
    let server = DevServer::start(Options::default()).expect("a server");
    test(&target(&server));
}

fn target(server: &DevServer) -> Target {
    Target {
        issuer: server.issuer(),
        client_id: "demo-native",
        api: server.api("/api/me"),
        scope: &["itwin-platform", "offline_access"],
        extra: &[],
    }
}
