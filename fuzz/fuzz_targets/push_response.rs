//! A browser is sent away only after a success, and reads in the URL the endpoint, the client and the reference that the answer
//! holds, and nothing else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::answer::{Members, parse, read_push};
use proofkey_fuzz::login::browse;

fuzz_target!(|answer: &str| {
    let answer = parse(answer);
    let Ok((url, expires_in)) = read_push(&answer) else { return };
    assert!(matches!(answer.status, 200 | 201));
    let members = Members::read(&answer.body).expect("a JSON object");
    let reference = members.text("request_uri").expect("a reference");
    assert!(members.text("error").is_none());
    let said = members.number("expires_in").expect("a number");
    // A float may have been rounded to the next whole number.
    assert!(said >= 0.999 && expires_in >= 1 && (said as u32).abs_diff(expires_in) <= 1, "{said} {expires_in}");
    assert!(url.len() < 8192 && url.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    let url = browse(&url);
    assert_eq!(url.as_str().split('?').next(), Some("https://as.example/authorize"));
    let found: Vec<_> = url.query_pairs().into_owned().collect();
    let sent = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(found, [sent("client_id", "client"), sent("request_uri", &reference)]);
    assert_eq!(url.fragment(), None);
});
