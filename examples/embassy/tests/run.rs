//! The device is run against the development server, over plain http and over TLS; the test plays its user.

use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, EndpointFault, Faults, Options, RefreshFault, When};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::{env, fs, io, thread};

#[test]
fn a_device_signs_in_although_a_poll_gets_no_answer() {
    let server = server();
    let lost = RefreshFault { when: When::Next(1), fault: EndpointFault::HangupBefore };
    server.set_faults(Faults { polls: vec![lost], ..Faults::default() });
    let (mut device, mut lines) = start(&server, &server.url(), None);
    confirm(&mut lines);
    let lines: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(lines[0], "no answer: the connection broke");
    assert!(lines[1].contains("alice@example.test"), "{lines:?}");
    assert!(device.wait().unwrap().success());
    assert_eq!((server.counts().polls, server.counts().early_polls), (2, 0));
}

#[test]
fn a_device_signs_in_over_tls() {
    let server = server();
    let authority = Authority::new();
    let url = secure(&server, authority.sign("localhost", 2100));
    let (mut device, mut lines) = start(&server, &url, Some(&authority));
    confirm(&mut lines);
    let lines: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(lines[0].contains("alice@example.test"), "{lines:?}");
    assert!(device.wait().unwrap().success());
}

#[test]
fn a_device_sends_nothing_to_a_server_that_is_not_the_one() {
    for (name, certificate, trusted) in [
        ("another name", Authority::new().with("other.example", 2100), None),
        ("expired", Authority::new().with("localhost", 2020), None),
        ("another authority", Authority::new().with("localhost", 2100), Some(Authority::new())),
    ] {
        let server = server();
        let (authority, certificate) = certificate;
        let url = secure(&server, certificate);
        let (mut device, lines) = start(&server, &url, Some(trusted.as_ref().unwrap_or(&authority)));
        let lines: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(lines.len(), 1, "{name}: {lines:?}");
        assert!(lines[0].starts_with("failed: no secure connection"), "{name}: {lines:?}");
        assert!(!device.wait().unwrap().success());
        assert!(server.log().is_empty(), "{name}");
    }
}

fn server() -> DevServer {
    DevServer::start(Options { device_interval: 1, ..Options::default() }).unwrap()
}

type Lines = io::Lines<BufReader<ChildStdout>>;

/// Starts a device that finds the server at this URL.
fn start(server: &DevServer, url: &str, authority: Option<&Authority>) -> (Child, Lines) {
    let mut device = Command::new(env!("CARGO_BIN_EXE_host"));
    for endpoint in [server.device_endpoint(), server.token_endpoint(), server.api("/api/me")] {
        device.arg(endpoint.replace(&server.url(), url));
    }
    if let Some(authority) = authority {
        device.arg(&authority.file);
    }
    let mut device = device.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(device.stdout.take().unwrap()).lines();
    (device, lines)
}

/// The user does what the screen says.
fn confirm(lines: &mut Lines) {
    let said: Vec<String> = lines.take(3).map(Result::unwrap).collect();
    let words: Vec<&str> = said[0].split(' ').collect();
    assert_eq!((words[3], words[11]), ("open", "code"), "{said:?}");
    assert!(said[2].starts_with("Do this only if you started this sign-in yourself."), "{said:?}");
    UserAgent::new().confirm(words[4], words[12], Decision::Allow).unwrap();
}

/// Who signs certificates, and the file with its own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: std::path::PathBuf,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let certificate = params.self_signed(&key).unwrap();
        let name = certificate.der().iter().rev().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name + ".der");
        fs::write(&file, certificate.der()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    /// A server's certificate with this name, until the year.
    fn sign(&self, name: &str, year: i32) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        (params.signed_by(&key, &self.issuer).unwrap().into(), key)
    }

    fn with(self, name: &str, year: i32) -> (Self, (CertificateDer<'static>, KeyPair)) {
        let signed = self.sign(name, year);
        (self, signed)
    }
}

/// The server behind TLS, at the URL that this gives.
fn secure(server: &DevServer, (certificate, key): (CertificateDer<'static>, KeyPair)) -> String {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()).into());
    let config = Arc::new(config.unwrap());
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", socket.local_addr().unwrap().port());
    let address = server.url().replace("http://", "");
    thread::spawn(move || {
        for stream in socket.incoming() {
            let stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
            // An error is a device that does not trust this server.
            relay(stream, &address).ok();
        }
    });
    url
}

/// One request, and its answer to the end.
fn relay(mut device: StreamOwned<ServerConnection, TcpStream>, server: &str) -> io::Result<()> {
    let mut request = [0; 4096];
    let length = device.read(&mut request)?;
    let mut server = TcpStream::connect(server)?;
    server.write_all(&request[..length])?;
    io::copy(&mut server, &mut device)?;
    device.conn.send_close_notify();
    device.flush()
}
