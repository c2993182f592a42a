//! A file is a record only if it is whole, checksum and all, and only that of the key that was asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::shelf::{Shelf, record, same, seal};

fuzz_target!(|bytes: &[u8]| {
    let (shelf, record) = (Shelf::default(), record("https://as.example\nclient\ndefault"));
    shelf.save(&record);
    assert_eq!(shelf.bytes(), seal(&shelf.bytes()));
    shelf.replace(bytes);
    assert!(shelf.load(&record.key).is_err() || bytes == seal(bytes));
    shelf.replace(&seal(bytes));
    if let Ok(loaded) = shelf.load(&record.key).map(|loaded| loaded.expect("a record")) {
        shelf.save(&loaded);
        let again = shelf.load(&record.key).expect("it is whole").expect("a record");
        assert!(loaded.key == record.key && same(&loaded, &again));
    }
});
