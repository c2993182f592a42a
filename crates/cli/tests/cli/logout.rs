//! `proofkey logout`.

use crate::desk::Desk;
use proofkey_devserver::{EndpointFault, Faults};

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
