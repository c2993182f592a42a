//! RFC 9126 section 4: a request_uri is used once.
use proofkey_core::PushedUrlBuf;

fn copy(url: &PushedUrlBuf) -> PushedUrlBuf {
    url.clone()
}

fn main() {}
