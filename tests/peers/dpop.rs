//! Tokens that are bound to a key (RFC 9449), for a client that the server grants no others; with and without nonces.

use crate::Peer;
use proofkey_tests::bound;
use proofkey_tests::flows::Target;

#[test]
fn blocking_without_nonces() {
    let peer = Peer::start();
    bound::blocking(&target(&peer), &bound::key());
}

#[test]
fn blocking_with_nonces() {
    let peer = Peer::start_with(&["--dpop-nonce"]);
    bound::blocking(&target(&peer), &bound::key());
}

#[tokio::test]
async fn asynchronous_with_nonces() {
    let peer = Peer::start_with(&["--dpop-nonce"]);
    bound::asynchronous(&target(&peer), &bound::key()).await;
}

fn target(peer: &Peer) -> Target {
    Target { client_id: "cli-dpop", ..peer.target() }
}
