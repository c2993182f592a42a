//! The authorization endpoint and its pages.

use crate::client::{agent, query, start, start_with_own_scheme, url, visit};
use proofkey_devserver::user_agent::{Decision, UserAgent, Visit};
use proofkey_devserver::{DevServer, Options};
use ureq::Body;
use ureq::http::Response;

#[test]
fn denial_and_cancel_come_back_as_errors_with_state_and_iss() {
    let server = start();
    for decision in [Decision::Deny, Decision::Cancel] {
        let callback = visit(&server, decision, "").callback.unwrap();
        let query = |name| query(&callback, name);
        assert_eq!(query("error").as_deref(), Some("access_denied"));
        assert_eq!((query("state").as_deref(), query("code")), (Some("S t+a%te"), None));
        assert_eq!(query("iss"), Some(server.issuer()));
    }
}

#[test]
fn whoever_cancels_never_allows() {
    let server = start();
    let mut user = UserAgent::new();
    assert!(query(&user.run(&url(&server, ""), Decision::Allow).unwrap().callback.unwrap(), "code").is_some());
    let back = user.run(&url(&server, "&prompt=consent"), Decision::Cancel).unwrap().callback.unwrap();
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
}

#[test]
fn an_unknown_client_or_redirect_uri_gets_a_page_and_no_redirect() {
    let server = start();
    let good = url(&server, "");
    for bad in [
        good.replace("demo-native", "evil"),
        good.replace("app.example", "evil.example"),
        good.replace("%2Fpaste", "%2Fpaste%2F"),
        good.replace("redirect_uri=", "x="),
        format!("{good}&client_id=demo-native"),
    ] {
        let response = agent().get(&bad).call().unwrap();
        assert_eq!((response.status().as_u16(), response.headers().get("location")), (400, None), "{bad}");
    }
}

#[test]
fn what_else_is_wrong_with_a_request_goes_back_to_the_client() {
    let server = start();
    let good = url(&server, "");
    for (from, to, error) in [
        ("response_type=code", "response_type=token", "unsupported_response_type"),
        ("response_type=code", "x=y", "invalid_request"),
        ("S256", "plain", "invalid_request"),
        ("code_challenge=", "x=", "invalid_request"),
        ("itwin-platform", "unknown", "invalid_scope"),
        ("state=", "prompt=none&state=", "login_required"),
    ] {
        let response = agent().get(good.replace(from, to)).call().unwrap();
        assert_eq!(response.status(), 303, "{to}");
        let location = response.headers()["location"].to_str().unwrap();
        assert_eq!(query(location, "error").as_deref(), Some(error), "{to}");
    }
}

#[test]
fn consent_is_remembered_in_the_browser_that_gave_it() {
    let server = start();
    let mut alice = UserAgent::new();
    let first = alice.run(&url(&server, ""), Decision::Allow).unwrap();
    let second = alice.run(&url(&server, ""), Decision::Allow).unwrap();
    let asked = alice.run(&url(&server, "&prompt=consent"), Decision::Allow).unwrap();
    let again = alice.run(&url(&server, "&prompt=login"), Decision::Allow).unwrap();
    let count = |visit: &Visit| visit.steps.len();
    assert_eq!([count(&first), count(&second), count(&asked), count(&again)], [3, 1, 2, 2]);
    let other = url(&server, "").replace("itwin-platform+offline_access", "itwin-platform");
    assert_eq!(count(&alice.run(&other, Decision::Allow).unwrap()), 2, "another scope");
}

#[test]
fn a_form_from_elsewhere_is_refused() {
    let server = start();
    let form =
        [("csrf", "guessed"), ("request", "client_id=demo-native"), ("username", "mallory"), ("action", "sign-in")];
    let response = agent().post(format!("{}/connect/login", server.url())).send_form(form).unwrap();
    assert_eq!(response.status(), 403);
}

#[test]
fn pages_are_escaped_and_have_no_script() {
    let server = start();
    let hostile = url(&server, "&x=%22%3E%3Cscript%3Ealert(1)%3C/script%3E");
    let mut response = agent().get(&hostile).call().unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let page = response.body_mut().read_to_string().unwrap();
    assert!(!page.contains("<script") && page.contains("id=\"sign-in\""), "{page}");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-")
            && policy.contains("form-action 'self' https://app.example;")
    );
}

#[test]
fn pages_let_a_form_end_at_the_redirect_uri() {
    let server = start_with_own_scheme();
    let form_action = |redirect_uri: &str| {
        let url = url(&server, "").replace("https%3A%2F%2Fapp.example%2Fpaste", redirect_uri);
        let response = agent().get(&url).call().unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        policy.split("form-action ").nth(1).unwrap().split(';').next().unwrap().to_owned()
    };
    assert_eq!(form_action("http%3A%2F%2F127.0.0.1%3A5%2Fcallback"), "'self' http://127.0.0.1:5");
    assert_eq!(form_action("http%3A%2F%2F%5B%3A%3A1%5D%3A5%2Fcallback"), "'self' http:");
    assert_eq!(form_action("com.example.app%3A%2Fcallback"), "'self' com.example.app:");
}

#[test]
fn a_user_has_a_name_that_can_be_shown() {
    let server = start();
    for (user, fits) in [
        ("alice", true),
        (" a ", true),
        (&"é".repeat(64), true),
        (&"é".repeat(65), false),
        ("", false),
        (" ", false),
        ("a\u{7}b", false),
    ] {
        let mut response = sign_in(&server, &url(&server, ""), user);
        let page = response.body_mut().read_to_string().unwrap();
        let expected = if fits { (303, false) } else { (200, true) };
        assert_eq!((response.status().as_u16(), page.contains("Enter a user name. ")), expected, "{user}");
    }
}

#[test]
fn consent_is_asked_for_in_words() {
    let mut options = Options::default();
    options.clients.iter_mut().for_each(|client| client.scopes.push("weather".to_owned()));
    let server = DevServer::start(options).unwrap();
    let all = url(&server, "").replace("offline_access", "offline_access+admin+openid+weather");
    let response = sign_in(&server, &all, "alice");
    let place = format!("{}{}", server.url(), response.headers()["location"].to_str().unwrap());
    let consent = agent().get(place).header("cookie", cookie(&response));
    let page = consent.call().unwrap().body_mut().read_to_string().unwrap();
    for words in [
        "You are signed in as <strong>alice</strong>",
        "See and change your iTwins and your profile <code>itwin-platform</code>",
        "Stay signed in when you are away <code>offline_access</code>",
        "Manage everything in your name <code>admin</code>",
        "See who you are <code>openid</code>",
        "Use <code>weather</code>",
    ] {
        assert!(page.contains(words), "no `{words}` in {page}");
    }
}

fn sign_in(server: &DevServer, url: &str, user: &str) -> Response<Body> {
    let mut response = agent().get(url).call().unwrap();
    let page = response.body_mut().read_to_string().unwrap();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = [("csrf", csrf), ("request", url.split_once('?').unwrap().1), ("username", user), ("action", "sign-in")];
    let login = agent().post(format!("{}/connect/login", server.url())).header("cookie", cookie(&response));
    login.send_form(form).unwrap()
}

fn cookie(response: &Response<Body>) -> String {
    response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}
