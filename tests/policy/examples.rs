//! The public items that a user starts from have examples.

use crate::{root, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[test]
fn each_item_at_the_root_of_a_crate_has_an_example() {
    let mut checked = 0;
    for name in ["core", "devserver", "http", "native", "p256", "postgres", "redis", "reqwest", "store", "ureq"] {
        let source = root().join("crates").join(name).join("src");
        let texts = rust_files(&source).into_iter().map(|file| fs::read_to_string(file).expect("a file"));
        let (mut shown, mut items) = (BTreeSet::new(), BTreeMap::new());
        texts.for_each(|text| read(&text, &mut shown, &mut items));
        let library = fs::read_to_string(source.join("lib.rs")).expect("a library");
        for item in exports(&library) {
            // An error is explained by what returns it.
            let Some(links) = items.get(item).filter(|_| !item.ends_with("Error")) else { continue };
            let has_example = shown.contains(item) || links.iter().any(|link| shown.contains(link));
            assert!(has_example, "{name}: `{item}` is in no example, and its docs link to nothing that is");
            checked += 1;
        }
    }
    assert!(checked > 120, "{checked}");
}

/// Collects the words of examples and of the signatures below them, and each public item with the words that its docs link to.
fn read(text: &str, shown: &mut BTreeSet<String>, items: &mut BTreeMap<String, BTreeSet<String>>) {
    let (mut in_example, mut has_example, mut in_signature) = (false, false, false);
    let mut links = BTreeSet::new();
    let mut owner = "";
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) {
            if doc.trim_start().starts_with("```") {
                (in_example, has_example) = (!in_example, true);
            } else if in_example {
                shown.extend(words(doc));
            } else {
                let linked = doc.split("[`").skip(1).filter_map(|rest| rest.split_once("`]"));
                links.extend(linked.flat_map(|(link, _)| words(link)));
            }
            continue;
        }
        if line.starts_with("#[") {
            continue;
        }
        if line.starts_with("impl") {
            owner = line;
        }
        let mut declared = words(line).skip_while(|word| word != "pub").skip(1);
        let kind = declared.by_ref().find(|word| word != "const" && word != "async");
        if matches!(kind.as_deref(), Some("struct" | "trait" | "fn"))
            && let Some(name) = declared.next()
        {
            items.entry(name).or_default().append(&mut links);
        }
        if std::mem::take(&mut has_example) {
            in_signature = true;
            shown.extend(words(owner));
        }
        if in_signature {
            shown.extend(words(line));
            in_signature = !line.ends_with(['{', ';', '}']);
        }
        links.clear();
    }
}

/// What a crate exports of its own modules, and the types in its first file.
fn exports(library: &str) -> BTreeSet<&str> {
    let uses = library.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let own = uses.filter_map(|path| path.split_once("::")).filter(|(module, _)| !module.starts_with("proofkey_"));
    let names = own.flat_map(|(_, names)| names.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
    names.chain(library.split("\npub struct ").skip(1).filter_map(|rest| rest.split(['<', ' ', '(']).next())).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> + use<'_> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
}
