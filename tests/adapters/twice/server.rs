//! Servers that close, reset or answer oddly, and count what reaches them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

/// How a server behaves. Those that fail requests fail each eighth, so that the others leave connections to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ClosesAfterEachAnswer,
    ClosesIdle,
    ClosesWhileWriting,
    ClosesWithoutAnswer,
    Resets,
    AnswersInterimFirst,
    ClosesWithoutSaying,
    ClosesAtOnce,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::ClosesAfterEachAnswer,
        Self::ClosesIdle,
        Self::ClosesWhileWriting,
        Self::ClosesWithoutAnswer,
        Self::Resets,
        Self::AnswersInterimFirst,
        Self::ClosesWithoutSaying,
        Self::ClosesAtOnce,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ClosesAfterEachAnswer => "says it closes after each answer, and does",
            Self::ClosesIdle => "closes idle connections",
            Self::ClosesWhileWriting => "closes after the head, before the body",
            Self::ClosesWithoutAnswer => "reads the request and closes",
            Self::Resets => "reads the request and resets",
            Self::AnswersInterimFirst => "answers 100, 103 or both first",
            Self::ClosesWithoutSaying => "answers and closes without saying so",
            Self::ClosesAtOnce => "accepts and closes at once",
        }
    }

    /// Whether a second request must sometimes arrive on a connection, however slow the client is.
    pub(crate) const fn keeps(self) -> bool {
        !matches!(self, Self::ClosesAfterEachAnswer | Self::ClosesIdle | Self::ClosesWithoutSaying)
    }

    /// The refresh token of a request. Now and then the client must still be writing it when the server closes: it is longer than
    /// what a socket takes at once.
    pub(crate) fn token(self, number: usize) -> String {
        let rest = if self == Self::ClosesWhileWriting && number % 256 == 7 { 4 << 20 } else { 0 };
        format!("rt-{number}.{}", "x".repeat(rest))
    }

    const fn fails(self, number: usize) -> bool {
        number % 8 == 7
            && matches!(self, Self::ClosesWhileWriting | Self::ClosesWithoutAnswer | Self::Resets | Self::ClosesAtOnce)
    }
}

/// A server on 127.0.0.1. It ends with the value.
pub(crate) struct Server {
    /// The scheme and the address.
    pub(crate) origin: String,
    seen: Arc<Seen>,
    _runtime: Runtime,
}

struct Seen {
    /// How many times each request arrived.
    arrivals: Vec<AtomicUsize>,
    connections: AtomicUsize,
    /// Requests on a connection that had carried one before.
    reused: AtomicUsize,
}

impl Server {
    /// Speaks https if there is a `tls`, and plain http otherwise.
    pub(crate) fn start(kind: Kind, requests: usize, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let arrivals = (0..requests).map(|_| AtomicUsize::new(0)).collect();
        let seen = Arc::new(Seen { arrivals, connections: AtomicUsize::new(0), reused: AtomicUsize::new(0) });
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
            socket.listen(1024)
        })?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://{}", listener.local_addr()?);
        let counts = Arc::clone(&seen);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let earlier = counts.connections.fetch_add(1, Relaxed);
                if kind == Kind::ClosesAtOnce && kind.fails(earlier) {
                    continue;
                }
                let (counts, tls) = (Arc::clone(&counts), tls.clone());
                tokio::spawn(async move {
                    // An answer would wait for what TLS sends before it to be acknowledged.
                    stream.set_nodelay(true)?;
                    if kind == Kind::Resets {
                        stream.set_zero_linger()?;
                    }
                    match tls {
                        Some(tls) => talk(kind, tls.accept(stream).await?, &counts).await,
                        None => talk(kind, stream, &counts).await,
                    }
                });
            }
        });
        Ok(Self { origin, seen, _runtime: runtime })
    }

    pub(crate) fn arrivals(&self, number: usize) -> usize {
        self.seen.arrivals[number].load(Relaxed)
    }

    pub(crate) fn twice(&self) -> usize {
        self.seen.arrivals.iter().filter(|arrivals| arrivals.load(Relaxed) > 1).count()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Relaxed)
    }

    pub(crate) fn reused(&self) -> usize {
        self.seen.reused.load(Relaxed)
    }
}

/// One connection. A head that has come counts as an arrival, with or without its body.
async fn talk(kind: Kind, mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Seen) -> io::Result<()> {
    let mut received = Vec::new();
    for earlier in 0.. {
        let idle = if kind == Kind::ClosesIdle && earlier > 0 { IDLE } else { Duration::from_secs(60) };
        let Ok(read) = tokio::time::timeout(idle, stream.read_buf(&mut received)).await else {
            return stream.shutdown().await;
        };
        read?;
        let end = loop {
            if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
        let number = between(&head, "post /token/", " ");
        let length = between(&head, "content-length: ", "\r\n");
        seen.arrivals[number].fetch_add(1, Relaxed);
        seen.reused.fetch_add((earlier > 0).into(), Relaxed);
        if kind == Kind::ClosesWhileWriting && kind.fails(number) {
            return Ok(());
        }
        if kind == Kind::AnswersInterimFirst {
            stream.write_all(INTERIM[number % INTERIM.len()]).await?;
        }
        while received.len() < end + length {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
        received.drain(..end + length);
        if kind != Kind::ClosesAtOnce && kind.fails(number) {
            return if kind == Kind::Resets { Ok(()) } else { stream.shutdown().await };
        }
        // There must be new connections for it to close.
        let last = kind == Kind::ClosesAfterEachAnswer || (kind == Kind::ClosesAtOnce && earlier == 2);
        stream.write_all(answer(number, last).as_bytes()).await?;
        if last || kind == Kind::ClosesWithoutSaying {
            return stream.shutdown().await;
        }
    }
    Ok(())
}

fn between(text: &str, before: &str, after: &str) -> usize {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after)?.0.parse().ok());
    found.unwrap_or_else(|| panic!("no number after {before:?}: {text}"))
}

/// The access token tells which request it answers.
fn answer(number: usize, last: bool) -> String {
    let body = format!(r#"{{"access_token":"at-{number}","token_type":"Bearer","expires_in":3600}}"#);
    let connection = if last { "close" } else { "keep-alive" };
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: {connection}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const IDLE: Duration = Duration::from_millis(1);
const INTERIM: [&[u8]; 3] = [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n",
];
