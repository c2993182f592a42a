//! A server, a store with a login, and the processes that use it.

use proofkey_core::{ClientBuf, Redirect};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, EndpointFault, Faults, Options, RefreshFault, When};
use proofkey_ureq::{Http, Key, Record, Session, SysRng};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A login that many processes use.
pub(crate) struct Fleet {
    pub(crate) server: DevServer,
    store: Store,
    client: ClientBuf,
    tell: Sender<Said>,
    told: Receiver<Said>,
    /// The tokens that were seen.
    pub(crate) tokens: BTreeSet<String>,
}

/// Where a fleet keeps its login.
pub(crate) enum Store {
    Files(tempfile::TempDir),
    Postgres(proofkey_tests::servers::Postgres),
    Redis(proofkey_tests::servers::Redis),
}

/// What a process prints.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Said {
    Ended(String),
    Error(String),
    Over,
    Token(String),
}

/// A process. It is killed when it is dropped.
pub(crate) struct Member {
    child: Child,
    reading: Option<JoinHandle<()>>,
}

impl Fleet {
    /// With a login whose access token has ended.
    pub(crate) fn new(store: Store, options: Options) -> Self {
        let server = DevServer::start(options).unwrap();
        let client = Http::new().discover(&server.issuer(), "demo-native", "https://app.example/paste").unwrap();
        let (tell, told) = channel();
        let fleet = Self { server, store, client, tell, told, tokens: BTreeSet::new() };
        fleet.sign_in();
        fleet
    }

    /// A new login in place of the old one. Its access token has ended.
    pub(crate) fn sign_in(&self) {
        let client = self.client.as_client();
        let (url, pending) = client.authorize(&["itwin-platform", "offline_access"], &mut SysRng).unwrap();
        let visit = UserAgent::new().run(&url.to_string(), Decision::Allow).unwrap();
        let redirect = visit.callback.unwrap();
        let code = pending.accept(client, Redirect::Url(&redirect)).unwrap();
        let tokens = Http::new().exchange(code).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let key = Key::of(client, "default");
        let record = Record::of_login(key.clone(), client, &[], tokens.as_tokens(), now - 3_600);
        match &self.store {
            Store::Files(folder) => {
                let store = proofkey_native::Store::files_in(&folder.path().join(APP)).unwrap();
                Session::new(&Http::new(), client, store, key).begin_with(record).unwrap();
            }
            remote => remote.begin(client, record),
        }
    }

    /// A process that uses the login until so many tokens have ended.
    pub(crate) fn member(&self, tokens: u32) -> Member {
        self.run(Command::new(MEMBER), tokens)
    }

    /// A process that takes one token, under `strace` with this expression.
    pub(crate) fn traced(&self, expression: &str) -> Member {
        let mut command = Command::new("strace");
        command.arg("-o").arg(self.log()).args(["-e", expression, MEMBER]).stderr(Stdio::null());
        self.run(command, 0)
    }

    /// Where `strace` writes.
    pub(crate) fn log(&self) -> std::path::PathBuf {
        let Store::Files(folder) = &self.store else { panic!("it has no folder") };
        folder.path().join("log")
    }

    /// The access token that is stored.
    pub(crate) fn stored(&self) -> String {
        let Store::Files(folder) = &self.store else { panic!("it has no folder") };
        let (client, key) = (self.client.as_client(), Key::of(self.client.as_client(), "default"));
        let store = proofkey_native::Store::files_in(&folder.path().join(APP)).unwrap();
        let token = Session::new(&Http::new(), client, store, key).peek().unwrap().unwrap();
        token.expose().to_owned()
    }

    fn run(&self, mut command: Command, tokens: u32) -> Member {
        let (kind, place) = self.store.place();
        command.env("LLVM_PROFILE_FILE", "/dev/null");
        command.args([&*self.server.issuer(), kind, &*place, &*tokens.to_string()]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, tell) = (BufReader::new(child.stdout.take().unwrap()), self.tell.clone());
        let reading = thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                drop(tell.send(Said::of(&line)));
            }
        });
        Member { child, reading: Some(reading) }
    }

    /// What was said since this was asked last. Waits for it at most so long.
    pub(crate) fn listen(&mut self, time: Duration) -> Vec<Said> {
        let first = self.told.recv_timeout(time);
        let said: Vec<_> = first.into_iter().chain(self.told.try_iter()).collect();
        self.tokens.extend(said.iter().filter_map(|said| match said {
            Said::Token(token) => Some(token.clone()),
            _ => None,
        }));
        said
    }

    /// What all say until they end.
    pub(crate) fn listen_to_end(&mut self, members: Vec<Member>) -> Vec<Said> {
        members.into_iter().for_each(Member::wait);
        self.listen(Duration::ZERO)
    }

    pub(crate) fn fail(&self, when: When, fault: EndpointFault) {
        self.server.set_faults(Faults { refresh: vec![RefreshFault { when, fault }], ..Faults::default() });
    }

    /// Waits until the server has handled what a killed process sent. It is one thread that takes requests in turn.
    pub(crate) fn settle(&self) {
        Http::new().discover(&self.server.issuer(), "demo-native", "https://app.example/paste").unwrap();
    }

    /// Refreshes, replays, reuses.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let counts = self.server.counts();
        [counts.refreshes, counts.replays, counts.reuses]
    }
}

impl Store {
    pub(crate) fn files() -> Self {
        Self::Files(tempfile::tempdir().unwrap())
    }

    fn place(&self) -> (&'static str, String) {
        let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        match self {
            Self::Files(folder) => ("files", text(&folder.path().join(APP))),
            Self::Postgres(server) => ("postgres", text(&server.socket())),
            Self::Redis(server) => ("redis", text(&server.socket())),
        }
    }

    fn begin(&self, client: proofkey_core::Client<'_>, record: Record) {
        use proofkey_reqwest::Sessions;
        use std::sync::Arc;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let http = proofkey_reqwest::Http::new().unwrap();
            let sessions = match self {
                Self::Redis(server) => Sessions::new(&http, client, proofkey_redis::Redis::new(server.connect().await)),
                Self::Postgres(server) => {
                    let connection = proofkey_tests::servers::connect(&server.config()).await;
                    let store = proofkey_postgres::Postgres::new(Arc::new(connection));
                    store.create_table().await.unwrap();
                    Sessions::new(&http, client, store)
                }
                Self::Files(_) => unreachable!("it is not remote"),
            };
            sessions.of("default").begin_with(record).await.unwrap();
        });
    }
}

impl Said {
    fn of(line: &str) -> Self {
        match line.split_once(' ') {
            Some(("token", rest)) => Self::Token(rest.split(' ').next().unwrap().to_owned()),
            Some(("ended", end)) => Self::Ended(end.to_owned()),
            Some(("error", error)) => Self::Error(error.to_owned()),
            _ => Self::Over,
        }
    }
}

impl Member {
    pub(crate) fn wait(mut self) {
        assert!(self.child.wait().unwrap().success());
        self.reading.take().unwrap().join().unwrap();
    }

    /// Waits for its end, however it ends.
    pub(crate) fn wait_for_any_end(mut self) {
        drop(self.child.wait());
        self.reading.take().unwrap().join().unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Kills it, if it still runs.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        self.reading.take().map(JoinHandle::join);
    }
}

/// A number that the environment sets.
pub(crate) fn number(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

const APP: &str = "app";
const MEMBER: &str = env!("CARGO_BIN_EXE_fleet_member");
