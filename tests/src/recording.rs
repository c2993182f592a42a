//! Servers that do as they are told, and record.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server that records; on 127.0.0.1 if nothing else is said.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<Mutex<usize>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request, on any connection, with what `answer` makes of it.
    pub fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::start(move |mut stream, requests| reply(&mut stream, requests, &answer))
    }

    /// The same over TLS, on a socket that listens.
    pub fn secure(
        socket: TcpListener,
        config: Arc<ServerConfig>,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::at(socket, move |stream, requests| {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            reply(&mut stream, requests, &answer);
            stream.conn.send_close_notify();
            drop(stream.flush());
        })
    }

    /// Hands each connection to `serve` in a thread of its own.
    pub fn start(serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), serve)
    }

    /// The same, on a socket that listens.
    pub fn at(socket: TcpListener, serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Self {
        let address = socket.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let serve = Arc::new(serve);
        let (counted, recorded) = (Arc::clone(&connections), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in socket.incoming() {
                *counted.lock().unwrap() += 1;
                let (serve, recorded) = (Arc::clone(&serve), Arc::clone(&recorded));
                thread::spawn(move || serve(stream.unwrap(), &recorded));
            }
        });
        Self { address, connections, requests }
    }

    /// A server that nobody is to reach.
    pub fn sink() -> Self {
        Self::start(|_, _| ())
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        // Whoever connected before us is counted before us.
        let before = *self.connections.lock().unwrap();
        drop(TcpStream::connect(self.address).unwrap());
        loop {
            let now = *self.connections.lock().unwrap();
            if now > before {
                *self.connections.lock().unwrap() -= 1;
                return now - 1;
            }
            thread::yield_now();
        }
    }

    /// The requests, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The URL of one of its paths.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Answers the requests of a connection, and records them.
fn reply(stream: &mut (impl Read + Write), requests: &Mutex<Vec<String>>, answer: impl Fn(&str) -> String) {
    while let Some(request) = read_request(stream) {
        let answer = answer(&request);
        requests.lock().unwrap().push(request);
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// One whole request; none where the client closed.
pub fn read_request(stream: &mut impl Read) -> Option<String> {
    let request = read_head(stream)?;
    let length = header(&request, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(request + &String::from_utf8(body).unwrap())
}

/// The head of a request, with the empty line; none if the client closed.
pub fn read_head(stream: &mut impl Read) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0].into());
    }
    Some(head)
}

/// The value of a header field of a request or an answer.
pub fn header<'r>(message: &'r str, name: &str) -> Option<&'r str> {
    let mut values = message.split("\r\n\r\n").next()?.split("\r\n").skip(1).filter_map(|line| {
        let (field, value) = line.split_once(": ")?;
        field.eq_ignore_ascii_case(name).then_some(value)
    });
    let value = values.next();
    assert_eq!(values.next(), None, "{name} stands twice in {message}");
    value
}

/// A whole answer with a JSON body.
pub fn json(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// What a browser sees: the whole answer to `GET target`.
pub fn browse(address: SocketAddr, target: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: test\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The body of a good token response.
pub const TOKENS: &str = r#"{"access_token":"at-1","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-1"}"#;
