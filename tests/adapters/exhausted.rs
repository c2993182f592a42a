//! Logins on a system that has no file descriptors or threads left.
//!
//! Needs `strace`, which makes system calls fail.

use proofkey_core::{Client, ClientBuf, Server as Endpoints};
use proofkey_tests::recording::{Server, TOKENS, browse, json};
use proofkey_tests::values;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, iter};

#[test]
fn idle_connections_make_room_for_the_redirect() {
    for adapter in ADAPTERS {
        let server = Server::answering(|_| json(200, TOKENS));
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]);
        let mut login = begin(limited, adapter, &server);
        let idle: Vec<_> =
            iter::repeat_with(|| TcpStream::connect(login.address).expect("a connection")).take(100).collect();
        let begun = Instant::now();
        let page = browse(login.address, &login.target);
        assert!(page.contains("Signed in"), "{adapter}: {page}");
        // Each idle connection has ten seconds for its request.
        assert!(begun.elapsed() < Duration::from_secs(8), "{adapter}: {:?}", begun.elapsed());
        drop(idle);
        login.ends();
    }
}

#[test]
fn without_a_thread_the_code_is_exchanged_all_the_same() {
    let server = Server::answering(|_| json(200, TOKENS));
    let mut strace = Command::new("strace");
    // Without one, a test runs in the thread of its runner.
    strace.args(["--follow-forks", "--output=/dev/null", "--trace=clone3", "--inject=clone3:error=EAGAIN"]);
    let mut login = begin(strace, "child_blocking", &server);
    let page = browse(login.address, &login.target);
    assert!(page.contains("Signed in"), "{page}");
    login.ends();
    assert_eq!(server.requests().len(), 1);
}

struct Running {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
    address: SocketAddr,
    target: String,
}

impl Running {
    /// The child says that it is signed in, and ends.
    fn ends(&mut self) {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).expect("text");
        assert!(self.child.wait().expect("a status").success() && rest.contains("signed in"), "{rest}");
    }
}

/// Runs a child until it has sent the browser away.
fn begin(mut machine: Command, adapter: &str, server: &Server) -> Running {
    machine.arg(env::current_exe().expect("this program"));
    machine.args([adapter, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    let mut child =
        machine.env("TOKEN_ENDPOINT", server.url("/token")).stdout(Stdio::piped()).spawn().expect("a child");
    let mut said = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("open ") {
        line.clear();
        assert!(said.read_line(&mut line).expect("text") > 0, "no login began");
    }
    let redirect_uri = values(&line, "redirect_uri")[0].replace("%3A", ":").replace("%2F", "/");
    let authority = redirect_uri.split('/').nth(2).expect("an authority");
    let target = format!("/cb?code=c&state={}", values(line.trim_end(), "state")[0]);
    Running { child, said, address: authority.parse().expect("an address"), target }
}

#[test]
#[ignore = "a child of the tests above"]
fn child_blocking() {
    let client = client();
    let http = proofkey_ureq::Http::new();
    http.login(proofkey_ureq::Login::new(client.as_client(), &[]), open).expect("tokens");
    println!("signed in");
}

#[tokio::test]
#[ignore = "a child of the tests above"]
async fn child_asynchronous() {
    let client = client();
    let http = proofkey_reqwest::Http::new().expect("the system has certificate authorities");
    http.login(proofkey_reqwest::Login::new(client.as_client(), &[]), open).await.expect("tokens");
    println!("signed in");
}

#[expect(clippy::unnecessary_wraps, reason = "a browser can fail to open")]
fn open(url: &str) -> io::Result<()> {
    println!("\nopen {url}");
    Ok(())
}

fn client() -> ClientBuf {
    let token = env::var("TOKEN_ENDPOINT").expect("set by the test");
    let server = Endpoints::new("https://as.example/authorize", &token);
    Client::new("client", "http://127.0.0.1/cb", server).expect("a client").into()
}

const ADAPTERS: [&str; 2] = ["child_blocking", "child_asynchronous"];
