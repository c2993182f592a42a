//! A record that is read while it is replaced.
#![cfg(unix)]

use proofkey_native::old::Store;
use proofkey_native::{Key, Record, Secret};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn a_read_during_a_write_gives_the_old_or_the_new_record() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::files_in(&home.path().join("store")).unwrap();
    let key = Key { issuer: "https://as.example".into(), client_id: "c".into(), account: "default".into() };
    let save = |token: &str| {
        let lock = store.lock(&key, Duration::from_secs(10)).unwrap();
        lock.save(&Record::new(key.clone(), Secret::new(token.to_owned()))).unwrap();
    };
    save("0");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let read = || {
            while !over.load(Ordering::Relaxed) {
                assert!(store.load(&key).unwrap().is_some());
            }
        };
        let readers = [(); 3].map(|()| scope.spawn(read));
        (1..2_000).for_each(|count| save(&count.to_string()));
        over.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}
