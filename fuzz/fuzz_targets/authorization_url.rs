//! A URL is printable ASCII, and a browser reads in it the endpoint and exactly what was given, nothing of it twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::login::{Ask, browse};
use url::Position;

fuzz_target!(|text: &str| {
    let ask = Ask::new(text);
    let Some((text, added)) = ask.url() else { return };
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
    let (endpoint, url) = (browse(ask.endpoint), browse(&text));
    assert_eq!(url[..Position::AfterPath], endpoint[..Position::AfterPath]);
    let found: Vec<_> = url.query_pairs().into_owned().collect();
    assert_eq!(found, endpoint.query_pairs().into_owned().chain(added.clone()).collect::<Vec<_>>());
    let once = |name: &String| name == "resource" || found.iter().filter(|(found, _)| found == name).count() == 1;
    assert!(added.iter().all(|(name, _)| once(name)), "{url}");
});
