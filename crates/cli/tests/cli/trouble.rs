//! Messages of `proofkey login` if the server refuses the request.

use crate::desk::{CLIENT, Desk, Run, Waiting, answer, browse};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{EndpointFault, Faults};
use std::io::Read;
use std::net::TcpListener;
use std::thread;

fn token_answer(desk: &Desk, status: u16, body: &str) {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let fault = EndpointFault::Respond { status, headers, body: body.to_owned() };
    desk.server.set_faults(Faults { token: Some(fault), ..Faults::default() });
}

/// Signs in to the profile `work`, as far as that goes.
fn sign_in(desk: &Desk, args: &[&str]) -> (Run, String) {
    desk.configure(&format!("[profile.work]\nissuer = '{}'\n{CLIENT}", desk.server.issuer()));
    let waiting = desk.begin_login(&[&["--profile", "work"], args].concat());
    let redirect_uri = waiting.redirect_uri.clone();
    browse(&waiting.url, Decision::Allow);
    (waiting.end(), redirect_uri)
}

#[test]
fn an_error_page_is_explained_while_waiting_and_at_the_end() {
    let desk = Desk::new();
    let mut child = desk.begin_login(&["--timeout", "1"]);
    let redirect_uri = std::mem::take(&mut child.redirect_uri);
    child.end().fails(
        6,
        &[
            &format!("error page, check the client id (`demo-native`) and the redirect URI (`{redirect_uri}`)"),
            "demands the port that is registered, use --redirect-uri http://127.0.0.1:PORT/callback",
            "--timeout SECONDS",
        ],
    );
    let run = desk.run(&["login", "--no-browser", "--timeout", "1"]);
    run.fails(6, &["If the browser shows an error page, check the client id (`demo-native`) and the redirect URI"]);
    assert_eq!(run.stderr.matches("error page").count(), 2, "{run:?}");
}

#[test]
fn a_port_that_was_given_is_no_matter() {
    let desk = Desk::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}/callback");
    let run = desk.begin_login(&["--timeout", "1", "--redirect-uri", &uri]).end();
    run.fails(6, &[&uri]);
    assert!(!run.stderr.contains("PORT"), "{run:?}");
}

#[test]
fn json_has_the_hint_too() {
    let desk = Desk::new();
    let mut command = desk.command(&["login", "--json", "--no-browser", "--timeout", "1"]);
    let output = command.output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap().lines().nth(1).unwrap().to_owned();
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    let hint = event["hint"].as_str().unwrap();
    assert!(hint.contains("demo-native") && hint.contains(event["redirect_uri"].as_str().unwrap()), "{event}");
}

#[test]
fn a_code_that_is_not_accepted_is_explained() {
    let desk = Desk::new();
    token_answer(&desk, 400, r#"{"error":"invalid_grant"}"#);
    let (run, redirect_uri) = sign_in(&desk, &[]);
    run.fails(
        4,
        &[
            "expired or was used before",
            "verifier",
            &format!("`{redirect_uri}` is registered exactly so"),
            "--redirect-uri http://127.0.0.1:PORT/callback",
            "sign in again with `proofkey login --profile work`",
        ],
    );
    assert_eq!(run.error()["error"], "refused");
}

#[test]
fn a_secret_or_a_nonce_that_the_server_wants_is_named() {
    let desk = Desk::new();
    for (status, body, words) in [
        (
            400,
            r#"{"error":"invalid_request","error_description":"client_secret is missing."}"#,
            "public (native) client",
        ),
        (
            401,
            r#"{"error":"invalid_client","error_description":"The Client Secret is required"}"#,
            "public (native) client",
        ),
        (400, r#"{"error":"invalid_grant","error_description":"client_secret is missing"}"#, "public (native) client"),
        (
            400,
            r#"{"error":"invalid_request","error_description":"nonce required"}"#,
            "`proofkey login --extra nonce=TEXT --profile work`",
        ),
        (
            400,
            r#"{"error":"use_dpop_nonce","error_description":"Authorization server requires nonce in DPoP proof"}"#,
            "`proofkey login --dpop --profile work`",
        ),
        (400, r#"{"error":"invalid_client"}"#, "check the client id"),
    ] {
        token_answer(&desk, status, body);
        sign_in(&desk, &[]).0.fails(4, &[words]);
    }
    // The same words at the browser.
    let mut waiting =
        desk.begin(&["login", "--paste", "--json", "--profile", "work", "--redirect-uri", "https://app.example/paste"]);
    let redirect = browse(&waiting.url, Decision::Deny);
    let (before, after) = redirect.split_once("error_description=").unwrap();
    let (_, after) = after.split_once('&').unwrap();
    let redirect = format!("{before}error_description=nonce+is+required&{after}");
    waiting.type_line(&redirect.replace("access_denied", "invalid_request"));
    waiting.end().fails(4, &["`proofkey login --extra nonce=TEXT --profile work`"]);
}

#[test]
fn a_registration_that_differs_is_named_with_both_values() {
    let desk = Desk::new();
    for body in [
        r#"{"error":"invalid_request"}"#,
        r#"{"error":"redirect_uri_mismatch"}"#,
        r#"{"error":"x","error_description":"The Redirect URI is not registered"}"#,
    ] {
        token_answer(&desk, 400, body);
        let (run, redirect_uri) = sign_in(&desk, &[]);
        run.fails(4, &["`demo-native`", &format!("`{redirect_uri}`"), "registered exactly so", ":PORT/callback"]);
    }
}

#[test]
fn another_issuer_is_offered_if_it_is_at_the_same_address() {
    let desk = Desk::new();
    let issuer = desk.server.issuer();
    let login =
        |issuer: &str| desk.run(&["login", "--no-browser", "--profile", "new", "--client-id", "x", "--issuer", issuer]);
    let offered = format!("`proofkey login --issuer {issuer} --profile new`");
    login(&format!("{issuer}/")).fails(2, &[&format!("expected {issuer}/, got {issuer}\n"), &offered]);
    login(&format!("{issuer}/.well-known/openid-configuration")).fails(2, &[&offered]);

    // Somebody else's, which is not to be trusted on the word of this address.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let asked = format!("http://{}", server.local_addr().unwrap());
    let serve = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
        answer(&mut stream, "200 OK", r#"{"issuer":"https://evil.example"}"#);
    });
    let run = login(&asked);
    serve.join().unwrap();
    run.fails(
        2,
        &[&format!("expected {asked}, got https://evil.example\n"), "check --issuer: this address has the metadata"],
    );
    assert!(!run.stderr.contains("proofkey login"), "{run:?}");
}

#[test]
fn addresses_without_metadata_are_named() {
    let desk = Desk::new();
    let issuer = format!("{}/unknown", desk.server.issuer());
    let run = desk.run(&["login", "--no-browser", "--client-id", "x", "--issuer", &issuer]);
    run.fails(
        2,
        &[
            "/.well-known/oauth-authorization-server/unknown answered 404; ",
            "/unknown/.well-known/openid-configuration",
            "--authorization-endpoint URL",
        ],
    );
}

#[test]
fn a_denial_names_the_profile() {
    let desk = Desk::new();
    desk.configure(&format!("[profile.work]\nissuer = '{}'\n{CLIENT}", desk.server.issuer()));
    let waiting = desk.begin_login(&["--profile", "work", "--account", "me"]);
    browse(&waiting.url, Decision::Deny);
    waiting.end().fails(4, &["denied access; to try again, run `proofkey login --profile work --account me`"]);
}

#[test]
fn a_scope_with_a_comma_is_sent_and_warned_of() {
    let desk = Desk::new();
    let waiting = Waiting::of(desk.command(&["login", "--json", "--no-browser", "--timeout", "1", "--scope", "a,b c"]));
    assert!(waiting.url.contains("&scope=a%2Cb+c&"), "{}", waiting.url);
    let run = waiting.end();
    assert!(
        run.stderr.contains("warning: `a,b` is sent as one scope; scopes are separated by spaces: --scope 'a b'\n"),
        "{run:?}"
    );
}
