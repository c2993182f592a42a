//! The server as a client sees it. PKCE is computed here, by other means than the client's.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_devserver::user_agent::{Decision, UserAgent, Visit};
use proofkey_devserver::{CallbackFault, DevServer, EndpointFault, Faults, MetadataFault, Options};
use serde_json::Value;
use sha2::{Digest, Sha256};
use ureq::Agent;
use url::Url;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT_URI: &str = "https://app.example/paste";

#[test]
fn a_whole_login_refresh_and_api_call() {
    let server = start();
    let tokens = login(&server);
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_u64()), (Some("Bearer"), Some(3600)));
    assert_eq!(tokens["scope"], "itwin-platform offline_access");
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 200);
    let (status, refreshed) = refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!(status, 200);
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"], "rotated");
    assert_eq!(call(&server, "/api/itwins", text(&refreshed, "access_token")).0, 200);
}

#[test]
fn a_code_is_good_once_and_a_second_use_revokes() {
    let server = start();
    let code = code(&server);
    let (status, tokens) = exchange(&server, &code, VERIFIER);
    assert_eq!(status, 200);
    assert_eq!(exchange(&server, &code, VERIFIER).1["error"], "invalid_grant");
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 401);
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).1["error"], "invalid_grant");
}

#[test]
fn a_wrong_verifier_or_redirect_uri_or_a_late_code_is_refused() {
    let server = start();
    let wrong = "A".repeat(43);
    assert_eq!(exchange(&server, &code(&server), &wrong).1["error"], "invalid_grant");
    assert_eq!(exchange(&server, &code(&server), "short").1["error"], "invalid_request");
    let code_now = code(&server);
    let body = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo-native"),
        ("code", &code_now),
        ("redirect_uri", "http://127.0.0.1:1/callback"),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(post(&server.token_endpoint(), &body).1["error"], "invalid_grant");
    let late = DevServer::start(Options { code_ttl: 0, ..Options::default() }).unwrap();
    assert_eq!(exchange(&late, &code(&late), VERIFIER).1["error"], "invalid_grant");
}

#[test]
fn a_replayed_refresh_token_revokes_its_family() {
    let server = start();
    let tokens = login(&server);
    let (_, second) = refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).1["error"], "invalid_grant");
    assert_eq!(refresh(&server, text(&second, "refresh_token")).1["error"], "invalid_grant");
    assert_eq!(call(&server, "/api/me", text(&second, "access_token")).0, 401);
}

#[test]
fn revocation_ends_the_family_and_never_complains() {
    let server = start();
    let tokens = login(&server);
    let revoke = |token: &str| post(&server.revocation_endpoint(), &[("client_id", "demo-native"), ("token", token)]).0;
    assert_eq!(revoke("unknown"), 200);
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 200);
    assert_eq!(revoke(text(&tokens, "refresh_token")), 200);
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 401);
}

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
fn the_api_tells_refusals_apart() {
    let server = start();
    let tokens = login(&server);
    let token = text(&tokens, "access_token");
    let challenge = |path: &str, token: &str| call(&server, path, token);
    assert_eq!(
        challenge("/api/admin", token),
        (403, "Bearer error=\"insufficient_scope\", scope=\"admin\"".to_owned())
    );
    assert_eq!(challenge("/api/forbidden", token), (403, String::new()));
    let (status, invalid) = challenge("/api/me", "unknown");
    assert!(status == 401 && invalid.contains("error=\"invalid_token\""), "{invalid}");
    let none = agent().get(server.api("/api/me")).call().unwrap();
    assert_eq!(
        (none.status().as_u16(), &none.headers()["www-authenticate"]),
        (401, &"Bearer realm=\"devserver\"".parse().unwrap())
    );
    let in_query = agent().get(format!("{}?access_token={token}", server.api("/api/me"))).call().unwrap();
    assert_eq!(in_query.status(), 400);
    let short = DevServer::start(Options { access_token_ttl: 0, ..Options::default() }).unwrap();
    assert_eq!(call(&short, "/api/me", text(&login(&short), "access_token")).0, 401, "expired");
}

#[test]
fn web_pages_on_loopback_may_call_and_others_may_not() {
    let server = start();
    let allowed = |origin: &str| {
        let request = ureq::http::Request::options(server.token_endpoint())
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(());
        let response = agent().run(request.unwrap()).unwrap();
        response.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    for origin in ["http://127.0.0.1:5173", "http://localhost:3000", "http://[::1]:8080", "https://app.example"] {
        assert_eq!(allowed(origin).as_deref(), Some(origin));
    }
    for origin in ["https://evil.example", "http://127.0.0.1.evil.example", "null", "https://app.example.evil"] {
        assert_eq!(allowed(origin), None, "{origin}");
    }
}

#[test]
fn metadata_is_at_both_addresses() {
    let server = start();
    let read = |path: &str| get_json(&server.api(path));
    let document = read("/.well-known/oauth-authorization-server");
    assert_eq!(document, read("/.well-known/openid-configuration"));
    assert_eq!(document["issuer"], server.issuer());
    assert_eq!(document["token_endpoint"], server.token_endpoint());
    assert_eq!(document["authorization_endpoint"], server.authorization_endpoint());
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    server.set_faults(Faults { metadata: Some(MetadataFault::IssuerMismatch), ..Faults::default() });
    assert_ne!(read("/.well-known/openid-configuration")["issuer"], server.issuer());
    server.set_faults(Faults { metadata: Some(MetadataFault::NoIss), ..Faults::default() });
    let promise = &read("/.well-known/openid-configuration")["authorization_response_iss_parameter_supported"];
    assert_eq!(promise, false);
}

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

fn start() -> DevServer {
    DevServer::start(Options::default()).unwrap()
}

fn url(server: &DevServer, more: &str) -> String {
    let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(VERIFIER));
    format!(
        "{}?response_type=code&client_id=demo-native&redirect_uri=https%3A%2F%2Fapp.example%2Fpaste\
         &scope=itwin-platform+offline_access&state=S+t%2Ba%25te&code_challenge={challenge}&code_challenge_method=S256{more}",
        server.authorization_endpoint()
    )
}

fn visit(server: &DevServer, decision: Decision, more: &str) -> Visit {
    UserAgent::new().run(&url(server, more), decision).unwrap()
}

fn code(server: &DevServer) -> String {
    query(&visit(server, Decision::Allow, "").callback.unwrap(), "code").unwrap()
}

fn login(server: &DevServer) -> Value {
    exchange(server, &code(server), VERIFIER).1
}

fn exchange(server: &DevServer, code: &str, verifier: &str) -> (u16, Value) {
    let body = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo-native"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", verifier),
    ];
    post(&server.token_endpoint(), &body)
}

fn refresh(server: &DevServer, token: &str) -> (u16, Value) {
    post(&server.token_endpoint(), &refresh_form(token))
}

fn refresh_form(token: &str) -> [(&str, &str); 3] {
    [("grant_type", "refresh_token"), ("client_id", "demo-native"), ("refresh_token", token)]
}

fn post(url: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let mut response = agent().post(url).send_form(form.iter().copied()).unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&body).unwrap())
}

fn get_json(url: &str) -> Value {
    serde_json::from_str(&agent().get(url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap()
}

fn call(server: &DevServer, path: &str, token: &str) -> (u16, String) {
    let response = agent().get(server.api(path)).header("authorization", format!("Bearer {token}")).call().unwrap();
    let challenge = response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap()).to_owned();
    (response.status().as_u16(), challenge)
}

fn query(url: &str, name: &str) -> Option<String> {
    Url::parse(url).unwrap().query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .new_agent()
}

#[test]
fn a_refresh_for_less_keeps_the_login_and_one_for_more_costs_nothing() {
    let server = start();
    let tokens = login(&server);
    let token = text(&tokens, "refresh_token");
    let scoped = |token: &str, scope: &str| {
        let [kind, client, token] = refresh_form(token);
        post(&server.token_endpoint(), &[kind, client, token, ("scope", scope)])
    };
    assert_eq!(scoped(token, "itwin-platform admin").1["error"], "invalid_scope");
    let (status, less) = scoped(token, "itwin-platform");
    assert_eq!((status, less["scope"].as_str()), (200, Some("itwin-platform")));
    let (status, all) = refresh(&server, text(&less, "refresh_token"));
    assert_eq!((status, all["scope"].as_str()), (200, Some("itwin-platform offline_access")));
}

#[test]
fn credentials_of_a_public_client_are_refused_with_401() {
    let server = start();
    let request = agent().post(server.token_endpoint()).header("authorization", "Basic ZGVtby1uYXRpdmU6");
    let response = request.send_form(refresh_form("none")).unwrap();
    assert_eq!(response.status().as_u16(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
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
fn pages_let_a_form_end_at_the_redirect_uri() {
    let server = start();
    let form_action = |redirect_uri: &str| {
        let url = url(&server, "").replace("https%3A%2F%2Fapp.example%2Fpaste", redirect_uri);
        let response = agent().get(&url).call().unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        policy.split("form-action ").nth(1).unwrap().split(';').next().unwrap().to_owned()
    };
    assert_eq!(form_action("http%3A%2F%2F127.0.0.1%3A5%2Fcallback"), "'self' http://127.0.0.1:5");
    assert_eq!(form_action("http%3A%2F%2F%5B%3A%3A1%5D%3A5%2Fcallback"), "'self' http:");
}

#[test]
fn an_app_with_a_scheme_of_its_own_opens_no_origin() {
    let mut options = Options::default();
    options.clients[0].redirect_uris.push("com.example.app:/callback".to_owned());
    let server = DevServer::start(options).unwrap();
    let response = agent().get(server.api("/api/me")).header("origin", "null").call().unwrap();
    assert_eq!(response.headers().get("access-control-allow-origin"), None);
}
