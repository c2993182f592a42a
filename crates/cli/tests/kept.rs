//! Which tokens are kept, and for how long.

#[expect(dead_code, unreachable_pub, reason = "the other tests need more of the desk, and lend it one another")]
#[path = "cli/desk.rs"]
mod desk;

use desk::Desk;
use proofkey_native::Secret;
use std::fs;
use std::path::Path;

#[test]
fn a_token_of_unknown_lifetime_is_used_until_a_401() {
    let desk = Desk::signed_in();
    desk.edit(|record| (record.requested_at, record.expires_in) = (0, None));
    let refresh_token = desk.record().refresh_token;
    for kept in [None, refresh_token] {
        desk.edit(|record| record.refresh_token = kept);
        assert_eq!(desk.run(&["token"]).stdout, format!("{}\n", desk.record().access_token.expose()));
        assert_eq!(desk.run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    }
    assert_eq!(desk.refreshes(), 0, "the token serves, however old it is");
    desk.edit(|record| record.access_token = Secret::new("unknown-to-the-server".to_owned()));
    assert_eq!(desk.run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    assert_eq!(desk.refreshes(), 1, "the API's 401 ends it");
    assert_ne!(desk.record().access_token.expose(), "unknown-to-the-server");
}

#[test]
fn rotation_leaves_no_copy_of_the_old_refresh_token() {
    let desk = Desk::signed_in();
    for _ in 0..3 {
        let before = desk.record();
        desk.expire();
        assert_eq!(desk.run(&["token"]).code, Some(0));
        let after = desk.record();
        for (new, old) in [
            (Some(&after.access_token), Some(&before.access_token)),
            (after.refresh_token.as_ref(), before.refresh_token.as_ref()),
        ] {
            let (new, old) = (new.expect("a token"), old.expect("a token"));
            assert_eq!(files_with(&desk.home(""), new.expose()), 1, "the new token is kept, once");
            assert_eq!(files_with(&desk.home(""), old.expose()), 0, "the old one nowhere");
        }
    }
}

/// How many files of a folder and its folders hold a text.
fn files_with(folder: &Path, text: &str) -> usize {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let count = |path: std::path::PathBuf| match fs::read(&path) {
        _ if path.is_dir() => files_with(&path, text),
        Ok(bytes) => bytes.windows(text.len()).any(|window| window == text.as_bytes()).into(),
        Err(error) => panic!("{}: {error}", path.display()),
    };
    entries.map(count).sum()
}
