//! The device grant (RFC 8628).

use crate::client::{agent, get_json, post, refresh, start, text};
use proofkey_devserver::user_agent::{Decision, UserAgent, Visit};
use proofkey_devserver::{DevServer, EndpointFault, Faults, Options, RefreshFault, When};
use serde_json::Value;

#[test]
fn a_device_gets_its_tokens_once_its_user_has_confirmed() {
    let server = patient();
    let metadata = get_json(&format!("{}/.well-known/oauth-authorization-server", server.issuer()));
    assert_eq!(text(&metadata, "device_authorization_endpoint"), server.device_endpoint());
    let begun = begin(&server);
    assert_eq!((&begun["expires_in"], &begun["interval"]), (&600.into(), &0.into()));
    let page = text(&begun, "verification_uri");
    assert_eq!(text(&begun, "verification_uri_complete"), format!("{page}?user_code={}", text(&begun, "user_code")));
    assert_eq!(poll(&server, &begun), (400, "authorization_pending".to_owned()));

    // In lower case and without the dash, as somebody types it.
    let typed = text(&begun, "user_code").to_lowercase().replace('-', " ");
    let visit = UserAgent::new().confirm(page, &typed, Decision::Allow).unwrap();
    let steps = ["code page: pressed “continue”", "sign-in page: pressed “sign-in”", "consent page: pressed “allow”"];
    assert_eq!(visit.steps, steps);
    assert!(visit.callback.is_none() && visit.page.contains("The device is connected"), "{visit:?}");

    let tokens = poll_all(&server, &begun);
    assert_eq!((tokens.0, text(&tokens.1, "scope")), (200, "itwin-platform offline_access"));
    assert_eq!(refresh(&server, text(&tokens.1, "refresh_token")).0, 200);
    assert_eq!(poll(&server, &begun), (400, "invalid_grant".to_owned()), "a code is used once");
    assert_eq!((server.counts().polls, server.counts().early_polls), (3, 0));
}

#[test]
fn a_device_gets_nothing_if_its_user_denies() {
    let server = patient();
    for decision in [Decision::Deny, Decision::Cancel] {
        let begun = begin(&server);
        assert!(confirm(&begun, decision).page.contains("gets no access"));
        assert_eq!(poll(&server, &begun), (400, "access_denied".to_owned()), "{decision:?}");
        let again = confirm(&begun, Decision::Allow);
        assert!(again.page.contains("unknown or has expired") && again.steps.len() == 1, "{again:?}");
    }
}

#[test]
fn a_poll_that_comes_too_early_makes_the_interval_longer() {
    for unforgiving_polls in [false, true] {
        let options = Options { device_interval: 3600, unforgiving_polls, ..Options::default() };
        let server = DevServer::start(options).unwrap();
        let begun = begin(&server);
        assert_eq!(begun["interval"], 3600);
        for early in 1..3 {
            assert_eq!(poll(&server, &begun), (400, "slow_down".to_owned()));
            assert_eq!(server.counts().early_polls, early);
        }
        confirm(&begun, Decision::Allow);
        assert_eq!(poll(&server, &begun), (400, "slow_down".to_owned()), "confirmed or not");
    }
}

#[test]
fn a_code_dies_in_its_time_and_is_of_its_client() {
    let server = DevServer::start(Options { device_code_ttl: 0, ..Options::default() }).unwrap();
    let begun = begin(&server);
    assert_eq!(poll(&server, &begun), (400, "expired_token".to_owned()));
    assert!(confirm(&begun, Decision::Allow).page.contains("unknown or has expired"));
    let server = patient();
    let mut begun = begin(&server);
    begun["device_code"] = "another".into();
    assert_eq!(poll(&server, &begun), (400, "invalid_grant".to_owned()));
    for (form, error) in [
        (vec![("client_id", "other")], "invalid_client"),
        (vec![("client_id", "demo-native"), ("scope", "unknown")], "invalid_scope"),
        (vec![("client_id", "demo-native"), ("client_secret", "s")], "invalid_client"),
    ] {
        let (status, refused) = post(&server.device_endpoint(), &form);
        assert_eq!((status, text(&refused, "error")), (400, error));
    }
}

#[test]
fn no_other_page_can_confirm_a_code() {
    let server = patient();
    let begun = begin(&server);
    let (page, code) = (text(&begun, "verification_uri"), text(&begun, "user_code"));
    for action in ["continue", "sign-in", "allow", "deny"] {
        let form = [("user_code", code), ("action", action), ("username", "mallory")];
        let refused = agent().post(page).send_form(form).unwrap();
        assert_eq!(refused.status(), 403, "{action}");
    }
    // The address with the code in it fills the code in, and presses no button.
    let filled = agent().get(text(&begun, "verification_uri_complete")).call().unwrap().body_mut().read_to_string();
    let filled = filled.unwrap();
    assert!(filled.contains(&format!("value=\"{code}\"")) && filled.contains("only if you started this"), "{filled}");
    assert_eq!(poll(&server, &begun), (400, "authorization_pending".to_owned()));
    let mallory = format!("{page}?user_code=%22%3E%3Cscript%3E");
    let page = agent().get(mallory).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn some_polls_and_the_device_endpoint_have_faults() {
    let server = patient();
    let begun = begin(&server);
    confirm(&begun, Decision::Allow);
    let fault = |when, fault| RefreshFault { when, fault };
    server.set_faults(Faults {
        device: Some(EndpointFault::error(503, "temporarily_unavailable")),
        polls: vec![
            fault(When::Next(1), EndpointFault::error(400, "slow_down")),
            fault(When::Next(2), EndpointFault::error(200, "authorization_pending")),
        ],
        ..Faults::default()
    });
    assert_eq!(poll(&server, &begun), (400, "slow_down".to_owned()));
    assert_eq!(poll(&server, &begun), (200, "authorization_pending".to_owned()));
    assert_eq!(poll_all(&server, &begun).0, 200);
    assert_eq!(post(&server.device_endpoint(), &[]).0, 503);
    let polls = vec![fault(When::Every(1), EndpointFault::page(200))];
    server.set_faults(Faults { polls, ..Faults::default() });
    let page = agent().post(server.token_endpoint()).send_form(form(&begun)).unwrap();
    assert_eq!((page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()), (200, "text/html"));
    assert_eq!(start().counts().polls, 0);
}

/// A server whose devices may poll at any time.
fn patient() -> DevServer {
    DevServer::start(Options { device_interval: 0, ..Options::default() }).unwrap()
}

fn begin(server: &DevServer) -> Value {
    let form = [("client_id", "demo-native"), ("scope", "itwin-platform offline_access")];
    let (status, begun) = post(&server.device_endpoint(), &form);
    assert_eq!(status, 200, "{begun}");
    begun
}

fn confirm(begun: &Value, decision: Decision) -> Visit {
    UserAgent::new().confirm(text(begun, "verification_uri"), text(begun, "user_code"), decision).unwrap()
}

fn form(begun: &Value) -> [(&str, &str); 3] {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    [("grant_type", grant), ("client_id", "demo-native"), ("device_code", text(begun, "device_code"))]
}

fn poll_all(server: &DevServer, begun: &Value) -> (u16, Value) {
    post(&server.token_endpoint(), &form(begun))
}

/// The status and the error of a poll.
fn poll(server: &DevServer, begun: &Value) -> (u16, String) {
    let (status, answer) = poll_all(server, begun);
    (status, text(&answer, "error").to_owned())
}
