//! The laws: `Memory` keeps them.
#![cfg(feature = "testing")]

use proofkey_store::Memory;
use proofkey_store::laws::Laws;

#[test]
fn the_store_in_memory_keeps_the_laws() {
    let store = Memory::new();
    Laws::new().check(&store, |time| store.advance(time)).unwrap();
}
