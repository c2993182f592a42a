//! A CONNECT proxy that records all that it sees.

use crate::recording::{Server, header, read_head};
use rustls::{ServerConfig, ServerConnection};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy. All names are those of one server.
pub struct Proxy {
    server: Server,
    passed: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    /// A proxy that takes connections from `socket` to `target`, over TLS if it has a certificate, from everybody or from those
    /// who send these credentials.
    pub fn start(
        socket: TcpListener,
        target: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        credentials: Option<&'static str>,
    ) -> Self {
        let passed = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&passed);
        let server = Server::at(socket, move |stream, heads| {
            let client = Client::new(stream, tls.clone());
            let Some(head) = read_head(&mut &client) else { return };
            let authorization = header(&head, "proxy-authorization").map(str::to_owned);
            let is_connect = head.starts_with("CONNECT ");
            heads.lock().unwrap().push(head);
            let answer = match credentials {
                _ if !is_connect => "405 Method Not Allowed\r\nContent-Length: 0",
                Some(credentials) if authorization.as_deref() != Some(credentials) => {
                    "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"company\"\r\nContent-Length: 0"
                }
                _ => "200 Connection established",
            };
            drop((&client).write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()));
            if answer.starts_with("200") {
                join(client, TcpStream::connect(target).unwrap(), &recorded);
            }
        });
        Self { server, passed }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// The heads that clients sent.
    pub fn heads(&self) -> Vec<String> {
        self.server.requests()
    }

    /// Whether this passed by, either way.
    pub fn passed_by(&self, text: &str) -> bool {
        self.passed.lock().unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// How many bytes passed by.
    pub fn passed(&self) -> usize {
        self.passed.lock().unwrap().len()
    }
}

/// Both ways at once, until both have ended.
fn join(client: Client, target: TcpStream, passed: &Mutex<Vec<u8>>) {
    thread::scope(|scope| {
        scope.spawn(|| {
            copy(&client, &target, passed);
            drop(target.shutdown(Shutdown::Write));
        });
        copy(&target, &client, passed);
        client.close();
    });
}

fn copy<F, T>(mut from: F, mut to: T, passed: &Mutex<Vec<u8>>)
where
    F: Read,
    T: Write,
{
    let mut chunk = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        passed.lock().unwrap().extend_from_slice(&chunk[..length]);
        if to.write_all(&chunk[..length]).is_err() {
            return;
        }
    }
}

/// A client's connection, which is read and written at the same time.
struct Client {
    stream: TcpStream,
    tls: Option<Mutex<ServerConnection>>,
}

impl Client {
    fn new(stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Self {
        Self { stream, tls: tls.map(|config| Mutex::new(ServerConnection::new(config).unwrap())) }
    }

    fn close(&self) {
        if let Some(tls) = &self.tls {
            let mut tls = tls.lock().unwrap();
            tls.send_close_notify();
            drop(tls.write_tls(&mut &self.stream));
        }
        drop(self.stream.shutdown(Shutdown::Write));
    }
}

impl Read for &Client {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return (&self.stream).read(into) };
        loop {
            match tls.lock().unwrap().reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            // Without the lock, so that the other way goes on.
            let mut chunk = [0; 4096];
            let length = (&self.stream).read(&mut chunk)?;
            let mut tls = tls.lock().unwrap();
            let mut heard = &chunk[..length];
            loop {
                tls.read_tls(&mut heard)?;
                tls.process_new_packets().map_err(io::Error::other)?;
                if heard.is_empty() {
                    break;
                }
            }
            while tls.wants_write() {
                tls.write_tls(&mut &self.stream)?;
            }
        }
    }
}

impl Write for &Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return (&self.stream).write(bytes) };
        let mut tls = tls.lock().unwrap();
        let length = tls.writer().write(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut &self.stream)?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
