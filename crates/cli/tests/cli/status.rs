//! `proofkey status`.

use crate::desk::{CLIENT, Desk};

#[test]
fn a_login_is_told_in_plain_words() {
    let desk = Desk::signed_in();
    let run = desk.run(&["status"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    for words in [
        "default, account default: signed in",
        &desk.server.issuer(),
        "demo-native",
        "itwin-platform offline_access",
        "valid for ",
        " UTC",
        "renewed  automatically",
    ] {
        assert!(run.stdout.contains(words), "{words}: {run:?}");
    }
    assert!(!run.stdout.contains('\x1b'));
    desk.expire();
    let run = desk.run(&["status"]);
    assert!(run.code == Some(0) && run.stdout.contains("token    expired 20"), "{run:?}");
}

#[test]
fn json_has_every_part() {
    let desk = Desk::signed_in();
    let status = desk.run(&["status", "--json"]).json();
    assert_eq!(
        status,
        serde_json::json!({
            "profile": "default", "account": "default", "issuer": desk.server.issuer(), "client_id": "demo-native",
            "user": null, "bound": false, "scope": ["itwin-platform", "offline_access"], "signed_in": true,
            "expires_at": desk.record().requested_at + 3600, "refreshable": true, "ended": null,
            "pause": 0, "store": "file",
        })
    );
}

#[test]
fn an_issuer_that_is_not_known_is_null() {
    let desk = Desk::new();
    desk.configure(&format!(
        "[profile.default]\nauthorization_endpoint = '{}'\ntoken_endpoint = '{}'\n{CLIENT}",
        desk.server.authorization_endpoint(),
        desk.server.token_endpoint()
    ));
    desk.sign_in(&[]);
    assert_eq!(desk.run(&["status", "--json"]).json()["issuer"], serde_json::Value::Null);
    let said = desk.run(&["status"]).stdout;
    assert!(said.contains(&format!("server   {}", desk.server.authorization_endpoint())), "{said}");
    desk.edit(|record| record.expires_in = None);
    let said = desk.run(&["status"]).stdout;
    assert!(said.contains("token    the server does not say how long it is valid"), "{said}");
}

#[test]
fn all_profiles_are_listed() {
    let desk = Desk::new();
    let none = desk.run(&["status", "--all", "--json"]);
    none.fails(3, &["not signed in"]);
    assert_eq!(none.json(), serde_json::json!([]));
    for account in ["b", "a"] {
        desk.sign_in(&["--account", account]);
    }
    let all = desk.run(&["status", "--all", "--json"]).json();
    let accounts: Vec<_> = all.as_array().unwrap().iter().map(|status| status["account"].as_str().unwrap()).collect();
    assert_eq!(accounts, ["a", "b"]);
    assert_eq!(desk.run(&["status", "--all"]).stdout.matches("signed in\n").count(), 2);
}

#[test]
fn nobody_is_3() {
    let run = Desk::new().run(&["status", "--json"]);
    run.fails(3, &["not signed in", "proofkey login"]);
    assert_eq!((run.error()["exit"].as_u64(), run.stdout.as_str()), (Some(3), ""));
}
