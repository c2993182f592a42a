//! `proofkey token`: one valid token, one refresh, no lost login.

#[cfg(target_os = "linux")]
use crate::desk::waits;
use crate::desk::{CLIENT, Desk, Run, access, refresh};
use proofkey_devserver::{EndpointFault, Faults};

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
    assert!(access(&before) != access(&after) && refresh(&before) != refresh(&after));
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
    assert_eq!(refresh(&desk.record()), refresh(&before));
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
fn an_answer_that_is_lost_is_5() {
    let desk = Desk::signed_in();
    desk.expire();
    let before = desk.record();
    desk.server.set_faults(Faults { token: Some(EndpointFault::Hangup), ..Faults::default() });
    desk.run(&["token"]).fails(5, &[&desk.server.token_endpoint()]);
    assert_eq!(
        (desk.refreshes(), refresh(&desk.record())),
        (2, refresh(&before)),
        "sent once more, since it was cut off"
    );
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

#[cfg(target_os = "linux")]
#[test]
fn a_login_that_is_signed_out_while_it_is_waited_for_is_not_used() {
    let desk = Desk::signed_in();
    desk.expire();
    let claim = desk.claim();
    let run = desk.command(&["token"]).spawn().unwrap();
    waits(run.id());
    desk.sign_out(claim);
    let run: Run = run.wait_with_output().unwrap().into();
    run.fails(3, &["signed out in the meantime", "proofkey login"]);
    assert_eq!((run.stdout.as_str(), desk.refreshes()), ("", 0));
}
