//! A site.

use proofkey_devserver::{File, Site};

#[test]
fn files_are_served_as_they_are_under_a_strict_policy() {
    let file = |path: &str, media_type, body: &'static str| File {
        path: path.into(),
        media_type,
        body: body.as_bytes().into(),
    };
    let files = vec![file("/", "text/html; charset=utf-8", "<h1>"), file("/a/app.wasm", "application/wasm", "\0asm")];
    let site = Site::start(0, "http://127.0.0.1:9400", files).unwrap();
    for (path, media_type, body) in
        [("/?code=x", "text/html; charset=utf-8", "<h1>"), ("/a/app.wasm", "application/wasm", "\0asm")]
    {
        let mut response = ureq::get(format!("{}{path}", site.url())).call().unwrap();
        assert_eq!(response.body_mut().read_to_string().unwrap(), body);
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("content-type"), media_type);
        assert_eq!((header("cache-control"), header("referrer-policy")), ("no-store", "no-referrer"));
        let policy = header("content-security-policy");
        assert!(policy.contains("connect-src 'self' http://127.0.0.1:9400"), "{policy}");
        assert!(
            policy.contains("script-src 'self' 'wasm-unsafe-eval';") && !policy.contains("unsafe-inline"),
            "{policy}"
        );
    }
    for path in ["/a", "/a/", "/a/../a/app.wasm", "//", "/%61/app.wasm"] {
        let error = ureq::get(format!("{}{path}", site.url())).call().map(drop);
        assert!(matches!(error, Err(ureq::Error::StatusCode(404))), "{path}: {error:?}");
    }
    let url = site.url().to_owned();
    drop(site);
    assert!(ureq::get(url).call().is_err());
    assert!(Site::start(0, "a\nb", Vec::new()).is_err());
}
