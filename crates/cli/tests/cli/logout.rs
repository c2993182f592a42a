//! `proofkey logout`.

use crate::desk::{Desk, Run, answer};
use proofkey_devserver::{EndpointFault, Faults};
use std::io::Read;
use std::net::TcpListener;

const REVOCATION: &str = "/connect/revocation";

#[test]
fn both_tokens_are_revoked_and_forgotten() {
    let desk = Desk::signed_in();
    let record = desk.record();
    let run = desk.run(&["logout", "--json"]);
    assert_eq!(
        run.json(),
        serde_json::json!({
            "profile": "default", "account": "default", "forgotten": true, "revocation": "done",
            "end_session_url": null, "opened": false,
        }),
        "{run:?}"
    );
    let bodies: Vec<String> = desk.requests(REVOCATION).into_iter().map(|entry| entry.body).collect();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0].contains(record.refresh_token.unwrap().expose()) && bodies[0].contains("hint=refresh_token"));
    assert!(bodies[1].contains(record.access_token.expose()) && bodies[1].contains("hint=access_token"));
    assert!(desk.store().list().unwrap().is_empty());
    desk.run(&["logout"]).fails(3, &["not signed in"]);
}

#[test]
fn tokens_that_are_still_valid_are_kept() {
    let desk = Desk::signed_in();
    let fault = EndpointFault::Respond { status: 503, headers: Vec::new(), body: String::new() };
    desk.server.set_faults(Faults { revocation: Some(fault), ..Faults::default() });
    let run = desk.run(&["logout"]);
    run.fails(5, &["503", "may still be valid", "--forget-anyway", &desk.server.revocation_endpoint()]);
    assert_eq!(desk.run(&["token"]).code, Some(0));
    let run = desk.run(&["logout", "--forget-anyway"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("warning") && run.stderr.contains("may still be valid"), "{run:?}");
    assert!(desk.store().list().unwrap().is_empty());
}

#[test]
fn a_server_that_revokes_refresh_tokens_only_is_enough_where_there_was_one() {
    for (with_refresh_token, code, kept) in [(true, 0, 0), (false, 4, 1)] {
        let desk = Desk::signed_in();
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/revoke", server.local_addr().unwrap());
        desk.edit(|record| {
            record.endpoints.insert("revocation_endpoint".to_owned(), endpoint);
            record.refresh_token = record.refresh_token.take().filter(|_| with_refresh_token);
        });
        let child = desk.command(&["logout"]).spawn().unwrap();
        for hint in if with_refresh_token { &["refresh_token", "access_token"][..] } else { &["access_token"] } {
            let (mut stream, _) = server.accept().unwrap();
            let (mut request, mut chunk) = (String::new(), [0; 4096]);
            while !request.ends_with(&format!("&token_type_hint={hint}&client_id=demo-native")) {
                let length = stream.read(&mut chunk).unwrap();
                assert_ne!(length, 0, "{request}");
                request.push_str(std::str::from_utf8(&chunk[..length]).unwrap());
            }
            let (status, body) = match *hint {
                "refresh_token" => ("200 OK", ""),
                _ => ("400 Bad Request", r#"{"error":"unsupported_token_type"}"#),
            };
            answer(&mut stream, status, body);
        }
        let run: Run = child.wait_with_output().unwrap().into();
        assert_eq!((run.code, desk.store().list().unwrap().len()), (Some(code), kept), "{run:?}");
    }
}

#[test]
fn a_server_that_wants_a_secret_for_it_has_no_revocation() {
    for (status, body) in [
        (401, r#"{"error":"invalid_client"}"#),
        (400, r#"{"error":"invalid_client","error_description":"client authentication failed"}"#),
        (400, r#"{"error":"unauthorized_client"}"#),
        (401, r#"{"error":"unauthorized"}"#),
        (401, ""),
    ] {
        for json in [false, true] {
            let desk = Desk::signed_in();
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            let fault = EndpointFault::Respond { status, headers, body: body.to_owned() };
            desk.server.set_faults(Faults { revocation: Some(fault), ..Faults::default() });
            let run = desk.run(if json { &["logout", "--json"] } else { &["logout"] });
            assert_eq!(run.code, Some(0), "{run:?}");
            if json {
                assert_eq!(run.json()["revocation"], "not_allowed");
            } else {
                assert!(run.stderr.contains("does not let this client revoke tokens"), "{run:?}");
                assert!(run.stderr.contains("stay valid until they expire"), "{run:?}");
            }
            assert_eq!(desk.requests(REVOCATION).len(), 1, "the second token would fare no better");
            assert!(desk.store().list().unwrap().is_empty());
        }
    }
}

#[test]
fn a_server_without_revocation_is_told() {
    let desk = Desk::signed_in();
    desk.edit(|record| drop(record.endpoints.remove("revocation_endpoint")));
    let run = desk.run(&["logout"]);
    assert!(run.code == Some(0) && run.stderr.contains("No revocation endpoint is known"), "{run:?}");
}

#[test]
fn advice_names_the_profile() {
    let desk = Desk::new();
    desk.sign_in(&["--profile", "work", "--issuer", &desk.server.issuer(), "--client-id", "demo-native"]);
    let fault = EndpointFault::Respond { status: 503, headers: Vec::new(), body: String::new() };
    desk.server.set_faults(Faults { revocation: Some(fault), ..Faults::default() });
    desk.run(&["logout", "--profile", "work"]).fails(5, &["`proofkey logout --forget-anyway --profile work`"]);
}
