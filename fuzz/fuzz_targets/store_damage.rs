//! A file is a record only if it is whole, checksum and all, and only that of the key that was asked for. One of a newer format
//! is never overwritten.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::shelf::{FORMATS, Shelf, record, same, seal};
use proofkey_native::old::StoreError;

fuzz_target!(|bytes: &[u8]| {
    let (shelf, record) = (Shelf::default(), record("https://as.example\nclient\ndefault"));
    shelf.save(&record).expect("nothing is there");
    assert_eq!(shelf.bytes(), seal(2, &shelf.bytes()));
    shelf.replace(bytes);
    match shelf.load(&record.key) {
        Ok(_) => assert!(FORMATS.iter().any(|format| bytes == seal(*format, bytes))),
        Err(StoreError::Newer { .. }) => {
            assert!(matches!(shelf.save(&record), Err(StoreError::Newer { .. })));
            assert_eq!(shelf.bytes(), bytes);
        }
        Err(_) => shelf.save(&record).expect("a damaged record gives way"),
    }
    for format in FORMATS {
        shelf.replace(&seal(format, bytes));
        if let Ok(loaded) = shelf.load(&record.key).map(|loaded| loaded.expect("a record")) {
            shelf.save(&loaded).expect("it is not newer");
            let again = shelf.load(&record.key).expect("it is whole").expect("a record");
            assert!(loaded.key == record.key && same(&loaded, &again));
        }
    }
});
