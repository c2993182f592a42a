//! What can prove a rule: a test that runs, a program that must not compile, a case of the corpus.

use crate::{root, rust_files};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The names of the tests that a check runs, and of the programs that must not compile.
pub(crate) fn tests() -> BTreeSet<String> {
    let sources: Vec<(PathBuf, String)> = ["crates", "examples", "tests"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        .map(|path| (path.clone(), text(&path)))
        .collect();
    let modules: BTreeSet<PathBuf> = sources.iter().flat_map(|(path, source)| modules(path, source)).collect();
    let checks = text(&root().join(".ci/run"));
    let mut names = BTreeSet::new();
    for (path, source) in &sources {
        if path.parent().is_some_and(|folder| folder.ends_with("misuse/cases"))
            && path.with_extension("stderr").exists()
        {
            names.insert(stem(path).to_owned());
        } else if modules.contains(path) || is_target(path, &checks) {
            names.extend(items(source, test).map(str::to_owned));
        }
    }
    for entry in fs::read_dir(root().join("tests/browser")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if stem(&path).ends_with(".test") && checks.contains(" tests/browser/*.test.mjs ") {
            let source = text(&path);
            let tests = source.lines().filter(|line| !line.contains("{ skip") && !line.contains("{ todo"));
            names.extend(tests.filter_map(|line| Some(line.strip_prefix("test('")?.split('\'').next()?.to_owned())));
        }
    }
    names
}

/// What each case of the corpus is expected to come to.
pub(crate) fn cases() -> BTreeMap<String, String> {
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(root().join("tests/corpus")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: Value = serde_json::from_str(&text(&path)).expect("JSON");
        for case in file["cases"].as_array().expect("cases") {
            let [id, expected] = ["id", "expected"].map(|member| case[member].as_str().expect(member).to_owned());
            assert_eq!(cases.insert(id.clone(), expected), None, "{id} stands twice");
        }
    }
    cases
}

/// Whether the compiler begins with such a file. The tests that need a feature are named by a check.
fn is_target(path: &Path, checks: &str) -> bool {
    let folders = path.ancestors().skip(1).take_while(|folder| *folder != root());
    let packages: Vec<_> = folders.filter(|folder| folder.join("Cargo.toml").exists()).collect();
    for package in &packages {
        let manifest: toml::Table = text(&package.join("Cargo.toml")).parse().expect("a manifest");
        for test in manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten() {
            let name = test["name"].as_str().expect("a name");
            let file = test
                .get("path")
                .and_then(toml::Value::as_str)
                .map_or_else(|| format!("tests/{name}.rs"), str::to_owned);
            if package.join(file) == path {
                return test.get("required-features").is_none() || checks.contains(&format!("--test {name} "));
            }
        }
    }
    let own = packages.first().and_then(|package| path.strip_prefix(package).ok()?.to_str());
    match own.map(|own| own.split('/').collect::<Vec<_>>()).as_deref() {
        Some(["src", file]) => matches!(*file, "lib.rs" | "main.rs"),
        Some(["tests", _] | ["tests", _, "main.rs"]) => true,
        _ => false,
    }
}

/// What `name` makes of each line and the attributes above it, where they leave it in the build.
fn items<'s>(source: &'s str, name: fn(&[&str], &'s str) -> Option<&'s str>) -> impl Iterator<Item = &'s str> {
    let mut attributes = Vec::new();
    source.lines().map(str::trim).filter_map(move |line| {
        if line.starts_with("#[") {
            attributes.push(line);
            return None;
        }
        let above = std::mem::take(&mut attributes);
        let built = above.iter().all(|line| !line.starts_with("#[cfg") || CONDITIONS.contains(line));
        if built { name(&above, line) } else { None }
    })
}

/// Where the modules of a file can be: beside it, in the folder of its name, or of a module that is written out in it.
fn modules(path: &Path, source: &str) -> Vec<PathBuf> {
    let folder = path.parent().expect("a folder");
    let inline = items(source, |_, line| module(line)?.strip_suffix(" {"));
    let folders: Vec<_> = inline.chain([stem(path), ""]).map(|name| folder.join(name)).collect();
    let named = items(source, |_, line| module(line)?.strip_suffix(';'));
    named.flat_map(|name| folders.iter().map(move |folder| folder.join(name).with_extension("rs"))).collect()
}

fn module(line: &str) -> Option<&str> {
    line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line).strip_prefix("mod ")
}

fn test<'s>(attributes: &[&str], line: &'s str) -> Option<&'s str> {
    let is_test = attributes.iter().any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"));
    let runs = is_test && !attributes.iter().any(|line| line.starts_with("#[ignore"));
    let rest = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
    if runs { rest.split('(').next() } else { None }
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("a name")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The conditions that hold where the checks run.
const CONDITIONS: [&str; 5] = [
    "#[cfg(all(feature = \"keyring\", target_os = \"linux\"))]",
    "#[cfg(all(test, feature = \"keyring\"))]",
    "#[cfg(target_os = \"linux\")]",
    "#[cfg(test)]",
    "#[cfg(unix)]",
];
