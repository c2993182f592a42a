//! The whole flow against the development server, through each way in.

use proofkey_devserver::{DevServer, Options};
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
