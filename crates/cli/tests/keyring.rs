//! Sign-ins in a real system keyring. `.ci/run keyring` starts one, unlocked, on a bus of its own.

#[expect(dead_code, unreachable_pub, reason = "the other tests need more of the desk, and lend it one another")]
#[path = "cli/desk.rs"]
mod desk;

use desk::{CLIENT, Desk, Run, Waiting, browse};
use proofkey_devserver::user_agent::Decision;
use std::time::Duration;
use std::{env, fs, thread};

const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

#[test]
#[ignore = "needs a keyring"]
fn a_sign_in_is_kept_there_renewed_and_forgotten() {
    let desk = Desk::new();
    desk.configure(&format!("[profile.default]\nissuer = '{}'\nstore = 'keyring'\n{CLIENT}", desk.server.issuer()));
    let command = |args: &[&str]| {
        let mut command = desk.command(args);
        command.env(BUS, env::var_os(BUS).expect("a bus: run this by `.ci/run keyring`"));
        command
    };
    let run = |args: &[&str]| Run::from(command(args).output().unwrap());

    let waiting = Waiting::of(command(&["login", "--json", "--no-browser"]));
    browse(&waiting.url, Decision::Allow);
    let signed_in = waiting.end();
    assert_eq!(signed_in.code, Some(0), "{signed_in:?}");

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
