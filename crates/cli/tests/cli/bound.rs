//! `--dpop` and `--push`.

use crate::desk::{CLIENT, Desk, TOKEN, browse};
use crate::device::Shown;
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{Faults, Options, ProofFault, ProofRules};

const PUSH: &str = "/connect/par";

/// A desk whose server takes no token request without a proof, with nonces of its own at the token endpoint and at the API.
fn desk() -> Desk {
    let dpop = ProofRules { required: true, token_nonce: true, api_nonce: true };
    Desk::with(Options { dpop, device_interval: 0, ..Options::default() })
}

#[test]
fn a_bound_sign_in_is_used_until_it_is_signed_out() {
    let desk = desk();
    let waiting = desk.begin_login(&[]);
    browse(&waiting.url, Decision::Allow);
    waiting.end().fails(4, &["tokens that are bound to a key", "`proofkey login --dpop`"]);
    desk.sign_in(&["--dpop"]);
    let record = desk.record();
    assert!(record.bound_to.is_some() && record.signing_key().is_some());
    let api = desk.server.api("/api/me");
    assert_eq!(desk.run(&["call", &api]).code, Some(0));
    let token = desk.run(&["token", "--json"]).json();
    assert_eq!(token["token_type"], "DPoP");
    let run = desk.run(&["token"]);
    assert!(run.code == Some(0) && run.stderr.contains("bound to a key that only proofkey has"), "{run:?}");
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    desk.expire();
    assert_eq!(desk.run(&["call", &api]).code, Some(0), "after a refresh");
    assert_eq!(desk.record().bound_to, record.bound_to, "the key stays");
    let status = desk.run(&["status"]).stdout;
    assert!(status.contains(", bound to a key\n"), "{status}");
    assert_eq!(desk.run(&["status", "--json"]).json()["bound"], true);
    assert_eq!(desk.run(&["logout", "--json"]).json()["revocation"], "done");
}

#[test]
fn a_device_can_have_bound_tokens() {
    let desk = desk();
    let shown = Shown::begin(&desk, &["--device", "--dpop"]);
    shown.confirm(Decision::Allow);
    let run = shown.end();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(desk.run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
}

#[test]
fn a_sign_in_whose_key_is_broken_is_told() {
    let desk = desk();
    desk.sign_in(&["--dpop"]);
    desk.edit(|record| record.set_signing_key(b"broken"));
    for args in [&["token"][..], &["token", "--refresh"], &["call", &desk.server.api("/api/me")]] {
        desk.run(args)
            .fails(3, &["the key of the stored sign-in cannot be used", "sign in again with `proofkey login`"]);
    }
}

#[test]
fn a_server_that_binds_nothing_is_refused() {
    let desk = Desk::new();
    desk.server.set_faults(Faults { proof: Some(ProofFault::BearerAnswer), ..Faults::default() });
    let waiting = desk.begin_login(&["--dpop"]);
    browse(&waiting.url, Decision::Allow);
    waiting.end().fails(5, &["the token is of type Bearer"]);
}

#[test]
fn a_key_can_be_asked_for_in_the_configuration_and_is_never_printed() {
    let desk = desk();
    let issuer = desk.server.issuer();
    desk.configure(&format!("[profile.default]\nissuer = '{issuer}'\n{CLIENT}dpop = true\npush = true\n"));
    let mut printed = format!("{:?}", desk.sign_in(&[]));
    assert_eq!(desk.requests(PUSH).len(), 2, "the first one had no nonce");
    for args in [&["status", "--json"][..], &["token", "--json"], &["call", "-i", &desk.server.api("/api/me")]] {
        printed += &format!("{:?}", desk.run(args));
    }
    let kept = std::fs::read_to_string(desk.file()).unwrap();
    let key = kept.split("\"signing_key\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(key.len() > 100 && !printed.contains(key), "{printed}");
}

#[test]
fn a_key_that_the_configuration_asks_for_can_be_done_without() {
    let desk = Desk::new();
    let configured = format!("[profile.default]\nissuer = '{}'\n{CLIENT}dpop = true\n", desk.server.issuer());
    desk.configure(&configured);
    let is_bound = || desk.record().bound_to.is_some();
    desk.sign_in(&[]);
    assert!(is_bound());
    desk.sign_in(&["--no-dpop"]);
    assert!(!is_bound());
    assert_eq!(desk.run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    desk.sign_in(&[]);
    assert!(is_bound(), "it is for one login");
    desk.configure("");
    desk.sign_in(&[]);
    assert!(is_bound(), "as the last login");
    desk.sign_in(&["--no-dpop"]);
    desk.sign_in(&[]);
    assert!(!is_bound(), "as the last login");
    desk.run(&["login", "--dpop", "--no-dpop"]).fails(2, &["cannot be used with"]);
    desk.configure(&configured);
    desk.run(&["login", "--no-dpop", "--save"]).fails(2, &["dpop `true` instead of `false`"]);
}

#[test]
fn a_pushed_login_has_nothing_in_its_url() {
    let desk = Desk::new();
    for args in [&["--push"][..], &["--push", "--extra", "login_hint=me"]] {
        let before = desk.requests(PUSH).len();
        let waiting = desk.begin_login(args);
        assert!(waiting.url.contains("request_uri=") && !waiting.url.contains("code_challenge"), "{}", waiting.url);
        browse(&waiting.url, Decision::Allow);
        assert_eq!(waiting.end().code, Some(0));
        assert_eq!(desk.requests(PUSH).len(), before + 1);
    }
    let pushed = desk.requests(PUSH).pop().unwrap().body;
    assert!(pushed.contains("login_hint=me") && pushed.contains("code_challenge="), "{pushed}");
}

#[test]
fn a_server_that_requires_pushes_gets_them_in_each_way() {
    let desk = Desk::with(Options { require_push: true, ..Options::default() });
    desk.sign_in(&[]);
    let mut child = desk.begin(&["login", "--json", "--paste", "--redirect-uri", "https://app.example/paste"]);
    let redirect = browse(&child.url, Decision::Allow);
    child.type_line(&redirect);
    assert_eq!(child.end().code, Some(0));
    assert_eq!((desk.requests(PUSH).len(), desk.requests(TOKEN).len()), (2, 2));
}

#[test]
fn a_push_that_is_not_taken_is_told() {
    let desk = Desk::new();
    let (authorize, token) = (desk.server.authorization_endpoint(), desk.server.token_endpoint());
    let endpoints = format!("authorization_endpoint = '{authorize}'\ntoken_endpoint = '{token}'\n");
    desk.configure(&format!("[profile.default]\n{endpoints}{CLIENT}"));
    for way in ["--no-browser", "--paste"] {
        let run = desk.run(&["login", way, "--push"]);
        run.fails(2, &["no pushed authorization request endpoint is known for this server", "leave out --push"]);
    }
    let push = format!("pushed_authorization_request_endpoint = '{}'\n", desk.server.api("/nowhere"));
    desk.configure(&format!("[profile.default]\n{endpoints}{push}{CLIENT}"));
    for way in ["--no-browser", "--paste"] {
        let run = desk.run(&["login", way, "--push", "--timeout", "1"]);
        run.fails(4, &["the login could not be sent to the server: "]);
    }
}
