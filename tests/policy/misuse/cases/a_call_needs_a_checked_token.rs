//! RFC 6750 section 2.1: neither adapter sends a string that was not checked.
fn blocking(http: &proofkey_ureq::Http, request: http::Request<Vec<u8>>) {
    drop(http.call(request, "token"));
}

fn asynchronous(http: &proofkey_reqwest::Http, request: http::Request<Vec<u8>>) {
    drop(http.call(request, "token"));
}

fn main() {}
