//! No secret reaches a log, at the finest level that the HTTP libraries have (RFC 6749 section 10.3).

use log::{LevelFilter, Log, Metadata, Record};
use proofkey_devserver::{DevServer, Options};
use proofkey_tests::flows::{self, BROWSER, Target};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::thread;

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
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        note(&String::from_utf8_lossy(octets));
        Ok(octets.len())
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
fn c029_x13_no_log_holds_a_secret() {
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

    let mut secrets = BTreeSet::new();
    for entry in server.log() {
        let fields = entry.body.split('&').filter_map(|field| field.split_once('='));
        let named =
            fields.filter(|(name, _)| ["code", "code_verifier", "refresh_token", "state", "token"].contains(name));
        secrets.extend(named.map(|(_, secret)| secret.to_owned()));
        let bearer = entry.headers.iter().filter_map(|(_, value)| value.strip_prefix("Bearer "));
        secrets.extend(bearer.map(str::to_owned));
    }
    assert!(secrets.len() > 20, "{} secrets", secrets.len());
    let logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    for library in ["ureq", "reqwest", "hyper_util"] {
        assert!(logged.contains(library), "{library} logs nothing, so that this test sees nothing");
    }
    for line in logged.lines() {
        assert!(!secrets.iter().any(|secret| line.contains(secret)), "{line}");
    }
    println!("{} secrets, {} lines of log", secrets.len(), logged.lines().count());
}
