//! Faults, and the log of requests.

use crate::client::{VERIFIER, agent, call, login, query, refresh, refresh_form, start, text, visit};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{Alteration, CallbackFault, EndpointFault, Faults};
use std::io::Read;

#[test]
fn faults_bite() {
    let server = start();
    let faulty = |fault| {
        server.set_faults(Faults { callback: Some(fault), ..Faults::default() });
        visit(&server, Decision::Allow, "").callback.unwrap()
    };
    assert_eq!(faulty(CallbackFault::DuplicateCode).matches("code=").count(), 2);
    assert!(faulty(CallbackFault::CodeAndError).contains("&error="));
    assert_eq!(query(&faulty(CallbackFault::MissingIss), "iss"), None);
    assert_eq!(query(&faulty(CallbackFault::MissingState), "state"), None);
    assert_ne!(query(&faulty(CallbackFault::WrongIss), "iss"), Some(server.issuer()));
    assert_eq!(query(&faulty(CallbackFault::WrongState), "state").as_deref(), Some("another"));
    assert_eq!(faulty(CallbackFault::DuplicateState).matches("state=").count(), 2);

    server.set_faults(Faults::default());
    let tokens = login(&server);
    let at_token = |fault| server.set_faults(Faults { token: Some(fault), ..Faults::default() });
    at_token(EndpointFault::Respond { status: 307, headers: vec![("location".into(), "/x".into())], body: "b".into() });
    let response = agent().post(server.token_endpoint()).send_form([("a", "b")]).unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["location"]), (307, &"/x".parse().unwrap()));
    at_token(EndpointFault::Hangup);
    let lost = agent().post(server.token_endpoint()).send_form(refresh_form(text(&tokens, "refresh_token")));
    assert!(lost.is_err() || lost.unwrap().body_mut().read_to_string().is_err());
    server.set_faults(Faults { keep_refresh_token: true, ..Faults::default() });
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).1["error"], "invalid_grant", "the lost answer rotated");
    let kept = login(&server);
    assert_eq!(refresh(&server, text(&kept, "refresh_token")).1.get("refresh_token"), None);
    assert_eq!(refresh(&server, text(&kept, "refresh_token")).0, 200);
    server.set_faults(Faults { expires_in: Some(7), ..Faults::default() });
    assert_eq!(login(&server)["expires_in"], 7);
}

#[test]
fn an_answer_is_altered_after_the_work_is_done() {
    let server = start();
    let alter = |alteration| {
        server.set_faults(Faults { token: Some(EndpointFault::Alter(alteration)), ..Faults::default() });
    };
    let mut tokens = login(&server);
    let members = vec![("expires_in".to_owned(), Some("\"\"".to_owned())), ("scope".to_owned(), None)];
    alter(Alteration { status: 201, members, ..Alteration::default() });
    let (status, changed) = refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!((status, &changed["expires_in"], changed.get("scope")), (201, &"".into(), None));
    assert_eq!(call(&server, "/api/me", text(&changed, "access_token")).0, 200);
    tokens = changed;

    alter(Alteration { cut_before: Some(",\"scope\"".into()), ..Alteration::default() });
    let response = agent().post(server.token_endpoint()).send_form(refresh_form(text(&tokens, "refresh_token")));
    let mut body = response.unwrap().into_body().into_reader();
    let mut read = Vec::new();
    assert!(body.read_to_end(&mut read).is_err());
    let read = String::from_utf8(read).unwrap();
    let kept = read.split_once("\"refresh_token\":\"").unwrap().1.trim_end_matches('"');
    assert!(read.ends_with(&format!("{kept}\"")) && kept.len() == 43, "{read}");

    alter(Alteration {
        status: 200,
        content_type: "text/html".into(),
        body: Some("<p>".into()),
        ..Alteration::default()
    });
    let response = agent().post(server.token_endpoint()).send_form(refresh_form(kept));
    let mut response = response.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.body_mut().read_to_string().unwrap(), "<p>");
    assert_eq!(refresh(&server, kept).1["error"], "invalid_grant", "a refusal is not altered, and the token was spent");
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 401, "the family has ended");
}

#[test]
fn requests_are_logged_in_order() {
    let server = start();
    login(&server);
    let log = server.log();
    let paths: Vec<_> = log.iter().map(|entry| (entry.method.as_str(), entry.path.as_str(), entry.status)).collect();
    let expected = [
        ("GET", "/connect/authorize", 200),
        ("POST", "/connect/login", 303),
        ("GET", "/connect/consent", 200),
        ("POST", "/connect/consent", 303),
        ("POST", "/connect/token", 200),
    ];
    assert_eq!(paths, expected);
    assert!(log.last().unwrap().body.contains(VERIFIER));
    assert_eq!(server.take_log(), log);
    assert!(server.log().is_empty());
    login(&server);
    server.clear_log();
    assert!(server.log().is_empty());
}

#[test]
fn a_dropped_server_has_closed_its_port() {
    let server = start();
    let address = server.url().replace("http://", "");
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_body_has_its_measure() {
    let server = start();
    for (length, status) in [(1024 * 1024, 400), (1024 * 1024 + 1, 413)] {
        let response = agent().post(server.token_endpoint()).send("x".repeat(length)).unwrap();
        assert_eq!(response.status(), status);
        let entry = server.take_log().pop().unwrap();
        assert_eq!((entry.status, entry.body.len()), (status, if status == 413 { 0 } else { length }));
    }
}
