//! A relay between a client and a server, which can fail.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

/// What happens to the next request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It never arrives, and the connection is cut.
    RequestCut,
    /// The server does it; then the connection is cut without the answer.
    AnswerCut,
    /// The server does it; the answer never comes, and the connection stays.
    AnswerSwallowed,
}

/// A relay from a port of 127.0.0.1 to a socket. Some time after it is dropped, so are its connections.
pub struct Relay {
    address: SocketAddr,
    faults: Arc<Faults>,
    open: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Faults {
    next: Mutex<Option<Fault>>,
    over: Notify,
}

impl Relay {
    /// A relay to this socket, without a fault.
    pub async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let faults = Arc::new(Faults::default());
        let relayed = Arc::clone(&faults);
        let (open, mut closed) = oneshot::channel();
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = &mut closed => break,
                };
                let Ok((client, _)) = accepted else { break };
                let Ok(server) = UnixStream::connect(&socket).await else { continue };
                let faults = Arc::clone(&relayed);
                connections.spawn(async move { relay(client, server, &faults).await });
            }
            drop(listener);
            connections.shutdown().await;
        });
        Self { address, faults, open, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request, of any connection, has this fault. Later ones have none.
    pub fn fail_next(&self, fault: Fault) {
        *self.faults.next.lock().unwrap() = Some(fault);
    }

    /// Waits until the request has had its fault, and the server has done it, if it is to.
    pub async fn failed(&self) {
        self.faults.over.notified().await;
    }

    /// Ends it. When this returns, nothing passes any more.
    pub async fn end(self) {
        drop(self.open);
        self.accepting.await.expect("a relay that ended");
    }
}

async fn relay(mut client: TcpStream, mut server: UnixStream, faults: &Faults) -> Option<()> {
    let (mut request, mut answer) = ([0; 64 * 1024], [0; 64 * 1024]);
    let mut swallows = false;
    loop {
        tokio::select! {
            length = client.read(&mut request) => {
                let request = request.get(..length.ok()?).filter(|request| !request.is_empty())?;
                let fault = faults.next.lock().unwrap().take();
                if fault != Some(Fault::RequestCut) {
                    server.write_all(request).await.ok()?;
                }
                if fault.is_none() {
                    continue;
                }
                if fault != Some(Fault::RequestCut) && server.read(&mut answer).await.ok()? == 0 {
                    return None;
                }
                faults.over.notify_one();
                if fault != Some(Fault::AnswerSwallowed) {
                    return None;
                }
                swallows = true;
            }
            length = server.read(&mut answer) => {
                let answer = answer.get(..length.ok()?).filter(|answer| !answer.is_empty())?;
                if !swallows {
                    client.write_all(answer).await.ok()?;
                }
            }
        }
    }
}
