//! Every variant of a public error is named in a test. In the core, one test says what it says and another one causes it.

use crate::{proofs, root, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// The crates that are no libraries. People and tests see what goes wrong in them by its text.
const APPLICATIONS: &[&str] = &["browser", "cli", "devserver"];
/// What the verdicts of a file of the corpus are.
const VERDICTS: &[(&str, &str)] = &[
    ("callback", "CallbackError"),
    ("device", "ResponseError"),
    ("json", "ResponseError"),
    ("metadata", "ResponseError"),
    ("providers", "ResponseError"),
    ("push", "ResponseError"),
    ("token", "ResponseError"),
    ("uris", "UriFault"),
];

#[test]
fn every_error_of_the_core_is_shown_and_caused_by_a_test() {
    let shown = fs::read_to_string(root().join("tests/core/errors.rs")).expect("a test");
    let causing = sources("tests/core").into_iter().filter(|(path, _)| !path.ends_with("errors.rs"));
    let causing: Vec<String> = causing.map(|(_, source)| source).collect();
    let mut verdicts = BTreeSet::new();
    for (file, error) in VERDICTS {
        let found = proofs::cases_of(&format!("{file}.json"));
        verdicts.extend(
            found.into_values().map(|verdict| format!("{error}::{}", verdict.split('(').next().expect("a word"))),
        );
    }
    for (error, variants) in errors("core") {
        for variant in variants {
            let name = format!("{error}::{variant}");
            assert!(names(&shown, &error, &variant), "tests/core/errors.rs does not have {name}: what does it say?");
            let caused = causing.iter().any(|source| names(source, &error, &variant)) || verdicts.contains(&name);
            assert!(caused, "no test of tests/core and no case of the corpus comes to {name}");
        }
    }
}

#[test]
fn every_error_of_a_library_is_named_in_a_test() {
    let shared = sources("tests");
    let folders =
        fs::read_dir(root().join("crates")).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let crates: Vec<_> = folders.map(|name| name.into_string().expect("a name")).collect();
    for library in crates.iter().filter(|name| !APPLICATIONS.contains(&name.as_str())) {
        let own = sources(&format!("crates/{library}"));
        // A crate's own tests, and the unit tests at the end of its files.
        let own =
            own.iter().filter_map(|(path, source)| match path.contains("/tests/") || path.ends_with("/tests.rs") {
                true => Some(source.as_str()),
                false => source.split_once("mod tests {").map(|(_, tests)| tests),
            });
        let tests: Vec<&str> = own.chain(shared.iter().map(|(_, source)| source.as_str())).collect();
        for (error, variants) in errors(library) {
            for variant in variants {
                let named = tests.iter().any(|source| names(source, &error, &variant));
                assert!(named, "proofkey-{library}: no test names {error}::{variant}");
            }
        }
    }
    assert!(["core", "http", "native"].iter().all(|library| !errors(library).is_empty()), "the errors were read");
}

/// The public errors of a library, and their variants.
fn errors(library: &str) -> BTreeMap<String, Vec<String>> {
    let mut errors = BTreeMap::new();
    for (_, source) in sources(&format!("crates/{library}/src")) {
        for part in source.split("\npub enum ").skip(1) {
            let name = word(part);
            if name.ends_with("Error") || name.ends_with("Fault") || name.ends_with("Kind") {
                let body = part.split_once(" {\n").and_then(|(_, rest)| rest.split_once("\n}")).expect("a body").0;
                let variants = body.lines().filter_map(|line| line.strip_prefix("    "));
                let variants = variants.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
                errors.insert(name.to_owned(), variants.map(|line| word(line).to_owned()).collect());
            }
        }
    }
    errors
}

/// Whether a test names a variant: `Error::Variant`, or in a `use Error::{…}`, which the compiler keeps free of what is not used.
fn names(source: &str, error: &str, variant: &str) -> bool {
    source.split(error).skip(1).filter_map(|rest| rest.strip_prefix("::")).any(|rest| {
        let rest = rest.split_once(">::").filter(|_| rest.starts_with('<')).map_or(rest, |(_, rest)| rest);
        match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().expect("a list").split(',').any(|name| name.trim() == variant),
            None => word(rest) == variant,
        }
    })
}

fn word(text: &str) -> &str {
    text.split(|letter: char| !letter.is_alphanumeric()).next().expect("the first part")
}

/// The path and the text of each file of Rust in a folder.
fn sources(folder: &str) -> Vec<(String, String)> {
    let files = rust_files(&root().join(folder));
    let text = |path: &PathBuf| fs::read_to_string(path).expect("a source");
    files.iter().map(|path| (path.to_str().expect("a name").to_owned(), text(path))).collect()
}
