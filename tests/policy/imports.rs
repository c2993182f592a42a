//! Who may import whom: read off the `use` lines and the manifests.

use crate::{root, rust_files};
use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, iter};

/// The modules of a crate in their order: each may import from those before it, and from itself.
const MODULES: &[(&str, &[&str])] = &[
    (
        "core",
        &[
            "wire", "endpoint", "lifetime", "error", "check", "message", "proof", "server", "provider", "client",
            "oidc", "flow", "loopback", "session", "owned", "defmt", "lib",
        ],
    ),
    (
        "http",
        &[
            "answer",
            "secure",
            "listen",
            "proxy",
            "error",
            "send",
            "signer",
            "signing_key",
            "nonces",
            "prover",
            "drive",
            "identity",
            "read",
            "login",
            "device",
            "tls",
            "settings",
            "reuse",
            "session",
            "lib",
        ],
    ),
    (
        "reqwest",
        &[
            "body", "error", "streamed", "client", "adapter", "identity", "listener", "login", "device", "lifted",
            "session", "sessions", "lib",
        ],
    ),
    (
        "ureq",
        &[
            "error", "connect", "agent", "streamed", "adapter", "identity", "listener", "login", "device", "session",
            "lib",
        ],
    ),
];

/// What each crate may import from the workspace.
const CRATES: &[(&str, &[&str])] = &[
    ("benches", &["proofkey-core"]),
    ("benches/dpop", &["proofkey-core", "proofkey-http", "proofkey-p256"]),
    ("benches/io", &["proofkey-benches", "proofkey-core", "proofkey-reqwest", "proofkey-ureq"]),
    (
        "benches/session",
        &[
            "proofkey-core",
            "proofkey-native",
            "proofkey-postgres",
            "proofkey-redis",
            "proofkey-reqwest",
            "proofkey-store",
            "proofkey-ureq",
        ],
    ),
    ("crates/browser", &["proofkey-core"]),
    ("crates/cli", &["proofkey-core", "proofkey-devserver", "proofkey-native", "proofkey-ureq"]),
    ("crates/core", &[]),
    ("crates/devserver", &[]),
    ("crates/http", &["proofkey-core", "proofkey-store"]),
    ("crates/native", &["proofkey-store"]),
    ("crates/p256", &[]),
    ("crates/postgres", &["proofkey-store"]),
    ("crates/redis", &["proofkey-store"]),
    ("crates/reqwest", &["proofkey-core", "proofkey-http", "proofkey-store"]),
    ("crates/store", &["proofkey-core"]),
    ("crates/ureq", &["proofkey-core", "proofkey-http", "proofkey-store"]),
    ("examples/embassy", &["proofkey-core"]),
    ("examples/web-sys", &["proofkey-core"]),
    ("firmware/image", &["proofkey-core", "proofkey-p256"]),
    ("firmware/nostd", &["proofkey-core"]),
    ("firmware/peer", &["proofkey-firmware"]),
    ("fuzz", &["proofkey-core", "proofkey-native", "proofkey-store"]),
];

#[test]
fn modules_import_what_they_may() {
    for (name, modules) in MODULES {
        let sources = root().join("crates").join(name).join("src");
        let mut seen = BTreeSet::new();
        for file in rust_files(&sources) {
            let module = module_of(&sources, &file);
            let place = |name: &str| modules.iter().position(|module| *module == name);
            let own = place(&module).unwrap_or_else(|| panic!("{module} has no place in the order"));
            let source = fs::read_to_string(&file).expect("a readable file");
            for import in imports(&source) {
                let imported = place(&import).unwrap_or_else(|| panic!("{import} has no place in the order"));
                assert!(imported <= own, "{} must not import {import}", file.display());
            }
            seen.insert(module);
        }
        assert_eq!(seen.len(), modules.len(), "{name}: a place without a module");
    }
}

#[test]
fn crates_import_what_they_may() {
    for (name, allowed) in CRATES {
        let found = dependencies(&root().join(name));
        for dependency in found.iter().filter(|dependency| dependency.starts_with("proofkey-")) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
        assert!(!found.is_empty(), "the dependencies of {name} were read");
    }
    let crates = fs::read_dir(root().join("crates")).expect("a folder").count();
    assert_eq!(CRATES.iter().filter(|(name, _)| name.starts_with("crates/")).count(), crates, "a crate without a rule");
}

#[test]
fn only_the_demo_imports_the_development_server() {
    let sources = root().join("crates/cli/src");
    let importing: BTreeSet<_> = rust_files(&sources)
        .into_iter()
        .filter(|file| fs::read_to_string(file).expect("a readable file").contains("proofkey_devserver"))
        .map(|file| file.strip_prefix(&sources).expect("a source").with_extension(""))
        .collect();
    assert!(!importing.is_empty(), "the sources were read");
    for file in importing {
        assert!(file.starts_with("demo"), "{} must not import the development server", file.display());
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

/// The dependencies of a crate on every target, but for those of its tests alone.
fn dependencies(folder: &Path) -> BTreeSet<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = iter::once(&manifest)
        .chain(targets.into_iter().flat_map(|targets| targets.values()).filter_map(toml::Value::as_table));
    tables.filter_map(|table| table.get("dependencies")?.as_table()).flat_map(|table| table.keys().cloned()).collect()
}

/// The folder or the file at the top of a crate's sources in which a file is.
fn module_of(sources: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(sources).expect("a file of the crate").with_extension("");
    relative.iter().next().expect("a name").to_string_lossy().into_owned()
}
