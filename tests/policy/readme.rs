//! The code in the README and in the pages of docs/guide is that of examples and tests, which are compiled and run; and what
//! they link to is there.

use crate::root;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn code_blocks_are_those_of_the_examples() {
    for page in pages() {
        assert!(quotations(&page) > 0 || page != readme(), "the README quotes no example");
    }
}

#[test]
fn the_guide_has_no_code_that_nothing_runs() {
    for page in pages().iter().filter(|page| **page != readme()) {
        let text = fs::read_to_string(page).expect("a page");
        assert_eq!(text.matches("\n```rust").count(), quotations(page), "{}: quote an example", page.display());
    }
}

#[test]
fn links_and_pictures_are_there() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let links: Vec<_> = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()).collect();
        assert!(links.len() >= 6 || page != readme(), "{links:?}");
        for link in links.iter().filter(|link| !link.contains("://") && !link.is_empty()) {
            assert!(page.with_file_name(link).exists(), "{}: {link}", page.display());
        }
    }
}

#[test]
fn the_index_of_the_guide_names_each_page() {
    let index = fs::read_to_string(root().join("docs/guide/README.md")).expect("an index");
    for page in pages() {
        let name = page.file_name().expect("a file").to_string_lossy();
        assert!(name == "README.md" || index.contains(&format!("]({name})")), "docs/guide/README.md: {name} is missing");
    }
}

/// The README and the guide.
fn pages() -> Vec<PathBuf> {
    let guide = fs::read_dir(root().join("docs/guide")).expect("a guide").map(|entry| entry.expect("an entry").path());
    guide.chain([readme()]).collect()
}

fn readme() -> PathBuf {
    root().join("README.md")
}

/// How many code blocks a page quotes, all of them from the examples that it names.
fn quotations(page: &Path) -> usize {
    let text = fs::read_to_string(page).expect("a page");
    let mut found = 0;
    for part in text.split("<!-- ").skip(1) {
        let (name, rest) = part.split_once(" -->\n```rust\n").expect("a code block behind the example's name");
        let block = rest.split("\n```").next().expect("the end of the block");
        let example = fs::read_to_string(root().join(name)).expect("an example");
        assert!(example.contains(block), "{name} and {} differ", page.display());
        found += 1;
    }
    found
}
