//! A user's desk: a home folder of its own, a server, and the program.

use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Entry, Options};
use proofkey_native::Record;
use proofkey_native::old::Store;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Desk {
    home: TempDir,
    pub server: DevServer,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A `login --json` that waits for the browser.
pub struct Waiting {
    pub child: Child,
    pub url: String,
    pub redirect_uri: String,
    stdout: BufReader<ChildStdout>,
    seen: String,
}

impl Desk {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    /// A desk whose default profile is a client of the server.
    pub fn with(options: Options) -> Self {
        let desk = Self { home: tempfile::tempdir().unwrap(), server: DevServer::start(options).unwrap() };
        desk.configure(&format!("[profile.default]\nissuer = '{}'\n{CLIENT}", desk.server.issuer()));
        desk
    }

    /// A desk with a user who is signed in.
    pub fn signed_in() -> Self {
        let desk = Self::new();
        desk.sign_in(&[]);
        desk
    }

    pub fn configure(&self, text: &str) {
        let path = self.config();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.home("config/proofkey/config.toml")
    }

    pub fn home(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = if cfg!(target_os = "linux") {
            // A test that runs in the background passes on that signals are ignored.
            let mut command = Command::new("/usr/bin/env");
            command.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_proofkey")]);
            command
        } else {
            Command::new(env!("CARGO_BIN_EXE_proofkey"))
        };
        command.args(args).env_clear().current_dir(self.home.path());
        command.env("HOME", self.home.path());
        command.env("XDG_CONFIG_HOME", self.home("config")).env("XDG_STATE_HOME", self.home("state"));
        command.envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The same with a browser, which writes down how many words it was given, and each of them.
    pub fn with_browser(&self, args: &[&str]) -> Command {
        let (browser, opened) = (self.home("browser.sh"), self.home("opened"));
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" > {0}.new\nmv {0}.new {0}\n", opened.display());
        std::fs::write(&browser, script).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&browser).status().unwrap().success());
        let mut command = self.command(args);
        command.env("BROWSER", browser).env("PATH", std::env::var_os("PATH").unwrap());
        command
    }

    /// The arguments that the browser wrote down. Waits until it was opened.
    pub fn opened(&self) -> String {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            match std::fs::read_to_string(self.home("opened")) {
                Ok(opened) => return opened,
                Err(_) => assert!(Instant::now() < end, "no browser was opened"),
            }
            std::thread::yield_now();
        }
    }

    pub fn run(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }

    pub fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Starts `login --no-browser --json` with further options, and waits until it listens.
    pub fn begin_login(&self, args: &[&str]) -> Waiting {
        self.begin(&[&["login", "--json", "--no-browser"], args].concat())
    }

    pub fn begin(&self, args: &[&str]) -> Waiting {
        Waiting::of(self.command(args))
    }

    /// Signs in with further options of `login`.
    pub fn sign_in(&self, args: &[&str]) -> Run {
        let waiting = self.begin_login(args);
        browse(&waiting.url, Decision::Allow);
        let run = waiting.end();
        assert_eq!(run.code, Some(0), "{run:?}");
        run
    }

    pub fn store(&self) -> Store {
        Store::files_in(&self.home("state/proofkey")).unwrap()
    }

    pub fn record(&self) -> Record {
        let mut records = self.store().list().unwrap();
        assert_eq!(records.len(), 1);
        records.pop().unwrap().unwrap()
    }

    /// Changes the stored record behind the program's back.
    pub fn edit(&self, edit: impl FnOnce(&mut Record)) {
        let (store, mut record) = (self.store(), self.record());
        edit(&mut record);
        store.lock(&record.key, Duration::from_secs(10)).unwrap().save(&record).unwrap();
    }

    pub fn set_token_endpoint(&self, url: &str) {
        self.edit(|record| drop(record.endpoints.insert("token_endpoint".to_owned(), url.to_owned())));
    }

    /// Makes the stored access token one that has ended.
    pub fn expire(&self) {
        self.edit(|record| record.requested_at -= 4_000);
    }

    /// The files of the store whose names end so.
    pub fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.home("state/proofkey")).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.to_str().unwrap().ends_with(ending)).collect()
    }

    /// The requests that the server got at a path.
    pub fn requests(&self, path: &str) -> Vec<Entry> {
        self.server.log().into_iter().filter(|entry| entry.path == path).collect()
    }

    pub fn refreshes(&self) -> usize {
        self.requests(TOKEN).iter().filter(|entry| entry.body.contains("grant_type=refresh_token")).count()
    }
}

impl Waiting {
    /// Starts a `login --json`, and waits until it listens.
    pub fn of(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (url, redirect_uri) = (String::new(), String::new());
        let mut waiting = Self { child, url, redirect_uri, stdout, seen: String::new() };
        let (opened, awaited) = (waiting.event(), waiting.event());
        assert_eq!((&opened["event"], &awaited["event"]), (&"authorization_url".into(), &"waiting".into()));
        waiting.url = opened["url"].as_str().unwrap().to_owned();
        waiting.redirect_uri = awaited["redirect_uri"].as_str().unwrap().to_owned();
        waiting
    }

    /// The next event.
    pub fn event(&mut self) -> Value {
        let start = self.seen.len();
        self.stdout.read_line(&mut self.seen).unwrap();
        serde_json::from_str(&self.seen[start..]).unwrap_or_else(|error| {
            let _ = self.child.kill();
            panic!("{error}: {:?}", self.seen)
        })
    }

    /// Waits for the end.
    pub fn end(mut self) -> Run {
        drop(self.child.stdin.take());
        std::io::Read::read_to_string(&mut self.stdout, &mut self.seen).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Run { stdout: self.seen, ..output.into() }
    }

    pub fn type_line(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }
}

impl Run {
    /// The error that `--json` writes.
    pub fn error(&self) -> Value {
        let line = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the exit code and words on standard error of a run that failed.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in {self:?}");
        }
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Goes through the server's pages. Returns the final redirect URL, which is visited if it is http.
pub fn browse(url: &str, decision: Decision) -> String {
    UserAgent::new().run(url, decision).unwrap().callback.unwrap()
}

/// Answers the one request of a connection, with JSON.
pub fn answer(stream: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
}

/// Presses Ctrl-C.
pub fn interrupt(child: &Child) {
    signal(child, "INT");
}

/// Sends a signal, such as `TERM`.
pub fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// Waits until a process has a lock file of the store open.
pub fn lock_is_awaited(process: u32) {
    let is_open = || {
        let files = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        let mut files = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        files.any(|path| path.extension() == Some("lock".as_ref()))
    };
    let end = Instant::now() + Duration::from_secs(60);
    while !is_open() {
        assert!(Instant::now() < end, "it never came to the lock");
        std::thread::yield_now();
    }
}

pub const CLIENT: &str = "client_id = 'demo-native'\nscope = ['itwin-platform', 'offline_access']\n";
pub const TOKEN: &str = "/connect/token";

/// The text of a record's access token.
pub fn access(record: &Record) -> String {
    record.access_token.expose().to_owned()
}

/// The text of a record's refresh token.
pub fn refresh(record: &Record) -> Option<String> {
    record.refresh_token.as_ref().map(|token| token.expose().to_owned())
}
