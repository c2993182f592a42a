//! What is saved is what is loaded: read(write(x)) == x, and with one bit changed it is an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::shelf::{Shelf, record, same};

fuzz_target!(|text: &str| {
    let (shelf, record) = (Shelf::default(), record(text));
    shelf.save(&record).expect("nothing is there");
    let loaded = shelf.load(&record.key).expect("it is whole").expect("a record");
    assert!(same(&record, &loaded), "{record:?} {loaded:?}");
    let mut bytes = shelf.bytes();
    let at = text.bytes().map(usize::from).sum::<usize>() % bytes.len();
    bytes[at] ^= 1 << (text.len() % 8);
    shelf.replace(&bytes);
    assert!(shelf.load(&record.key).is_err());
});
