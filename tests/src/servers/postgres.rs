//! PostgreSQL.

use super::process::Process;
use rustix::process::{Signal, geteuid};
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

/// A PostgreSQL server with an empty database.
pub struct Postgres {
    folder: TempDir,
    options: Vec<String>,
    process: Process,
}

impl Postgres {
    /// A new server. It does not wait for the disk.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A new server with these options.
    pub fn with(options: &[&str]) -> Self {
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let folder = own_folder();
        let data = folder.path().join("data");
        once(&["initdb", "--auth=trust", "--username=postgres", "--no-sync", "--no-instructions", "--pgdata"], &data);
        let process = run(&folder, &options);
        Self { folder, options, process }
    }

    /// A standby, which follows this server and can only be read.
    pub fn standby(&self) -> Self {
        let options = self.options.clone();
        let folder = own_folder();
        let data = folder.path().join("data");
        let host = format!("--host={}", self.socket().display());
        once(&["pg_basebackup", &host, "--username=postgres", "--write-recovery-conf", "--no-sync", "--pgdata"], &data);
        let process = run(&folder, &options);
        Self { folder, options, process }
    }

    /// Ends it at once, as a crash would, and starts it again with its data.
    pub fn restart(&mut self) {
        self.process.end();
        self.process = run(&self.folder, &self.options);
    }

    /// The folder of its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// How to connect to it.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config.host_path(self.socket()).user("postgres").dbname("postgres");
        config
    }

    /// How to connect to a new, empty database of it.
    pub async fn new_database(&self) -> Config {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("database{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let client = connect(&self.config()).await;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a new database");
        let mut config = self.config();
        config.dbname(name);
        config
    }
}

/// A new connection, to which a task of its own belongs.
pub async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a server that runs");
    tokio::spawn(connection);
    client
}

fn run(folder: &TempDir, options: &[String]) -> Process {
    let mut command = program("postgres");
    command.arg("-D").arg(folder.path().join("data")).arg("-k").arg(folder.path());
    command.args([
        "-c",
        "listen_addresses=",
        "-c",
        "fsync=off",
        "-c",
        "max_connections=256",
        "-c",
        "shared_buffers=16MB",
    ]);
    command.args(options);
    // QUIT is its way to end at once, with all of its processes.
    Process::start(command, Signal::QUIT)
}

fn once(command: &[&str], data: &Path) {
    let output = program(command[0]).args(&command[1..]).arg(data).output().expect("a program that is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One of PostgreSQL's programs. They refuse to run as root.
fn program(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT").env("LC_ALL", "C.UTF-8").current_dir("/");
    if geteuid().is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(programs().join(name));
    command
}

/// Where Debian has the programs of the newest version.
fn programs() -> PathBuf {
    let versions =
        fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL").map(|entry| entry.expect("an entry").path());
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions.max_by_key(number).expect("a version").join("bin")
}

/// A folder that belongs to the user who runs the server.
fn own_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    if geteuid().is_root() {
        let users = fs::read_to_string("/etc/passwd").expect("the users");
        let user = users.lines().find_map(|line| line.strip_prefix("postgres:")).expect("the user of PostgreSQL");
        let id = |at| user.split(':').nth(at).expect("an id").parse().expect("an id");
        chown(folder.path(), Some(id(1)), Some(id(2))).expect("root");
    }
    folder
}
