//! `proofkey login --device`.

use crate::desk::{CLIENT, Desk, Run, TOKEN, browse, interrupt};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{EndpointFault, Faults, MetadataFault, Options, RefreshFault, When};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

/// A `login --device --json` whose code is shown.
pub struct Shown {
    pub child: Child,
    pub prompt: Value,
    stdout: BufReader<ChildStdout>,
}

impl Shown {
    pub fn begin(desk: &Desk, args: &[&str]) -> Self {
        let command = &mut desk.command(&[&["login", "--json"], args].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        if line.is_empty() {
            panic!("{:?}", Run::from(child.wait_with_output().unwrap()));
        }
        let prompt: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(prompt["event"], "device_code", "{line}");
        Self { child, prompt, stdout }
    }

    pub fn confirm(&self, decision: Decision) {
        let text = |name: &str| self.prompt[name].as_str().unwrap();
        UserAgent::new().confirm(text("verification_uri"), text("user_code"), decision).unwrap();
    }

    pub fn end(mut self) -> Run {
        let mut seen = String::new();
        self.stdout.read_to_string(&mut seen).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Run { stdout: seen, ..output.into() }
    }
}

/// A desk whose server is polled every second.
fn desk() -> Desk {
    Desk::with(Options { device_interval: 0, ..Options::default() })
}

#[test]
fn a_code_that_is_confirmed_elsewhere_signs_in() {
    let desk = desk();
    let shown = Shown::begin(&desk, &["--device"]);
    let page = shown.prompt["verification_uri"].as_str().unwrap().to_owned();
    let code = shown.prompt["user_code"].as_str().unwrap();
    assert_eq!(shown.prompt["verification_uri_complete"], format!("{page}?user_code={code}"));
    assert_eq!((&shown.prompt["expires_in"], &shown.prompt["unasked"]), (&600.into(), &false.into()));
    shown.confirm(Decision::Allow);
    let run = shown.end();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!((run.json()["event"].as_str(), &run.json()["refreshable"]), (Some("signed_in"), &true.into()));
    assert_eq!(desk.record().redirect_uri, "", "a device has none");
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    assert_eq!(desk.run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    assert_eq!(desk.run(&["logout", "--json"]).json()["revocation"], "done");
    desk.sign_in(&[]);
}

#[test]
fn endpoints_are_enough_for_a_device() {
    let desk = desk();
    let (device, token) = (desk.server.device_endpoint(), desk.server.token_endpoint());
    desk.configure(&format!(
        "[profile.default]\ndevice_authorization_endpoint = '{device}'\ntoken_endpoint = '{token}'\n{CLIENT}"
    ));
    let shown = Shown::begin(&desk, &["--no-browser"]);
    shown.confirm(Decision::Allow);
    let run = shown.end();
    assert_eq!(run.code, Some(0), "there is no other way: {run:?}");
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    let options =
        ["--device-authorization-endpoint", &device, "--token-endpoint", &token, "--client-id", "demo-native"];
    desk.configure("");
    let shown = Shown::begin(&desk, &[&options[..], &["--profile", "other", "--save"]].concat());
    shown.confirm(Decision::Allow);
    assert_eq!(shown.end().code, Some(0));
    let saved = std::fs::read_to_string(desk.config()).unwrap();
    assert!(saved.contains(&format!("device_authorization_endpoint = \"{device}\"\n")), "{saved}");
}

#[test]
fn a_server_that_is_only_for_devices_is_found_by_its_issuer() {
    let desk = desk();
    desk.server.set_faults(Faults { metadata: Some(MetadataFault::NoAuthorization), ..Faults::default() });
    let shown = Shown::begin(&desk, &["--no-browser"]);
    assert_eq!(shown.prompt["unasked"], false);
    shown.confirm(Decision::Allow);
    let run = shown.end();
    assert_eq!(run.code, Some(0), "there is no other way: {run:?}");
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    let run = desk.run(&["login", "--paste"]);
    run.fails(2, &["no authorization endpoint is known for this server", "use --device"]);
}

#[test]
fn a_device_is_chosen_only_if_there_is_no_browser() {
    let desk = desk();
    let shown = Shown::begin(&desk, &[]);
    assert_eq!(shown.prompt["unasked"], true);
    shown.confirm(Decision::Allow);
    assert_eq!(shown.end().code, Some(0));
    let login = |args: &[&str]| desk.run(&[&["login", "--timeout", "1"], args].concat());
    let run = login(&[]);
    run.fails(6, &["No browser can be opened on this machine, so sign in on another device", "enter this code there"]);
    for args in [&["--no-browser"][..], &["--redirect-uri", "http://127.0.0.1/callback"]] {
        login(args).fails(6, &["open this URL in a browser on this machine"]);
    }
    let run = desk.run_with_input(&["login", "--paste"], "");
    assert!(run.stderr.contains("open this URL in any browser") && !run.stderr.contains("device"), "{run:?}");
    let child = desk.with_browser(&["login"]).spawn().unwrap();
    browse(desk.opened().lines().nth(1).unwrap(), Decision::Allow);
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(run.code == Some(0) && run.stderr.contains("Opening your browser"), "{run:?}");
}

#[test]
fn a_code_that_is_denied_or_expires_is_told() {
    let desk = desk();
    for decision in [Decision::Deny, Decision::Cancel] {
        let shown = Shown::begin(&desk, &["--device"]);
        shown.confirm(decision);
        let run = shown.end();
        assert_eq!(run.code, Some(4), "{run:?}");
        let advice = run.error()["advice"].as_str().unwrap().to_owned();
        assert!(advice.contains("denied access; to try again, run `proofkey login"), "{advice}");
    }
    let short = Desk::with(Options { device_interval: 0, device_code_ttl: 1, ..Options::default() });
    let run = short.run(&["login", "--device"]);
    run.fails(6, &["the code expired before the sign-in was confirmed", "start again with `proofkey login --device`"]);
    desk.run(&["login", "--device", "--timeout", "1"]).fails(6, &["not finished in time", "--timeout SECONDS"]);
    assert!(desk.files("").iter().all(|file| file.extension().is_some()), "nothing is stored");
}

#[test]
fn a_server_that_is_busy_or_says_expired_is_understood() {
    let desk = desk();
    let poll = |when, fault| Faults { polls: vec![RefreshFault { when, fault }], ..Faults::default() };
    desk.server.set_faults(poll(When::Next(1), EndpointFault::error(400, "slow_down")));
    // The next poll would be seven seconds later.
    let run = desk.run(&["login", "--device", "--timeout", "6"]);
    run.fails(6, &["not finished in time"]);
    assert_eq!(desk.server.counts().polls, 1, "it slowed down");
    for (code, exit, words) in [
        ("expired_token", 6, "start again with `proofkey login --device`"),
        ("unauthorized_client", 4, "registered as a public client for sign-in on devices"),
        ("device_flow_disabled", 4, "registered as a public client for sign-in on devices"),
        ("authorization_declined", 4, "try again, run `proofkey login"),
        ("invalid_grant", 4, "start again with `proofkey login --device`"),
    ] {
        desk.server.set_faults(poll(When::Next(1), EndpointFault::error(400, code)));
        desk.run(&["login", "--device"]).fails(exit, &[code, words]);
    }
    desk.server
        .set_faults(Faults { device: Some(EndpointFault::error(400, "unauthorized_client")), ..Faults::default() });
    desk.run(&["login", "--device"]).fails(4, &["the server gave no code: ", "sign-in on devices (device_code)"]);
    desk.server
        .set_faults(Faults { device: Some(EndpointFault::error(503, "temporarily_unavailable")), ..Faults::default() });
    desk.run(&["login", "--device"]).fails(5, &["the server gave no code: ", "try again later"]);
}

#[test]
fn a_server_without_device_endpoint_is_explained() {
    let desk = desk();
    let (authorize, token) = (desk.server.authorization_endpoint(), desk.server.token_endpoint());
    desk.configure(&format!(
        "[profile.default]\nauthorization_endpoint = '{authorize}'\ntoken_endpoint = '{token}'\n{CLIENT}"
    ));
    let words = ["no device authorization endpoint is known for this server", "leave out --device"];
    desk.run(&["login", "--device"]).fails(2, &words);
    for other in [&["--paste"][..], &["--no-browser"], &["--push"], &["--redirect-uri", "http://127.0.0.1/x"]] {
        desk.run(&[&["login", "--device"], other].concat()).fails(2, &["cannot be used with"]);
    }
    assert!(desk.requests(TOKEN).is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_wait() {
    let desk = desk();
    let shown = Shown::begin(&desk, &["--device"]);
    interrupt(&shown.child);
    let run = shown.end();
    assert_eq!((run.code, run.error()["error"].as_str()), (Some(130), Some("interrupted")), "{run:?}");
}

#[test]
fn a_pipe_gets_words_and_no_picture() {
    let desk = desk();
    let run = desk.run(&["login", "--device", "--timeout", "1"]);
    for words in ["any device", "Go on only if you started this sign-in yourself", "Never enter a code", "at most 0:01"]
    {
        assert!(run.stderr.contains(words), "no `{words}` in {run:?}");
    }
    assert!(!run.stderr.contains(['█', '▀', '\x1b', '\r']), "{run:?}");
}
