//! What the listings of the public API let no one do.

use crate::root;
use std::fs;

#[test]
fn only_the_steps_of_a_login_make_its_secrets() {
    let core = listing("core");
    for (part, makers) in [
        // c050, c088: a login begins here, or is read back whole; an address alone makes none.
        ("Pending", &["Client<'a>::authorize", "Pending::deserialize"][..]),
        // c079: tokens are asked for with a code whose redirect was checked, or with a refresh token.
        ("TokenRequest", &["Client<'a>::refresh", "Pending::accept", "TokenRequest<'a>::with"]),
        // c050: nobody brings a verifier along.
        ("CodeVerifier", &["CodeVerifier::generate"]),
    ] {
        let found = makers_of(&core, part);
        let alike = found.iter().zip(makers).all(|(found, maker)| found.starts_with(maker));
        assert!(alike && found.len() == makers.len(), "{part} is made by {found:?}");
    }
    for (name, known) in
        [("core", "::authorize<"), ("native", "::open("), ("reqwest", "::login("), ("ureq", "::login(")]
    {
        // What is kept is a `Secret` of the user's.
        let listing = listing(name).to_lowercase().replace("proofkey_native::secret", "");
        assert!(listing.contains(known), "proofkey-{name}: methods are among the names");
        // c057, c060, c079: no secret of the client's, no browser of one's own, no password.
        for word in ["client_assertion", "device", "implicit", "password", "plain", "resume", "secret", "webview"] {
            assert!(!listing.contains(word), "proofkey-{name}: {word}");
        }
    }
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
