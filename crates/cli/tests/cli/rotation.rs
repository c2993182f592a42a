//! Servers that rotate refresh tokens and end the login when an old one comes again.

use crate::desk::{Desk, refresh};
use proofkey_devserver::{Alteration, EndpointFault, Faults};

fn respond(status: u16, body: &str) -> Option<EndpointFault> {
    respond_with(status, &[("content-type", "application/json")], body)
}

fn respond_with(status: u16, headers: &[(&str, &str)], body: &str) -> Option<EndpointFault> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Some(EndpointFault::Respond { status, headers, body: body.to_owned() })
}

fn set(desk: &Desk, token: Option<EndpointFault>) {
    desk.server.set_faults(Faults { token, ..Faults::default() });
}

fn member(name: &str, value: Option<&str>) -> Alteration {
    Alteration { members: vec![(name.to_owned(), value.map(str::to_owned))], ..Alteration::default() }
}

/// Answers to a refresh that cannot be used, except for their new refresh token.
fn readable() -> Vec<Alteration> {
    let mut cases = Vec::new();
    for (name, values) in [
        ("expires_in", &[r#""""#, "-1", "false", "[]", "{}", "null", r#""3600.0""#][..]),
        ("scope", &["7", r#"["a b"]"#, "\"a\\tb\"", "\"é\"", "{}"]),
        ("token_type", &[r#""mac""#, "7", "null", r#""""#, "[]"]),
        ("access_token", &[r#""""#, r#""a b""#, "7", "null", r#"["x"]"#]),
        ("id_token", &["7"]),
    ] {
        cases.extend(values.iter().map(|value| member(name, Some(value))));
        cases.push(member(name, None));
    }
    cases.push(Alteration { status: 201, ..Alteration::default() });
    for content_type in ["text/plain", "application/octet-stream", "text/html", "application/jwt", ""] {
        cases.push(Alteration { content_type: content_type.to_owned(), ..Alteration::default() });
    }
    cases.push(Alteration { cut_before: Some(r#","scope""#.to_owned()), ..Alteration::default() });
    cases.push(Alteration { cut_before: Some(r#""token_type""#.to_owned()), ..Alteration::default() });
    cases
}

#[test]
fn no_oddity_beside_a_readable_refresh_token_ends_a_login() {
    let desk = Desk::signed_in();
    let expire = || desk.edit(|record| (record.requested_at, record.expires_in) = (now() - 4_000, Some(3_600)));
    for alteration in readable() {
        set(&desk, Some(EndpointFault::Alter(alteration.clone())));
        expire();
        let before = desk.record();
        let odd = desk.run(&["token"]);
        assert_ne!(refresh(&desk.record()), refresh(&before), "{alteration:?}: {odd:?}");
        set(&desk, None);
        expire();
        let run = desk.run(&["token"]);
        assert_eq!(run.stdout, format!("{}\n", desk.record().access_token.expose()), "{alteration:?}: {odd:?} {run:?}");
        assert_eq!(run.code, Some(0), "{alteration:?}");
    }
}

#[test]
fn the_token_that_still_works_is_printed_beside_them() {
    let desk = Desk::signed_in();
    for alteration in [member("access_token", Some("7")), member("token_type", Some("\"mac\""))] {
        desk.edit(|record| record.requested_at = now() - 3_560);
        let before = desk.record();
        set(&desk, Some(EndpointFault::Alter(alteration)));
        let run = desk.run(&["token"]);
        assert_eq!((run.code, run.stdout.trim_end()), (Some(0), before.access_token.expose()), "{run:?}");
        assert!(run.stderr.contains("warning: the token was not refreshed"), "{run:?}");
        assert_ne!(refresh(&desk.record()), refresh(&before));
    }
}

#[test]
fn an_answer_without_a_readable_refresh_token_is_told_and_changes_nothing() {
    for alteration in [
        Alteration { status: 204, body: Some(String::new()), ..Alteration::default() },
        Alteration { content_type: "text/html".to_owned(), body: Some("<p>Hello".to_owned()), ..Alteration::default() },
        Alteration { body: Some(String::new()), ..Alteration::default() },
        Alteration { cut_before: Some(r#""refresh_token""#.to_owned()), ..Alteration::default() },
        member("refresh_token", Some("7")),
    ] {
        let desk = Desk::signed_in();
        let valid = desk.run(&["token"]).stdout;
        desk.edit(|record| record.requested_at -= 3_560);
        let before = desk.record();
        set(&desk, Some(EndpointFault::Alter(alteration.clone())));
        let run = desk.run(&["token"]);
        let after = desk.record();
        assert_eq!(run.code, Some(0), "{alteration:?}: {run:?}");
        if alteration.cut_before.is_some() {
            // It is sent once more.
            assert_eq!((&run.stdout, refresh(&after)), (&valid, None), "{alteration:?}: {run:?}");
            assert!(run.stderr.contains("the last token of this sign-in: the answer to the refresh at "), "{run:?}");
        } else if alteration.members.is_empty() {
            assert_eq!((&run.stdout, refresh(&after)), (&valid, refresh(&before)), "{alteration:?}: {run:?}");
            let is_lost = run.stderr.contains("the server may have spent the refresh token at ");
            assert_eq!(is_lost, alteration.status == 200, "{alteration:?}: {run:?}");
        }
        // This server has no grace: the old token comes again, and that is the end.
        set(&desk, None);
        desk.expire();
        desk.run(&["token"]).fails(3, &["proofkey login"]);
        let asked = desk.refreshes();
        desk.run(&["token"]).fails(3, &["proofkey login"]);
        assert_eq!(desk.refreshes(), asked, "nothing is sent again");
    }
}

#[test]
fn a_dead_refresh_token_is_3_by_any_name_and_sent_once() {
    for (status, body, words) in [
        (400, r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        (200, r#"{"error":"bad_refresh_token","error_description":"Gone"}"#, "bad_refresh_token: Gone"),
        (400, r#"{"error":"invalid_request"}"#, "invalid_request"),
        (400, r#"{"error":"invalid_token"}"#, "invalid_token"),
        (401, r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        (400, "", "400"),
        (401, "{}", "401"),
    ] {
        let desk = Desk::signed_in();
        desk.expire();
        set(&desk, respond(status, body));
        let run = desk.run(&["token", "--json"]);
        run.fails(3, &[words, "sign in again with `proofkey login`"]);
        assert_eq!((run.error()["error"].as_str(), run.stdout.as_str()), (Some("login_required"), ""));
        set(&desk, None);
        desk.run(&["token"]).fails(3, &[words, "proofkey login"]);
        desk.run(&["token", "--refresh"]).fails(3, &[words, "proofkey login"]);
        desk.run(&["call", &desk.server.api("/api/me")]).fails(3, &[words, "proofkey login"]);
        let run = desk.run(&["status"]);
        run.fails(3, &["sign-in expired", words]);
        assert!(run.stdout.contains("sign-in expired") && run.stdout.contains("renewed  no longer: "), "{run:?}");
        let json = desk.run(&["status", "--json"]).json();
        assert!(json["ended"].as_str().unwrap().contains(words) && json["signed_in"] == false, "{json}");
        assert_eq!(desk.refreshes(), 1, "{status} {body}");
        desk.sign_in(&[]);
        assert_eq!((desk.run(&["token"]).code, desk.run(&["status"]).code), (Some(0), Some(0)));
        assert_eq!(desk.run(&["status", "--json"]).json()["ended"], serde_json::Value::Null);
    }
}

#[test]
fn an_ended_login_still_has_its_last_token() {
    let desk = Desk::signed_in();
    let valid = desk.run(&["token"]).stdout;
    set(&desk, respond(400, r#"{"error":"invalid_grant"}"#));
    desk.run(&["token", "--refresh"]).fails(3, &["sign-in expired", "invalid_grant", "proofkey login"]);
    let run = desk.run(&["token"]);
    assert_eq!((run.code, &run.stdout), (Some(0), &valid), "it is valid until its end: {run:?}");
    assert!(run.stderr.contains("the last token of this sign-in") && run.stderr.contains("proofkey login"), "{run:?}");
    assert_eq!(desk.run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    let run = desk.run(&["status"]);
    assert!(run.code == Some(0) && run.stdout.contains("renewed  no longer: "), "{run:?}");
    set(&desk, None);
    assert_eq!((desk.refreshes(), desk.run(&["logout"]).code), (1, Some(0)));
}

#[test]
fn a_refusal_of_another_cause_ends_no_login() {
    let desk = Desk::signed_in();
    desk.expire();
    let before = refresh(&desk.record());
    let html = &[("content-type", "text/html")][..];
    let mut answers = vec![
        respond(403, r#"{"error":"invalid_grant"}"#),
        respond(404, ""),
        respond_with(302, &[("location", "/login")], ""),
        respond_with(400, html, "<h1>Bad Request</h1>"),
    ];
    for code in [
        "invalid_client",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "invalid_dpop_proof",
        "use_dpop_nonce",
        "slow_down",
        "server_error",
        "temporarily_unavailable",
    ] {
        answers.push(respond(400, &format!(r#"{{"error":"{code}"}}"#)));
        answers.push(respond(401, &format!(r#"{{"error":"{code}"}}"#)));
    }
    // After one of these, the next run waits for two seconds.
    answers.extend([respond_with(200, html, "<h1>Maintenance</h1>"), respond(503, ""), respond(500, "oops")]);
    for answer in answers {
        set(&desk, answer.clone());
        let run = desk.run(&["token"]);
        assert!(run.code != Some(0) && run.stdout.is_empty(), "{answer:?}: {run:?}");
        assert_eq!(refresh(&desk.record()), before, "{answer:?}");
        assert_eq!(desk.run(&["status"]).code, Some(0), "{answer:?}");
    }
    set(&desk, None);
    assert_eq!(desk.run(&["token"]).code, Some(0));
}

#[test]
fn a_pause_that_the_server_asks_for_is_kept() {
    for (status, headers, left) in [
        (429, &[("retry-after", "120")][..], "2 minutes"),
        (429, &[], "seconds"),
        (503, &[("retry-after", "1000000")], "1 hour"),
    ] {
        let desk = Desk::signed_in();
        desk.expire();
        set(&desk, respond_with(status, headers, ""));
        desk.run(&["token"]).fails(5, &[&desk.server.token_endpoint()]);
        set(&desk, None);
        let run = desk.run(&["token"]);
        run.fails(5, &["asked for a pause", "nothing was sent", "try again in ", &desk.server.token_endpoint()]);
        let minute_before = left.replace("2 minutes", "1 minute").replace("1 hour", "59 minutes");
        assert!(run.stderr.contains(left) || run.stderr.contains(&minute_before), "{run:?}");
        desk.run(&["token", "--refresh"]).fails(5, &["nothing was sent"]);
        assert_eq!(desk.refreshes(), 1, "nothing is sent in the pause");
        desk.edit(|record| record.requested_at = now() - 3_560);
        let run = desk.run(&["token"]);
        assert!(run.code == Some(0) && run.stderr.contains("nothing was sent"), "bridged: {run:?}");
        let said = desk.run(&["status"]).stdout;
        assert!(said.contains("renewed  after a pause of "), "{said}");
        desk.rewrite(&desk.record().to_bytes().unwrap(), |fields| fields[3] = (now() * 1_000).to_string());
        assert_eq!(desk.run(&["token"]).code, Some(0));
        assert_eq!((desk.refreshes(), &desk.run(&["status", "--json"]).json()["pause"]), (2, &0.into()));
    }
}

#[test]
fn a_server_that_is_down_is_asked_again() {
    let desk = Desk::signed_in();
    desk.expire();
    for count in 1..=2 {
        set(&desk, respond(503, ""));
        desk.run(&["token"]).fails(5, &["503", "try again later"]);
        assert_eq!(desk.refreshes(), count);
    }
    set(&desk, respond_with(503, &[("retry-after", "120")], ""));
    desk.run(&["token"]).fails(5, &["try again in 2 minutes"]);
}

#[test]
fn a_token_that_is_only_due_bridges_a_server_in_trouble() {
    let desk = Desk::signed_in();
    desk.edit(|record| record.requested_at -= 3_560);
    set(&desk, respond(503, ""));
    let run = desk.run(&["token"]);
    assert_eq!((run.code, run.stdout.trim_end()), (Some(0), desk.record().access_token.expose()), "{run:?}");
    assert!(run.stderr.contains("this one ends in ") && run.stderr.contains("503"), "{run:?}");
    assert_eq!(desk.refreshes(), 1);
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
