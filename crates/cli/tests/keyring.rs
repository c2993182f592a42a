//! Sign-ins in a real system keyring. `.ci/run keyring` starts one, unlocked, on a bus of its own.

#[expect(dead_code, unreachable_pub, reason = "the other tests need more of the desk, and lend it one another")]
#[path = "cli/desk.rs"]
mod desk;

use desk::{CLIENT, Desk, Run, Waiting, browse};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{EndpointFault, Faults, Options, ProofRules};
use std::path::PathBuf;
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
    for file in desk.files("").into_iter().filter(|file| file.is_file()).chain([row(&desk)]) {
        let kept = fs::read(&file).unwrap();
        let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
        assert!([&first, &renewed].iter().all(|run| !holds(run.stdout.trim_end())), "sealed: {file:?}");
    }
    assert_eq!(keyring::Entry::new("proofkey", "sealing-key").unwrap().get_secret().unwrap().len(), 32);

    if cfg!(target_os = "linux") {
        let elsewhere = desk.run(&["token"]);
        assert!(elsewhere.stdout.is_empty(), "{elsewhere:?}");
        elsewhere.fails(1, &["there is no system keyring", "keep the logins in files"]);
    }
    assert_eq!(run(&["logout"]).code, Some(0));
    assert_eq!(desk.requests("/connect/revocation").len(), 2, "both tokens");
    let gone = run(&["token"]);
    assert!(gone.stdout.is_empty(), "{gone:?}");
    gone.fails(3, &["proofkey login"]);
}

#[test]
#[ignore = "needs a keyring"]
fn the_key_of_bound_tokens_is_sealed_there_with_them() {
    let dpop = ProofRules { required: true, token_nonce: true, api_nonce: true };
    let desk = desk_with(Options { dpop, ..Options::default() });
    let run = |args: &[&str]| Run::from(command(&desk, args).output().unwrap());
    let waiting = Waiting::of(command(&desk, &["login", "--json", "--no-browser", "--dpop"]));
    browse(&waiting.url, Decision::Allow);
    let signed_in = waiting.end();
    assert_eq!(signed_in.code, Some(0), "{signed_in:?}");
    assert_eq!(run(&["status", "--json"]).json()["bound"], true);
    assert_eq!(run(&["token", "--refresh"]).code, Some(0), "the key is there, in another process");
    assert_eq!(run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    let kept = fs::read(row(&desk)).unwrap();
    assert!(!kept.windows(11).any(|window| window == b"signing_key"), "sealed");
    assert_eq!(run(&["logout", "--json"]).json()["revocation"], "done");
}

#[test]
#[ignore = "needs a keyring"]
fn a_newer_sign_in_is_refused_there_and_left_as_it_is() {
    const NEWER: &[u8] = b"proofkey record 4 sealed\n";
    let desk = signed_in();
    let run = |args: &[&str]| Run::from(command(&desk, args).output().unwrap());
    let file = row(&desk);
    fs::write(&file, NEWER).unwrap();
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
                &file.display().to_string(),
                "was written by a newer proofkey (it has format 4)",
                "`proofkey logout --forget-anyway`",
            ],
        );
        assert_eq!(fs::read(&file).unwrap(), NEWER, "{args:?}");
    }
    assert_eq!(desk.server.log().len(), asked, "nothing was sent");
    let waiting = Waiting::of(command(&desk, &["login", "--json", "--no-browser", "--profile", "other"]));
    browse(&waiting.url, Decision::Allow);
    assert_eq!(waiting.end().code, Some(0), "another profile is not affected");
    assert_eq!(run(&["logout", "--profile", "other"]).code, Some(0));

    assert_eq!(run(&["logout", "--forget-anyway"]).code, Some(0));
    assert!(!file.exists());
}

#[test]
#[ignore = "needs a keyring"]
fn a_token_that_is_too_long_for_a_keyring_is_kept() {
    let long = "x".repeat(5_000);
    let body = format!(r#"{{"access_token":"{long}","token_type":"Bearer","expires_in":3600,"refresh_token":"R"}}"#);
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let desk = desk();
    let token = Some(EndpointFault::Respond { status: 200, headers, body });
    desk.server.set_faults(Faults { token, ..Faults::default() });
    sign_in(&desk);
    let run = Run::from(command(&desk, &["token"]).output().unwrap());
    assert_eq!((run.code, run.stdout.trim_end()), (Some(0), &*long), "{}", run.stderr);
}

/// The file of the one sealed row.
fn row(desk: &Desk) -> PathBuf {
    let mut paths = fs::read_dir(desk.home("state/proofkey/keyring")).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_none()).expect("a row")
}

/// Somebody who is signed in, with the tokens in the keyring.
fn signed_in() -> Desk {
    let desk = desk();
    sign_in(&desk);
    desk
}

/// A desk whose profiles use the keyring.
fn desk() -> Desk {
    desk_with(Options::default())
}

fn desk_with(options: Options) -> Desk {
    let desk = Desk::with(options);
    let profile =
        |name: &str| format!("[profile.{name}]\nissuer = '{}'\nstore = 'keyring'\n{CLIENT}", desk.server.issuer());
    desk.configure(&(profile("default") + &profile("other")));
    desk
}

fn sign_in(desk: &Desk) {
    let waiting = Waiting::of(command(desk, &["login", "--json", "--no-browser"]));
    browse(&waiting.url, Decision::Allow);
    let signed_in = waiting.end();
    assert_eq!(signed_in.code, Some(0), "{signed_in:?}");
}

fn command(desk: &Desk, args: &[&str]) -> Command {
    let mut command = desk.command(args);
    if cfg!(target_os = "linux") {
        command.env(BUS, env::var_os(BUS).expect("a bus: run this by `.ci/run keyring`"));
    }
    command
}
