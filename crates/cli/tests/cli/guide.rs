//! The commands in the README and the guide have the options that they are shown with.

use crate::desk::Desk;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn commands_that_are_shown_can_be_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_dir(root.join("docs/guide")).unwrap().map(|entry| entry.unwrap().path());
    let desk = Desk::new();
    let seen: usize = guide.chain([root.join("README.md")]).map(|page| commands(&desk, &page)).sum();
    assert!(seen > 5, "{seen} commands");
}

/// How many commands a page shows. Each has a subcommand of the tool, and only options of that.
fn commands(desk: &Desk, page: &PathBuf) -> usize {
    let text = fs::read_to_string(page).unwrap();
    let blocks = text.split("\n```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.split('#').next()?.strip_prefix("proofkey "));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let subcommand = words.next().unwrap();
            let help = desk.run(&[subcommand, "--help"]);
            assert_eq!(help.code, Some(0), "{}: {line}", page.display());
            for option in words.filter(|word| word.starts_with("--")) {
                let known = help.stdout.split_whitespace().any(|word| word.trim_end_matches(',') == option);
                assert!(known, "{}: no {option} in `proofkey {line}`", page.display());
            }
        })
        .count()
}
