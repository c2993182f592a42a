//! The program.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn it_says_where_it_is_and_serves_its_metadata() {
    let mut server =
        Ended(program(&["--port", "0", "--access-token-ttl", "7"]).stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(server.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let issuer = lines.filter_map(|line| line.strip_prefix("Issuer  ").map(str::to_owned)).next().unwrap();
    let metadata = ureq::get(format!("{issuer}/.well-known/oauth-authorization-server")).call();
    let metadata = metadata.unwrap().body_mut().read_to_string().unwrap();
    assert!(metadata.contains(&format!(r#""issuer":"{issuer}""#)), "{metadata}");
}

#[test]
fn its_client_and_its_faults_are_a_matter_of_options() {
    let options = ["--port", "0", "--client-id", "mine", "--redirect-uri", "https://app.example/cb", "--scope", "read"];
    let faults = ["--fault", "metadata-no-revocation", "--fault", "token-down", "--fault", "api-down"];
    let mut server = Ended(program(&[&options[..], &faults[..]].concat()).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let issuer = lines.find_map(|line| line.strip_prefix("Issuer  ").map(str::to_owned)).unwrap();
    assert_eq!(lines.next().as_deref(), Some("Client  mine, with https://app.example/cb"));
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let status = |path: &str| agent.get(format!("{issuer}{path}")).call().unwrap().status().as_u16();
    let metadata = agent.get(format!("{issuer}/.well-known/oauth-authorization-server")).call();
    let metadata = metadata.unwrap().body_mut().read_to_string().unwrap();
    assert!(metadata.contains(r#""revocation_endpoint":null"#), "{metadata}");
    let asked = |client: &str| {
        format!(
            "/connect/authorize?response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=read\
             &code_challenge={}&code_challenge_method=S256",
            "A".repeat(43)
        )
    };
    assert_eq!((status(&asked("mine")), status(&asked("demo-native"))), (200, 400));
    let refused = agent.post(format!("{issuer}/connect/token")).send_empty().unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "120"));
    assert_eq!(status("/api/me"), 503);
}

#[test]
fn the_faults_of_who_signed_in_are_options_too() {
    let callback = "https://app.example/paste";
    let claims = |fault: &str| {
        let mut server = Ended(program(&["--port", "0", "--fault", fault]).stdout(Stdio::piped()).spawn().unwrap());
        let lines = BufReader::new(server.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        let issuer = lines.filter_map(|line| line.strip_prefix("Issuer  ").map(str::to_owned)).next().unwrap();
        let login = format!(
            "{issuer}/connect/authorize?response_type=code&client_id=demo-native&redirect_uri={callback}&scope=openid\
             &nonce=N&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        );
        let visit = UserAgent::new().run(&login, Decision::Allow).unwrap().callback.unwrap();
        let code = visit.split_once("code=").unwrap().1.split('&').next().unwrap();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "demo-native"),
            ("code", code),
            ("redirect_uri", callback),
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ];
        let answer = ureq::post(format!("{issuer}/connect/token")).send_form(form).unwrap().body_mut().read_to_string();
        let tokens: serde_json::Value = serde_json::from_str(&answer.unwrap()).unwrap();
        let token = tokens["id_token"].as_str().unwrap().to_owned();
        let payload = Base64UrlUnpadded::decode_vec(token.split('.').nth(1).unwrap()).unwrap_or_default();
        (issuer, token, serde_json::from_slice(&payload).unwrap_or(serde_json::Value::Null))
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (issuer, _, honest) = claims("api-down");
    let good = |claims: &serde_json::Value| (claims["aud"].clone(), claims["sub"].clone(), claims["nonce"].clone());
    assert_eq!(
        (honest["iss"].as_str(), good(&honest)),
        (
            Some(&*issuer),
            good(&serde_json::json!({
                "aud": "demo-native", "sub": "alice", "nonce": "N",
            }))
        )
    );
    for (fault, name) in [("audience", "aud"), ("no-nonce", "nonce"), ("nonce", "nonce"), ("subject", "sub")] {
        let (_, _, wrong) = claims(&format!("id-token-{fault}"));
        assert!(wrong.is_object() && wrong[name] != honest[name], "{fault}: {wrong}");
    }
    let (issuer, _, wrong) = claims("id-token-issuer");
    assert!(wrong["iss"].is_string() && wrong["iss"] != issuer.as_str(), "{wrong}");
    let (_, _, wrong) = claims("id-token-party");
    assert!(wrong["aud"].is_array() && wrong["azp"].is_string() && wrong["azp"] != "demo-native", "{wrong}");
    let (_, _, wrong) = claims("id-token-expired");
    assert!(wrong["exp"].as_u64().unwrap() < now, "{wrong}");
    let (_, _, wrong) = claims("id-token-old-sign-in");
    assert!(wrong["auth_time"].as_u64().unwrap() + 3600 < now, "{wrong}");
    let (_, _, wrong) = claims("id-token-no-auth-time");
    assert!(honest["auth_time"].is_u64() && wrong["auth_time"].is_null(), "{honest} {wrong}");
    let (_, token, _) = claims("id-token-encrypted");
    assert_eq!(token.split('.').count(), 5);
}

#[test]
fn its_rotation_and_the_faults_of_refreshes_are_options_too() {
    let options = ["--port", "0", "--access-token-ttl", "900", "--refresh-grace", "3600", "--successor", "same"];
    let faults = ["--refresh-fault", "hangup,every=2", "--refresh-fault", "hangup-before,next=1"];
    let more = ["--refresh-fault", "delay=1,every=1", "--refresh-fault", "stall=1,next=9"];
    let mut server =
        Ended(program(&[&options[..], &faults[..], &more[..]].concat()).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let issuer = lines.find_map(|line| line.strip_prefix("Issuer  ").map(str::to_owned)).unwrap();
    let counts = lines.find_map(|line| line.strip_prefix("Counts  ").map(str::to_owned)).unwrap();
    let text = |sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>| sent?.body_mut().read_to_string();
    let post = |form: &[(&str, &str)]| {
        let form = form.iter().copied().chain([("client_id", "demo-native")]);
        text(ureq::post(format!("{issuer}/connect/token")).send_form(form))
    };
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let callback = "https://app.example/paste";
    let login = format!(
        "{issuer}/connect/authorize?response_type=code&client_id=demo-native&redirect_uri={callback}&scope=offline_access\
         &code_challenge={challenge}&code_challenge_method=S256"
    );
    let visit = UserAgent::new().run(&login, Decision::Allow).unwrap().callback.unwrap();
    let code = visit.split_once("code=").unwrap().1.split('&').next().unwrap();
    let grant = [("grant_type", "authorization_code"), ("code", code)];
    let tokens = post(&[&grant[..], &[("redirect_uri", callback), ("code_verifier", verifier)]].concat()).unwrap();
    let tokens: serde_json::Value = serde_json::from_str(&tokens).unwrap();
    assert_eq!(tokens["expires_in"], 900);
    let refresh =
        || post(&[("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())]);
    assert!(refresh().is_err(), "it never arrived");
    assert!(refresh().is_err(), "its answer was lost");
    let recover = || serde_json::from_str::<serde_json::Value>(&refresh().unwrap()).unwrap()["refresh_token"].take();
    let recovered = recover();
    assert_ne!(recovered, tokens["refresh_token"]);
    assert!(refresh().is_err(), "every second answer is lost");
    assert_eq!(recover(), recovered, "the same pair");
    assert_eq!(
        text(ureq::get(counts).call()).unwrap(),
        r#"{"early_polls":0,"polls":0,"refreshes":1,"replays":3,"reuses":0,"token_requests":6}"#
    );
}

#[test]
fn a_refresh_fault_that_cannot_be_read_is_explained() {
    for (text, expected) in [
        ("hangup", "write FAULT,WHEN, such as hangup,next=1"),
        ("hangup=1,next=1", "\"hangup=1\" is not hangup-before, hangup, stall=MILLIS or delay=MILLIS"),
        ("stall,next=1", "\"\" is not a number"),
        ("delay=-1,next=1", "\"-1\" is not a number"),
        ("hangup,once=1", "\"once=1\" is not next=N or every=N"),
        ("hangup,next=all", "\"all\" is not a number"),
    ] {
        let output = program(&["--port", "0", "--refresh-fault", text]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn the_faults_of_polls_are_options_too() {
    let faults = ["denied", "denied-200", "down", "expired", "not-found", "page", "slow-down", "hangup", "delay=1"];
    let faults: Vec<String> = faults.iter().map(|fault| format!("--poll-fault={fault},next=0")).collect();
    let more = ["--poll-fault=page,every=1", "--unforgiving-polls", "--device-interval=7", "--device-code-ttl=70"];
    let options: Vec<&str> =
        faults.iter().map(String::as_str).chain(more).chain(["--port=0", "--fault=token-down"]).collect();
    let mut server = Ended(program(&options).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let issuer = lines.find_map(|line| line.strip_prefix("Issuer  ").map(str::to_owned)).unwrap();
    let post = |path: &str, form: &[(&str, &str)]| {
        let form = form.iter().copied().chain([("client_id", "demo-native")]);
        ureq::post(format!("{issuer}{path}")).send_form(form).unwrap().body_mut().read_to_string().unwrap()
    };
    let begun = post("/connect/deviceauthorization", &[]);
    assert!(begun.contains(r#""expires_in":70"#) && begun.contains(r#""interval":7"#), "{begun}");
    let poll = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", "x")];
    assert!(post("/connect/token", &poll).contains("for people"));
    let output = program(&["--port", "0", "--poll-fault", "gone,next=1"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("\"gone\" is not a fault of a poll"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_told_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = program(&["--port", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("proofkey-devserver: port {port}: ")) && said.lines().count() == 1, "{said}");
}

/// A program that ends with its test, however that ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("it ends");
    }
}

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proofkey-devserver"));
    command.args(args);
    command
}
