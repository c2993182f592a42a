//! TLS over any transport: a socket, or the tunnel of a proxy.

use super::time_left;
use http::Uri;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport, TransportAdapter};

struct Secure {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
}

/// Does the handshake with the host of `uri`, so that it is known before anything is sent.
pub(crate) fn secure(
    transport: Box<dyn Transport>,
    config: Arc<ClientConfig>,
    uri: &Uri,
    details: &ConnectionDetails<'_>,
) -> Result<Box<dyn Transport>, Error> {
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::Tls("the host is not a name for TLS"))?;
    let mut conn = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut sock = TransportAdapter::new(transport, Arc::clone(&details.current_time));
    sock.set_timeout(time_left(details)?);
    conn.complete_io(&mut sock)?;
    let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
    Ok(Box::new(Secure { stream: StreamOwned { conn, sock }, buffers }))
}

impl Transport for Secure {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.stream.write_all(output).and_then(|()| self.stream.flush())?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let length = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(length);
        Ok(length > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Secure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secure").field(&self.stream.sock.inner()).finish()
    }
}
