//! Every rule of `clauses.toml` is proved by what runs, every MUST also by what breaks it; every fault of another library that
//! `libraries.toml` tells has a proof that it is none here.

use crate::{proofs, root};
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
    assert!((1..=144).map(|number| format!("C{number:03}")).eq(clauses.keys().cloned()), "C001 to C144, each once");
    let (tests, cases) = (proofs::tests(), proofs::cases());
    for (id, clause) in &clauses {
        assert!(!clause.from.is_empty() && !clause.rule.is_empty(), "{id} says nothing");
        let named = clause.accepts.len() + clause.refuses.len();
        match &clause.not_built {
            Some(flow) => assert!(named == 0 && !flow.is_empty(), "{id} is built or it is not"),
            None => assert!(!clause.accepts.is_empty(), "{id} is proved by nothing"),
        }
        let must = clause.level == Level::Must && clause.not_built.is_none();
        assert!(!must || !clause.refuses.is_empty(), "{id} is a MUST that nothing breaks");
        let both = clause.accepts.iter().any(|proof| clause.refuses.contains(proof));
        assert_eq!(both, clause.both, "{id}: whether one test does both");
        for (proofs, accepts) in [(&clause.accepts, true), (&clause.refuses, false)] {
            for proof in proofs {
                let fits =
                    cases.get(proof).map(|expected| matches!(expected.as_str(), "Accepted" | "Found") == accepts);
                assert!(
                    fits.unwrap_or_else(|| tests.contains(proof)),
                    "{id} names {proof}, which proves nothing of it"
                );
            }
        }
    }
}

#[test]
fn levels_are_those_of_the_specifications() {
    let letter = |clause: &Clause| match clause.level {
        Level::May => 'y',
        Level::Must => 'M',
        Level::Policy => 'p',
        Level::Should => 's',
    };
    assert_eq!(clauses().values().map(letter).collect::<String>(), LEVELS);
}

#[test]
fn every_fault_of_another_library_has_its_proofs() {
    let libraries: BTreeMap<String, BTreeMap<String, Vec<String>>> = read("libraries.toml");
    let (tests, cases) = (proofs::tests(), proofs::cases());
    assert_eq!(libraries.len(), 11, "each library once");
    for (library, faults) in &libraries {
        for (fault, proofs) in faults {
            let unknown = proofs.iter().find(|proof| !tests.contains(*proof) && !cases.contains_key(*proof));
            assert!(!proofs.is_empty() && unknown.is_none(), "{library}: {fault}: {unknown:?}");
        }
    }
    let known = |id: &String| id.split_once('.').is_none_or(|(library, _)| libraries.contains_key(library));
    assert!(cases.keys().all(known), "a case of a library of which nothing is told");
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
    read("clauses.toml")
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let text = fs::read_to_string(root().join("tests").join(name)).expect(name);
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The level of each clause: MUST, should, may (y) or policy.
const LEVELS: &str = "MMMMMMMMsMMMMMMMMMMMMpMMMMyMMsMMMMMMMMMysMsMMMMMMMMMssssMsMMMMMMMMpMMsMMpMMMMMMMysMsMMMMMpsMMsMMMpMMMMsMMMMs\
                      MMMMMMMMMMMyMMMMMMMMMMMMsMMMMMssMMMM";
