//! `proofkey token`: one valid token, one refresh, no lost login.

use crate::desk::{CLIENT, Desk, Run, answer, interrupt};
use proofkey_devserver::{EndpointFault, Faults};
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};

fn respond(status: u16, body: &str) -> Option<EndpointFault> {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Some(EndpointFault::Respond { status, headers, body: body.to_owned() })
}

#[test]
fn a_valid_token_is_printed_without_asking_anyone() {
    let desk = Desk::signed_in();
    desk.server.clear_log();
    let run = desk.run(&["token"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout, format!("{}\n", desk.record().access_token.expose()));
    assert!(desk.server.log().is_empty());
}

#[test]
fn json_tells_type_end_and_scope() {
    let desk = Desk::signed_in();
    let token = desk.run(&["token", "--json"]).json();
    assert_eq!(token["access_token"], desk.record().access_token.expose());
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["expires_at"], desk.record().requested_at + 3600);
    assert_eq!(token["scope"], serde_json::json!(["itwin-platform", "offline_access"]));
}

#[test]
fn an_ended_token_is_renewed_and_the_rotated_refresh_token_kept() {
    let desk = Desk::signed_in();
    desk.expire();
    let before = desk.record();
    let run = desk.run(&["token"]);
    let after = desk.record();
    assert_eq!(run.stdout, format!("{}\n", after.access_token.expose()), "{run:?}");
    assert!(before.access_token != after.access_token && before.refresh_token != after.refresh_token);
    desk.expire();
    assert_eq!(desk.run(&["token"]).code, Some(0));
    assert_eq!(desk.refreshes(), 2);
}

#[test]
fn a_server_that_does_not_rotate_leaves_the_refresh_token() {
    let desk = Desk::signed_in();
    desk.server.set_faults(Faults { keep_refresh_token: true, ..Faults::default() });
    desk.expire();
    let before = desk.record();
    assert_eq!(desk.run(&["token"]).code, Some(0));
    assert_eq!(desk.record().refresh_token, before.refresh_token);
}

#[test]
fn parallel_runs_refresh_once_and_lose_nothing() {
    let desk = Desk::signed_in();
    for round in 1..=3 {
        desk.expire();
        let runs: Vec<_> = (0..12).map(|_| desk.command(&["token"]).spawn().unwrap()).collect();
        let mut tokens: Vec<_> = runs
            .into_iter()
            .map(|run| {
                let output = run.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                output.stdout
            })
            .collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "all runs print the one new token");
        assert_eq!(desk.refreshes(), round);
    }
}

#[test]
fn more_validity_can_be_asked_for() {
    let desk = Desk::signed_in();
    assert_eq!(desk.run(&["token", "--min-valid", "3000"]).code, Some(0));
    assert_eq!(desk.refreshes(), 0);
    desk.edit(|record| record.requested_at -= 1_000);
    assert_eq!(desk.run(&["token", "--min-valid", "3000"]).code, Some(0));
    assert_eq!(desk.refreshes(), 1);
    desk.run(&["token", "--min-valid", "4000"]).fails(2, &["3600 seconds at most"]);
    assert_eq!(desk.refreshes(), 1);
}

#[test]
fn a_dead_grant_is_3_and_asked_for_once() {
    let desk = Desk::signed_in();
    desk.expire();
    desk.server.set_faults(Faults { token: respond(400, r#"{"error":"invalid_grant"}"#), ..Faults::default() });
    let run = desk.run(&["token", "--json"]);
    run.fails(3, &["invalid_grant", "proofkey login"]);
    assert_eq!((run.error()["error"].as_str(), run.stdout.as_str()), (Some("login_required"), ""));
    desk.run(&["token"]).fails(3, &["proofkey login"]);
    assert_eq!(desk.refreshes(), 1);
    desk.run(&["status"]).fails(3, &["has ended"]);
}

#[test]
fn a_server_in_trouble_costs_no_login() {
    let desk = Desk::signed_in();
    desk.expire();
    let before = desk.record();
    for (status, body) in [(503, ""), (400, r#"{"error":"temporarily_unavailable"}"#), (429, ""), (500, "oops")] {
        desk.server.set_faults(Faults { token: respond(status, body), ..Faults::default() });
        desk.run(&["token"]).fails(5, &[&desk.server.token_endpoint()]);
        assert_eq!(desk.record().refresh_token, before.refresh_token);
    }
    desk.server.set_faults(Faults::default());
    assert_eq!(desk.run(&["token"]).code, Some(0));
}

#[test]
fn an_answer_that_is_lost_is_5() {
    let desk = Desk::signed_in();
    desk.expire();
    let before = desk.record();
    desk.server.set_faults(Faults { token: Some(EndpointFault::Hangup), ..Faults::default() });
    desk.run(&["token"]).fails(5, &[&desk.server.token_endpoint()]);
    assert_eq!((desk.refreshes(), desk.record().refresh_token), (1, before.refresh_token));
}

#[test]
fn the_server_says_when_to_try_again() {
    let desk = Desk::signed_in();
    desk.expire();
    let headers = vec![("retry-after".to_owned(), "120".to_owned())];
    let fault = EndpointFault::Respond { status: 503, headers, body: String::new() };
    desk.server.set_faults(Faults { token: Some(fault), ..Faults::default() });
    desk.run(&["token"]).fails(5, &["try again in 2 minutes"]);
}

#[test]
fn a_token_that_is_only_due_bridges_a_server_in_trouble() {
    let desk = Desk::signed_in();
    desk.edit(|record| record.requested_at -= 3_560);
    desk.server.set_faults(Faults { token: respond(503, ""), ..Faults::default() });
    let run = desk.run(&["token"]);
    assert_eq!((run.code, run.stdout.trim_end()), (Some(0), desk.record().access_token.expose()), "{run:?}");
    assert_eq!(desk.refreshes(), 1);
}

#[test]
fn a_token_without_refresh_token_serves_until_its_end() {
    let desk = Desk::new();
    desk.configure(&format!(
        "[profile.default]\nissuer = '{}'\n{}",
        desk.server.issuer(),
        CLIENT.replace(", 'offline_access'", "")
    ));
    desk.sign_in(&[]);
    desk.edit(|record| record.requested_at -= 3_590);
    assert_eq!(desk.run(&["token"]).code, Some(0));
    desk.expire();
    desk.run(&["token"]).fails(3, &["no refresh token", "proofkey login"]);
}

#[test]
fn an_interrupt_during_a_refresh_waits_until_the_new_token_is_kept() {
    let (desk, child, mut connection) = interrupted_refresh();
    let body = r#"{"access_token":"A2","token_type":"Bearer","refresh_token":"R2","expires_in":3600}"#;
    answer(&mut connection, "200 OK", body);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(130), &b""[..]));
    assert_eq!(desk.record().refresh_token.unwrap().expose(), "R2");
    assert_eq!(desk.run(&["token"]).stdout, "A2\n");
}

#[test]
fn a_second_interrupt_during_a_refresh_ends_at_once() {
    let (desk, child, _connection) = interrupted_refresh();
    let before = desk.record().refresh_token.unwrap();
    let begun = Instant::now();
    interrupt(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(desk.record().refresh_token.unwrap(), before);
}

/// A refresh whose server does not answer yet, and whose user was told so after Ctrl-C.
fn interrupted_refresh() -> (Desk, Child, TcpStream) {
    let desk = Desk::signed_in();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/token", server.local_addr().unwrap());
    desk.edit(|record| record.token_endpoint = endpoint);
    desk.expire();
    let mut child = desk.command(&["token"]).spawn().unwrap();
    let (mut connection, _) = server.accept().unwrap();
    assert_ne!(connection.read(&mut [0; 4096]).unwrap(), 0);
    interrupt(&child);
    let mut told = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut told).unwrap();
    assert!(told.contains("interrupt again to end at once"), "{told}");
    (desk, child, connection)
}

#[test]
fn a_reader_that_has_left_is_no_error() {
    let desk = Desk::signed_in();
    let api = desk.server.api("/api/me");
    for args in [&["token"][..], &["token", "--json"], &["status"], &["call", &api]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run: Run = desk.command(args).stdout(writer).output().unwrap().into();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_damaged_record_is_told_and_mended_by_a_login() {
    let desk = Desk::signed_in();
    let record = std::fs::read_dir(desk.home("state/proofkey")).unwrap().map(|entry| entry.unwrap().path());
    let record = record.into_iter().find(|path| path.extension().is_none()).unwrap();
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("/connect/token", "/connect/evil!")).unwrap();
    desk.run(&["token"]).fails(3, &["damaged or was edited", "proofkey login"]);
    desk.sign_in(&[]);
    assert_eq!(desk.run(&["token"]).code, Some(0));
}

#[test]
fn a_record_that_says_two_things_is_not_used() {
    let desk = Desk::signed_in();
    desk.edit(|record| {
        let note = record.notes.get_mut("settings").unwrap();
        *note = note.replace("demo-native", "another-app");
    });
    desk.server.clear_log();
    desk.run(&["token"]).fails(3, &["not as it was written", "proofkey login"]);
    assert!(desk.server.log().is_empty());
}
