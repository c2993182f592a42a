//! The command-line tool at the real server: devices, pushed logins, bound tokens, who signed in, embedded secrets. Each test has a
//! home of its own.

use crate::Peer;
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_tests::flows::{Target, login_at, tool};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use tempfile::TempDir;

#[test]
fn a_device() {
    let (peer, desk) = (Peer::start(), Desk::new());
    let target = peer.target();
    let (refused, _) = desk.confirm(&target, &[], Decision::Deny);
    fails(&refused, 4, "access_denied");
    let (signed_in, event) = desk.confirm(&target, &[], Decision::Allow);
    succeeds(&signed_in);
    assert_eq!((&event["event"], &event["user"]["sub"]), (&"signed_in".into(), &"alice".into()));
    desk.uses(&target, "Bearer");
    assert_eq!(desk.json(&["logout", "--json"])["revocation"], "done");
    fails(&desk.run(&["token"]), 3, "not signed in");
}

#[test]
fn a_device_with_bound_tokens() {
    let (peer, desk) = (Peer::start_with(&["--dpop-nonce"]), Desk::new());
    let target = Target { client_id: "cli-dpop", ..peer.target() };
    succeeds(&desk.confirm(&target, &["--dpop"], Decision::Allow).0);
    desk.uses(&target, "DPoP");
}

#[test]
fn a_pushed_login() {
    let (peer, desk) = (Peer::start(), Desk::new());
    let target = Target { client_id: "cli-push", ..peer.target() };
    let (plain, _) = login_at(&["--issuer", &target.issuer], &target, desk.0.path(), Decision::Allow);
    fails(&plain, 4, "run `proofkey login --push`");
    let (pushed, visit) = login_at(&["--issuer", &target.issuer, "--push"], &target, desk.0.path(), Decision::Allow);
    succeeds(&pushed);
    assert!(visit.page.contains("Signed in"), "{visit:?}");
    desk.uses(&target, "Bearer");
}

#[test]
fn bound_tokens() {
    for switches in [&[][..], &["--dpop-nonce"]] {
        let (peer, desk) = (Peer::start_with(switches), Desk::new());
        let target = Target { client_id: "cli-dpop", ..peer.target() };
        let server = ["--issuer", &target.issuer];
        let (plain, _) = login_at(&server, &target, desk.0.path(), Decision::Allow);
        fails(&plain, 4, "invalid_grant");
        let (bound, _) = login_at(&[&server[..], &["--dpop"]].concat(), &target, desk.0.path(), Decision::Allow);
        succeeds(&bound);
        desk.uses(&target, "DPoP");
        assert_eq!(desk.json(&["logout", "--json"])["revocation"], "done");
    }
}

#[test]
fn who_signed_in_and_signing_out_at_the_server() {
    let (peer, desk) = (Peer::start(), Desk::new());
    let target = peer.target();
    let server = ["--issuer", &target.issuer, "--extra", "max_age=300"];
    succeeds(&login_at(&server, &target, desk.0.path(), Decision::Allow).0);
    assert_eq!(desk.json(&["status", "--json"])["user"]["sub"], "alice");
    let status = desk.run(&["status"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("\n  user     alice\n"), "{status:?}");
    let out = desk.json(&["logout", "--browser", "--json"]);
    assert_eq!((&out["revocation"], &out["opened"]), (&"done".into(), &false.into()));
    let visit =
        UserAgent::new().run(out["end_session_url"].as_str().expect("a URL"), Decision::Allow).expect("a visit");
    assert!(visit.status == 200 && visit.page.contains("Sign-out"), "{visit:?}");
}

#[test]
fn an_embedded_secret_in_the_body() {
    an_embedded_secret(&Peer::start());
}

#[test]
fn an_embedded_secret_in_the_header() {
    an_embedded_secret(&Peer::start_with(&["--secret-in-header"]));
}

fn an_embedded_secret(peer: &Peer) {
    let desk = Desk::new();
    let target = Target { client_id: "cli-secret", ..peer.target() };
    let file = desk.0.path().join("secret.txt");
    let server = ["--issuer", &target.issuer, "--embedded-secret-file", file.to_str().expect("text")];
    fs::write(&file, "another\n")
        .and_then(|()| fs::set_permissions(&file, Permissions::from_mode(0o600)))
        .expect("a file");
    let (refused, _) = login_at(&server, &target, desk.0.path(), Decision::Allow);
    fails(&refused, 4, "invalid_client");
    fs::write(&file, "not-a-secret\n").expect("a file");
    let (signed_in, _) = login_at(&server, &target, desk.0.path(), Decision::Allow);
    succeeds(&signed_in);
    desk.uses(&target, "Bearer");
    let said = String::from_utf8_lossy(&signed_in.stderr).into_owned();
    assert!(!said.contains("not-a-secret"), "{said}");
}

/// A home folder.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        tool(self.0.path()).args(arguments).output().expect("the tool runs")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        succeeds(&output);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// A login on another device, and the last event of it.
    fn confirm(&self, target: &Target, options: &[&str], decision: Decision) -> (Output, Value) {
        let mut login = tool(self.0.path());
        login.args(["login", "--device", "--json", "--issuer", &target.issuer, "--client-id", target.client_id]);
        login.args(target.scope.iter().flat_map(|scope| ["--scope", scope])).args(options);
        login.args(target.extra.iter().flat_map(|(name, value)| ["--extra".to_owned(), format!("{name}={value}")]));
        let mut child = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut last = Value::Null;
        for line in lines {
            last = serde_json::from_str(&line.expect("a line")).expect("a line of JSON");
            if last["event"] == "device_code" {
                let text = |name: &str| last[name].as_str().expect("a text");
                let page = UserAgent::new().confirm(text("verification_uri"), text("user_code"), decision);
                page.expect("the user decides");
            }
        }
        (child.wait_with_output().expect("the tool ends"), last)
    }

    /// The tokens are of this type, are renewed, and are good for the API.
    fn uses(&self, target: &Target, token_type: &str) {
        let first = self.json(&["token", "--json"]);
        assert_eq!(first["token_type"], token_type);
        let renewed = self.json(&["token", "--refresh", "--json"]);
        assert_ne!(first["access_token"], renewed["access_token"]);
        let called = self.run(&["call", &target.api, "--api-host", "127.0.0.1"]);
        succeeds(&called);
        let user: Value = serde_json::from_slice(&called.stdout).expect("JSON");
        assert_eq!(user["sub"], "alice");
    }
}

fn succeeds(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

fn fails(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(code) && said.contains(words), "{:?}: {said}", output.status);
}
