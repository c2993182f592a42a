//! What the listings of the public API let nobody do.

use crate::root;
use std::fs;

#[test]
fn only_the_steps_of_a_login_make_its_secrets() {
    let core = listing("core");
    for (part, makers) in [
        // A login begins here, or is read back whole; an address alone makes none.
        ("Pending", &["Client<'a>::authorize", "Client<'a>::push", "Pending::deserialize"][..]),
        // Tokens are requested with a code whose redirect was checked, or with a refresh token.
        (
            "TokenRequest",
            &[
                "Client<'a>::refresh",
                "Pending::accept",
                "TokenRequest<'a>::of_user",
                "TokenRequest<'a>::with",
                "TokenRequest<'a>::with_max_age",
            ],
        ),
        // Nobody brings a verifier along.
        ("CodeVerifier", &["CodeVerifier::generate"]),
    ] {
        let found = makers_of(&core, part);
        let alike = found.iter().zip(makers).all(|(found, maker)| found.starts_with(maker));
        assert!(alike && found.len() == makers.len(), "{part} is made by {found:?}");
    }
}

#[test]
fn no_public_name_offers_a_flow_that_is_forbidden() {
    for (name, known) in
        [("core", "::authorize<"), ("native", "::open("), ("reqwest", "::login("), ("ureq", "::login(")]
    {
        let listing = listing(name).to_lowercase();
        assert!(listing.contains(known), "proofkey-{name}: methods are among the names");
        for word in ["implicit", "password", "webview"] {
            assert!(!listing.contains(word), "proofkey-{name}: {word}");
        }
    }
}

#[test]
fn the_public_names_of_the_core_fit_on_one_screen() {
    let source = fs::read_to_string(root().join("crates/core/src/lib.rs")).expect("the first page of the core");
    let first = source.lines().position(|line| line.starts_with("pub ")).expect("a public name");
    let last = source.lines().count() - source.lines().rev().position(|line| line.starts_with("pub ")).expect("a name");
    let lines = last - first;
    assert!(lines <= 45, "{lines} lines");
}

/// The public functions that give a part, alone or among others.
fn makers_of<'l>(listing: &'l str, part: &str) -> Vec<&'l str> {
    let functions = listing.lines().filter_map(|line| line.split_once("fn proofkey_core::")?.1.split_once(" -> "));
    let makers = functions.filter(|(function, given)| {
        let named = given.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == part);
        named || (function.split(['<', ':']).next() == Some(part) && given.contains("Self"))
    });
    makers.map(|(function, _)| function).collect()
}

fn listing(name: &str) -> String {
    fs::read_to_string(root().join(format!("docs/api/{name}.txt"))).expect(name)
}
