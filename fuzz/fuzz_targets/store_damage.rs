//! A file is a row only if it is whole, checksum and all, and only that of the key that was asked for. One of a newer format is
//! never overwritten.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::shelf::{FORMATS, Shelf, record, same, seal};
use proofkey_store::StoreFault;

fuzz_target!(|bytes: &[u8]| {
    let (shelf, record) = (Shelf::default(), record("https://as.example\nclient\ndefault"));
    shelf.save(&record).expect("nothing is there");
    assert_eq!(shelf.bytes(), shelf.seal_row(&shelf.bytes()));
    shelf.replace(bytes);
    match shelf.load(&record.key) {
        Ok(_) => {
            let is_record = FORMATS.iter().any(|format| bytes == seal(*format, bytes));
            assert!(is_record || bytes == shelf.seal_row(bytes));
        }
        Err(error) if error.fault() == StoreFault::Newer => {
            assert!(shelf.save(&record).is_err_and(|error| error.fault() == StoreFault::Newer));
            assert_eq!(shelf.bytes(), bytes);
        }
        Err(_) => shelf.save(&record).expect("a damaged row gives way"),
    }
    let sealed = FORMATS.iter().map(|format| seal(*format, bytes)).chain([shelf.seal_row(bytes)]);
    for bytes in sealed.collect::<Vec<_>>() {
        shelf.replace(&bytes);
        if let Ok(Some(loaded)) = shelf.load(&record.key) {
            if loaded.key != record.key || shelf.save(&loaded).is_err_and(|error| error.fault() == StoreFault::Setup) {
                continue;
            }
            let again = shelf.load(&record.key).expect("it is whole").expect("a record");
            assert!(same(&loaded, &again));
        }
    }
});
