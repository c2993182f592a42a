//! Every example is run against the development server; `press` stands in for the user and the browser.

use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{Alteration, DevServer, EndpointFault, Faults, Options, ProofRules};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

#[test]
fn script() {
    let server = DevServer::start(Options::default()).unwrap();
    let home = tempfile::tempdir().unwrap();
    for grants_seen in [vec!["authorization_code"], vec![]] {
        let mut script = Command::new(env!("CARGO_BIN_EXE_script"));
        script.args([&server.issuer(), "demo-native", &server.api("/api/me")]);
        script.env("BROWSER", env!("CARGO_BIN_EXE_press")).env("XDG_STATE_HOME", home.path()).env("HOME", home.path());
        let output = script.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.starts_with("200 ") && text.contains("alice@example.test"),
            "{text} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(grants(&server), grants_seen);
    }
}

#[test]
fn a_callback_is_pasted_and_the_tokens_are_refreshed() {
    for program in [env!("CARGO_BIN_EXE_migrating"), env!("CARGO_BIN_EXE_own_client")] {
        let server = DevServer::start(Options::default()).unwrap();
        let mut example = Command::new(program);
        let example = example.args([&server.issuer(), "demo-native"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut example = example.spawn().unwrap();
        let mut lines = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
        let visit = UserAgent::new().run(&lines.next().unwrap(), Decision::Allow).unwrap();
        writeln!(example.stdin.take().unwrap(), "{}", visit.callback.unwrap()).unwrap();
        assert_eq!(lines.last().as_deref(), Some("an access token of 43 bytes"), "{program}");
        assert!(example.wait().unwrap().success());
        assert_eq!(grants(&server), ["authorization_code", "refresh_token"], "{program}");
    }
}

/// What the token endpoint was asked for.
fn grants(server: &DevServer) -> Vec<String> {
    let log = server.take_log();
    let grants = log.iter().filter_map(|entry| entry.body.strip_prefix("grant_type=")?.split('&').next());
    grants.map(str::to_owned).collect()
}

#[test]
fn pushed_logins() {
    for kind in ["app", "service"] {
        let server = DevServer::start(Options { require_push: kind == "service", ..Options::default() }).unwrap();
        let mut example = Command::new(env!("CARGO_BIN_EXE_push"));
        example.args([&server.issuer(), "demo-native", kind]).env("BROWSER", env!("CARGO_BIN_EXE_press"));
        let mut example = example.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
        if kind == "service" {
            let visit = UserAgent::new().run(&lines.next().unwrap(), Decision::Allow).unwrap();
            writeln!(example.stdin.take().unwrap(), "{}", visit.callback.unwrap()).unwrap();
        }
        assert_eq!(lines.last().unwrap(), "an access token of 43 bytes", "{kind}");
        assert!(example.wait().unwrap().success());
        let pushed = server.log().iter().filter(|entry| entry.path == "/connect/par").count();
        assert_eq!(pushed, 1, "{kind}");
    }
}

#[test]
fn bound_tokens() {
    let dpop = ProofRules { required: true, token_nonce: true, api_nonce: true };
    for kind in ["app", "service", "element"] {
        let server = DevServer::start(Options { dpop, ..Options::default() }).unwrap();
        let home = tempfile::tempdir().unwrap();
        // The second run of the app has the key and the tokens of the first.
        let logins = if kind == "app" { vec![true, false] } else { vec![true] };
        for has_login in logins {
            let mut example = Command::new(env!("CARGO_BIN_EXE_dpop"));
            example.args([&server.issuer(), "demo-native", &server.api("/api/me"), kind]);
            example.env("BROWSER", env!("CARGO_BIN_EXE_press")).env("XDG_STATE_HOME", home.path());
            let output = example.env("HOME", home.path()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), "200\n", "{kind}: {said}");
            let log = server.take_log();
            assert_eq!(log.iter().any(|entry| entry.path == "/connect/token"), has_login, "{kind}");
            let calls = log.iter().filter(|entry| entry.path == "/api/me");
            assert_eq!(calls.map(|entry| entry.status).collect::<Vec<_>>(), [401, 200], "a nonce is asked for once");
        }
    }
}

#[test]
fn devices() {
    for kind in ["blocking", "async", "device"] {
        let server = DevServer::start(Options { device_interval: 0, ..Options::default() }).unwrap();
        let mut example = Command::new(env!("CARGO_BIN_EXE_device"));
        let example = example.args([&server.issuer(), "demo-native", kind]).stdout(Stdio::piped());
        let mut example = example.spawn().unwrap();
        let mut lines = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
        let prompt = lines.next().unwrap();
        let (page, code) = prompt.split_once(" on any device and enter the code ").unwrap();
        let page = page.strip_prefix("To sign in, open ").unwrap();
        assert_eq!(UserAgent::new().confirm(page, code, Decision::Allow).unwrap().status, 200);
        assert!(lines.any(|line| line.contains("only if you started this")), "{kind}");
        assert_eq!(lines.last().as_deref(), Some("an access token of 43 bytes"), "{kind}");
        assert!(example.wait().unwrap().success());
        assert_eq!((server.counts().polls, server.counts().early_polls), (1, 0), "{kind}");
    }
}

#[test]
fn identity() {
    let server = DevServer::start(Options::default()).unwrap();
    let mut example = Command::new(env!("CARGO_BIN_EXE_identity"));
    example.args([&server.issuer(), "demo-native", &server.api("/api/payments")]);
    example.env("BROWSER", env!("CARGO_BIN_EXE_press"));
    let mut example = example.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut next = || lines.next().unwrap();
    assert_eq!(next(), "signed in: alice (Alice)");
    assert_eq!(next(), "userinfo: alice");
    assert_eq!(next(), "the API wants more: mfa");
    assert_eq!(next(), "the API answers 200");
    let visit = UserAgent::new().run(next().strip_prefix("Open ").unwrap(), Decision::Allow).unwrap();
    writeln!(example.stdin.take().unwrap(), "{}", visit.callback.unwrap()).unwrap();
    assert_eq!(lines.last().unwrap(), "signed out");
    assert!(example.wait().unwrap().success());
}

#[test]
fn redirects() {
    for kind in ["loopback", "localhost", "page"] {
        let server = DevServer::start(Options::default()).unwrap();
        let mut example = Command::new(env!("CARGO_BIN_EXE_redirects"));
        example.args([&server.issuer(), "demo-native", kind]).env("BROWSER", env!("CARGO_BIN_EXE_press"));
        let mut example = example.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
        if kind == "page" {
            let url = lines.next().unwrap();
            let visit = UserAgent::new().run(url.strip_prefix("Open ").unwrap(), Decision::Allow).unwrap();
            writeln!(example.stdin.take().unwrap(), "{}", visit.callback.unwrap()).unwrap();
        }
        assert_eq!(lines.last().unwrap(), "an access token of 43 bytes", "{kind}");
        assert!(example.wait().unwrap().success());
        let asked = server.log().into_iter().find(|entry| entry.path == "/connect/token").unwrap().body;
        assert_eq!(asked.contains("http%3A%2F%2Flocalhost%3A"), kind == "localhost", "{asked}");
    }
}

#[test]
fn session() {
    let server = DevServer::start(Options { access_token_ttl: 2, ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("app");
    let run = || {
        let mut example = Command::new(env!("CARGO_BIN_EXE_session"));
        example.args([&server.issuer(), "demo-native"]).arg(&folder).arg(server.api("/api/me"));
        let output = example.env("BROWSER", env!("CARGO_BIN_EXE_press")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text, format!("200\n{}", "an access token of 43 bytes\n".repeat(4)));
        (grants(&server), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run().0.first().unwrap(), "authorization_code");
    // The token has ended, and the server ends the login of a refresh token that is sent twice.
    thread::sleep(Duration::from_millis(2_100));
    assert!(run().0.iter().all(|grant| grant == "refresh_token"));
    assert_eq!(server.counts().reuses, 0);
    // The new refresh token of an answer is kept, although the answer cannot be used.
    thread::sleep(Duration::from_millis(2_100));
    server.set_faults(Faults { token: Some(bad_answer()), ..Faults::default() });
    let mut example = Command::new(env!("CARGO_BIN_EXE_session"));
    let output = example.args([&server.issuer(), "demo-native"]).arg(&folder).arg(server.api("/api/me")).output();
    let output = output.unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("access_token"), "{output:?}");
    server.set_faults(Faults::default());
    assert!(run().0.contains(&"refresh_token".to_owned()));
    assert_eq!(server.counts().reuses, 0);
}

/// An answer whose access token cannot be used.
fn bad_answer() -> EndpointFault {
    EndpointFault::Alter(Alteration {
        members: vec![("access_token".to_owned(), Some("7".to_owned()))],
        ..Alteration::default()
    })
}

#[test]
fn sessions() {
    let server = DevServer::start(Options { clients: vec![web_client()], ..Options::default() }).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut service = Command::new(env!("CARGO_BIN_EXE_sessions"));
    service.args([&port, &server.issuer(), "web", &server.api("/api/me")]);
    let mut service = service.stdout(Stdio::piped()).spawn().unwrap();
    let ready = BufReader::new(service.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let mut user = UserAgent::new();
    let pages = ["", "", "logout", ""].map(|path| user.run(&format!("{ready}{path}"), Decision::Allow));
    service.kill().unwrap();
    service.wait().unwrap();
    let pages = pages.map(Result::unwrap);
    assert!([0, 1, 3].iter().all(|page| pages[*page].page.contains("alice@example.test")), "{pages:?}");
    assert_eq!(pages[2].page, "signed out");
    let log = server.take_log();
    let sent = |path: &str| log.iter().filter(|entry| entry.path == path).count();
    assert_eq!((sent("/connect/token"), sent("/connect/revocation")), (2, 2), "a login, and one after the sign-out");
}

#[test]
fn service() {
    let server = DevServer::start(Options { clients: vec![web_client()], ..Options::default() }).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut service = Command::new(env!("CARGO_BIN_EXE_service"));
    service.args([&port, &server.issuer(), "web", &server.api("/api/me")]);
    let mut service = service.stdout(Stdio::piped()).spawn().unwrap();
    let ready = BufReader::new(service.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let visit = UserAgent::new().run(&ready, Decision::Allow);
    let stranger = UserAgent::new().run(&format!("{ready}callback?code=x&state=y"), Decision::Allow);
    service.kill().unwrap();
    service.wait().unwrap();
    let visit = visit.unwrap();
    assert!(visit.status == 200 && visit.page.contains("alice@example.test"), "{visit:?}");
    assert_eq!(stranger.unwrap().status, 400);
}

#[test]
fn replicas() {
    let server = DevServer::start(Options { clients: vec![web_client()], ..Options::default() }).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut replicas = Command::new(env!("CARGO_BIN_EXE_replicas"));
    replicas.args([&port, &server.issuer(), "web", &server.api("/api/me")]);
    replicas.env("SEALING_KEY", "y3hPOVbtWr3N4yzn8sXqFLv1tBc9Y4TjZyK2pJmQ0aE=");
    let mut replicas = replicas.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(replicas.stdout.take().unwrap()).lines().map(Result::unwrap);
    let ready = lines.next().unwrap();
    let mut browser = UserAgent::new();
    let visits = [
        browser.run(&ready, Decision::Allow),
        // The login waits no longer.
        browser.run(&format!("{ready}callback?code=x&state=y"), Decision::Allow),
    ];
    replicas.kill().unwrap();
    replicas.wait().unwrap();
    let [visit, again] = visits.map(Result::unwrap);
    assert!(visit.status == 200 && visit.page.contains("alice@example.test"), "{visit:?}");
    assert_eq!((again.status, again.page.as_str()), (400, "no login waits in this browser"));
    assert_eq!(lines.collect::<Vec<_>>(), ["replica 1 begins a login", "replica 2 finishes a login"]);
}

#[test]
fn errors() {
    let server = DevServer::start(Options::default()).unwrap();
    let run = |issuer: &str| {
        let mut example = Command::new(env!("CARGO_BIN_EXE_errors"));
        let example = example.args([issuer, "demo-native", &server.api("/api/me")]).stdin(Stdio::piped());
        let mut example = example.stdout(Stdio::piped()).spawn().unwrap();
        writeln!(example.stdin.take().unwrap(), "not-a-refresh-token").unwrap();
        String::from_utf8(example.wait_with_output().unwrap().stdout).unwrap()
    };
    let ended = run(&server.issuer());
    assert!(
        ended.starts_with("sign in: the server has ended the login (") && ended.contains("invalid_grant"),
        "{ended}"
    );
    let busy = EndpointFault::Respond {
        status: 503,
        headers: vec![("retry-after".to_owned(), "7".to_owned())],
        body: String::new(),
    };
    server.set_faults(Faults { token: Some(busy), ..Faults::default() });
    let paused = run(&server.issuer());
    assert!(paused.starts_with("try again in 7 s: "), "{paused}");
}

#[test]
fn no_alloc() {
    let server = DevServer::start(Options::default()).unwrap();
    let mut example = Command::new(env!("CARGO_BIN_EXE_no_alloc"));
    example.args([&server.issuer(), "demo-native", &server.api("/api/me")]);
    let mut example = example.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.next().unwrap();
    let callback = UserAgent::new().run(&url, Decision::Allow).unwrap().callback.unwrap();
    writeln!(example.stdin.take().unwrap(), "{callback}").unwrap();
    let said: Vec<String> = lines.collect();
    assert!(example.wait().unwrap().success());
    assert!(said.len() == 2 && said.iter().all(|line| line.contains("alice@example.test")), "{said:?}");
    let log = server.take_log();
    let grants: Vec<&str> =
        log.iter().filter_map(|entry| entry.body.strip_prefix("grant_type=")?.split('&').next()).collect();
    assert_eq!(grants, ["authorization_code", "refresh_token"]);
    let tokens: Vec<_> = log.iter().filter(|entry| entry.path == "/api/me").map(|entry| &entry.headers).collect();
    assert!(tokens.len() == 2 && tokens[0] != tokens[1], "the second call is made with the new token");
}

fn web_client() -> proofkey_devserver::ClientRegistration {
    proofkey_devserver::ClientRegistration { client_id: "web".to_owned(), ..Default::default() }
}
