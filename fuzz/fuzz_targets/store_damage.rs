//! A file is a record only if it was saved so, octet for octet, and only that of the key that was asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::shelf::{Shelf, record, same, seal};

fuzz_target!(|octets: &[u8]| {
    let (shelf, key) = (Shelf::default(), record("https://as.example\nclient\ndefault").key);
    shelf.save(&record("https://as.example\nclient\ndefault"));
    shelf.replace(octets);
    if let Ok(loaded) = shelf.load(&key) {
        shelf.save(&loaded.expect("a record"));
        assert_eq!(shelf.octets(), octets);
    }
    shelf.replace(&seal(octets));
    if let Ok(loaded) = shelf.load(&key).map(|loaded| loaded.expect("a record")) {
        shelf.save(&loaded);
        assert!(loaded.key == key && same(&loaded, &shelf.load(&key).expect("it is whole").expect("a record")));
    }
});
