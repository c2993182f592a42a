//! Pushed authorization requests (RFC 9126).

use crate::client::{VERIFIER, agent, exchange, get_json, post, query, start, text, url};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, EndpointFault, Faults, Options};
use serde_json::Value;
use url::Url;

#[test]
fn a_pushed_login_goes_its_way_with_a_reference_alone() {
    let server = start();
    let (status, pushed) = push(&server, &[]);
    assert_eq!((status, &pushed["expires_in"]), (201, &60.into()));
    let visit = UserAgent::new().run(&pushed_url(&server, &pushed), Decision::Allow).unwrap();
    let callback = visit.callback.unwrap();
    assert!(callback.starts_with("https://app.example/paste?"), "{callback}");
    assert_eq!(query(&callback, "state").as_deref(), Some("S t+a%te"));
    assert_eq!(exchange(&server, &query(&callback, "code").unwrap(), VERIFIER).0, 200);
}

#[test]
fn a_reference_is_good_for_one_browser_of_its_client_in_its_time() {
    let options = Options { push_ttl: 0, ..Options::default() };
    let (server, expired) = (start(), DevServer::start(options).unwrap());
    let used = pushed_url(&server, &push(&server, &[]).1);
    assert_eq!(UserAgent::new().run(&used, Decision::Deny).unwrap().status, 0, "back at the application");
    let good = pushed_url(&server, &push(&server, &[]).1);
    for (url, says) in [
        (used, "opened before"),
        (good.replace("demo-native", "other"), "unknown"),
        (format!("{good}x"), "unknown"),
        (pushed_url(&expired, &push(&expired, &[]).1), "expired"),
    ] {
        let visit = UserAgent::new().run(&url, Decision::Allow).unwrap();
        assert!(visit.status == 400 && visit.callback.is_none() && visit.page.contains(says), "{says}: {visit:?}");
    }
}

#[test]
fn what_cannot_be_pushed_is_refused_at_once() {
    let server = start();
    for (name, value, error) in [
        ("request_uri", "urn:x", "invalid_request"),
        ("client_id", "other", "invalid_client"),
        ("client_secret", "s", "invalid_client"),
        ("redirect_uri", "https://evil.example/", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "unknown", "invalid_scope"),
    ] {
        let (status, refused) = push(&server, &[(name, value)]);
        assert_eq!((status, text(&refused, "error")), (400, error), "{name}");
    }
    server.set_faults(Faults {
        push: Some(EndpointFault::Respond { status: 503, headers: vec![], body: String::new() }),
        ..Faults::default()
    });
    assert_eq!(agent().post(server.push_endpoint()).send_empty().unwrap().status(), 503);
}

#[test]
fn a_server_can_require_it() {
    let server = DevServer::start(Options { require_push: true, ..Options::default() }).unwrap();
    let metadata = get_json(&format!("{}/.well-known/oauth-authorization-server", server.issuer()));
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    assert_eq!(text(&metadata, "pushed_authorization_request_endpoint"), server.push_endpoint());
    let visit = UserAgent::new().run(&url(&server, ""), Decision::Allow).unwrap();
    assert!(visit.status == 400 && visit.callback.is_none(), "{visit:?}");
    let pushed = push(&server, &[]).1;
    let visit = UserAgent::new().run(&pushed_url(&server, &pushed), Decision::Allow).unwrap();
    assert!(visit.callback.is_some(), "{visit:?}");
}

/// Pushes a good request with some parameters changed.
fn push(server: &DevServer, changes: &[(&str, &str)]) -> (u16, Value) {
    let url = Url::parse(&url(server, "")).unwrap();
    let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        form.push(((*name).to_owned(), (*value).to_owned()));
    }
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    post(&server.push_endpoint(), &form)
}

fn pushed_url(server: &DevServer, pushed: &Value) -> String {
    let request_uri = text(pushed, "request_uri");
    format!("{}?client_id=demo-native&request_uri={request_uri}", server.authorization_endpoint())
}
