//! What a crate must have before it is published.

use crate::root;
use std::fs;
use std::path::PathBuf;
use toml::{Table, Value};

#[test]
fn a_published_crate_says_what_it_is() {
    let crates = published();
    assert!(crates.len() > 10, "{crates:?}");
    for (folder, manifest) in &crates {
        let package = &manifest["package"];
        for field in ["description", "version", "license", "rust-version", "keywords", "categories"] {
            assert!(package.get(field).is_some(), "{}: no `{field}`", folder.display());
        }
        let all = package.get("metadata").and_then(|metadata| metadata.get("docs")?.get("rs")?.get("all-features"));
        assert_eq!(all, Some(&Value::Boolean(true)), "{}: docs.rs shows all features", folder.display());
        for file in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            let text = fs::read_to_string(folder.join(file));
            assert!(text.is_ok_and(|text| !text.is_empty()), "{}: no {file}", folder.display());
        }
        let name = package["name"].as_str().expect("a name");
        let readme = fs::read_to_string(folder.join("README.md")).expect("a README");
        assert!(readme.starts_with(&format!("# {name}\n")), "{}: the README of another crate", folder.display());
    }
}

/// An address that is named before it exists may be registered by anybody.
#[test]
fn no_address_is_named_that_may_not_exist() {
    let workspace: Table = text(root().join("Cargo.toml")).parse().expect("a manifest");
    let packages = published().into_iter().map(|(_, manifest)| manifest["package"].clone());
    for package in packages.chain([workspace["workspace"]["package"].clone()]) {
        for field in ["repository", "homepage", "documentation"] {
            assert!(package.get(field).is_none(), "{field}: {package:?}");
        }
    }
    let npm: serde_json::Value =
        serde_json::from_str(&text(root().join("crates/browser/package/package.json"))).expect("JSON");
    assert!(["repository", "homepage", "bugs"].iter().all(|field| npm.get(field).is_none()), "{npm}");
}

#[test]
fn publish_packages_each_of_them() {
    let checks = text(root().join("tests/publish"));
    for (folder, manifest) in published() {
        let name = manifest["package"]["name"].as_str().expect("a name");
        assert!(checks.split_whitespace().any(|word| word == name), "{}", folder.display());
    }
}

/// The crates of the workspace that are for others, with their manifests.
fn published() -> Vec<(PathBuf, Table)> {
    let folders = fs::read_dir(root().join("crates")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let crates = folders.map(|folder| {
        let manifest: Table = text(folder.join("Cargo.toml")).parse().expect("a manifest");
        (folder, manifest)
    });
    crates.filter(|(_, manifest)| manifest["package"].get("publish") != Some(&Value::Boolean(false))).collect()
}

fn text(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
