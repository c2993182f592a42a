//! Embedded secrets: a client whose server wants one.

use crate::desk::{CLIENT, Desk, TOKEN, browse};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{ClientRegistration, Options};
use std::fs;

const SECRET: &str = "GOCSPX-canary+7";
const SENT: &str = "&client_secret=GOCSPX-canary%2B7";

fn desk() -> Desk {
    let client = ClientRegistration { embedded_secret: Some(SECRET.to_owned()), ..ClientRegistration::default() };
    Desk::with(Options { clients: vec![client], ..Options::default() })
}

/// The options of a first login.
fn options(desk: &Desk) -> [&'static str; 7] {
    let issuer = Box::leak(desk.server.issuer().into_boxed_str());
    ["--issuer", issuer, "--client-id", "demo-native", "--embedded-secret-file", "secret.txt", "--scope=offline_access"]
}

/// A private file with the secret.
fn file(desk: &Desk, name: &str, text: &str) {
    let path = desk.home(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    set_mode(desk, name, 0o600);
}

#[cfg(unix)]
fn set_mode(desk: &Desk, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(desk.home(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Desk, _: &str, _: u32) {}

/// How many requests to the token endpoint there were, all of them with the secret.
fn sent(desk: &Desk) -> usize {
    let requests = desk.requests(TOKEN);
    assert!(requests.iter().all(|entry| entry.body.ends_with(SENT)), "{requests:?}");
    requests.len()
}

#[test]
fn a_secret_in_a_file_is_sent_and_kept_for_the_refresh() {
    let desk = desk();
    file(&desk, "secret.txt", &format!("{SECRET}\n"));
    desk.configure("");
    desk.sign_in(&options(&desk));
    assert_eq!(sent(&desk), 1);
    fs::remove_file(desk.home("secret.txt")).unwrap();
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    assert_eq!(sent(&desk), 2, "a refresh needs no file");
    let run = desk.run(&["login", "--no-browser", "--timeout", "1"]);
    run.fails(2, &["embedded secret in ", "secret.txt: No such file"]);
    file(&desk, "secret.txt", SECRET);
    desk.sign_in(&[]);
    assert_eq!(sent(&desk), 3, "the file is remembered");
    assert_eq!(desk.run(&["logout", "--json"]).json()["revocation"], "done");
    assert!(desk.requests("/connect/revocation").iter().all(|entry| entry.body.ends_with(SENT)));
}

#[test]
fn a_secret_goes_into_the_header_if_the_server_or_the_user_wants_it_there() {
    let registered = |client_id: &str, secret_in_header| ClientRegistration {
        client_id: client_id.to_owned(),
        embedded_secret: Some(SECRET.to_owned()),
        secret_in_header,
        ..ClientRegistration::default()
    };
    let client = registered("demo-native", true);
    let knows_both = vec![client.clone(), registered("other", false)];
    for (clients, option, key) in [
        (vec![client], &[][..], ""),
        (knows_both.clone(), &["--embedded-secret-in-header"], ""),
        (knows_both, &[], "embedded_secret_in_header = true\n"),
    ] {
        let desk = Desk::with(Options { clients, ..Options::default() });
        file(&desk, "secret.txt", SECRET);
        let issuer = desk.server.issuer();
        let text = "embedded_secret_file = '../../secret.txt'\n";
        desk.configure(&format!("[profile.default]\nissuer = '{issuer}'\n{CLIENT}{text}{key}"));
        desk.sign_in(&[&["--push", "--scope=offline_access"], option].concat());
        assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
        assert_eq!(desk.run(&["logout", "--json"]).json()["revocation"], "done");
        for (place, count) in [(TOKEN, 2), ("/connect/par", 1), ("/connect/revocation", 2)] {
            let requests = desk.requests(place);
            assert_eq!(requests.len(), count, "{place}");
            assert!(requests.iter().all(|entry| !entry.body.contains("client_secret")), "{requests:?}");
        }
    }
    let desk = Desk::with(Options {
        clients: vec![registered("demo-native", true), registered("other", false)],
        ..Options::default()
    });
    file(&desk, "secret.txt", SECRET);
    desk.configure("");
    let run = desk.run(&[&["login", "--no-browser", "--timeout", "20", "--push"], &options(&desk)[..]].concat());
    run.fails(4, &["invalid_client", "--embedded-secret-in-header"]);
}

#[test]
fn a_secret_can_stand_in_the_configuration() {
    let desk = desk();
    let issuer = desk.server.issuer();
    for (text, files) in [
        (format!("embedded_secret = '{SECRET}'\n"), false),
        ("embedded_secret_file = 'in/secret.txt'\n".to_owned(), true),
    ] {
        desk.configure(&format!("[profile.default]\nissuer = '{issuer}'\n{CLIENT}{text}"));
        set_mode(&desk, "config/proofkey/config.toml", 0o600);
        if files {
            file(&desk, "config/proofkey/in/secret.txt", SECRET);
        }
        let before = sent(&desk);
        desk.sign_in(&[]);
        assert_eq!(sent(&desk), before + 1, "{text}");
    }
}

#[test]
fn a_secret_is_never_printed() {
    let desk = desk();
    file(&desk, "secret.txt", SECRET);
    desk.configure("");
    let mut printed = format!("{:?}", desk.sign_in(&[&options(&desk)[..], &["--save"]].concat()));
    let login = ["login", "--save", "--no-browser", "--timeout", "1"];
    for args in [&["token", "--json"][..], &["status", "--json"], &["status", "--all"], &login] {
        printed += &format!("{:?}", desk.run(args));
    }
    printed += &fs::read_to_string(desk.config()).unwrap();
    for note in desk.files(".note") {
        printed += &fs::read_to_string(note).unwrap();
    }
    assert!(!printed.contains("canary"), "{printed}");
    let kept = fs::read_to_string(desk.file()).unwrap();
    assert!(kept.contains(SECRET), "only the sign-in itself has it");
}

#[test]
fn a_secret_that_cannot_be_used_is_explained() {
    let desk = desk();
    let issuer = desk.server.issuer();
    let login =
        |desk: &Desk| desk.run(&["login", "--no-browser", "--timeout", "1", "--embedded-secret-file", "secret.txt"]);
    login(&desk).fails(2, &["embedded secret in ", "secret.txt: No such file"]);
    for text in ["", "\n", "two\nlines", "\u{e9}", &"x".repeat(5_000), "canary\u{0}"] {
        file(&desk, "secret.txt", text);
        let long = text.len() > 4_096;
        let run = login(&desk);
        if long {
            run.fails(2, &["longer than 4096 bytes"]);
        } else {
            run.fails(2, &["secret.txt: the embedded secret is empty or not printable ASCII"]);
        }
        assert!(!run.stderr.contains("canary"), "{run:?}");
    }
    fs::write(desk.home("secret.txt"), [0xff]).unwrap();
    login(&desk).fails(2, &["secret.txt: "]);
    let both = "embedded_secret = 'a'\nembedded_secret_file = 'b'\n";
    desk.configure(&format!("[profile.default]\nissuer = '{issuer}'\n{CLIENT}{both}"));
    desk.run(&["token"]).fails(2, &["give only one of `embedded_secret` and `embedded_secret_file`"]);
    desk.configure("[profile.default]\nclient_id = 'x'\nembedded_secret = 'canary\u{e9}'\n");
    let run = desk.run(&["token"]);
    run.fails(2, &["config.toml:3: the embedded secret is empty or not printable ASCII"]);
    assert!(!run.stderr.contains("canary"), "{run:?}");
    assert!(desk.requests(TOKEN).is_empty());
}

#[cfg(unix)]
#[test]
fn a_secret_that_everybody_can_read_is_refused() {
    let desk = desk();
    let issuer = desk.server.issuer();
    file(&desk, "secret.txt", SECRET);
    set_mode(&desk, "secret.txt", 0o644);
    let words = ["every user of this machine can read this file", "make it private: chmod o= "];
    let run = desk.run(&["login", "--no-browser", "--timeout", "1", "--embedded-secret-file", "secret.txt"]);
    run.fails(2, &words);
    desk.configure(&format!("[profile.default]\nissuer = '{issuer}'\n{CLIENT}embedded_secret = '{SECRET}'\n"));
    set_mode(&desk, "config/proofkey/config.toml", 0o644);
    desk.run(&["login", "--no-browser", "--timeout", "1"]).fails(2, &words);
    set_mode(&desk, "config/proofkey/config.toml", 0o640);
    let waiting = desk.begin_login(&[]);
    browse(&waiting.url, Decision::Allow);
    assert_eq!(waiting.end().code, Some(0), "a group may read it");
}
