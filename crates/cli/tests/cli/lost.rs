//! Refreshes whose answer is lost, and what the next run makes of them.

use crate::desk::{Desk, Run, answer, waits};
use proofkey_devserver::{Alteration, EndpointFault, Faults, Options, RefreshFault, When};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};

const TOLD: [&str; 4] =
    ["sign-in expired: the answer to the refresh at 20", " was lost, ", "invalid_grant", "proofkey login"];
const ROTATED: &str = r#"{"access_token":"A2","token_type":"Bearer","refresh_token":"R2","expires_in":3600}"#;

/// Somebody who is signed in with a token that has ended, at a server with this grace, whose next answer to a refresh is lost.
fn expired(refresh_grace: u32, fault: EndpointFault) -> Desk {
    let desk = Desk::with(Options { refresh_grace, ..Options::default() });
    desk.sign_in(&[]);
    desk.expire();
    let refresh = vec![RefreshFault { when: When::Next(1), fault }];
    desk.server.set_faults(Faults { refresh, ..Faults::default() });
    desk
}

/// The one line that `token` prints, as a fact about the store.
#[track_caller]
fn prints_the_token(desk: &Desk, run: &Run) {
    let token = format!("{}\n", desk.record().access_token.expose());
    assert_eq!((run.code, &run.stdout, run.stderr.as_str()), (Some(0), &token, ""), "{run:?}");
}

#[track_caller]
fn is_over(desk: &Desk, run: &Run) {
    run.fails(3, &TOLD);
    desk.run(&["token"]).fails(3, &TOLD);
    let status = desk.run(&["status"]);
    status.fails(3, &["invalid_grant"]);
    assert!(status.stdout.contains("renewed  no longer: "), "{status:?}");
}

#[test]
fn an_answer_that_is_cut_off_is_asked_for_once_more() {
    let desk = expired(30, EndpointFault::Hangup);
    prints_the_token(&desk, &desk.run(&["token"]));
    assert_eq!(desk.refreshes(), 2);

    let desk = expired(0, EndpointFault::Hangup);
    is_over(&desk, &desk.run(&["token"]));
    assert_eq!(desk.refreshes(), 2, "nothing is sent again");
}

#[test]
fn an_answer_that_is_lost_is_told_and_the_next_run_asks_again() {
    for grace in [30, 0] {
        let lost = EndpointFault::Alter(Alteration { status: 500, body: Some(String::new()), ..Alteration::default() });
        let desk = expired(grace, lost);
        desk.run(&["token"]).fails(5, &["500", "the server may have spent the refresh token at 20"]);
        assert_eq!(desk.refreshes(), 1);
        let run = desk.run(&["token"]);
        assert_eq!(desk.refreshes(), 2);
        if grace > 0 { prints_the_token(&desk, &run) } else { is_over(&desk, &run) }
    }
}

#[test]
fn a_run_that_is_killed_after_it_has_sent_is_told_by_the_next_one() {
    for is_spent in [false, true] {
        let (desk, server) = elsewhere();
        let (mut child, _connection) = stalled(&desk, &server);
        child.kill().unwrap();
        child.wait().unwrap();
        let (child, mut connection) = stalled(&desk, &server);
        if is_spent {
            answer(&mut connection, "400 Bad Request", r#"{"error":"invalid_grant"}"#);
            let run: Run = child.wait_with_output().unwrap().into();
            is_over(&desk, &run);
        } else {
            answer(&mut connection, "200 OK", ROTATED);
            prints_the_token(&desk, &child.wait_with_output().unwrap().into());
        }
    }
}

#[test]
fn of_two_runs_at_an_expiry_one_refreshes() {
    let (desk, server) = elsewhere();
    let (first, mut connection) = stalled(&desk, &server);
    let second = desk.command(&["token"]).spawn().unwrap();
    waits(second.id());
    answer(&mut connection, "200 OK", ROTATED);
    for run in [first, second] {
        let run: Run = run.wait_with_output().unwrap().into();
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "A2\n", ""), "{run:?}");
    }
    server.set_nonblocking(true).unwrap();
    assert!(server.accept().is_err(), "nobody else asked");
}

#[test]
fn a_claim_that_was_left_behind_is_no_news_in_a_script() {
    let desk = Desk::signed_in();
    desk.expire();
    drop(desk.claim());
    prints_the_token(&desk, &desk.run(&["token"]));
    assert_eq!(desk.refreshes(), 1);
}

#[test]
fn a_sign_out_waits_for_a_refresh_and_revokes_what_it_brought() {
    let (desk, server) = elsewhere();
    let (first, mut connection) = stalled(&desk, &server);
    let second = desk.command(&["logout"]).spawn().unwrap();
    waits(second.id());
    answer(&mut connection, "200 OK", ROTATED);
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
    let run: Run = second.wait_with_output().unwrap().into();
    assert_eq!(run.code, Some(0), "{run:?}");
    let revoked: Vec<_> = desk.requests("/connect/revocation").into_iter().map(|entry| entry.body).collect();
    assert!(revoked.len() == 2 && revoked[0].contains("token=R2&") && revoked[1].contains("token=A2&"), "{revoked:?}");
}

/// Somebody who is signed in with a token that has ended. Refreshes go to a server that answers when the test says so.
fn elsewhere() -> (Desk, TcpListener) {
    let (desk, server) = (Desk::signed_in(), TcpListener::bind("127.0.0.1:0").unwrap());
    desk.set_token_endpoint(&format!("http://{}/token", server.local_addr().unwrap()));
    desk.expire();
    (desk, server)
}

/// A run whose refresh has arrived there.
fn stalled(desk: &Desk, server: &TcpListener) -> (Child, TcpStream) {
    let plain = desk.command(&["token"]);
    // Without `env` in between, so that a signal reaches it.
    let mut command = Command::new(env!("CARGO_BIN_EXE_proofkey"));
    command.arg("token").env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let (mut connection, _) = server.accept().unwrap();
    assert_ne!(connection.read(&mut [0; 4096]).unwrap(), 0);
    (child, connection)
}
