//! Faults of some refreshes.

use crate::client::{agent, call, login, refresh, refresh_form, start, text, wait_for};
use proofkey_devserver::{DevServer, EndpointFault, Faults, Options, RefreshFault, When};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn a_refresh_that_never_arrives_spends_nothing() {
    let server = start();
    switch(&server, &[(When::Next(2), EndpointFault::HangupBefore)]);
    let tokens = login(&server);
    let token = text(&tokens, "refresh_token");
    for _ in 0..2 {
        let mut answer = Vec::new();
        assert!(send(&server, token).read_to_end(&mut answer).is_ok() && answer.is_empty(), "{answer:?}");
        assert_eq!(server.log().last().map(|entry| entry.status), Some(0));
    }
    assert_eq!(server.counts().refreshes, 0);
    assert_eq!(refresh(&server, token).0, 200);
    let counts = server.counts();
    assert_eq!((counts.refreshes, counts.reuses, counts.token_requests), (1, 0, 4));
}

#[test]
fn a_lost_answer_is_recovered_in_a_grace_and_costs_the_login_without_one() {
    for (refresh_grace, recovered) in [(3600, 200), (0, 400)] {
        let server = DevServer::start(Options { refresh_grace, ..Options::default() }).unwrap();
        switch(&server, &[(When::Next(1), EndpointFault::Hangup)]);
        let tokens = login(&server);
        let mut answer = Vec::new();
        send(&server, text(&tokens, "refresh_token")).read_to_end(&mut answer).unwrap();
        assert_eq!((server.counts().refreshes, answer.len()), (1, 0));
        assert_eq!(refresh(&server, text(&tokens, "refresh_token")).0, recovered);
        let alive = call(&server, "/api/me", text(&tokens, "access_token")).0;
        assert_eq!(alive, if recovered == 200 { 200 } else { 401 });
    }
}

#[test]
fn every_so_many_are_cut_and_the_first_fault_that_is_due_is_taken() {
    let server = start();
    let hangup = |when| (when, EndpointFault::HangupBefore);
    let answers = |count: usize| -> String { (0..count).map(|_| outcome(&server)).collect() };
    switch(&server, &[hangup(When::Every(3))]);
    assert_eq!(answers(7), "..x..x.");
    switch(&server, &[hangup(When::Every(3))]);
    assert_eq!(answers(3), "..x", "counted anew");
    switch(&server, &[hangup(When::Every(0)), hangup(When::Next(0))]);
    assert_eq!(answers(3), "...");
    switch(&server, &[hangup(When::Every(1))]);
    assert_eq!(answers(3), "xxx");
    let respond = EndpointFault::Respond { status: 503, headers: Vec::new(), body: "{}".to_owned() };
    switch(&server, &[(When::Next(3), respond.clone()), hangup(When::Every(2))]);
    assert_eq!(answers(6), "555x.x");
    let faults = Faults { refresh: vec![fault(hangup(When::Next(1)))], token: Some(respond), ..Faults::default() };
    server.set_faults(faults);
    assert_eq!(answers(2), "x5", "the fault of the endpoint is for those that are left over");
}

#[test]
fn only_refreshes_have_the_faults_of_refreshes() {
    let server = start();
    switch(&server, &[(When::Every(1), EndpointFault::Hangup)]);
    let tokens = login(&server);
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 200);
    assert_eq!(outcome(&server), 'x');
}

#[test]
fn an_answer_that_is_late_was_committed_at_once() {
    let server = start();
    switch(&server, &[(When::Next(1), EndpointFault::Delay { millis: 3_600_000 })]);
    let tokens = login(&server);
    let waiting = send(&server, text(&tokens, "refresh_token"));
    wait_for(&server, |counts| counts.refreshes == 1);
    waiting.set_nonblocking(true).unwrap();
    assert_eq!((&waiting).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);

    switch(&server, &[(When::Next(1), EndpointFault::Delay { millis: 50 })]);
    let tokens = login(&server);
    let start = Instant::now();
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).0, 200);
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_refresh_can_arrive_after_a_later_one() {
    let server = start();
    switch(&server, &[(When::Next(1), EndpointFault::Stall { millis: 300 })]);
    let tokens = login(&server);
    let abandoned = send(&server, text(&tokens, "refresh_token"));
    wait_for(&server, |counts| counts.token_requests == 2);
    drop(abandoned);
    let later: Value = refresh(&server, text(&tokens, "refresh_token")).1;
    wait_for(&server, |counts| (counts.refreshes, counts.reuses) == (1, 1));
    if let Some(token) = later["access_token"].as_str() {
        assert_eq!(call(&server, "/api/me", token).0, 401, "the first was reuse when it arrived");
    }
}

fn switch(server: &DevServer, faults: &[(When, EndpointFault)]) {
    server.set_faults(Faults { refresh: faults.iter().cloned().map(fault).collect(), ..Faults::default() });
}

fn fault((when, fault): (When, EndpointFault)) -> RefreshFault {
    RefreshFault { when, fault }
}

/// Sends a refresh, and leaves the answer to be read. Unlike a client's, this connection is not tried again.
fn send(server: &DevServer, token: &str) -> TcpStream {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(refresh_form(token)).finish();
    let mut stream = TcpStream::connect(server.url().replace("http://", "")).unwrap();
    let head = format!(
        "POST /connect/token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    stream
}

/// What becomes of a refresh: `x` is no answer, `5` is 503, and `.` is any other.
fn outcome(server: &DevServer) -> char {
    match agent().post(server.token_endpoint()).send_form(refresh_form("unknown")) {
        Err(_) => 'x',
        Ok(response) if response.status() == 503 => '5',
        Ok(_) => '.',
    }
}
