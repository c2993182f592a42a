//! Who may import whom: read off the `use` lines and the manifests.

use proofkey_tests::{root, rust_files};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What each module of the core may import from the core.
const MODULES: [(&str, &[&str]); 16] = [
    ("wire::date", &[]),
    ("wire::form", &[]),
    ("wire::json", &[]),
    ("wire::uri", &[]),
    ("lifetime", &[]),
    ("error", &["wire"]),
    ("http", &["wire"]),
    ("pkce", &["error"]),
    ("response", &["error", "wire"]),
    ("client", &["error", "wire"]),
    ("bearer", &["error"]),
    ("authorize", &["client", "error", "pkce", "token", "wire"]),
    ("token", &["bearer", "client", "error", "http", "pkce", "response", "wire"]),
    ("revoke", &["bearer", "client", "error", "http", "response", "token", "wire"]),
    ("metadata", &["client", "error", "http", "response", "wire"]),
    ("loopback", &["authorize", "client", "wire"]),
];

/// What each crate may import from the workspace.
const CRATES: [(&str, &[&str]); 6] = [
    ("core", &[]),
    ("ureq", &["proofkey-core"]),
    ("reqwest", &["proofkey-core"]),
    ("native", &["proofkey-core"]),
    ("devserver", &[]),
    ("cli", &["proofkey-core", "proofkey-devserver", "proofkey-native", "proofkey-ureq"]),
];

#[test]
fn modules_of_the_core_import_what_they_may() {
    let mut seen = BTreeSet::new();
    for file in rust_files(&root().join("crates/core/src")) {
        let module = module_of(&file);
        if matches!(module.as_str(), "" | "wire") {
            continue;
        }
        let source = fs::read_to_string(&file).expect("a readable file");
        let allowed = MODULES.iter().find(|(name, _)| module == *name || module.starts_with(&format!("{name}::")));
        let (name, allowed) = allowed.unwrap_or_else(|| panic!("{module} has no rule"));
        for import in imports(&source) {
            let own = name.split("::").next().is_some_and(|own| own == import && own != "wire");
            assert!(own || allowed.contains(&import.as_str()), "{module} must not import {import}");
        }
        seen.insert(*name);
    }
    assert_eq!(seen.len(), MODULES.len(), "a rule without a module");
}

#[test]
fn crates_import_what_they_may() {
    for (name, allowed) in CRATES {
        let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).expect("a manifest");
        let normal = manifest.split("[dev-dependencies]").next().expect("a manifest");
        let found = normal
            .lines()
            .filter_map(|line| line.split(['.', ' ']).next())
            .filter(|word| word.starts_with("proofkey-"));
        for dependency in found {
            assert!(allowed.contains(&dependency), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn files_stay_readable() {
    for file in rust_files(&root().join("crates")) {
        let lines = fs::read_to_string(&file).expect("a readable file").lines().count();
        assert!(lines <= 420, "{} has {lines} lines", file.display());
    }
}

/// The core modules named in `use crate::…` lines, grouped or not, and in paths.
fn imports(source: &str) -> BTreeSet<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        let word: String = part.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        assert!(!word.is_empty(), "write `use crate::module::…`, one line for each module");
        found.insert(word);
    }
    found
}

fn module_of(file: &Path) -> String {
    let relative = file.strip_prefix(root().join("crates/core/src")).expect("a file of the core").with_extension("");
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.join("::").replace("::mod", "").replace("lib", "")
}
