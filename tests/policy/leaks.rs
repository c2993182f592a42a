//! No secret reaches a log, at the finest level that the HTTP libraries have (RFC 6749 section 10.3).

use base64ct::{Base64UrlUnpadded, Encoding};
use log::{LevelFilter, Log, Metadata, Record};
use proofkey_core::{AccessToken, Client, Redirect, RefreshToken, Server as Endpoints, Tokens};
use proofkey_devserver::{DevServer, Options, ProofRules};
use proofkey_native::Secret;
use proofkey_reqwest::Sessions;
use proofkey_tests::bound;
use proofkey_tests::flows::{self, BROWSER, Target};
use proofkey_tests::recording::{Server, json, read_request};
use proofkey_tests::{Counter, read};
use proofkey_ureq::{Key, Memory, SignedIn};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use std::{env, thread};

/// All that was logged, but for what the browser's own HTTP library logs.
static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        note(&format!("{} {}\n", record.target(), record.args()));
    }

    fn flush(&self) {}
}

impl Write for Logger {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        note(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn note(text: &str) {
    if thread::current().name() != Some(BROWSER) {
        LOGGED.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }
}

#[test]
fn no_log_holds_a_secret() {
    log::set_logger(&Logger).expect("the only logger");
    log::set_max_level(LevelFilter::Trace);
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Logger).finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");

    let server = DevServer::start(Options::default()).expect("a server");
    let target = Target {
        issuer: server.issuer(),
        client_id: "demo-native",
        api: server.api("/api/me"),
        scope: &["itwin-platform", "offline_access"],
        extra: &[],
    };
    flows::blocking(&target);
    flows::blocking_refusals(&target);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        flows::asynchronous(&target).await;
        flows::asynchronous_refusals(&target).await;
    });

    let dpop = ProofRules { required: true, token_nonce: true, api_nonce: true };
    let proving = DevServer::start(Options { dpop, ..Options::default() }).expect("a server");
    let key = bound::key();
    let target = Target { issuer: proving.issuer(), api: proving.api("/api/me"), ..target };
    bound::blocking(&target, &key);
    runtime.block_on(bound::asynchronous(&target, &key));

    hostile_answers(&runtime);

    let mut secrets = BTreeSet::from([CANARY.to_owned()]);
    secrets.insert(Base64UrlUnpadded::encode_string(key.to_pkcs8()));
    for entry in server.log().into_iter().chain(proving.log()) {
        let both = format!("{}&{}", entry.query, entry.body);
        let fields = both.split('&').filter_map(|field| field.split_once('='));
        let named =
            fields.filter(|(name, _)| ["code", "code_verifier", "refresh_token", "state", "token"].contains(name));
        secrets.extend(named.map(|(_, secret)| secret.to_owned()));
        let bearer = entry.headers.iter().filter_map(|(_, value)| value.strip_prefix("Bearer "));
        secrets.extend(bearer.map(str::to_owned));
        let bound = entry.headers.iter().filter_map(|(_, value)| value.strip_prefix("DPoP "));
        secrets.extend(bound.map(str::to_owned));
        let proofs = entry.headers.iter().filter(|(name, _)| name == "dpop");
        secrets.extend(proofs.map(|(_, proof)| proof.rsplit('.').next().expect("a signature").to_owned()));
    }
    assert!(secrets.len() > 20, "{} secrets", secrets.len());
    let logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    for library in ["ureq", "reqwest", "hyper_util", "proofkey::session"] {
        assert!(logged.contains(library), "{library} logs nothing, so that this test sees nothing");
    }
    // A library may cut what it logs into short lines: eight bytes in a row are enough.
    let parts = secrets.iter().flat_map(|secret| secret.as_bytes().windows(secret.len().min(8)));
    let parts: BTreeSet<_> = parts.map(|part| str::from_utf8(part).expect("ASCII")).collect();
    for line in logged.lines().filter(|line| !line.starts_with(EVERY_OCTET)) {
        assert!(!parts.iter().any(|part| line.contains(part)), "{line}");
    }
    assert!(logged.contains(EVERY_OCTET), "the exception is no longer needed");
    println!("{} secrets, {} lines of log", secrets.len(), logged.lines().count());
}

/// Refreshes at servers whose bodies hold a secret and are all wrong.
fn hostile_answers(runtime: &tokio::runtime::Runtime) {
    let length =
        |by: usize| move |body: &str| format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{body}", body.len() + by);
    let coded = |body: &str| json(200, body).replacen("\r\n", "\r\nContent-Encoding: gzip\r\n", 1);
    let redirect = |body: &str| json(307, body).replacen("\r\n", "\r\nLocation: /\r\n", 1);
    for answer in [
        json(200, "{\"access_token\":\"CANARY"),
        json(200, r#"{"access_token":"CANARY\u0000","token_type":"Bearer"}"#),
        json(200, r#"{"access_token":"CANARY","token_type":"CANARY"}"#),
        json(200, r#"{"access_token":"CANARY","access_token":"CANARY","token_type":"Bearer"}"#),
        json(200, r#"{"access_token":"CANARY","token_type":"Bearer","expires_in":"CANARY"}"#),
        json(400, r#"{"error":"invalid_grant","refresh_token":"CANARY"}"#),
        json(500, "<html>CANARY"),
        length(0)("CANARY"),
        length(9)("CANARY"),
        coded("CANARY"),
        redirect("CANARY"),
    ] {
        let server = Server::start(move |mut stream, _| {
            read_request(&mut stream);
            drop(stream.write_all(answer.as_bytes()));
        });
        let token_endpoint = server.url("/token");
        let endpoints = Endpoints::new("https://as.example/authorize", &token_endpoint);
        let client = Client::new("app", "http://127.0.0.1/callback", endpoints).expect("a client");
        let refresh = || client.refresh(RefreshToken::new(CANARY).expect("a token"));
        let blocking = proofkey_ureq::Http::new().exchange(refresh()).map(drop);
        let http = proofkey_reqwest::Http::new().expect("a client");
        let asynchronous = runtime.block_on(http.exchange(refresh())).map(drop);
        let kept = sessions(runtime, client);
        for error in [shown(blocking), shown(asynchronous)].into_iter().chain(kept) {
            assert!(error.as_ref().is_none_or(|error| error.len() > 20 && !error.contains(CANARY)), "{error:?}");
        }
    }
}

/// Refreshes through sessions, whose tokens are secrets too: what they say of it.
fn sessions(runtime: &tokio::runtime::Runtime, client: Client<'_>) -> [Option<String>; 2] {
    let ended = Tokens::new(AccessToken::new(CANARY).expect("a token")).with_expires_in(0);
    let tokens = ended.with_refresh_token(RefreshToken::new(CANARY).expect("a token"));
    let signed_in = SignedIn::new(tokens.into(), SystemTime::now());
    let http = proofkey_ureq::Http::new();
    let session = proofkey_ureq::Session::new(&http, client, Memory::new(), Key::of(client, "alice"));
    session.begin(&signed_in).expect("it is stored");
    let blocking = session.access_token();
    let asynchronous = runtime.block_on(async {
        let http = proofkey_reqwest::Http::new().expect("a client");
        let sessions = Sessions::new(&http, client, Memory::new());
        sessions.of("alice").begin(&signed_in).await.expect("it is stored");
        let token = sessions.of("alice").access_token().await;
        note(&format!("{session:?} {sessions:?} {:?} {token:?} {blocking:?}\n", sessions.of("alice")));
        token
    });
    [shown(blocking.map(drop)), shown(asynchronous.map(drop))]
}

/// An error and its causes.
fn shown<E: Error + 'static>(result: Result<(), E>) -> Option<String> {
    let error = result.err()?;
    let mut shown = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        shown += &format!(" {error} {error:?}");
        cause = error.source();
    }
    Some(shown)
}

/// What a process says when it panics with all that holds a secret, in its message and in its hands.
#[test]
fn no_panic_holds_a_secret() {
    let server = Endpoints::new("https://as.example/authorize", "https://as.example/token");
    let client = Client::new("app", "http://127.0.0.1/callback", server).expect("a client");
    if env::var_os("PROOFKEY_TEST_PANIC").is_some() {
        let (url, pending) = client.authorize(&[], &mut Counter::default()).expect("a login begins");
        let query = format!("code={CANARY}&state={}", pending.state().expose());
        let refresh = client.refresh(RefreshToken::new(CANARY).expect("a token"));
        let tokens =
            read(r#"{"access_token":"CANARY","token_type":"Bearer","refresh_token":"CANARY"}"#).expect("tokens");
        let kept = Secret::new(CANARY.into());
        let shown = format!("{url:?} {pending:?} {refresh:?} {tokens:?} {kept:?} {:?}", refresh.request());
        let request = pending.accept(client, Redirect::Query(&query)).expect("its redirect");
        let error = read(r#"{"access_token":"CANARY","token_type":"CANARY"}"#).map(drop).expect_err("no Bearer");
        panic!("{shown} {request:?} {error} {error:?}");
    }
    let mut child = Command::new(env::current_exe().expect("this program"));
    child.args(["--exact", "--nocapture", "no_panic_holds_a_secret"]);
    let output = child.env("PROOFKEY_TEST_PANIC", "").env("RUST_BACKTRACE", "full").output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!output.status.success() && said.contains("TokenRequest") && said.contains("stack backtrace:"), "{said}");
    let (_, pending) = client.authorize(&[], &mut Counter::default()).expect("a login begins");
    for secret in [CANARY, pending.state().expose()] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

const CANARY: &str = "CANARY";
/// Where a library logs, at the finest level, each byte that is sent and received. The adapter's documentation says so.
const EVERY_OCTET: &str = "ureq_proto::util ";
