//! A user's desk: a home folder of its own, a server, and the program.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Entry, Options};
use proofkey_native::{Record, Store};
use proofkey_ureq::proofkey_store::{Answer, ClaimId, Op, Store as _};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
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
        // On Windows, too, as the tool would write it.
        path.split('/').fold(self.home.path().to_owned(), |folder, name| folder.join(name))
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
        if cfg!(windows) {
            command.env("LOCALAPPDATA", self.home("state")).env("SystemRoot", std::env::var_os("SystemRoot").unwrap());
        }
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
        let mut rows = self.store().list().unwrap();
        assert_eq!(rows.len(), 1);
        Record::from_bytes(&rows.pop().unwrap().unwrap().value).unwrap()
    }

    /// Changes the stored record behind the program's back, as if its tokens had been stored when they were asked for.
    pub fn edit(&self, edit: impl FnOnce(&mut Record)) {
        let mut record = self.record();
        edit(&mut record);
        let value = record.to_bytes().unwrap();
        self.rewrite(&value, |fields| fields[1] = (record.requested_at * 1_000).to_string());
    }

    /// Replaces the value and the fields of the stored row: version, when it was written, the clock, the pause, what it is.
    pub fn rewrite(&self, value: &[u8], edit: impl FnOnce(&mut Vec<String>)) {
        let file = self.file();
        let text = std::fs::read_to_string(&file).unwrap();
        let line = text.lines().next().unwrap().strip_prefix("proofkey record 3 ").expect("a row");
        let mut fields: Vec<_> = line.split(' ').skip(1).map(str::to_owned).collect();
        edit(&mut fields);
        let (name, fields) = (file.file_name().unwrap().to_str().unwrap(), fields.join(" "));
        let hashed = [name.as_bytes(), b"\n", fields.as_bytes(), b"\n", value].concat();
        let head =
            format!("proofkey record 3 {} {fields}\n", Base64UrlUnpadded::encode_string(&Sha256::digest(hashed)));
        std::fs::write(file, [head.as_bytes(), value].concat()).unwrap();
    }

    /// The file of the one row.
    pub fn file(&self) -> PathBuf {
        self.files("").into_iter().find(|path| path.extension().is_none() && !is_hidden(path)).expect("a row")
    }

    /// Claims the stored login, as another process that refreshes it. It lasts until the store is dropped.
    pub fn claim(&self) -> Store {
        let store = self.store();
        let row = store.list().unwrap().pop().unwrap().unwrap();
        let claim = Op::Claim { version: row.version, id: ClaimId([7; 16]), seconds: 600, over: None };
        assert!(matches!(store.run(&self.record().key, claim).unwrap(), Answer::Claimed(_)));
        store
    }

    /// Signs out under that claim.
    pub fn sign_out(&self, store: Store) {
        let row = store.list().unwrap().pop().unwrap().unwrap();
        let id = ClaimId([7; 16]);
        let write = Op::Write { expect: Some((row.version, id)), version: row.version.next(id), value: None };
        assert_eq!(store.run(&self.record().key, write).unwrap(), Answer::Done);
    }

    /// Gives it back, without a refresh.
    pub fn release(&self, store: Store) {
        let release = Op::Release { id: ClaimId([7; 16]), pause: 0 };
        assert_eq!(store.run(&self.record().key, release).unwrap(), Answer::Done);
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
            let mut told = String::new();
            let _ = self.child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut told));
            panic!("{error}: {:?} {told}", self.seen)
        })
    }

    /// Waits for the end.
    pub fn end(mut self) -> Run {
        drop(self.child.stdin.take());
        self.stdout.read_to_string(&mut self.seen).unwrap();
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

/// Waits until a process waits for another one.
#[cfg(target_os = "linux")]
pub fn waits(process: u32) {
    let is_asleep =
        || std::fs::read_to_string(format!("/proc/{process}/wchan")).is_ok_and(|place| place.contains("nanosleep"));
    let end = Instant::now() + Duration::from_secs(60);
    while !is_asleep() {
        assert!(Instant::now() < end, "it never waited");
        std::thread::yield_now();
    }
}

pub fn is_hidden(path: &Path) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with('.')
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
