//! `proofkey login` with the loopback listener.

use crate::desk::{CLIENT, Desk, Run, Waiting, browse, interrupt};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{CallbackFault, EndpointFault, Faults, MetadataFault};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

#[test]
fn a_login_tells_its_events_as_json() {
    let desk = Desk::new();
    let run = desk.sign_in(&[]);
    let event: serde_json::Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(event["event"], "signed_in");
    assert_eq!(event["profile"], "default");
    assert_eq!(event["account"], "default");
    assert_eq!(event["issuer"], desk.server.issuer());
    assert_eq!(event["scope"], serde_json::json!(["itwin-platform", "offline_access"]));
    assert_eq!(event["missing_scope"], serde_json::json!([]));
    assert_eq!(event["refreshable"], true);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(event["expires_at"].as_u64().unwrap().abs_diff(now + 3600) < 60, "{event}");
    assert_eq!(run.stdout.lines().count(), 3);
    assert_eq!(run.stderr, "");
}

#[test]
fn a_login_tells_people_on_the_standard_error() {
    let desk = Desk::new();
    let child = desk.with_browser(&["login"]).spawn().unwrap();
    let opened = desk.opened();
    let (count, url) = opened.trim_end().split_once('\n').unwrap();
    assert_eq!(count, "1");
    browse(url, Decision::Allow);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert_eq!(output.stdout, b"");
    assert!(stderr.contains(url), "{stderr}");
    assert_eq!(stderr.matches("waiting for the browser").count(), 1, "{stderr}");
    assert!(stderr.contains("Signed in at ") && !stderr.contains('\x1b') && !stderr.contains('\r'), "{stderr:?}");
    assert!(!stderr.contains("not granted"), "{stderr}");
}

#[test]
fn no_browser_is_opened_where_none_shall_be() {
    let desk = Desk::new();
    let waiting = Waiting::of(desk.with_browser(&["login", "--json", "--no-browser"]));
    browse(&waiting.url, Decision::Allow);
    assert_eq!(waiting.end().code, Some(0));
    assert!(!desk.home("opened").exists());
}

#[test]
fn options_are_remembered_with_the_login() {
    let desk = Desk::new();
    desk.configure("");
    let (issuer, scope) = (desk.server.issuer(), "itwin-platform offline_access");
    let options = ["--profile", "work", "--issuer", &issuer, "--client-id", "demo-native", "--scope", scope];
    desk.sign_in(&options);
    desk.edit(|record| record.requested_at -= 4_000);
    let token = desk.run(&["token", "--profile", "work"]);
    assert_eq!(token.code, Some(0), "{token:?}");
    assert_eq!(desk.refreshes(), 1);
    desk.run(&["token"]).fails(3, &["not signed in (profile `default`)", "proofkey login"]);

    // Without options the next login is like this one.
    let again = desk.begin_login(&["--profile", "work"]);
    assert!(
        again.url.contains("scope=itwin-platform+offline_access") && again.url.starts_with(&issuer),
        "{}",
        again.url
    );
    browse(&again.url, Decision::Allow);
    assert_eq!(again.end().code, Some(0));
}

#[test]
fn endpoints_can_be_given_instead_of_an_issuer() {
    let desk = Desk::new();
    desk.configure(&format!(
        "[profile.default]\nauthorization_endpoint = '{}'\ntoken_endpoint = '{}'\n{CLIENT}extra = {{ prompt = 'consent' }}",
        desk.server.authorization_endpoint(),
        desk.server.token_endpoint()
    ));
    let waiting = desk.begin_login(&["--extra", "login_hint=me"]);
    assert!(waiting.url.ends_with("&prompt=consent&login_hint=me"), "{}", waiting.url);
    browse(&waiting.url, Decision::Allow);
    assert_eq!(waiting.end().code, Some(0));
    let waiting = desk.begin_login(&["--extra", "prompt=login"]);
    assert!(waiting.url.ends_with("&prompt=login") && !waiting.url.contains("consent"), "{}", waiting.url);
    interrupt(&waiting.child);
    assert_eq!(waiting.end().code, Some(130));
    assert!(desk.requests("/.well-known/oauth-authorization-server").is_empty());
    let logout = desk.run(&["logout", "--json"]);
    assert_eq!(logout.json()["revocation"], "unsupported", "{logout:?}");
}

#[test]
fn a_profile_stands_for_one_client_at_one_server() {
    let desk = Desk::signed_in();
    let files = || std::fs::read_dir(desk.home("state/proofkey")).unwrap().count();
    let before = files();
    let other = desk.run(&["login", "--client-id", "another", "--no-browser"]);
    other.fails(2, &["signed in as client `demo-native`", "proofkey logout"]);
    assert_eq!(files(), before, "what is refused leaves nothing behind");
}

#[test]
fn accounts_are_apart() {
    let desk = Desk::signed_in();
    desk.sign_in(&["--account", "second"]);
    let (first, second) = (desk.run(&["token"]), desk.run(&["token", "--account", "second"]));
    assert_eq!((first.code, second.code), (Some(0), Some(0)));
    assert_ne!(first.stdout, second.stdout);
}

#[test]
fn a_preset_knows_server_and_scope() {
    let desk = Desk::new();
    desk.configure("");
    let waiting = desk.begin_login(&["--provider", "itwin", "--client-id", "native-x"]);
    let start = "https://ims.bentley.com/connect/authorize?response_type=code&client_id=native-x&redirect_uri=http%3A%2F%2F127.0.0.1%3A";
    assert!(waiting.url.starts_with(start), "{}", waiting.url);
    assert!(waiting.url.contains("&scope=itwin-platform+offline_access&"), "{}", waiting.url);
    interrupt(&waiting.child);
    assert_eq!(waiting.end().code, Some(130));
}

#[test]
fn an_interrupt_while_nothing_is_at_stake_ends_at_once() {
    let desk = Desk::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", server.local_addr().unwrap());
    desk.configure(&format!("[profile.default]\nissuer = '{issuer}'\n{CLIENT}"));
    let child = desk.command(&["login", "--no-browser"]).spawn().unwrap();
    // It asks for the metadata, and nobody answers.
    let _connection = server.accept().unwrap();
    let begun = Instant::now();
    interrupt(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_scope_that_was_not_granted_is_told() {
    let desk = Desk::new();
    let fault = EndpointFault::Respond {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: r#"{"access_token":"x","token_type":"Bearer","scope":"itwin-platform","expires_in":60}"#.to_owned(),
    };
    desk.server.set_faults(Faults { token: Some(fault), ..Faults::default() });
    let waiting = desk.begin_login(&[]);
    browse(&waiting.url, Decision::Allow);
    let run = waiting.end();
    let event: serde_json::Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&event["scope"], &event["missing_scope"]),
        (&["itwin-platform"][..].into(), &["offline_access"][..].into())
    );
    assert_eq!(event["refreshable"], false);

    let child = desk.with_browser(&["login"]).spawn().unwrap();
    browse(desk.opened().lines().last().unwrap(), Decision::Allow);
    let run: Run = child.wait_with_output().unwrap().into();
    assert!(run.stderr.contains("not granted: offline_access\n"), "{run:?}");
}

#[test]
fn a_refusal_is_4() {
    let desk = Desk::new();
    let waiting = desk.begin_login(&[]);
    browse(&waiting.url, Decision::Deny);
    let run = waiting.end();
    assert_eq!(run.code, Some(4), "{run:?}");
    assert_eq!(run.error()["error"], "refused");
    assert!(run.error()["message"].as_str().unwrap().contains("access_denied"));
    assert!(desk.requests(crate::desk::TOKEN).is_empty());
    desk.run(&["token"]).fails(3, &[]);
}

#[test]
fn a_forged_issuer_is_4() {
    let desk = Desk::new();
    desk.server.set_faults(Faults { callback: Some(CallbackFault::WrongIss), ..Faults::default() });
    let waiting = desk.begin_login(&[]);
    browse(&waiting.url, Decision::Allow);
    waiting.end().fails(4, &["another authorization server"]);
    assert!(desk.requests(crate::desk::TOKEN).is_empty());
}

#[test]
fn nobody_at_the_browser_is_6() {
    let desk = Desk::new();
    let run = desk.begin_login(&["--timeout", "1"]).end();
    assert_eq!(run.code, Some(6), "{run:?}");
    assert_eq!(run.error()["error"], "timed_out");
}

#[test]
fn an_interrupt_is_130_and_closes_the_port() {
    let desk = Desk::new();
    let waiting = desk.begin_login(&[]);
    let address = waiting.redirect_uri.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    interrupt(&waiting.child);
    let run = waiting.end();
    assert_eq!(run.code, Some(130), "{run:?}");
    assert_eq!(run.error()["error"], "interrupted");
    assert!(TcpStream::connect(&address).is_err());
    assert!(desk.store().list().unwrap().is_empty());
}

#[test]
fn a_server_that_is_not_there_is_5() {
    let desk = Desk::new();
    let (issuer, nobody) = (desk.server.issuer(), "http://127.0.0.1:1");
    let login = |issuer: &str| desk.run(&["login", "--json", "--no-browser", "--client-id", "x", "--issuer", issuer]);
    let unreachable = login(nobody);
    unreachable.fails(5, &[nobody]);
    assert_eq!(unreachable.error()["exit"], 5);
    login(&format!("{issuer}/unknown")).fails(2, &["metadata"]);
}

#[test]
fn metadata_that_cannot_be_used_is_2() {
    let desk = Desk::new();
    for (fault, words) in [
        (MetadataFault::IssuerMismatch, "the metadata belongs to another issuer"),
        (MetadataFault::NoS256, "S256"),
        (MetadataFault::PlainHttpTokenEndpoint, "token endpoint"),
    ] {
        desk.server.set_faults(Faults { metadata: Some(fault), ..Faults::default() });
        desk.run(&["login", "--no-browser"]).fails(2, &[words]);
    }
}

#[test]
fn a_token_endpoint_that_is_down_is_5() {
    let desk = Desk::new();
    let fault = EndpointFault::Respond { status: 503, headers: Vec::new(), body: String::new() };
    desk.server.set_faults(Faults { token: Some(fault), ..Faults::default() });
    let waiting = desk.begin_login(&[]);
    browse(&waiting.url, Decision::Allow);
    waiting.end().fails(5, &["503", &desk.server.token_endpoint()]);
    assert!(desk.store().list().unwrap().is_empty());
}

#[test]
fn a_store_that_is_none_is_told_before_the_user_signs_in() {
    let desk = Desk::new();
    let run = desk.run(&["login", "--no-browser", "--store", "keyring", "--timeout", "1"]);
    run.fails(6, &["warning: the tokens are kept in a file that only you can read: there is no system keyring"]);
    assert!(run.stderr.find("no system keyring") < run.stderr.find("To sign in, open"), "{run:?}");
    let login = desk.begin_login(&["--store", "keyring"]);
    browse(&login.url, Decision::Allow);
    assert_eq!(login.end().code, Some(0));
    assert_eq!(desk.run(&["status", "--json"]).json()["store"], "file");
    desk.server.clear_log();
    std::fs::remove_dir_all(desk.home("state")).unwrap();
    std::fs::write(desk.home("state"), "").unwrap();
    let run = desk.run(&["login", "--no-browser"]);
    run.fails(1, &["state"]);
    assert!(run.stderr.lines().count() == 1 && desk.server.log().is_empty(), "{run:?}");
    for command in ["token", "status", "logout"] {
        desk.run(&[command]).fails(1, &["state"]);
    }
}

#[test]
fn another_store_can_be_taken_where_that_of_the_profile_is_none() {
    let desk = Desk::new();
    let config = std::fs::read_to_string(desk.config()).unwrap();
    desk.configure(&format!("{config}store = 'keyring'\n"));
    let run = desk.sign_in(&["--store", "file"]);
    assert!(run.stderr.contains("keyring"), "{run:?}");
}

#[test]
fn tokens_that_cannot_be_kept_are_revoked() {
    let desk = Desk::new();
    let waiting = desk.begin_login(&[]);
    // Something took the place of the folder after the login had begun.
    let state = desk.home("state");
    std::fs::remove_dir_all(&state).unwrap();
    std::fs::write(&state, "").unwrap();
    browse(&waiting.url, Decision::Allow);
    let run = waiting.end();
    assert!(run.code.is_some_and(|code| code != 0) && run.stderr.contains("state"), "{run:?}");
    let given: Vec<String> = desk.requests("/connect/revocation").into_iter().map(|entry| entry.body).collect();
    assert_eq!(given.len(), 2, "{given:?}");
    assert!(given[0].contains("refresh_token") && given[1].contains("access_token"), "{given:?}");
}
