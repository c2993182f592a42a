//! Files stay short, and no test is left out.

use crate::{proofs, root, rust_files};
use std::fs;

#[test]
fn files_stay_readable() {
    for folder in ["benches", "crates", "examples", "firmware", "fuzz", "tests"] {
        for file in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&file).expect("a readable file").lines().count();
            assert!(lines <= 400, "{} has {lines} lines", file.display());
        }
    }
}

#[test]
fn no_test_is_left_out() {
    let left_out = proofs::left_out();
    assert!(left_out.is_empty(), "no target and no module: {left_out:?}");
}

#[test]
fn the_name_of_a_test_is_a_behaviour() {
    for name in proofs::tests().into_keys() {
        let cites = name.split('_').any(|word| {
            let digits = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
            let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let prefix = &word[..word.len() - digits.len()];
            word == "section" || (number && matches!(prefix, "a" | "c" | "d" | "rfc" | "t" | "x"))
        });
        assert!(!cites, "{name}: clauses.toml says what a test proves, its name says what happens");
    }
}
