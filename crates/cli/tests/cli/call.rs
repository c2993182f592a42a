//! `proofkey call`.

use crate::desk::{Desk, Run, TOKEN};
use proofkey_devserver::{DevServer, EndpointFault, Faults, Options};
use proofkey_ureq::proofkey_store::{Answer, LoginId, Op, Store as _, Version};
use std::io::{Read, Write};
use std::net::TcpStream;

fn call(desk: &Desk, path: &str, args: &[&str]) -> Run {
    desk.run(&[&["call", &desk.server.api(path)], args].concat())
}

/// Makes the stored access token one that was issued two minutes ago.
fn age(desk: &Desk) {
    desk.edit(|record| record.requested_at -= 120);
}

/// Ends the stored access token at the server, without the program's knowledge.
fn revoke_access_token(desk: &Desk) {
    let body = format!("client_id=demo-native&token={}", desk.record().access_token.expose());
    let address = desk.server.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    let head = "POST /connect/revocation HTTP/1.0\r\ncontent-type: application/x-www-form-urlencoded";
    write!(stream, "{head}\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
}

#[test]
fn the_body_is_printed_as_it_is() {
    let desk = Desk::signed_in();
    let run = call(&desk, "/api/me", &[]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    assert!(run.json()["user"]["email"].is_string() || run.stdout.contains("email"), "{run:?}");
    assert!(!run.stdout.ends_with('\n'));
    let request = desk.requests("/api/me").pop().unwrap();
    let token = desk.record().access_token;
    let sent: Vec<_> = request.headers.iter().filter(|(name, _)| name == "authorization").collect();
    assert_eq!(sent, [&("authorization".to_owned(), format!("Bearer {}", token.expose()))]);
}

#[test]
fn json_is_part_of_json() {
    let desk = Desk::signed_in();
    let respond = |content_type: &str, body: &str| {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        let fault = EndpointFault::Respond { status: 200, headers, body: body.to_owned() };
        desk.server.set_faults(Faults { api: Some(fault), ..Faults::default() });
        let run = call(&desk, "/api/me", &["--json"]);
        assert!(run.code == Some(0) && run.json()["status"] == 200, "{run:?}");
        run.stdout
    };
    let json = respond(
        "application/vnd.x+json; charset=utf-8",
        "{\n \"id\": 12345678901234567890.10,\n \"a\": \"\u{9b}2J\"\n}",
    );
    assert!(json.ends_with(",\"body\":{\"id\":12345678901234567890.10,\"a\":\"\\u009b2J\"}}\n"), "{json}");
    let text = respond("text/plain", "{\"id\": 1}");
    assert!(text.ends_with(",\"body\":\"{\\\"id\\\": 1}\"}\n"), "{text}");
}

#[test]
fn data_headers_and_method_are_sent() {
    let desk = Desk::signed_in();
    let run = call(&desk, "/api/itwins", &["-d", "{\"displayName\":\"x\"}", "-H", "X-Trace:  7 ", "-i"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stdout.starts_with("HTTP 201\n") && run.stdout.contains("\ncontent-type: application/json\n"),
        "{run:?}"
    );
    assert!(run.stdout.ends_with("\n\n{\"iTwin\":{\"displayName\":\"x\"}}"), "{run:?}");
    let request = desk.requests("/api/itwins").pop().unwrap();
    for header in [("x-trace", "7"), ("content-type", "application/json")] {
        assert!(request.headers.contains(&(header.0.to_owned(), header.1.to_owned())), "{request:?}");
    }
    assert_eq!((request.method.as_str(), request.body.as_str()), ("POST", "{\"displayName\":\"x\"}"));

    let args = ["call", &desk.server.api("/api/itwins"), "-X", "PUT", "-d", "@-", "-H", "Content-Type: text/plain"];
    desk.run_with_input(&args, "from stdin").fails(7, &["405"]);
    let request = desk.requests("/api/itwins").pop().unwrap();
    assert_eq!((request.method.as_str(), request.body.as_str()), ("PUT", "from stdin"));
    assert!(request.headers.contains(&("content-type".to_owned(), "text/plain".to_owned())));

    std::fs::write(desk.home("body.json"), "{\"a\":1}").unwrap();
    let run = call(&desk, "/api/itwins", &["-d", "@body.json", "-o", "answer.json"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    assert_eq!(std::fs::read_to_string(desk.home("answer.json")).unwrap(), "{\"iTwin\":{\"a\":1}}");
}

#[test]
fn a_401_is_renewed_and_tried_again_once() {
    let desk = Desk::signed_in();
    age(&desk);
    revoke_access_token(&desk);
    let run = call(&desk, "/api/me", &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let statuses: Vec<u16> = desk.requests("/api/me").iter().map(|entry| entry.status).collect();
    assert_eq!((statuses, desk.refreshes()), (vec![401, 200], 1));
}

fn refuse(desk: &Desk, status: u16, challenge: Option<&str>) {
    let challenge = challenge.map(|challenge| ("www-authenticate".to_owned(), challenge.to_owned()));
    let fault = EndpointFault::Respond { status, headers: challenge.into_iter().collect(), body: "no".to_owned() };
    desk.server.set_faults(Faults { api: Some(fault), ..Faults::default() });
}

#[test]
fn an_api_that_takes_no_token_costs_one_refresh() {
    for challenge in [Some("Bearer error=\"invalid_token\""), Some("DPoP, Basic realm=x"), None] {
        let desk = Desk::signed_in();
        age(&desk);
        refuse(&desk, 401, challenge);
        let run = call(&desk, "/api/me", &[]);
        run.fails(7, &["401", "check that the API belongs to", &desk.server.issuer()]);
        assert!(run.stdout == "no" && !run.stderr.contains("proofkey login"), "{run:?}");
        assert_eq!((desk.requests("/api/me").len(), desk.refreshes()), (2, 1));
        // The token is new now.
        for _ in 0..2 {
            call(&desk, "/api/me", &[]).fails(7, &["401", "although it is new"]);
        }
        assert_eq!((desk.requests("/api/me").len(), desk.refreshes()), (4, 1), "{challenge:?}");
    }
}

#[test]
fn another_scheme_costs_no_refresh() {
    let desk = Desk::signed_in();
    age(&desk);
    refuse(&desk, 401, Some("Basic realm=\"x\", Digest realm=\"y\""));
    let run = call(&desk, "/api/me", &[]);
    run.fails(7, &["401", "the API wants Basic or Digest authentication here, and no access token"]);
    assert!(run.stdout == "no" && !run.stderr.contains("proofkey login"), "{run:?}");
    assert_eq!((desk.requests("/api/me").len(), desk.refreshes()), (1, 0));
}

#[test]
fn a_new_token_is_not_refreshed() {
    let desk = Desk::signed_in();
    refuse(&desk, 401, None);
    call(&desk, "/api/me", &[]).fails(7, &["although it is new"]);
    assert_eq!(desk.refreshes(), 0);
    desk.expire();
    call(&desk, "/api/me", &[]).fails(7, &["although it is new"]);
    assert_eq!(desk.refreshes(), 1, "it had ended, and what took its place is new");
}

#[test]
fn an_old_token_without_a_refresh_token_needs_a_sign_in() {
    let desk = Desk::new();
    desk.sign_in(&["--profile", "work", "--issuer", &desk.server.issuer(), "--client-id", "demo-native"]);
    desk.edit(|record| (record.requested_at, record.refresh_token) = (record.requested_at - 120, None));
    refuse(&desk, 401, None);
    call(&desk, "/api/me", &["--profile", "work"]).fails(7, &["sign in again with `proofkey login --profile work`"]);
}

#[test]
fn what_the_api_refuses_is_7() {
    let desk = Desk::signed_in();
    for (status, code) in [(304, 0), (399, 0), (400, 7), (404, 7), (500, 7), (599, 7)] {
        let fault = EndpointFault::Respond { status, headers: Vec::new(), body: String::new() };
        desk.server.set_faults(Faults { api: Some(fault), ..Faults::default() });
        let run = call(&desk, "/api/me", &[]);
        assert_eq!(
            (run.code, run.stderr.contains("does not follow")),
            (Some(code), status == 399),
            "{status}: {run:?}"
        );
        assert!(code == 0 || run.stderr.contains(&format!("refused the call ({status})")), "{run:?}");
    }
    assert_eq!(desk.refreshes(), 0);
}

#[test]
fn a_missing_scope_is_named_with_the_command_that_asks_for_it() {
    let desk = Desk::signed_in();
    call(&desk, "/api/admin", &[]).fails(7, &["403", "`proofkey login --scope 'itwin-platform offline_access admin'`"]);
    assert_eq!(desk.refreshes(), 0);
}

#[test]
fn a_missing_scope_cannot_smuggle_in_a_command() {
    let desk = Desk::signed_in();
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"a'; rm -rf ~; '\u{1b}[2J\"".to_owned();
    let headers = vec![("www-authenticate".to_owned(), challenge.replace('\u{1b}', "\\"))];
    let fault = EndpointFault::Respond { status: 403, headers, body: String::new() };
    desk.server.set_faults(Faults { api: Some(fault), ..Faults::default() });
    let run = call(&desk, "/api/me", &[]);
    run.fails(7, &["a?; rm -rf ~; ?"]);
    assert_eq!(run.stderr.matches('\'').count(), 2, "{run:?}");
}

#[test]
fn a_403_says_only_what_is_known() {
    let desk = Desk::signed_in();
    age(&desk);
    let run = call(&desk, "/api/forbidden", &[]);
    run.fails(7, &["403", "the API forbids this call; its answer may say why\n"]);
    assert!(run.stdout.contains("InsufficientPermissions"));
    // The same login, as if it were at the iTwin platform.
    let (store, mut record) = (desk.store(), desk.record());
    assert!(store.discard(&record.key).unwrap());
    let issuer = format!("{{\"issuer\":\"{}\"}}", desk.server.issuer());
    record.notes.values_mut().for_each(|note| *note = note.replace(&issuer, "\"itwin\""));
    record.key.issuer = "https://ims.bentley.com".to_owned();
    let version = Version::first(LoginId::new(record.requested_at, None, 0));
    let write = Op::Write { expect: None, version, value: Some(&record.to_bytes().unwrap()) };
    assert_eq!(store.run(&record.key, write).unwrap(), Answer::Done);
    call(&desk, "/api/forbidden", &[]).fails(7, &["may say why. You may lack", "Access Control API"]);
    assert_eq!(desk.refreshes(), 0);
}

#[test]
fn no_redirect_is_followed() {
    let desk = Desk::signed_in();
    let elsewhere = DevServer::start(Options::default()).unwrap();
    let headers = vec![("location".to_owned(), elsewhere.api("/api/me"))];
    let fault = EndpointFault::Respond { status: 307, headers, body: String::new() };
    desk.server.set_faults(Faults { api: Some(fault), ..Faults::default() });
    let run = call(&desk, "/api/me", &[]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("proofkey does not follow redirects"), "{run:?}");
    assert!(elsewhere.log().is_empty());
}

#[test]
fn the_token_goes_nowhere_that_was_not_allowed() {
    let desk = Desk::signed_in();
    // The server's tokens are for this machine: any of its ports, but nobody else.
    for url in ["https://api.example.com/x", "https://127.0.0.1.example.com/"] {
        desk.run(&["call", url]).fails(2, &["does not send its token to", "--api-host", "config.toml"]);
    }
    desk.run(&["call", "http://api.example.com/x", "--api-host", "api.example.com"]).fails(2, &["plain http"]);
    for url in ["api.example.com", "ftp://127.0.0.1/", "https://user@127.0.0.1/", "https://a b/"] {
        desk.run(&["call", url]).fails(2, &["is not a full URL", "write https://HOST/PATH"]);
    }
}

#[test]
fn a_host_is_allowed_by_the_call_by_the_profile_or_by_the_login() {
    let desk = Desk::new();
    let host = desk.server.url().replace("http://", "");
    // As if the tokens came from elsewhere.
    let sign_in = |args: &[&str]| {
        desk.sign_in(args);
        desk.set_token_endpoint("https://as.example/token");
    };
    sign_in(&[]);
    call(&desk, "/api/me", &[]).fails(2, &[&format!("does not send its token to {host}")]);
    assert_eq!(call(&desk, "/api/me", &["--api-host", &host]).code, Some(0));
    call(&desk, "/api/me", &[]).fails(2, &["--api-host"]);

    let config = std::fs::read_to_string(desk.config()).unwrap();
    desk.configure(&format!("{config}api_hosts = ['{host}']\n"));
    assert_eq!(call(&desk, "/api/me", &[]).code, Some(0));
    desk.configure(&config);
    call(&desk, "/api/me", &[]).fails(2, &["--api-host"]);

    // Two of them, one of them twice.
    for _ in 0..2 {
        sign_in(&["--api-host", &host, "--api-host", "api.example.com"]);
        assert_eq!(call(&desk, "/api/me", &[]).code, Some(0));
    }
    let settings = desk.record().notes.into_values().collect::<String>();
    assert_eq!(
        (settings.matches(&host).count(), settings.matches("api.example.com").count()),
        (1 + 1, 1),
        "{settings}"
    );
}

#[test]
fn headers_that_are_ours_are_refused() {
    let desk = Desk::signed_in();
    desk.server.clear_log();
    for header in ["Authorization: Bearer x", "authorization:x", "Host: evil.example", "no colon", "a b: c", "x: \u{7}"]
    {
        call(&desk, "/api/me", &["-H", header]).fails(2, &["--header"]);
    }
    call(&desk, "/api/me", &["-d", "@missing.json"]).fails(2, &["missing.json"]);
    call(&desk, "/api/me", &["-X", "GE T"]).fails(2, &["GE T"]);
    assert!(desk.server.log().is_empty());
}

#[test]
fn an_api_that_does_not_answer_is_6() {
    let desk = Desk::signed_in();
    desk.server.set_faults(Faults { api: Some(EndpointFault::Stall { millis: 30_000 }), ..Faults::default() });
    call(&desk, "/api/me", &["--timeout", "1"]).fails(6, &["/api/me", "in time"]);
}

#[test]
fn nothing_is_sent_without_a_login() {
    let desk = Desk::new();
    call(&desk, "/api/me", &[]).fails(3, &["proofkey login"]);
    assert!(desk.requests("/api/me").is_empty() && desk.requests(TOKEN).is_empty());
}
