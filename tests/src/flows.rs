//! The same flow through each way in: the blocking adapter, the async adapter, the command-line tool.

use proofkey_core::{AccessToken, Advice, Client, ClientBuf, RefreshToken, Revocable, TokensBuf};
use proofkey_devserver::user_agent::{Decision, UserAgent, Visit};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A server to sign in at, and an API that takes its tokens.
pub struct Target {
    /// The issuer.
    pub issuer: String,
    /// A public client with `http://127.0.0.1/callback`.
    pub client_id: &'static str,
    /// An API that answers 200 to a valid token, and 401 to others.
    pub api: String,
    /// What to ask for.
    pub scope: &'static [&'static str],
    /// What else the server wants to be told.
    pub extra: &'static [(&'static str, &'static str)],
}

/// The name of the threads that play the user.
pub const BROWSER: &str = "browser";

const PATIENCE: Duration = Duration::from_secs(60);
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// Login, API call, refresh, rotation, replay and revocation through the blocking adapter.
pub fn blocking(target: &Target) {
    let http = proofkey_ureq::Http::new();
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).expect("metadata");
    let client = client.as_client();
    let sign_in = || {
        let mut user = None;
        let login = proofkey_ureq::Login::new(client, target.scope).with_extra(target.extra).with_timeout(PATIENCE);
        let tokens = http.login(login, |url| {
            user = Some(browse(url, Decision::Allow));
            Ok(())
        });
        assert_eq!(ended(user).status, 200);
        tokens.expect("tokens")
    };
    let status = |token: AccessToken<'_>| http.call(get(&target.api), token).expect("an answer").status;

    let first = sign_in();
    assert_eq!(status(first.access_token()), 200);
    let second = http.exchange(client.refresh(refresh_token(&first))).expect("a refresh");
    assert_eq!(status(second.access_token()), 200);
    assert_ne!(refresh_token(&first).expose(), refresh_token(&second).expose(), "rotated");
    for spent in [&first, &second] {
        let replayed = http.exchange(client.refresh(refresh_token(spent))).expect_err("a replay");
        assert_eq!(replayed.advice(), Some(Advice::Reauthorize), "{replayed}");
    }

    let third = sign_in();
    http.revoke(client, Revocable::Refresh(refresh_token(&third))).expect("revoked");
    assert!(http.exchange(client.refresh(refresh_token(&third))).is_err());
    http.revoke(client, Revocable::Access(third.access_token())).expect("revoked");
    assert_eq!(status(third.access_token()), 401);
}

/// What the server refuses, through the blocking adapter: the user's denial, and a verifier that does not fit.
pub fn blocking_refusals(target: &Target) {
    let http = proofkey_ureq::Http::new();
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).expect("metadata");
    for decision in [Decision::Cancel, Decision::Deny] {
        let mut user = None;
        let login =
            proofkey_ureq::Login::new(client.as_client(), target.scope).with_extra(target.extra).with_timeout(PATIENCE);
        let refused = http.login(login, |url| {
            user = Some(browse(url, decision));
            Ok(())
        });
        assert!(matches!(&refused, Err(proofkey_ureq::LoginError::Callback(error)) if denied(error)), "{refused:?}");
        assert!(ended(user).page.contains("Not signed in"));
    }
    let wrong = wrong_verifier(target, &client);
    assert!(matches!(&wrong, (400, body) if body.contains("invalid_grant")), "{wrong:?}");
}

/// Login, API call, refresh, rotation, replay and revocation through the async adapter.
pub async fn asynchronous(target: &Target) {
    let http = proofkey_reqwest::Http::new().expect("a client");
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).await.expect("metadata");
    let client = client.as_client();
    let first = sign_in(&http, client, target).await;
    let status = async |token| http.call(get(&target.api), token).await.expect("an answer").status;
    assert_eq!(status(first.access_token()).await, 200);
    let second = http.exchange(client.refresh(refresh_token(&first))).await.expect("a refresh");
    assert_eq!(status(second.access_token()).await, 200);
    assert_ne!(refresh_token(&first).expose(), refresh_token(&second).expose(), "rotated");
    for spent in [&first, &second] {
        let replayed = http.exchange(client.refresh(refresh_token(spent))).await.expect_err("a replay");
        assert_eq!(replayed.advice(), Some(Advice::Reauthorize), "{replayed}");
    }

    let third = sign_in(&http, client, target).await;
    http.revoke(client, Revocable::Refresh(refresh_token(&third))).await.expect("revoked");
    assert!(http.exchange(client.refresh(refresh_token(&third))).await.is_err());
    http.revoke(client, Revocable::Access(third.access_token())).await.expect("revoked");
    assert_eq!(status(third.access_token()).await, 401);
}

/// The user's denial, through the async adapter.
pub async fn asynchronous_refusals(target: &Target) {
    let http = proofkey_reqwest::Http::new().expect("a client");
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).await.expect("metadata");
    let mut user = None;
    let login =
        proofkey_reqwest::Login::new(client.as_client(), target.scope).with_extra(target.extra).with_timeout(PATIENCE);
    let refused = http.login(login, |url| {
        user = Some(browse(url, Decision::Deny));
        Ok(())
    });
    let refused = refused.await;
    assert!(matches!(&refused, Err(proofkey_reqwest::LoginError::Callback(error)) if denied(error)), "{refused:?}");
    assert!(ended(user).page.contains("Not signed in"));
}

/// Login, token, API call, status and logout with the command-line tool; then a denial.
pub fn command_line(target: &Target) {
    let home = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| tool(home.path()).args(arguments).output().expect("the tool runs");
    let (output, visit) = login_with_tool(target, home.path(), Decision::Allow);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(visit.page.contains("Signed in"));
    let token = run(&["token"]);
    assert!(token.status.success() && token.stdout.len() > 20);
    let called = run(&["call", &target.api, "--api-host", "127.0.0.1"]);
    assert_eq!(called.status.code(), Some(0), "{}", String::from_utf8_lossy(&called.stderr));
    assert_eq!(run(&["status", "--json"]).status.code(), Some(0));
    assert_eq!(run(&["logout"]).status.code(), Some(0));
    assert_eq!(run(&["token"]).status.code(), Some(3), "nobody is signed in any longer");
    assert_eq!(login_with_tool(target, home.path(), Decision::Deny).0.status.code(), Some(4));
}

async fn sign_in(http: &proofkey_reqwest::Http, client: Client<'_>, target: &Target) -> TokensBuf {
    let mut user = None;
    let login = proofkey_reqwest::Login::new(client, target.scope).with_extra(target.extra).with_timeout(PATIENCE);
    let tokens = http.login(login, |url| {
        user = Some(browse(url, Decision::Allow));
        Ok(())
    });
    let tokens = tokens.await.expect("tokens");
    assert_eq!(ended(user).status, 200);
    tokens
}

fn login_with_tool(target: &Target, home: &Path, decision: Decision) -> (Output, Visit) {
    let mut login = tool(home);
    login.args(["login", "--json", "--no-browser", "--timeout", "60", "--issuer", &target.issuer]);
    login.args(["--client-id", target.client_id]);
    login.args(target.scope.iter().flat_map(|scope| ["--scope", scope]));
    login.args(target.extra.iter().flat_map(|(name, value)| ["--extra".to_owned(), format!("{name}={value}")]));
    let mut child: Child = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let event: serde_json::Value = lines
        .by_ref()
        .map(|line| serde_json::from_str(&line.expect("a line")).expect("a line of JSON"))
        .find(|event: &serde_json::Value| event["event"] == "authorization_url")
        .expect("an authorization URL");
    let visit = ended(Some(browse(event["url"].as_str().expect("a URL"), decision)));
    lines.for_each(drop);
    (child.wait_with_output().expect("the tool ends"), visit)
}

/// The tool that is built beside these tests, with a home of its own.
fn tool(home: &Path) -> Command {
    let tests = std::env::current_exe().expect("this program");
    let folder: PathBuf = tests.ancestors().nth(2).expect("the build's folder").to_owned();
    let mut tool = Command::new(folder.join("proofkey"));
    tool.env("XDG_STATE_HOME", home).env("XDG_CONFIG_HOME", home).env("HOME", home).stdin(Stdio::null());
    tool
}

fn browse(url: &str, decision: Decision) -> JoinHandle<Visit> {
    let url = url.to_owned();
    let browse = move || UserAgent::new().run(&url, decision).expect("the pages lead back");
    thread::Builder::new().name(BROWSER.into()).spawn(browse).expect("a thread")
}

fn ended(user: Option<JoinHandle<Visit>>) -> Visit {
    user.expect("the browser was opened").join().expect("the user came back")
}

fn denied(error: &proofkey_core::CallbackError) -> bool {
    matches!(error, proofkey_core::CallbackError::Server(error) if error.code() == "access_denied")
}

/// A real code with another verifier, sent by other means than an adapter.
fn wrong_verifier(target: &Target, client: &ClientBuf) -> (u16, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let redirect_uri = format!("http://{}/callback", listener.local_addr().expect("an address"));
    let client = client.as_client().with_redirect_uri(&redirect_uri).expect("a client");
    let (url, pending) = client.authorize(target.scope, &mut crate::Counter::default()).expect("a login begins");
    let user = browse(&url.with(target.extra).expect("extras").to_string(), Decision::Allow);
    let (connection, _) = listener.accept().expect("a redirect");
    let line = BufReader::new(&connection).lines().next().expect("a line").expect("text");
    std::io::Write::write_all(&mut &connection, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .expect("an answer");
    drop(connection);
    ended(Some(user));
    let redirect = proofkey_core::Redirect::Target(line.split(' ').nth(1).expect("a target"));
    let body = pending.accept(client, redirect).expect("our redirect").request().body();
    let verifier = crate::values(&body, "code_verifier")[0].to_owned();
    let body = body.replace(&verifier, &"A".repeat(43));
    post(client.server().token_endpoint(), &body)
}

fn post(url: &str, body: &str) -> (u16, String) {
    let (host, path) = url.trim_start_matches("http://").split_once('/').expect("a path");
    let mut socket = std::net::TcpStream::connect(host).expect("a connection");
    let request = format!(
        "POST /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    std::io::Write::write_all(&mut socket, request.as_bytes()).expect("sent");
    let answer = std::io::read_to_string(socket).expect("an answer");
    (answer[9..12].parse().expect("a status"), answer)
}

fn refresh_token(tokens: &TokensBuf) -> RefreshToken<'_> {
    tokens.refresh_token().expect("a refresh token")
}

fn get(url: &str) -> http::Request<Vec<u8>> {
    http::Request::get(url).body(Vec::new()).expect("a request")
}
