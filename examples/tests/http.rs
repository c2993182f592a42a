//! The examples of how requests are sent, against a server whose certificate only they trust.

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;

#[test]
fn every_way_sends_the_request_once() {
    let (address, pem, heads) = serve();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("authority.pem");
    std::fs::write(&file, pem).unwrap();
    for kind in ["company", "limits", "kept", "agent", "client", "stream", "stream-async"] {
        let mut example = Command::new(env!("CARGO_BIN_EXE_http"));
        let output = example.args([kind, &format!("https://{address}/api")]).arg(&file).env_clear().output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, "70000 bytes\n", "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        let head = heads.recv().unwrap().to_lowercase();
        assert!(head.starts_with("get /api http/1.1\r\n"), "{kind}: {head}");
        assert!(head.contains("\r\nauthorization: bearer example\r\n"), "{kind}: {head}");
        assert_eq!(head.contains("my-app/1.0"), ["agent", "client", "stream-async"].contains(&kind), "{kind}: {head}");
        assert!(heads.try_recv().is_err(), "{kind}: sent twice");
    }
}

/// Where a server is, its certificate, and the heads of the requests that it gets.
fn serve() -> (SocketAddr, String, mpsc::Receiver<String>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let pem = certificate.pem();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into());
    let config = Arc::new(config.unwrap());
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in socket.incoming() {
            let stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
            let sender = sender.clone();
            thread::spawn(move || answer(stream, &sender));
        }
    });
    (address, pem, receiver)
}

fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>, heads: &mpsc::Sender<String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap_or_default() == 0 {
            return;
        }
        head.extend(byte);
    }
    heads.send(String::from_utf8(head).unwrap()).unwrap();
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 70000\r\nconnection: close\r\n\r\n".to_vec();
    answer.extend([b'x'; 70_000]);
    stream.write_all(&answer).unwrap();
    stream.conn.send_close_notify();
    stream.flush().unwrap();
}
