//! RFC 9126 section 4: a request_uri is used once.
use proofkey_core::{PushedUrl, PushedUrlBuf};

fn twice(url: PushedUrl<'_>, buf: PushedUrlBuf) {
    let _: PushedUrl<'_> = url.clone();
    let _: PushedUrlBuf = buf.clone();
}

fn main() {}
