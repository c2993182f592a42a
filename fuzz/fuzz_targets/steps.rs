//! Whatever is done with many logins, a code is exchanged once, by the client that began, with that login's own state.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::CodeChallenge;
use proofkey_fuzz::{login::Session, values};
use std::collections::BTreeSet;

fuzz_target!(|script: &str| {
    let (mut session, mut verifiers) = (Session::default(), BTreeSet::new());
    for accepted in script.lines().filter_map(|line| session.step(line)) {
        let verifier = values(&accepted.body, "code_verifier").concat();
        let challenge = CodeChallenge::s256(&verifier).expect("a verifier");
        let query = accepted.query.split('#').next().unwrap_or_default();
        assert_eq!(accepted.clients[0], accepted.clients[1]);
        assert_eq!(values(query, "state"), [accepted.state]);
        assert_eq!(challenge.as_str(), accepted.challenge);
        assert!(verifiers.insert(verifier));
    }
});
