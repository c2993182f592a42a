//! Every rule of `clauses.toml` is proved by tests that exist, and every MUST by one that breaks it.

use proofkey_tests::{root, rust_files};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clause {
    from: String,
    level: Level,
    rule: String,
    #[serde(default)]
    accepts: Vec<String>,
    #[serde(default)]
    refuses: Vec<String>,
    not_built: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Level {
    May,
    Must,
    Policy,
    Should,
}

#[test]
fn every_clause_has_its_tests() {
    let clauses = clauses();
    assert!((1..=144).map(|number| format!("C{number:03}")).eq(clauses.keys().cloned()), "C001 to C144, each once");
    let known = test_names();
    for (id, clause) in &clauses {
        assert!(!clause.from.is_empty() && !clause.rule.is_empty(), "{id} says nothing");
        let named = clause.accepts.len() + clause.refuses.len();
        match &clause.not_built {
            Some(flow) => assert!(named == 0 && !flow.is_empty(), "{id} is built or it is not"),
            None => assert!(!clause.accepts.is_empty(), "{id} is proved by no test"),
        }
        let must = clause.level == Level::Must && clause.not_built.is_none();
        assert!(!must || !clause.refuses.is_empty(), "{id} is a MUST that no test breaks");
        for test in clause.accepts.iter().chain(&clause.refuses) {
            assert!(known.contains(test), "{id} names {test}, which is no test");
        }
    }
}

#[test]
fn the_readme_states_the_count() {
    let clauses = clauses();
    let (built, open): (Vec<_>, Vec<_>) = clauses.values().partition(|clause| clause.not_built.is_none());
    let musts = built.iter().filter(|clause| clause.level == Level::Must).count();
    let said = format!("{} clauses, {musts} of them a MUST", built.len());
    println!("{said}; {} more belong to flows that are not built", open.len());
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    assert!(readme.contains(&said), "README.md does not say {said:?}");
}

fn clauses() -> BTreeMap<String, Clause> {
    let text = fs::read_to_string(root().join("tests/clauses.toml")).expect("the clauses");
    toml::from_str(&text).expect("clauses in TOML")
}

/// Functions that a test attribute stands above, tests of the browser, and what must not compile.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in ["crates", "examples", "tests"].iter().flat_map(|folder| rust_files(&root().join(folder))) {
        if file.parent().is_some_and(|folder| folder.ends_with("misuse/cases")) {
            names.insert(file.file_stem().expect("a name").to_string_lossy().into_owned());
        }
        let source = fs::read_to_string(&file).expect("a readable file");
        let mut test = false;
        for line in source.lines().map(str::trim) {
            match line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
                Some(rest) if test => drop(names.insert(rest.split('(').next().unwrap_or_default().to_owned())),
                _ => {}
            }
            test = line.starts_with("#[test]") || line.starts_with("#[tokio::test") || (test && line.starts_with("#["));
        }
    }
    for entry in fs::read_dir(root().join("tests/browser")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            let source = fs::read_to_string(path).expect("a readable file");
            let named = source.lines().filter_map(|line| line.strip_prefix("test('")?.split('\'').next());
            names.extend(named.map(str::to_owned));
        }
    }
    names
}
