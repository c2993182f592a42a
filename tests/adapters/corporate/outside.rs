//! The server, the proxies, and the network in which the clients are.

use proofkey_tests::authority::Authority;
use proofkey_tests::proxy::Proxy;
use proofkey_tests::recording::{Server, header, json};
use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::ops::{Deref, RangeInclusive};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) struct Company {
    authority: Authority,
    folder: tempfile::TempDir,
    inside: Inside,
    pub(crate) server: Recorder,
}

/// How the proxy is spoken to.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Open,
    Password,
    Tls,
}

impl Company {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("Authority of the company");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("authority.pem"), &authority.pem).expect("written");
        fs::write(folder.path().join("other.pem"), Authority::new("Another").pem).expect("written");
        ip(&format!("address add {SERVER_IP}/32 dev lo"));
        let inside = Inside::new();
        let socket = TcpListener::bind((SERVER_IP, 0)).expect("a port");
        let issuer = format!("https://{NAME}:{}", socket.local_addr().expect("an address").port());
        let server =
            Server::secure(socket, authority.server(&[NAME, SERVER_IP]), move |request| answer(&issuer, request));
        Self {
            authority,
            folder,
            inside,
            server: Recorder { server, requests_seen: Cell::default(), connections_seen: Cell::default() },
        }
    }

    /// A new proxy.
    pub(crate) fn proxy(&self, way: Way) -> CompanyProxy {
        let socket = TcpListener::bind((PROXY_IP, 0)).expect("a port");
        let tls = (way == Way::Tls).then(|| self.authority.server(&[PROXY_IP]));
        let credentials = (way == Way::Password).then_some("Basic bWU6cEBzcw==");
        let scheme = if way == Way::Tls { "https" } else { "http" };
        let port = self.server.address.port();
        CompanyProxy { proxy: Proxy::start(socket, self.server.address, tls, credentials), scheme, port }
    }

    pub(crate) fn authority(&self) -> String {
        path(&self.folder.path().join("authority.pem"))
    }

    pub(crate) fn other_authority(&self) -> String {
        path(&self.folder.path().join("other.pem"))
    }

    /// Runs a client inside, and returns how it ended.
    pub(crate) fn run(&self, client: &str, variables: &[(&str, String)]) -> String {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.inside.holder.id()));
        command.arg(std::env::current_exe().expect("this program"));
        command.args([client, "--exact", "--ignored", "--nocapture"]);
        command.env("SERVER", format!("{NAME}:{}", self.server.address.port()));
        let output = command.envs(variables.iter().map(|(name, value)| (name, value))).output().expect("nsenter");
        let said = String::from_utf8_lossy(&output.stdout);
        let ended = said.lines().find_map(|line| line.strip_prefix("ended: "));
        match ended {
            Some(ended) if output.status.success() => ended.to_owned(),
            _ => panic!("{client}: {said}{}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}

pub(crate) struct CompanyProxy {
    proxy: Proxy,
    scheme: &'static str,
    /// The server's.
    port: u16,
}

impl CompanyProxy {
    pub(crate) fn url(&self, user: &str) -> String {
        format!("{}://{user}{}", self.scheme, self.proxy.address())
    }

    /// The proxy was asked for tunnels to the server and for nothing else, with these credentials, and no secret passed by that
    /// it could read.
    #[track_caller]
    pub(crate) fn assert_connects_only(&self, times: RangeInclusive<usize>, credentials: &str, at: &str) {
        let heads = self.proxy.heads();
        println!("{at}: {} CONNECT", heads.len());
        assert!(times.contains(&heads.len()), "{at}: {heads:?}");
        assert_eq!(self.proxy.connections(), heads.len(), "{at}");
        for head in &heads {
            let line = format!("CONNECT {NAME}:{} HTTP/1.1\r\n", self.port);
            assert!(head.starts_with(&line), "{at}: {head}");
            assert_eq!(header(head, "proxy-authorization").unwrap_or_default(), credentials, "{at}");
        }
        for secret in ["SECRET", "grant_type", "oauth-authorization-server"] {
            assert!(!self.proxy.passed_by(secret), "{at}: {secret}");
            assert!(heads.iter().all(|head| !head.contains(secret)), "{at}: {secret}");
        }
        // Of the name, which stands in the open in each handshake, it can tell.
        assert!(self.proxy.passed() == 0 || self.proxy.passed_by(NAME), "{at}");
    }
}

impl Deref for CompanyProxy {
    type Target = Proxy;

    fn deref(&self) -> &Proxy {
        &self.proxy
    }
}

/// A server whose requests are asked for piece by piece.
pub(crate) struct Recorder {
    server: Server,
    requests_seen: Cell<usize>,
    connections_seen: Cell<usize>,
}

impl Recorder {
    /// The request lines since the last time.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        let requests = self.server.requests();
        let seen = self.requests_seen.replace(requests.len());
        requests[seen..].iter().map(|request| request.lines().next().expect("a line").to_owned()).collect()
    }

    /// How many connections there were since the last time.
    pub(crate) fn take_connections(&self) -> usize {
        let connections = self.server.connections();
        connections - self.connections_seen.replace(connections)
    }
}

impl Deref for Recorder {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// A network that only one cable leaves. It is gone with the process that holds it, which ends with this one.
struct Inside {
    holder: Child,
}

impl Inside {
    fn new() -> Self {
        let script = "ip link set lo up && echo here && read gone";
        let mut holder = Command::new("unshare");
        holder.args(["--net", "sh", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = holder.spawn().expect("unshare");
        let said = BufReader::new(holder.stdout.take().expect("a pipe")).lines().next();
        assert_eq!(said.expect("a line").expect("text"), "here");
        let id = holder.id();
        let inside = Self { holder };
        ip(&format!("link add outer type veth peer name inner netns {id}"));
        ip(&format!("address add {PROXY_IP}/24 dev outer"));
        ip("link set outer up");
        for arguments in ["address add 10.9.0.2/24 dev inner", "link set inner up"] {
            let mut command = Command::new("nsenter");
            command.arg(format!("--net=/proc/{id}/ns/net")).arg("ip").args(arguments.split(' '));
            assert!(command.status().expect("nsenter").success(), "{arguments}");
        }
        inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}

fn answer(issuer: &str, request: &str) -> String {
    match request.lines().next().expect("a line") {
        "GET /.well-known/oauth-authorization-server HTTP/1.1" => json(
            200,
            &format!(
                r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/token",
                "response_types_supported":["code"],"code_challenge_methods_supported":["S256"]}}"#
            ),
        ),
        "POST /token HTTP/1.1" if request.contains("SECRET") => json(
            200,
            r#"{"access_token":"at-SECRET","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-SECRET-2"}"#,
        ),
        "GET /api HTTP/1.1" if header(request, "authorization") == Some("Bearer at-SECRET") => json(200, "{}"),
        _ => json(404, "{}"),
    }
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("ip");
    assert!(status.success(), "ip {arguments}");
}

fn path(path: &Path) -> String {
    path.to_str().expect("text").to_owned()
}

/// Only the proxy knows the address.
const NAME: &str = "as.example";
const PROXY_IP: &str = "10.9.0.1";
const SERVER_IP: &str = "203.0.113.10";
