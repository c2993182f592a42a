//! Who signed in, signing out at the server, and APIs that want the user to sign in anew.

use crate::desk::{Desk, Run, browse};
use crate::device::Shown;
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{Faults, IdTokenFault, Options};

const OPENID: [&str; 2] = ["--scope", "itwin-platform offline_access openid profile email"];

#[test]
fn the_user_is_told_at_the_login_and_in_the_status() {
    let desk = Desk::new();
    let run = desk.sign_in(&OPENID);
    let last: serde_json::Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["user"], serde_json::json!({"sub": "alice", "name": "Alice"}));
    let run = desk.run(&["status"]);
    assert!(run.stdout.contains("\n  user     Alice (alice)\n") && run.stderr.is_empty(), "{run:?}");
    assert_eq!(desk.run(&["status", "--json"]).json()["user"]["sub"], "alice");
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    assert_eq!(desk.run(&["status", "--json"]).json()["user"]["name"], "Alice", "after a refresh");
    desk.sign_in(&["--scope", "itwin-platform"]);
    assert!(!desk.run(&["status"]).stdout.contains("user"), "a server that does not say");
}

#[test]
fn an_account_that_is_named_after_somebody_else_is_warned_of() {
    let desk = Desk::new();
    let sign_in = |account: &str, user: &str| {
        let waiting = desk.begin_login(&[&OPENID[..], &["--account", account]].concat());
        UserAgent::new().as_user(user).run(&waiting.url, Decision::Allow).unwrap();
        let run = waiting.end();
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stderr
    };
    let status = |args: &[&str]| {
        let run = desk.run(&[&["status"], args].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stderr
    };
    let warning = "warning: account `bob` is signed in as Alice (alice)\n";
    let is_warned = |said: &str| said.contains("warning");

    // A label, and the names that the server has for the user.
    for account in ["work", "me@", "alice", "ALICE", "alice@example.test"] {
        assert!(!is_warned(&sign_in(account, "alice")), "{account}");
        assert!(!is_warned(&status(&["--account", account])), "{account}");
    }
    assert!(!is_warned(&sign_in("work", "bob")), "a label is nobody's");

    // Nobody has been called `bob` here yet; then somebody has.
    assert!(!is_warned(&sign_in("bob", "alice")));
    assert!(!is_warned(&sign_in("bob", "bob")));
    assert!(sign_in("bob", "alice").contains(warning));
    assert!(status(&["--account", "bob"]) == warning && status(&["--all"]).contains(warning));
    assert_eq!(desk.run(&["logout", "--account", "bob"]).code, Some(0));
    assert!(sign_in("bob", "alice").contains(warning), "after a sign-out, too");

    let warning = "warning: account `bob@example.test` is signed in as Alice (alice)\n";
    assert!(sign_in("bob@example.test", "alice").contains(warning), "an address is a user's");
    assert_eq!(status(&["--account", "bob@example.test"]), warning);
}

#[test]
fn a_device_and_a_paste_say_who_signed_in_too() {
    let desk = Desk::with(Options { device_interval: 0, ..Options::default() });
    let shown = Shown::begin(&desk, &[&OPENID[..], &["--device"]].concat());
    shown.confirm(Decision::Allow);
    assert_eq!(shown.end().json()["user"]["sub"], "alice");
    let paste = ["login", "--json", "--paste", "--redirect-uri", "https://app.example/paste"];
    let mut waiting = desk.begin(&[&paste[..], &OPENID].concat());
    let redirect = browse(&waiting.url, Decision::Allow);
    waiting.type_line(&redirect);
    let run = waiting.end();
    assert!(run.code == Some(0) && run.stdout.contains(r#""user":{"sub":"alice","name":"Alice"}"#), "{run:?}");
}

#[test]
fn an_id_token_of_somebody_else_signs_nobody_in() {
    let desk = Desk::new();
    for fault in [IdTokenFault::Audience, IdTokenFault::Nonce, IdTokenFault::Issuer] {
        desk.server.set_faults(Faults { id_token: Some(fault), ..Faults::default() });
        let waiting = desk.begin_login(&OPENID);
        browse(&waiting.url, Decision::Allow);
        let run = waiting.end();
        run.fails(4, &["ID token", "sign in again with `proofkey login`"]);
    }
    desk.server.set_faults(Faults { id_token: Some(IdTokenFault::OldSignIn), ..Faults::default() });
    let waiting = desk.begin_login(&[&OPENID[..], &["--extra", "max_age=300"]].concat());
    browse(&waiting.url, Decision::Allow);
    waiting.end().fails(4, &["at most 300 s were asked for"]);
    desk.run(&["token"]).fails(3, &["not signed in"]);
}

#[cfg(unix)]
#[test]
fn a_sign_out_at_the_server_opens_its_page() {
    let desk = Desk::new();
    desk.sign_in(&OPENID);
    let kept = desk.record().user.unwrap().id_token.unwrap();
    let run: Run = desk.with_browser(&["logout", "--browser", "--json"]).output().unwrap().into();
    let opened = desk.opened();
    let url = opened.lines().nth(1).unwrap();
    assert!(url.starts_with(&format!("{}?", desk.server.end_session_endpoint())), "{url}");
    assert!(url.contains(kept.expose()) && url.contains("client_id=demo-native"), "{url}");
    let json = run.json();
    assert_eq!(
        (&json["revocation"], &json["opened"], &json["end_session_url"]),
        (&"done".into(), &true.into(), &url.into())
    );
    desk.sign_in(&OPENID);
    let run = desk.run(&["logout", "--browser"]);
    assert!(run.code == Some(0) && run.stderr.contains("To sign out of the server too, open this URL"), "{run:?}");
    assert!(run.stderr.contains(&desk.server.end_session_endpoint()), "{run:?}");
}

#[test]
fn a_sign_out_that_the_server_cannot_do_changes_nothing() {
    let desk = Desk::new();
    desk.sign_in(&[]);
    desk.run(&["logout", "--browser"])
        .fails(2, &["did not say who signed in", "leave out --browser", "--scope openid"]);
    desk.sign_in(&OPENID);
    desk.edit(|record| drop(record.endpoints.remove("end_session_endpoint")));
    desk.run(&["logout", "--browser"]).fails(2, &["no end session endpoint is known", "leave out --browser"]);
    assert!(desk.requests("/connect/revocation").is_empty());
    assert_eq!(desk.run(&["token"]).code, Some(0));
}

#[test]
fn an_api_that_wants_a_better_sign_in_says_how() {
    let desk = Desk::new();
    desk.sign_in(&OPENID);
    let api = desk.server.api("/api/payments");
    let run = desk.run(&["call", &api]);
    run.fails(7, &["sign in more recently or in another way; sign in again with `proofkey login --extra acr_values="]);
    let command = run.stderr.split('`').nth(1).unwrap();
    let options: Vec<&str> = command.split(' ').skip(2).collect();
    assert_eq!((options.len(), options[3]), (4, "max_age=300"), "{command}");
    desk.sign_in(&[&OPENID[..], &options].concat());
    assert_eq!(desk.run(&["call", &api]).code, Some(0), "that is enough");
}
