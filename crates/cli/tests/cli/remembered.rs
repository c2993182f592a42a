//! The settings of a login are remembered for the next one.

use crate::desk::{CLIENT, Desk, browse};
use proofkey_devserver::user_agent::Decision;

#[test]
fn the_next_login_needs_no_options() {
    let desk = Desk::new();
    desk.configure("");
    let issuer = desk.server.issuer();
    desk.sign_in(&["--issuer", &issuer, "--client-id", "demo-native", "--scope", "itwin-platform offline_access"]);
    assert_eq!(desk.run(&["logout"]).code, Some(0));
    desk.run(&["token"]).fails(3, &["sign in with `proofkey login`"]);
    let run = desk.sign_in(&[]);
    assert!(run.stdout.contains("\"scope\":[\"itwin-platform\",\"offline_access\"]"), "{run:?}");
    assert_eq!(desk.run(&["token"]).code, Some(0));

    desk.sign_in(&["--profile", "b", "--issuer", &issuer, "--client-id", "demo-native", "--scope", "admin"]);
    desk.run(&["logout"]);
    let waiting = desk.begin_login(&[]);
    assert!(waiting.url.contains("scope=itwin-platform+offline_access&"), "each name its own: {}", waiting.url);
    browse(&waiting.url, Decision::Allow);
    assert_eq!(waiting.end().code, Some(0));
}

#[test]
fn they_are_forgotten_on_purpose() {
    let desk = Desk::new();
    desk.configure("");
    let issuer = desk.server.issuer();
    let sign_in = || desk.sign_in(&["--issuer", &issuer, "--client-id", "demo-native"]);
    sign_in();
    assert_eq!(desk.run(&["logout", "--forget-settings"]).code, Some(0));
    assert!(desk.files("").is_empty(), "nothing is left: {:?}", desk.files(""));
    desk.run(&["login"]).fails(2, &["no server is known"]);
    sign_in();
    assert_eq!(desk.run(&["logout"]).code, Some(0));
    let run = desk.run(&["logout", "--forget-settings", "--json"]);
    assert_eq!(run.json()["revocation"], serde_json::Value::Null, "{run:?}");
    desk.run(&["login"]).fails(2, &["no server is known"]);
    desk.run(&["logout", "--forget-settings"]).fails(3, &["not signed in"]);
}

#[test]
fn options_and_the_configuration_file_come_first() {
    let desk = Desk::signed_in();
    assert_eq!(desk.run(&["logout"]).code, Some(0));
    desk.configure(&format!(
        "[profile.default]\nissuer = '{}'\n{}",
        desk.server.issuer(),
        CLIENT.replace(", 'offline_access'", "")
    ));
    let waiting = desk.begin_login(&[]);
    assert!(waiting.url.contains("scope=itwin-platform&"), "{}", waiting.url);
    crate::desk::interrupt(&waiting.child);
    assert_eq!(waiting.end().code, Some(130));
}

#[test]
fn a_login_of_an_earlier_version_is_found_and_remembered() {
    let desk = Desk::signed_in();
    let forget = || desk.files(".note").iter().for_each(|note| std::fs::remove_file(note).unwrap());
    forget();
    assert_eq!(desk.run(&["token"]).code, Some(0));
    desk.configure("");
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    assert_eq!(desk.files(".note").len(), 1, "by a refresh");
    forget();
    assert_eq!(desk.run(&["logout"]).code, Some(0));
    assert_eq!(desk.files(".note").len(), 1, "or by the logout");
    desk.sign_in(&[]);
}

#[test]
fn what_is_remembered_is_no_secret() {
    let desk = Desk::signed_in();
    let record = desk.record();
    let [note] = &desk.files(".note")[..] else { panic!("one note") };
    let text = std::fs::read_to_string(note).unwrap();
    assert!(text.contains("demo-native") && !text.contains(record.access_token.expose()), "{text}");
    assert!(!text.contains(record.refresh_token.unwrap().expose()));
    std::fs::write(note, "damaged").unwrap();
    assert_eq!(desk.run(&["token"]).code, Some(0));
}
