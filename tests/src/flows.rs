//! The same flow through each way in: the blocking adapter, the async adapter, the command-line tool.

use crate::recording::Server;
use proofkey_core::{
    AccessToken, Advice, CallbackError, Client, Endpoint, Pending, Redirect, RefreshToken, ResponseError, Revocable,
    TokenRequest, TokensBuf,
};
use proofkey_devserver::user_agent::{Decision, UserAgent, Visit};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
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
        tokens.expect("tokens").tokens
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
    let (arrived, pending) = Arrived::with_wrong_verifier(client.as_client(), target);
    let refused = http.exchange(arrived.accept(client.as_client(), pending));
    assert!(
        matches!(&refused, Err(proofkey_ureq::ExchangeError::Response(error)) if is_invalid_grant(error)),
        "{refused:?}"
    );
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

/// The user's denial, and a verifier that does not fit, through the async adapter.
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
    let (arrived, pending) = Arrived::with_wrong_verifier(client.as_client(), target);
    let refused = http.exchange(arrived.accept(client.as_client(), pending)).await;
    assert!(
        matches!(&refused, Err(proofkey_reqwest::ExchangeError::Response(error)) if is_invalid_grant(error)),
        "{refused:?}"
    );
}

/// Login, token, API call, refresh, replay, status and logout with the command-line tool; then a denial.
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

    let before = stored(home.path());
    // The lifetime of an hour has begun by then.
    thread::sleep(Duration::from_millis(1100));
    let renewed = run(&["token", "--min-valid", "3600"]);
    assert!(renewed.status.success(), "{}", String::from_utf8_lossy(&renewed.stderr));
    assert_ne!(renewed.stdout, token.stdout);
    assert_eq!(run(&["call", &target.api, "--api-host", "127.0.0.1"]).status.code(), Some(0));
    for (path, bytes) in before {
        fs::write(path, bytes).expect("the store is set back");
    }
    let replayed = run(&["token", "--min-valid", "3600"]);
    assert_eq!(replayed.status.code(), Some(3), "{}", String::from_utf8_lossy(&replayed.stderr));

    let (output, _) = login_with_tool(target, home.path(), Decision::Allow);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(run(&["logout"]).status.code(), Some(0));
    assert_eq!(run(&["token"]).status.code(), Some(3), "nobody is signed in any longer");
    assert_eq!(login_with_tool(target, home.path(), Decision::Deny).0.status.code(), Some(4));

    // The tool gives nobody its verifier to change: somebody in the middle does.
    let client = proofkey_ureq::Http::new().discover(&target.issuer, target.client_id, "http://127.0.0.1/callback");
    let client = client.expect("the server's metadata");
    let server = client.as_client().server();
    let token_endpoint = server.endpoint(Endpoint::Token).unwrap_or_default().to_owned();
    let relay = Server::answering(move |request| with_another_verifier(&token_endpoint, request));
    let relayed = relay.url("/token");
    let endpoints = [
        "--authorization-endpoint",
        server.endpoint(Endpoint::Authorization).unwrap_or_default(),
        "--token-endpoint",
        &relayed,
    ];
    let (output, _) = login_at(&endpoints, target, home.path(), Decision::Allow);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(4) && said.contains("invalid_grant"), "{said}");
    assert_eq!(relay.requests().len(), 1, "nothing is sent again");
    assert_eq!(run(&["token"]).status.code(), Some(3), "nobody is signed in");
}

/// What the token endpoint answers to the request with a verifier of somebody else's.
fn with_another_verifier(token_endpoint: &str, request: &str) -> String {
    let body = request.split_once("\r\n\r\n").expect("a body").1;
    let fields = body.split('&').map(|field| match field.split_once('=') {
        Some(("code_verifier", verifier)) => format!("code_verifier={}", "A".repeat(verifier.len())),
        _ => field.to_owned(),
    });
    let changed = fields.collect::<Vec<_>>().join("&");
    assert_ne!(changed, body);
    let (address, path) = token_endpoint.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a path");
    let mut stream = TcpStream::connect(address).expect("the server");
    let (kind, length) = ("application/x-www-form-urlencoded", changed.len());
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{changed}"
    )
    .expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

async fn sign_in(http: &proofkey_reqwest::Http, client: Client<'_>, target: &Target) -> TokensBuf {
    let mut user = None;
    let login = proofkey_reqwest::Login::new(client, target.scope).with_extra(target.extra).with_timeout(PATIENCE);
    let tokens = http.login(login, |url| {
        user = Some(browse(url, Decision::Allow));
        Ok(())
    });
    let tokens = tokens.await.expect("tokens").tokens;
    assert_eq!(ended(user).status, 200);
    tokens
}

fn login_with_tool(target: &Target, home: &Path, decision: Decision) -> (Output, Visit) {
    login_at(&["--issuer", &target.issuer], target, home, decision)
}

/// A login with the tool at this server, with further options, and how it went in the browser.
pub fn login_at(server: &[&str], target: &Target, home: &Path, decision: Decision) -> (Output, Visit) {
    let mut login = tool(home);
    login.args(["login", "--json", "--no-browser", "--timeout", "60", "--client-id", target.client_id]).args(server);
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
pub fn tool(home: &Path) -> Command {
    let tests = std::env::current_exe().expect("this program");
    let folder: PathBuf = tests.ancestors().nth(2).expect("the build's folder").to_owned();
    let mut tool = Command::new(folder.join("proofkey"));
    tool.env("XDG_STATE_HOME", home).env("XDG_CONFIG_HOME", home).env("HOME", home).stdin(Stdio::null());
    tool
}

/// The files of the tool's store, and what is in them.
fn stored(home: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(home.join("proofkey")).expect("a store");
    let files = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    files.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
}

pub(crate) fn browse(url: &str, decision: Decision) -> JoinHandle<Visit> {
    let url = url.to_owned();
    let browse = move || UserAgent::new().run(&url, decision).expect("the pages lead back");
    thread::Builder::new().name(BROWSER.into()).spawn(browse).expect("a thread")
}

pub(crate) fn ended(user: Option<JoinHandle<Visit>>) -> Visit {
    user.expect("the browser was opened").join().expect("the user came back")
}

fn denied(error: &CallbackError) -> bool {
    matches!(error, CallbackError::Server(error) if error.code() == "access_denied")
}

/// A real redirect, to where it went.
struct Arrived {
    redirect_uri: String,
    target: String,
}

impl Arrived {
    /// A login whose code is real, and whose verifier is another login's.
    fn with_wrong_verifier(client: Client<'_>, target: &Target) -> (Self, Pending) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let redirect_uri = format!("http://{}/callback", listener.local_addr().expect("an address"));
        let client = client.with_redirect_uri(&redirect_uri).expect("a client");
        let mut rng = crate::Counter::default();
        let (url, pending) = client.authorize(target.scope, &mut rng).expect("a login begins");
        let (_, other) = client.authorize(target.scope, &mut rng).expect("another begins");
        let user = browse(&url.with(target.extra).expect("extras").to_string(), Decision::Allow);
        let (connection, _) = listener.accept().expect("a redirect");
        let line = BufReader::new(&connection).lines().next().expect("a line").expect("text");
        Write::write_all(&mut &connection, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .expect("an answer");
        drop(connection);
        ended(Some(user));
        let target = line.split(' ').nth(1).expect("a target").to_owned();
        (Self { redirect_uri, target }, with_verifier_of(&pending, &other))
    }

    fn accept<'a>(&'a self, client: Client<'a>, pending: Pending) -> TokenRequest<'a> {
        let client = client.with_redirect_uri(&self.redirect_uri).expect("a client");
        pending.accept(client, Redirect::Target(&self.target)).expect("our redirect")
    }
}

/// As they are written down: version, state, verifier and client, with a dot between them.
fn with_verifier_of(pending: &Pending, other: &Pending) -> Pending {
    let [pending, other] =
        [pending, other].map(|pending| serde_json::to_string(pending).expect("it can be written down"));
    let mut parts: Vec<&str> = pending.split('.').collect();
    parts[2] = other.split('.').nth(2).expect("a verifier");
    serde_json::from_str(&parts.join(".")).expect("a login")
}

fn is_invalid_grant(error: &ResponseError) -> bool {
    matches!(error, ResponseError::Server { error, status: 400, .. } if error.code() == "invalid_grant")
}

pub(crate) fn refresh_token(tokens: &TokensBuf) -> RefreshToken<'_> {
    tokens.refresh_token().expect("a refresh token")
}

pub(crate) fn get(url: &str) -> http::Request<Vec<u8>> {
    http::Request::get(url).body(Vec::new()).expect("a request")
}
