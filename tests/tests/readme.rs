//! The README's examples are the examples that are compiled and run.

use proofkey_tests::root;
use std::fs;

#[test]
fn code_blocks_are_those_of_the_examples() {
    let root = root();
    let readme = fs::read_to_string(root.join("README.md")).expect("a README");
    let mut found = 0;
    for part in readme.split("<!-- examples/").skip(1) {
        let (name, rest) = part.split_once(" -->\n```rust\n").expect("a code block behind the example's name");
        let block = rest.split("\n```").next().expect("the end of the block");
        let example = fs::read_to_string(root.join("examples").join(name)).expect("an example");
        assert!(example.contains(block), "examples/{name} and the README differ");
        found += 1;
    }
    assert_eq!(found, 2);
}

#[test]
fn links_and_pictures_are_there() {
    let root = root();
    let readme = fs::read_to_string(root.join("README.md")).expect("a README");
    let links: Vec<_> = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() >= 6, "{links:?}");
    for link in links.iter().filter(|link| !link.contains("://")) {
        assert!(root.join(link).exists(), "{link}");
    }
}
