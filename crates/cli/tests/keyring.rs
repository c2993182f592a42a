//! Sign-ins in a real system keyring. `.ci/run keyring` starts one, unlocked, on a bus of its own.

#[expect(dead_code, unreachable_pub, reason = "the other tests need more of the desk, and lend it one another")]
#[path = "cli/desk.rs"]
mod desk;

use desk::{CLIENT, Desk, Run, Waiting, browse};
use proofkey_devserver::user_agent::Decision;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, thread};

const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

#[test]
#[ignore = "needs a keyring"]
fn a_sign_in_is_kept_there_renewed_and_forgotten() {
    let desk = signed_in();
    let run = |args: &[&str]| Run::from(command(&desk, args).output().unwrap());
    let first = run(&["token"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    thread::sleep(Duration::from_secs(2));
    let renewed = run(&["token", "--min-valid", "3600"]);
    assert_ne!(renewed.stdout, first.stdout, "{renewed:?}");
    assert_eq!(run(&["token"]).stdout, renewed.stdout, "the new one was kept");
    assert_eq!(run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    let status = run(&["status"]);
    assert!(status.code == Some(0) && status.stdout.contains("the system's keyring"), "{status:?}");
    for file in desk.files("") {
        let kept = fs::read_to_string(&file).unwrap();
        let is_lock = file.extension() == Some("lock".as_ref()) && kept.is_empty();
        assert!(is_lock || file.extension() == Some("note".as_ref()), "only locks and settings are files: {file:?}");
        assert!([&first, &renewed].iter().all(|run| !kept.contains(run.stdout.trim_end())), "{kept}");
    }

    let elsewhere = desk.run(&["token"]);
    assert!(elsewhere.stdout.is_empty(), "{elsewhere:?}");
    elsewhere.fails(1, &["there is no system keyring", "keep the sign-ins in files"]);
    assert_eq!(run(&["logout"]).code, Some(0));
    assert_eq!(desk.requests("/connect/revocation").len(), 2, "both tokens");
    let gone = run(&["token"]);
    assert!(gone.stdout.is_empty(), "{gone:?}");
    gone.fails(3, &["proofkey login"]);
}

#[test]
#[ignore = "needs a keyring"]
fn a_newer_sign_in_is_refused_there_and_left_as_it_is() {
    const NEWER: &[u8] = b"proofkey record 3 sealed";
    let desk = signed_in();
    let run = |args: &[&str]| Run::from(command(&desk, args).output().unwrap());
    let [lock] = &desk.files(".lock")[..] else { panic!("one record") };
    let entry = keyring::Entry::new("proofkey", lock.file_stem().unwrap().to_str().unwrap()).unwrap();
    assert!(entry.get_secret().unwrap().starts_with(b"proofkey record 2 "));
    entry.set_secret(NEWER).unwrap();
    let asked = desk.server.log().len();
    for args in [
        &["token"][..],
        &["token", "--refresh"],
        &["call", &desk.server.api("/api/me")],
        &["status"],
        &["logout"],
        &["login", "--no-browser", "--timeout", "1"],
    ] {
        run(args).fails(
            2,
            &[
                "in the system keyring was written by a newer proofkey (it has format 3",
                "`proofkey logout --forget-anyway`",
            ],
        );
        assert_eq!(entry.get_secret().unwrap(), NEWER, "{args:?}");
    }
    assert_eq!(desk.server.log().len(), asked, "nothing was sent");
    let waiting = Waiting::of(command(&desk, &["login", "--json", "--no-browser", "--profile", "other"]));
    browse(&waiting.url, Decision::Allow);
    assert_eq!(waiting.end().code, Some(0), "another profile is not affected");
    assert_eq!(run(&["logout", "--profile", "other"]).code, Some(0));

    assert_eq!(run(&["logout", "--forget-anyway"]).code, Some(0));
    assert!(matches!(entry.get_secret(), Err(keyring::Error::NoEntry)));
}

/// Somebody who is signed in, with the tokens in the keyring.
fn signed_in() -> Desk {
    let desk = Desk::new();
    let profile =
        |name: &str| format!("[profile.{name}]\nissuer = '{}'\nstore = 'keyring'\n{CLIENT}", desk.server.issuer());
    desk.configure(&(profile("default") + &profile("other")));
    let waiting = Waiting::of(command(&desk, &["login", "--json", "--no-browser"]));
    browse(&waiting.url, Decision::Allow);
    let signed_in = waiting.end();
    assert_eq!(signed_in.code, Some(0), "{signed_in:?}");
    desk
}

fn command(desk: &Desk, args: &[&str]) -> Command {
    let mut command = desk.command(args);
    command.env(BUS, env::var_os(BUS).expect("a bus: run this by `.ci/run keyring`"));
    command
}
