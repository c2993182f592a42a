//! Redis.

use super::process::Process;
use rustix::process::Signal;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A Redis server with empty data.
pub struct Redis {
    folder: TempDir,
    options: Vec<String>,
    process: Process,
}

impl Redis {
    /// A server that keeps its data in memory only.
    pub fn start() -> Self {
        Self::with(&["--save", ""])
    }

    /// A server with these options.
    pub fn with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let process = run(&folder, &options);
        Self { folder, options, process }
    }

    /// Ends it at once, as a crash would, and starts it again with its data.
    pub fn restart(&mut self) {
        self.process.end();
        self.process = run(&self.folder, &self.options);
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// A client of it.
    pub fn client(&self) -> redis::Client {
        redis::Client::open(format!("redis+unix://{}", self.socket().display())).expect("a path")
    }

    /// A new connection to it, which is made anew if it breaks.
    pub async fn connect_for_long(&self) -> redis::aio::ConnectionManager {
        let config = redis::aio::ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        self.client().get_connection_manager_with_config(config).await.expect("a server that runs")
    }

    /// A new connection to it.
    pub async fn connect(&self) -> redis::aio::MultiplexedConnection {
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        self.client().get_multiplexed_async_connection_with_config(&config).await.expect("a server that runs")
    }
}

/// A busy machine is slower than the half second of a service.
const PATIENCE: Duration = Duration::from_secs(30);

fn run(folder: &TempDir, options: &[String]) -> Process {
    let mut command = Command::new("setpriv");
    command.args([
        "--pdeathsig=KILL",
        "redis-server",
        "--port",
        "0",
        "--unixsocket",
        "socket",
        "--repl-diskless-sync-delay",
        "0",
        "--dir",
    ]);
    command.arg(folder.path()).args(options).current_dir(folder);
    Process::start(command, Signal::KILL)
}
