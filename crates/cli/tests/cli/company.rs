//! A company's network: a proxy, and behind it an authorization server and an API with certificates of its own authority.

use crate::desk::{Desk, Run, Waiting};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Company {
    pub desk: Desk,
    /// The server's own address, which is not one of those that no proxy is used for.
    pub origin: String,
    /// The proxy's address.
    pub proxy: SocketAddr,
    office: Arc<Office>,
}

/// What happens in the network.
struct Office {
    tls: Arc<ServerConfig>,
    origin: String,
    /// The value of `Proxy-Authorization` that the proxy wants.
    password: Mutex<Option<String>>,
    /// The heads that the proxy was sent.
    asked: Mutex<Vec<String>>,
    /// The request lines that the server was sent.
    served: Mutex<Vec<String>>,
}

impl Company {
    pub fn new() -> Self {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let origin = format!("https://0.0.0.0:{}", server.local_addr().unwrap().port());
        let (authority, tls) = certificates();
        let office = Arc::new(Office {
            tls,
            origin: origin.clone(),
            password: Mutex::default(),
            asked: Mutex::default(),
            served: Mutex::default(),
        });
        let desk = Desk::new();
        desk.configure(&format!("[profile.default]\nissuer = '{origin}'\nclient_id = 'x'\n"));
        std::fs::write(desk.home("company.pem"), authority).unwrap();
        std::fs::write(desk.home("other.pem"), certificates().0).unwrap();
        let address = proxy.local_addr().unwrap();
        listen(server, Arc::clone(&office), Office::serve);
        listen(proxy, Arc::clone(&office), Office::tunnel);
        Self { desk, origin, proxy: address, office }
    }

    /// The same with a user who is signed in, and whose access token has ended.
    pub fn signed_in() -> Self {
        let company = Self::new();
        company.sign_in(&["--cacert", "company.pem"], &[]);
        company.desk.expire();
        company.requests();
        company
    }

    pub fn authority(&self) -> PathBuf {
        self.desk.home("company.pem")
    }

    /// The proxy's URL, with user name and password or without.
    pub fn proxy(&self, user: &str) -> String {
        format!("http://{user}{}", self.proxy)
    }

    /// What the proxy is to be told from now on: `Basic` and the encoded user name and password.
    pub fn demand(&self, authorization: &str) {
        *self.office.password.lock().unwrap() = Some(authorization.to_owned());
    }

    pub fn run(&self, args: &[&str], environment: &[(&str, &str)]) -> Run {
        self.desk.command(args).envs(environment.iter().copied()).output().unwrap().into()
    }

    /// Signs in; the browser comes back at once.
    pub fn sign_in(&self, args: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = self.desk.command(&[&["login", "--json", "--no-browser"], args].concat());
        command.envs(environment.iter().copied());
        let waiting = Waiting::of(command);
        let state = waiting.url.split(['?', '&']).find(|pair| pair.starts_with("state=")).unwrap();
        let address = waiting.redirect_uri.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let mut browser = TcpStream::connect(address).unwrap();
        write!(browser, "GET /callback?code=CODE&{state} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let run = waiting.end();
        assert_eq!(run.code, Some(0), "{run:?}");
        run
    }

    /// The heads that the proxy was sent, and the request lines that the server was sent, since the last call.
    pub fn requests(&self) -> (Vec<String>, Vec<String>) {
        let take = |all: &Mutex<Vec<String>>| std::mem::take(&mut *all.lock().unwrap());
        (take(&self.office.asked), take(&self.office.served))
    }
}

impl Office {
    fn serve(&self, stream: TcpStream) {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&self.tls)).unwrap(), stream);
        while let Some((head, _)) = read_request(&mut stream) {
            let line = head.lines().next().unwrap().to_owned();
            let path = line.split(' ').nth(1).unwrap().to_owned();
            self.served.lock().unwrap().push(line);
            let body = self.answer(&path);
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
            if stream.write_all((head + &body).as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, path: &str) -> Option<String> {
        let origin = &self.origin;
        Some(match path {
            "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => format!(
                r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token",
                "revocation_endpoint":"{origin}/revoke","code_challenge_methods_supported":["S256"]}}"#
            ),
            "/token" => {
                r#"{"access_token":"AT","token_type":"Bearer","expires_in":3600,"refresh_token":"RT"}"#.to_owned()
            }
            "/revoke" | "/api" => "{}".to_owned(),
            _ => return None,
        })
    }

    /// Lets through whoever has the password.
    fn tunnel(&self, mut stream: TcpStream) {
        let Some((head, _)) = read_request(&mut stream) else { return };
        let password = self.password.lock().unwrap().clone();
        let is_allowed = password.is_none_or(|password| head.contains(&format!("authorization: {password}\r\n")));
        let is_ours = head.starts_with(&format!("connect {} ", self.origin.trim_start_matches("https://")));
        self.asked.lock().unwrap().push(head);
        let answer = match (is_allowed, is_ours) {
            (false, _) => {
                "407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"x\"\r\ncontent-length: 0"
            }
            (true, false) => "502 Bad Gateway\r\ncontent-length: 0",
            (true, true) => "200 OK",
        };
        let told = write!(stream, "HTTP/1.1 {answer}\r\n\r\n");
        if told.is_ok() && is_allowed && is_ours {
            self.serve(stream);
        }
    }
}

fn listen(socket: TcpListener, office: Arc<Office>, serve: fn(&Office, TcpStream)) {
    thread::spawn(move || {
        for stream in socket.incoming() {
            let (office, stream) = (Arc::clone(&office), stream.unwrap());
            thread::spawn(move || serve(&office, stream));
        }
    });
}

/// An authority, and a server with a certificate of it.
fn certificates() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["0.0.0.0".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into());
    (authority, Arc::new(config.unwrap()))
}

/// A head with its names in lower case, and the body; none if the other side closed, or TLS failed.
fn read_request(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.extend(byte);
    }
    let head: String = String::from_utf8(head).unwrap();
    let lower = |line: &str| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}\r\n", name.to_lowercase()),
        None => format!("{}\r\n", line.replace("CONNECT", "connect")),
    };
    let head: String = head.split_terminator("\r\n").map(lower).collect();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}
