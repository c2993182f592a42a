//! Every clause of `clauses.toml` has a test that keeps it, and every MUST one that breaks it. Every fault of another library in
//! `libraries.toml` has a test that shows that it does not occur here.

use crate::{proofs, root, rust_files};
use proofkey_core::{Endpoint, Feature};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
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
    #[serde(default)]
    both: bool,
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
fn every_clause_has_its_proofs() {
    let clauses = clauses();
    let numbers = (1..=clauses.len()).map(|number| format!("C{number:03}"));
    assert!(numbers.eq(clauses.keys().cloned()), "clauses are numbered from C001 without a gap");
    let (tests, cases) = (proofs::tests(), proofs::cases());
    for (id, clause) in &clauses {
        assert!(!clause.from.is_empty() && !clause.rule.is_empty(), "{id} says nothing");
        let named = clause.accepts.len() + clause.refuses.len();
        match &clause.not_built {
            Some(flow) => assert!(named == 0 && !flow.is_empty(), "{id} has tests, or it is not built"),
            None => assert!(!clause.accepts.is_empty(), "{id} has no test"),
        }
        let must = clause.level == Level::Must && clause.not_built.is_none();
        assert!(!must || !clause.refuses.is_empty(), "{id} is a MUST that no test breaks");
        let both = clause.accepts.iter().any(|proof| clause.refuses.contains(proof));
        assert_eq!(both, clause.both, "{id}: whether one test does both");
        for (proofs, accepts) in [(&clause.accepts, true), (&clause.refuses, false)] {
            for proof in proofs {
                match cases.get(proof) {
                    Some(expected) => {
                        let accepted = matches!(expected.as_str(), "Accepted" | "Found");
                        assert_eq!(accepted, accepts, "{id}: {proof} is {expected}");
                    }
                    None => is_one_test(&tests, id, proof),
                }
            }
        }
    }
    let built: Vec<_> = clauses.values().filter(|clause| clause.not_built.is_none()).collect();
    let musts = built.iter().filter(|clause| clause.level == Level::Must).count();
    let open = clauses.len() - built.len();
    println!("{} clauses, {musts} of them a MUST; {open} more belong to flows that are not built", built.len());
}

#[test]
fn every_fault_of_another_library_has_its_proofs() {
    let libraries: BTreeMap<String, BTreeMap<String, Vec<String>>> = read("libraries.toml");
    let (tests, cases) = (proofs::tests(), proofs::cases());
    for (library, faults) in &libraries {
        for (fault, proofs) in faults {
            assert!(!proofs.is_empty(), "{library}: {fault}");
            for proof in proofs.iter().filter(|proof| !cases.contains_key(*proof)) {
                is_one_test(&tests, library, proof);
            }
        }
    }
    let known = |id: &String| id.split_once('.').is_none_or(|(library, _)| libraries.contains_key(library));
    assert!(cases.keys().all(known), "a case of a library of which nothing is told");
}

#[test]
fn every_endpoint_and_feature_has_a_clause_and_a_test() {
    let clauses = clauses();
    let rules: Vec<_> =
        clauses.values().filter(|clause| clause.not_built.is_none()).map(|clause| &clause.rule).collect();
    let endpoints = Endpoint::ALL.iter().map(|it| (format!("Endpoint::{it:?}"), it.to_string()));
    let features = Feature::ALL.iter().map(|it| (format!("Feature::{it:?}"), it.name().to_owned()));
    let tests: Vec<String> =
        rust_files(&root().join("tests/core")).iter().map(|path| fs::read_to_string(path).expect("a test")).collect();
    for (variant, words) in endpoints.chain(features) {
        assert!(rules.iter().any(|rule| rule.contains(&words)), "no rule of clauses.toml names the {words}");
        assert!(tests.iter().any(|test| test.contains(&variant)), "no test of tests/core names {variant}");
    }
}

/// A name that is cited stands for one test.
fn is_one_test(tests: &BTreeMap<String, usize>, citing: &str, name: &str) {
    let times = tests.get(name).copied().unwrap_or_default();
    assert!(times == 1, "{citing} names {name}, and {times} tests have this name");
}

fn clauses() -> BTreeMap<String, Clause> {
    read("clauses.toml")
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let text = fs::read_to_string(root().join("tests").join(name)).expect(name);
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}
