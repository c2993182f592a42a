//! The adapters allocate no more than they need.

use proofkey_benches_io::memory::Counting;
use proofkey_benches_io::own;
use proofkey_benches_io::server::Server;
use std::path::Path;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Everything in one test: what others allocate meanwhile would be counted too.
#[test]
fn an_exchange_allocates_what_it_needs() {
    rustls::crypto::ring::default_provider().install_default().expect("the first provider");
    let server = Server::start(Path::new(env!("CARGO_BIN_EXE_io"))).expect("the server");
    let (ureq, reqwest) = (own::of_ureq(&server.origin), own::of_reqwest(&server.origin));
    for (own, at_most) in [(ureq, 2), (reqwest, 9)] {
        assert!(own.without.allocations > 0, "{}: nothing was counted", own.name);
        assert!(own.allocations() <= at_most, "{}: {} of its own", own.name, own.allocations());
    }
}
