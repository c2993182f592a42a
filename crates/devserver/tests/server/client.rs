//! A client, and its user.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_devserver::user_agent::{Decision, UserAgent, Visit};
use proofkey_devserver::{Counts, DevServer, Options};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::thread;
use std::time::{Duration, Instant};
use ureq::Agent;
use url::Url;

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT_URI: &str = "https://app.example/paste";

pub fn start() -> DevServer {
    DevServer::start(Options::default()).unwrap()
}

/// A server whose client also has a redirect URI with a scheme of its own.
pub fn start_with_own_scheme() -> DevServer {
    let mut options = Options::default();
    options.clients[0].redirect_uris.push("com.example.app:/callback".to_owned());
    DevServer::start(options).unwrap()
}

/// Waits until the server has counted so much.
pub fn wait_for(server: &DevServer, counted: impl Fn(Counts) -> bool) {
    let start = Instant::now();
    while !counted(server.counts()) {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", server.counts());
        thread::sleep(Duration::from_millis(5));
    }
}

pub fn url(server: &DevServer, more: &str) -> String {
    let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(VERIFIER));
    format!(
        "{}?response_type=code&client_id=demo-native&redirect_uri=https%3A%2F%2Fapp.example%2Fpaste\
         &scope=itwin-platform+offline_access&state=S+t%2Ba%25te&code_challenge={challenge}&code_challenge_method=S256{more}",
        server.authorization_endpoint()
    )
}

pub fn visit(server: &DevServer, decision: Decision, more: &str) -> Visit {
    UserAgent::new().run(&url(server, more), decision).unwrap()
}

pub fn code(server: &DevServer) -> String {
    query(&visit(server, Decision::Allow, "").callback.unwrap(), "code").unwrap()
}

pub fn login(server: &DevServer) -> Value {
    exchange(server, &code(server), VERIFIER).1
}

pub fn exchange(server: &DevServer, code: &str, verifier: &str) -> (u16, Value) {
    let body = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo-native"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", verifier),
    ];
    post(&server.token_endpoint(), &body)
}

pub fn refresh(server: &DevServer, token: &str) -> (u16, Value) {
    post(&server.token_endpoint(), &refresh_form(token))
}

pub fn refresh_form(token: &str) -> [(&str, &str); 3] {
    [("grant_type", "refresh_token"), ("client_id", "demo-native"), ("refresh_token", token)]
}

pub fn post(url: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let mut response = agent().post(url).send_form(form.iter().copied()).unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&body).unwrap())
}

pub fn get_json(url: &str) -> Value {
    serde_json::from_str(&agent().get(url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap()
}

pub fn call(server: &DevServer, path: &str, token: &str) -> (u16, String) {
    let response = agent().get(server.api(path)).header("authorization", format!("Bearer {token}")).call().unwrap();
    let challenge = response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap()).to_owned();
    (response.status().as_u16(), challenge)
}

pub fn query(url: &str, name: &str) -> Option<String> {
    Url::parse(url).unwrap().query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

pub fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

pub fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .new_agent()
}
