//! One process of a fleet: it uses the tokens of a login until it has seen so many of them end, and prints one line for each that
//! it gets.
//!
//! Arguments: the issuer, the store (`files FOLDER`, `redis SOCKET`, `postgres SOCKET`), and how many tokens are to end.

use proofkey_ureq::{Http, Key, Session, SessionError, Token};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, issuer, kind, place, count] = arguments.as_slice() else { return ExitCode::from(2) };
    let count = count.parse().expect("a number");
    match kind.as_str() {
        "files" => files(issuer, Path::new(place), count),
        kind => remote::run(issuer, kind, place, count),
    }
}

fn files(issuer: &str, folder: &Path, count: u32) -> ExitCode {
    let http = Http::new();
    let client = http.discover(issuer, "demo-native", "https://app.example/paste").expect("a server");
    let store = proofkey_native::Store::files_in(folder).expect("a folder");
    let session = Session::new(&http, client.as_client(), store, Key::of(client.as_client(), "default"));
    let mut seen = Seen { count, last: String::new() };
    while let Some(wait) = seen.take(session.access_token()) {
        thread::sleep(wait);
    }
    seen.end()
}

mod remote {
    use super::{Seen, TIMEOUT};
    use proofkey_reqwest::{Http, Sessions};
    use std::process::ExitCode;
    use std::sync::Arc;

    #[tokio::main(flavor = "current_thread")]
    pub(super) async fn run(issuer: &str, kind: &str, place: &str, count: u32) -> ExitCode {
        let http = Http::new().expect("a client");
        let client = http.discover(issuer, "demo-native", "https://app.example/paste").await.expect("a server");
        let sessions = match kind {
            "redis" => {
                let redis = redis::Client::open(format!("redis+unix://{place}")).expect("a path");
                // On a machine that is busy with a hundred processes the server is slow, too.
                let config = redis::aio::ConnectionManagerConfig::new()
                    .set_connection_timeout(Some(TIMEOUT))
                    .set_response_timeout(Some(TIMEOUT));
                let connection = redis.get_connection_manager_with_config(config).await.expect("a server");
                Sessions::new(&http, client.as_client(), proofkey_redis::Redis::new(connection))
            }
            _ => {
                let mut config = tokio_postgres::Config::new();
                config.host_path(place).user("postgres").dbname("postgres");
                let (postgres, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
                tokio::spawn(connection);
                Sessions::new(&http, client.as_client(), proofkey_postgres::Postgres::new(Arc::new(postgres)))
            }
        };
        let session = sessions.of("default");
        let mut seen = Seen { count, last: String::new() };
        while let Some(wait) = seen.take(session.access_token().await) {
            tokio::time::sleep(wait).await;
        }
        sessions.settle().await.expect("the end of each task");
        seen.end()
    }
}

const TIMEOUT: Duration = Duration::from_secs(60);

struct Seen {
    count: u32,
    last: String,
}

impl Seen {
    /// How long to wait until the next call; none if it is over.
    fn take(&mut self, result: Result<Token, SessionError>) -> Option<Duration> {
        match result {
            Ok(token) => {
                if token.expose() != self.last {
                    token.expose().clone_into(&mut self.last);
                    let trouble = token.trouble().map(ToString::to_string).unwrap_or_default();
                    say(&format!("token {} {}", self.last, trouble));
                    self.count = self.count.checked_sub(1)?;
                }
                Some(STEP)
            }
            Err(SessionError::Ended { end, .. }) => {
                say(&format!("ended {end:?}"));
                None
            }
            Err(error) => {
                say(&format!("error {error:?}"));
                Some(STEP)
            }
        }
    }

    fn end(&self) -> ExitCode {
        say("over");
        ExitCode::SUCCESS
    }
}

/// At once, so that it is known even if the process is killed.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).expect("one who listens");
}

const STEP: Duration = Duration::from_millis(50);
