//! What runs inside.

use proofkey_core::{AccessToken, Client, ClientBuf, RefreshToken, Server as Endpoints};
use proofkey_http::{DiscoverError, ExchangeError, Settings, TransportError};
use proofkey_tests::recording::browse;
use proofkey_tests::values;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use std::{env, fs};

#[test]
#[ignore = "run by the test of the company"]
fn child_blocking() {
    let http = proofkey_ureq::Http::with_settings(settings());
    let client = http.discover(&issuer(), "app", REDIRECT_URI);
    let found = found(&client);
    let refreshed = http.refresh(found.as_client(), refresh_token());
    let called = http.call(request(), access_token());
    end(client.map(drop), refreshed.map(drop), called.map(|answer| answer.status));
}

#[tokio::test]
#[ignore = "run by the test of the company"]
async fn child_asynchronous() {
    let http = proofkey_reqwest::Http::with_settings(settings()).expect("a client");
    let client = http.discover(&issuer(), "app", REDIRECT_URI).await;
    let found = found(&client);
    let refreshed = http.refresh(found.as_client(), refresh_token()).await;
    let called = http.call(request(), access_token()).await;
    end(client.map(drop), refreshed.map(drop), called.map(|answer| answer.status));
}

/// Signs in, with a browser that comes back at once, and calls the API.
#[test]
#[ignore = "run by the test of the company"]
fn child_tool() {
    let home = tempfile::tempdir().expect("a folder");
    let tool = |arguments: &[&str]| {
        let tests = env::current_exe().expect("this program");
        let mut tool = Command::new(tests.ancestors().nth(2).expect("the build's folder").join("proofkey"));
        for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            tool.env(folder, home.path());
        }
        let flags = env::var("FLAGS").unwrap_or_default();
        tool.args(flags.lines()).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        tool
    };
    let issuer = issuer();
    let mut login = tool(&["login", "--json", "--no-browser", "--timeout", "60", "--client-id", "app"]);
    let mut login = login.args(["--issuer", &issuer]).spawn().expect("the tool");
    let mut lines = BufReader::new(login.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    let url = lines.find(|line| line.contains("authorization_url"));
    if let Some(url) = url {
        let event: serde_json::Value = serde_json::from_str(&url).expect("JSON");
        let url = event["url"].as_str().expect("a URL");
        let redirect_uri = values(url, "redirect_uri")[0].replace("%3A", ":").replace("%2F", "/");
        let address = redirect_uri.split('/').nth(2).expect("a host").parse().expect("an address");
        let page = browse(address, &format!("/callback?code=co-SECRET&state={}", values(url, "state")[0]));
        assert!(page.contains("200 OK"), "{page}");
    }
    lines.for_each(drop);
    let login = login.wait_with_output().expect("the tool");
    if !login.status.success() {
        println!("\nended: {}", said(&login));
        return;
    }
    let call = tool(&["call", &format!("{issuer}/api"), "--api-host", &env::var("SERVER").expect("set")]).output();
    println!("\nended: ok, {}", said(&call.expect("the tool")));
}

fn said(output: &Output) -> String {
    if output.status.success() { "ok".into() } else { String::from_utf8_lossy(&output.stderr).replace('\n', " ") }
}

fn settings() -> Settings {
    let mut settings = Settings::new();
    if let Ok(path) = env::var("ROOTS") {
        settings = settings.with_root_certificates(&fs::read(path).expect("a file")).expect("an authority");
    }
    if let Ok(seconds) = env::var("KEPT") {
        settings = settings.with_kept_connections(Duration::from_secs(seconds.parse().expect("a number")));
    }
    settings
}

/// The client that was found, or the same without discovery.
fn found(client: &Result<ClientBuf, DiscoverError>) -> ClientBuf {
    let issuer = issuer();
    let (authorize, token) = (format!("{issuer}/authorize"), format!("{issuer}/token"));
    let known = || Client::new("app", REDIRECT_URI, Endpoints::new(&authorize, &token)).expect("a client").into();
    client.as_ref().map_or_else(|_| known(), Clone::clone)
}

fn end(found: Result<(), DiscoverError>, refreshed: Result<(), ExchangeError>, called: Result<u16, TransportError>) {
    let found = match found {
        Ok(()) => "ok".to_owned(),
        Err(DiscoverError::Transport(error)) => failed(&error),
        Err(error) => error.to_string(),
    };
    let refreshed = match refreshed {
        Ok(()) => "ok".to_owned(),
        Err(ExchangeError::Transport(error)) => failed(&error),
        Err(error) => error.to_string(),
    };
    let called = match called {
        Ok(200) => "ok".to_owned(),
        Ok(status) => status.to_string(),
        Err(error) => failed(&error),
    };
    println!("\nended: {found}, {refreshed}, {called}");
}

fn failed(error: &TransportError) -> String {
    println!("\n{error}");
    format!("{:?}, {}", error.kind(), if error.was_sent() { "sent" } else { "unsent" })
}

fn issuer() -> String {
    format!("https://{}", env::var("SERVER").expect("set by the test"))
}

fn request() -> http::Request<Vec<u8>> {
    http::Request::get(format!("{}/api", issuer())).body(Vec::new()).expect("a request")
}

fn access_token() -> AccessToken<'static> {
    AccessToken::new("at-SECRET").expect("a token")
}

fn refresh_token() -> RefreshToken<'static> {
    RefreshToken::new("rt-SECRET").expect("a token")
}

const REDIRECT_URI: &str = "http://127.0.0.1/callback";
