//! A relay between a client and a server, which can fail.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinHandle;

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

/// A relay from a port of 127.0.0.1 to a socket.
pub struct Relay {
    address: SocketAddr,
    next: Arc<Mutex<Option<Fault>>>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// A relay to this socket, without a fault.
    pub async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let next = Arc::new(Mutex::new(None));
        let faults = Arc::clone(&next);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = UnixStream::connect(&socket).await else { continue };
                tokio::spawn(relay(client, server, Arc::clone(&faults)));
            }
        });
        Self { address, next, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request, of any connection, has this fault. Later ones have none.
    pub fn fail_next(&self, fault: Fault) {
        *self.next.lock().unwrap() = Some(fault);
    }

    /// Whether the fault has come.
    pub fn has_failed(&self) -> bool {
        self.next.lock().unwrap().is_none()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn relay(mut client: TcpStream, mut server: UnixStream, faults: Arc<Mutex<Option<Fault>>>) -> Option<()> {
    let (mut request, mut answer) = ([0; 64 * 1024], [0; 64 * 1024]);
    let mut swallows = false;
    loop {
        tokio::select! {
            length = client.read(&mut request) => {
                let request = request.get(..length.ok()?).filter(|request| !request.is_empty())?;
                let fault = faults.lock().unwrap().take();
                if fault == Some(Fault::RequestCut) {
                    return None;
                }
                server.write_all(request).await.ok()?;
                if fault == Some(Fault::AnswerCut) {
                    server.read(&mut answer).await.ok()?;
                    return None;
                }
                swallows |= fault == Some(Fault::AnswerSwallowed);
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
