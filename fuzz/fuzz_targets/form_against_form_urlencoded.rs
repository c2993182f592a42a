//! Forms are written and queries are read as `form_urlencoded` writes and reads them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{Redirect, RefreshToken};
use proofkey_fuzz::login::{STATE, accept, client};
use proofkey_fuzz::values;

fuzz_target!(|text: &str| {
    let extra = [(text, text)];
    if let Ok(request) = client().refresh(RefreshToken::new("R").expect("a token")).with(&extra) {
        let body = form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        assert!(request.request().body().ends_with(&format!("&{body}={body}")));
    }
    let query = text.split('#').next().unwrap_or_default();
    let (ours, accepted) = accept(Redirect::Query(query));
    assert_eq!(ours, query.bytes().all(|byte| byte.is_ascii_graphic()) && values(query, "state") == [STATE]);
    assert!(accepted.is_err() || accepted.is_ok_and(|body| values(&body, "code") == values(query, "code")));
});
