//! What is read in a head is what `httparse` reads in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::loopback::Reply;
use proofkey_fuzz::head::{Outcome, is_callback, is_plain, receive};
use proofkey_fuzz::login::ORIGIN;

fuzz_target!(|input: &[u8]| {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Request::new(&mut fields);
    let whole = head.parse(input).is_ok_and(|status| status.is_complete());
    match receive(input, input.len()) {
        Outcome::Callback(target) => {
            let path =
                head.path.map(|path| path.strip_prefix(ORIGIN).filter(|path| path.starts_with('/')).unwrap_or(path));
            assert!(whole && path == Some(&target) && is_callback(&head));
        }
        Outcome::Refuse(Reply::Misdirected | Reply::NotFound) => assert!(whole && !is_callback(&head)),
        _ => assert!(!whole || !is_callback(&head) || !is_plain(&head, input)),
    }
});
