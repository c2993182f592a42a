//! RFC 6749 section 10.3: what is kept is read by `expose` only, and is written by the store only.
use proofkey_native::{Record, Secret};

fn serializable<T: serde::Serialize>() {}

fn print(secret: &Secret, record: &Record) {
    println!("{secret}");
    println!("{record}");
    serializable::<Secret>();
    serializable::<Record>();
}

fn main() {}
