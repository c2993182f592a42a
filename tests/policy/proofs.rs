//! What can prove a rule: a test that runs, a program that must not compile, a case of the corpus.

use crate::{root, rust_files};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The names of the tests that a check runs and of the programs that must not compile, and how many have each name.
pub(crate) fn tests() -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    let mut add = |name: &str| *names.entry(name.to_owned()).or_default() += 1;
    for (path, source, runs) in sources() {
        if is_misuse(&path) {
            add(stem(&path));
        } else if runs {
            items(&source, test).for_each(&mut add);
        }
    }
    let checks = text(&root().join(".ci/run"));
    for entry in fs::read_dir(root().join("tests/browser")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if stem(&path).ends_with(".test") && checks.contains(" tests/browser/*.test.mjs ") {
            let source = text(&path);
            let tests = source.lines().filter(|line| !line.contains("{ skip") && !line.contains("{ todo"));
            tests.filter_map(|line| line.strip_prefix("test('")?.split('\'').next()).for_each(&mut add);
        }
    }
    names
}

/// The files with tests that no check runs.
pub(crate) fn left_out() -> Vec<PathBuf> {
    let idle = sources()
        .into_iter()
        .filter(|(path, source, runs)| !runs && !is_misuse(path) && items(source, test).next().is_some());
    idle.map(|(path, ..)| path).collect()
}

/// Each file of Rust with its text, and whether a check compiles it.
fn sources() -> Vec<(PathBuf, String, bool)> {
    let files = ["benches", "crates", "examples", "tests"].iter().flat_map(|folder| rust_files(&root().join(folder)));
    let sources: Vec<_> = files.map(|path| (text(&path), path)).collect();
    let modules: BTreeSet<PathBuf> = sources.iter().flat_map(|(source, path)| modules(path, source)).collect();
    let checks = text(&root().join(".ci/run"));
    let runs = |path: &PathBuf| modules.contains(path) || is_target(path, &checks);
    sources
        .into_iter()
        .map(|(source, path)| (runs(&path), source, path))
        .map(|(runs, source, path)| (path, source, runs))
        .collect()
}

/// A program that must not compile, with what the compiler says.
fn is_misuse(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.ends_with("misuse/cases")) && path.with_extension("stderr").exists()
}

/// What each case of the corpus is expected to come to.
pub(crate) fn cases() -> BTreeMap<String, String> {
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(root().join("tests/corpus")).expect("a folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        if name.ends_with(".json") {
            cases.extend(cases_of(&name));
        }
    }
    cases
}

/// What each case of one file of the corpus is expected to come to.
pub(crate) fn cases_of(name: &str) -> BTreeMap<String, String> {
    let file: Value = serde_json::from_str(&text(&root().join("tests/corpus").join(name))).expect("JSON");
    let member = |case: &Value, member| case[member].as_str().expect(member).to_owned();
    file["cases"].as_array().expect("cases").iter().map(|case| (member(case, "id"), member(case, "expected"))).collect()
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
                return test.get("required-features").is_none()
                    || checks.split_whitespace().collect::<Vec<_>>().windows(2).any(|pair| pair == ["--test", name]);
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
fn items<'s>(source: &'s str, name: fn(&[&'s str], &'s str) -> Option<&'s str>) -> impl Iterator<Item = &'s str> {
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

/// Where the modules of a file can be: where it says, beside it, in the folder of its name, or in that of a module that is
/// written out in it.
fn modules(path: &Path, source: &str) -> Vec<PathBuf> {
    let folder = path.parent().expect("a folder");
    let inline = items(source, |_, line| module(line)?.strip_suffix(" {"));
    let folders: Vec<_> = inline.chain([stem(path), ""]).map(|name| folder.join(name)).collect();
    let named = items(source, |_, line| module(line)?.strip_suffix(';'));
    let found = named.flat_map(|name| folders.iter().map(move |folder| folder.join(name).with_extension("rs")));
    let told = items(source, |above, line| {
        module(line)?;
        above.iter().find_map(|attribute| attribute.strip_prefix("#[path = \"")?.strip_suffix("\"]"))
    });
    found.chain(told.map(|name| folder.join(name))).collect()
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

/// The conditions that hold in some part of `.ci/run`.
const CONDITIONS: &[&str] = &[
    "#[cfg(all(feature = \"keyring\", target_os = \"linux\"))]",
    "#[cfg(all(test, feature = \"keyring\"))]",
    "#[cfg(all(unix, not(target_os = \"macos\")))]",
    "#[cfg(any(feature = \"keyring\", test))]",
    "#[cfg(feature = \"keyring\")]",
    "#[cfg(feature = \"session\")]",
    "#[cfg(feature = \"strace\")]",
    "#[cfg(feature = \"user-agent\")]",
    "#[cfg(target_os = \"linux\")]",
    "#[cfg(test)]",
    "#[cfg(unix)]",
    "#[cfg(windows)]",
];
